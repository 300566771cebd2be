// @ts-check
import { LatestTable, sampleOf } from './latest.js';
import { MessageLog } from './log.js';
import { at, bytes, count, element, find, inFrame, Rate, showAge, showState, write } from './parts.js';
import { jsonOf, PayloadView, textOf } from './payload.js';
import { sizeOf, Subscription } from './subscription.js';
/** @typedef {import('./gateway.js').Route} Route */

const TYPING = 300;
const PACE = 200;
const TOPIC = /\{\*{0,2}topic\??\}/;

/** Where a stream with a prefix is: the way any client asks for it. @param {string} template @param {string} prefix */
export function streamUrl(template, prefix) {
  const path = template.replace(/\/\{\*{0,2}topic\?\}/, '');
  if (TOPIC.test(path)) return prefix === '' ? null : at(path.replace(TOPIC, encodeURIComponent(prefix)));
  const url = at(path === '' ? '/' : path);
  if (prefix !== '') url.searchParams.set('topic', prefix);
  return url;
}

/** A stream route with what comes from it: rows, and one message in full. */
export class StreamPanel {
  subscription;
  rate = new Rate();
  byteRate = new Rate();
  #root;
  #rows;
  #pick;
  #prefix;
  #pause;
  #message;
  /** @type {Record<string, Route>} */
  #routes = {};
  #route = '';
  /** @type {LatestTable | MessageLog | null} Decided by the first message. */
  #view = null;
  /** @type {string | ArrayBuffer | null} */
  #last = null;
  #typing = 0;
  #showing = 0;

  /** @param {HTMLElement} root @param {import('./gateway.js').Gateway} gateway @param {() => void} changed Called when the state is another one. */
  constructor(root, gateway, changed) {
    this.#root = root;
    this.#rows = find(root, '.rows');
    this.#pick = /** @type {HTMLSelectElement} */ (find(root, '.pick'));
    this.#prefix = /** @type {HTMLInputElement} */ (find(root, '.prefix input'));
    this.#pause = find(root, '.pause');
    this.#message = new PayloadView(find(root, '.message'));
    this.subscription = new Subscription(gateway, data => this.#receive(data), changed);
    this.#pick.addEventListener('change', () => this.#choose(this.#pick.value));
    this.#pause.addEventListener('click', () => this.#setPaused(!this.subscription.isPaused));
    this.#prefix.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#subscribe(), TYPING);
    });
    this.#prefix.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#prefix.value = '';
      if (event.key === 'Escape' || event.key === 'Enter') this.#subscribe();
    });
  }

  /** @param {Record<string, Route>} routes The stream routes, the preferred one first. */
  setRoutes(routes) {
    this.#routes = routes;
    const names = Object.keys(routes);
    this.#pick.replaceChildren(...names.map(name => element('option', { value: name }, name)));
    this.#pick.hidden = names.length < 2;
    this.#choose(names.includes(this.#route) ? this.#route : names[0] ?? '');
  }

  /** The colours have changed. */
  redraw() {
    if (this.#view instanceof LatestTable) this.#view.redraw();
  }

  /** @param {number} now */
  tick(now) {
    this.rate.sample(now, this.subscription.messages);
    this.byteRate.sample(now, this.subscription.bytes);
    const state = this.subscription.state(now, this.#route, this.#prefix.value);
    const gaps = this.subscription.gaps > 0 ? ` · ${count(this.subscription.gaps, 'gap')}` : '';
    if (this.#route === '') Object.assign(state, { kind: 'idle', word: 'no stream route is configured' });
    else if (state.kind === 'idle') Object.assign(state, { word: 'waiting for a topic', more: 'this route needs one' });
    else if (state.kind === 'ok') state.more = `${Math.round(this.rate.perSecond)} msg/s · ${bytes(this.byteRate.perSecond)}/s${gaps}`;
    else state.more = `${state.more ?? ''}${gaps}`;
    showState(find(this.#root, '.state'), state);
    showAge(this.#root, state, () => this.redraw());
    return state;
  }

  /** @param {string} name */
  #choose(name) {
    const route = this.#routes[name];
    this.#route = name;
    this.#pick.value = name;
    write(find(this.#root, 'h2'), this.#pick.hidden && name !== '' ? title(name) : 'Stream');
    const hasTopic = route !== undefined && TOPIC.test(route.path);
    find(this.#root, '.prefix').hidden = !hasTopic;
    if (!hasTopic) this.#prefix.value = '';
    for (const part of [this.#pause, this.#rows, find(this.#root, '.message')]) part.hidden = route === undefined;
    this.#subscribe();
  }

  #subscribe() {
    clearTimeout(this.#typing);
    const route = this.#routes[this.#route];
    const url = route ? streamUrl(route.path, this.#prefix.value) : null;
    const where = url ? `WS ${decodeURIComponent(url.pathname)}${url.search}` : route ? `WS ${route.path}` : '';
    // The same place again, say after a reload of the configuration, keeps what is shown.
    if (where !== find(this.#root, '.where').textContent) this.#clear();
    write(find(this.#root, '.where'), where);
    this.subscription.open(url);
  }

  #clear() {
    [this.#view, this.#last] = [null, null];
    this.#rows.replaceChildren();
    this.#message.reset();
  }

  /** @param {boolean} paused */
  #setPaused(paused) {
    this.subscription.pause(paused);
    this.#pause.setAttribute('aria-pressed', String(paused));
    write(this.#pause, paused ? 'Resume' : 'Pause');
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    this.#last = data;
    const sample = this.#view instanceof MessageLog ? null : sampleOf(jsonOf(textOf(data)));
    if (sample) {
      this.#view ??= new LatestTable(this.#rows, () => this.#show());
      /** @type {LatestTable} */ (this.#view).add(data, sample);
    } else {
      // One message that fits no table, and all are shown as they come.
      if (!(this.#view instanceof MessageLog)) this.#view = new MessageLog(this.#rows);
      this.#view.add(data);
    }

    this.#showing ||= setTimeout(() => {
      this.#showing = 0;
      inFrame(this.#show);
    }, PACE);
  }

  #show = () => {
    const selected = this.#view instanceof LatestTable ? this.#view.selected : undefined;
    const data = selected?.data ?? this.#last;
    if (data === null) return;
    const sample = sampleOf(jsonOf(textOf(data)));
    const size = count(sizeOf(data), 'byte');
    this.#message.show(data, [sample?.key, size, typeof data === 'string' ? 'text frame' : 'binary frame', selected ? 'Esc: newest of all' : ''].filter(Boolean).join(' · '));
  };
}

/** @param {string} name */
const title = name => name.charAt(0).toUpperCase() + name.slice(1);
