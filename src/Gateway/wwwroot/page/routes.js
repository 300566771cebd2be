// @ts-check
import { count, element, find, write } from './parts.js';

/** The configured routes, as a list of what can be called and subscribed to. */
export class RoutesPanel {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {import('./gateway.js').Health} health */
  setRoutes(health) {
    const routes = Object.entries(health.routes);
    const head = ['Route', 'Kind', 'Where', 'Backend'].map(title => element('th', { scope: 'col' }, title));
    const rows = routes.map(([name, route]) => element('tr', {},
      element('td', { class: 'key' }, name),
      element('td', {}, route.kind),
      element('td', {}, element('code', {}, `${route.kind === 'stream' ? 'WS' : route.methods.join(', ')} ${route.path}`)),
      element('td', {}, route.backend)));
    write(find(this.#root, '.facts'), count(routes.length, 'route'));
    find(this.#root, '.rows').replaceChildren(element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)));
  }
}
