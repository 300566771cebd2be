// @ts-check
import { at, copyButton, element, find, showState, write, writeCommand } from './parts.js';
import { bestView, render } from './payload.js';
/** @typedef {import('./gateway.js').Route} Route */

const PARAMETER = /\{\*{0,2}(\w+)[^}]*\}/g;
const MOST_REPLY = 64 * 1024;

/** A route that takes a request, as a form, with its reply and the same in curl. */
export class CallPanel {
  #root;
  #pick;
  #form;
  #reply;
  #state;
  /** @type {Record<string, Route>} */
  #routes = {};
  #route = '';
  #isDemo = false;
  /** @type {AbortController | null} */
  #calling = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#pick = /** @type {HTMLSelectElement} */ (find(root, '.pick'));
    this.#form = /** @type {HTMLFormElement} */ (find(root, 'form'));
    this.#reply = find(root, '.reply');
    this.#state = find(root, '.state');
    copyButton(find(root, '.copy'), () => this.#curl());
    this.#pick.addEventListener('change', () => this.#choose(this.#pick.value));
    this.#form.addEventListener('input', () => this.#showCommand());
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      if (this.#calling) this.#calling.abort();
      else void this.#send();
    });
    this.#form.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#calling?.abort();
      // Enter sends from every field; in a body of several lines it takes Ctrl.
      if (event.key === 'Enter' && event.ctrlKey) this.#form.requestSubmit();
    });
  }

  /** @param {Record<string, Route>} routes Routes that take a request. @param {boolean} isDemo */
  setRoutes(routes, isDemo) {
    const names = Object.keys(routes);
    [this.#routes, this.#isDemo] = [routes, isDemo];
    this.#pick.replaceChildren(...names.map(name => element('option', { value: name }, name)));
    this.#pick.hidden = names.length < 2;
    this.#choose(names.includes(this.#route) ? this.#route : names[0] ?? '');
  }

  /** @param {string} name */
  #choose(name) {
    const route = this.#routes[name];
    [this.#route, this.#pick.value] = [name, name];
    write(find(this.#root, 'h2'), route ? { publish: 'Publish', push: 'Push' }[route.kind] ?? 'Call' : 'Call');
    write(this.#reply, '');
    for (const part of [this.#form, this.#reply, find(this.#root, '.command')]) part.hidden = !route;
    showState(this.#state, { kind: 'idle', word: route ? '' : 'no route takes requests' });
    this.#form.replaceChildren(...(route ? this.#fields(route) : []));
    this.#showCommand();
  }

  /** @param {Route} route */
  #fields(route) {
    const send = element('button', { class: 'send' }, 'Send');
    if (this.#isAdd) return [field('a', number('a', '2')), field('b', number('b', '40')), send];
    const parameters = [...route.path.matchAll(PARAMETER)].map(([, name]) => field(String(name), element('input', { name: `:${name}`, spellcheck: 'false' })));
    const methods = element('select', { name: 'method', 'aria-label': 'Method' }, ...route.methods.map(method => element('option', {}, method)));
    const body = element('textarea', { name: 'body', rows: '3', spellcheck: 'false', 'aria-label': 'Request body', placeholder: 'request body; Ctrl+Enter sends' });
    return [...(route.methods.length > 1 ? [methods] : []), ...parameters, body, send];
  }

  /** The demo's calculator has two fields; every other route has a body. */
  get #isAdd() { return this.#isDemo && this.#route === 'add'; }

  /** @returns {{ method: string, url: URL, body: string | null }} */
  #request() {
    const route = /** @type {Route} */ (this.#routes[this.#route]);
    const values = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(values.get(name) ?? '');
    const method = text('method') || route.methods[0] || 'POST';
    const path = route.path.replace(PARAMETER, (_, name) => encodeURIComponent(text(`:${name}`)));
    const body = this.#isAdd ? `{"a":${term(text('a'))},"b":${term(text('b'))}}` : text('body');
    return { method, url: at(path), body: method === 'GET' || method === 'HEAD' ? null : body };
  }

  #curl() {
    const { method, url, body } = this.#request();
    const data = body === null || body === '' ? '' : ` ${body.includes('\n') ? '--data-binary' : '-d'} ${quote(body)}`;
    const verb = method === 'HEAD' ? ' -I' : method === (data === '' ? 'GET' : 'POST') ? '' : ` -X ${method}`;
    return `curl${verb}${data} ${/^[\w:/.%~-]+$/.test(url.href) ? url.href : quote(url.href)}`;
  }

  #showCommand() {
    const route = this.#routes[this.#route];
    write(find(this.#root, '.where'), route ? `${route.methods.join(', ')} ${route.path}` : '');
    if (route) writeCommand(find(this.#root, '.command pre'), this.#curl());
  }

  async #send() {
    const { method, url, body } = this.#request();
    const calling = this.#calling = new AbortController();
    const button = find(this.#form, '.send');
    write(button, 'Cancel');
    showState(this.#state, { kind: 'wait', word: 'waiting' });
    const began = performance.now();
    try {
      const type = body !== null && bestView(body) === 'JSON' ? { 'Content-Type': 'application/json' } : {};
      const answer = await fetch(url, { method, body: body || null, headers: type, signal: calling.signal, cache: 'no-store' });
      const { data, isWhole } = await read(answer);
      const took = isWhole ? latency(url, began) : performance.now() - began;
      const kind = answer.ok ? 'ok' : answer.status < 500 ? 'wait' : 'down';
      showState(this.#state, { kind, word: `${answer.status} ${answer.statusText}`.trim(), more: `${took.toFixed(took < 100 ? 1 : 0)} ms` });
      write(this.#reply, data.byteLength === 0 ? '(empty)' : render(data, bestView(data)) + (isWhole ? '' : '\n… and more'));
    } catch (e) {
      if (!(e instanceof DOMException || e instanceof TypeError)) throw e;
      showState(this.#state, { kind: 'down', word: calling.signal.aborted ? 'cancelled' : 'no answer', more: calling.signal.aborted ? '' : 'the gateway cannot be reached or cut the reply' });
      write(this.#reply, '');
    } finally {
      this.#calling = null;
      write(button, 'Send');
    }
  }
}

/** Reads as much of a reply as is shown; the rest of a large one is not transferred. @param {Response} answer */
async function read(answer) {
  const chunks = [];
  let length = 0;
  const reader = answer.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    chunks.push(part.value);
    length += part.value.length;
    if (length <= MOST_REPLY) continue;
    await reader?.cancel();
    return { data: await new Blob(chunks).slice(0, MOST_REPLY).arrayBuffer(), isWhole: false };
  }

  return { data: await new Blob(chunks).arrayBuffer(), isWhole: true };
}

/** From the request's first byte to the reply's last, as the network stack saw it; from here, where it does not say. @param {URL} url @param {number} began */
function latency(url, began) {
  const entry = performance.getEntriesByName(url.href).at(-1);
  const isKnown = entry instanceof PerformanceResourceTiming && entry.startTime >= began && entry.requestStart > 0;
  return isKnown ? entry.responseEnd - entry.requestStart : performance.now() - began;
}

/** @param {string} label @param {HTMLElement} input */
const field = (label, input) => element('label', {}, label, input);

/** @param {string} name @param {string} value */
const number = (name, value) => element('input', { name, value, inputmode: 'decimal', autocomplete: 'off', size: '8' });

/** A number goes in as typed; anything else as a text, so that the service can refuse it. @param {string} text */
const term = text => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) ? text.trim() : JSON.stringify(text);

/** For a POSIX shell. @param {string} text */
const quote = text => `'${text.replaceAll("'", "'\\''")}'`;
