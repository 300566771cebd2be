// @ts-check
import { examples } from './examples.js';
import { command, copyOf, element, find } from './parts.js';
/** @typedef {import('./examples.js').Example} Example */

/** Tabs with a service, the configuration that puts it on the web, and how to use it. @param {HTMLElement} root */
export function showGuide(root) {
  const steps = find(root, '.steps');
  steps.id = 'guide-steps';
  const tabs = examples.map((example, i) => {
    const tab = element('button', { type: 'button', role: 'tab', id: `tab-${i}`, 'aria-controls': steps.id }, example.name);
    tab.addEventListener('click', () => choose(i));
    return tab;
  });
  const list = find(root, '.tabs');
  list.append(...tabs);
  list.addEventListener('keydown', event => {
    const at = tabs.findIndex(tab => tab === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose((to + tabs.length) % tabs.length);
    /** @type {HTMLElement} */ (document.activeElement === tabs[at] ? tabs[(to + tabs.length) % tabs.length] : null)?.focus();
  });
  choose(0);

  /** @param {number} chosen */
  function choose(chosen) {
    tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === chosen));
      tab.tabIndex = i === chosen ? 0 : -1;
    });
    steps.setAttribute('aria-labelledby', `tab-${chosen}`);
    steps.replaceChildren(...stepsOf(/** @type {Example} */ (examples[chosen])));
  }
}

/** @param {Example} example */
function stepsOf(example) {
  const { host, hostname, protocol } = location;
  // A gateway on another port than its own choice has to be told so again.
  const isUsual = host === '127.0.0.1:8080' || host === 'localhost:8080' || protocol === 'https:' || !['127.0.0.1', 'localhost'].includes(hostname);
  const start = `dotnet run -c Release --project src/Gateway${isUsual ? '' : ` -- --urls http://${host}`}`;
  return [
    step(`1. Your service: ${example.file}`, 'service', example.code, command('start', example.start)),
    step('2. gateway.json', 'config', example.config, command('run', start)),
    element('div', { class: 'step' }, element('div', { class: 'head' }, element('h3', {}, `3. Use it ${example.hint}`)), command('use', example.use(host, protocol === 'https:'))),
  ];
}

/** @param {string} title @param {string} name @param {string} code @param {HTMLElement} after */
const step = (title, name, code, after) => element('div', { class: 'step' },
  element('div', { class: 'head' }, element('h3', {}, title), copyOf(name, code)),
  element('pre', { class: name, tabindex: '0', role: 'group', 'aria-label': name }, code), after);
