// @ts-check
import { bytes, count, element, find, Rate, write } from './parts.js';
/** @typedef {import('./gateway.js').Endpoint} Endpoint @typedef {import('./gateway.js').Backend} Backend */

const MOST_PEERS = 8;
const STEADY = 1800;
/** What a backend without endpoints shows in their place. @type {Endpoint} */
const NONE = { endpoint: '', role: 'connect', state: 'not started', lastError: null, messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 };
const UNITS = { REQ: 'calls', DEALER: 'calls' };

/** @type {Record<string, string>} */
const PREFIX = { bind: 'bind ', accepted: 'peer ' };

/** One line per endpoint: its state in shape and word, its pace, and the reason when there is one. */
export class BackendsPanel {
  #root;
  /** @type {Map<string, { item: HTMLElement, out: Rate, in: Rate, notice: Patience }>} */
  #items = new Map();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    find(root, '.rows').append(element('ul', { class: 'backends' }));
  }

  /** @param {import('./gateway.js').Gateway} gateway */
  show(gateway) {
    const health = gateway.health;
    if (!health) return;
    const isDown = gateway.state === 'down';
    this.#root.classList.toggle('stale', isDown);
    const seen = new Set();
    for (const [name, backend] of Object.entries(health.backends)) {
      const own = backend.endpoints.filter(endpoint => endpoint.role !== 'accepted');
      const peers = backend.endpoints.filter(endpoint => endpoint.role === 'accepted');
      const more = { ...NONE, endpoint: `and ${peers.length - MOST_PEERS} peers more`, role: 'more', state: '' };
      const lines = [...(own.length > 0 ? own : [NONE]), ...peers.slice(0, MOST_PEERS), ...(peers.length > MOST_PEERS ? [more] : [])];
      lines.forEach((endpoint, i) => {
        const key = `${name}\n${endpoint.endpoint}\n${endpoint.role}`;
        seen.add(key);
        this.#showEndpoint(key, i === 0 ? name : '', backend, endpoint, isDown);
      });
    }

    for (const [key, { item }] of this.#items) {
      if (seen.has(key)) continue;
      item.remove();
      this.#items.delete(key);
    }

    const backends = Object.values(health.backends);
    write(find(this.#root, '.facts'), isDown ? 'as last seen' : `${backends.filter(backend => backend.ready).length} of ${backends.length} ready`);
  }

  /** @param {string} key @param {string} name @param {Backend} backend @param {Endpoint} endpoint @param {boolean} isDown */
  #showEndpoint(key, name, backend, endpoint, isDown) {
    const shown = this.#items.get(key) ?? this.#create(key);
    const { item } = shown;
    const now = performance.now();
    shown.in.sample(now, endpoint.messagesIn);
    shown.out.sample(now, endpoint.messagesOut);
    const isReady = backend.ready && /ready|listening|bound/.test(endpoint.state);
    const kind = isDown ? 'idle' : isReady ? 'ok' : /connecting|handshaking/.test(endpoint.state) && !endpoint.lastError ? 'wait' : 'down';
    const line = find(item, '.state');
    line.dataset.state = kind;
    write(find(line, 'b'), name);
    write(find(item, '.socket'), backend.socket);
    write(find(item, '.endpoint'), `${PREFIX[endpoint.role] ?? ''}${endpoint.endpoint}`);
    write(find(item, '.word'), isDown ? 'unknown' : endpoint.state);
    write(find(item, '.pace'), isDown ? '' : pace(backend.socket, shown.out.perSecond, shown.in.perSecond));
    item.title = `in ${count(endpoint.messagesIn, 'message')}, ${bytes(endpoint.bytesIn)}; out ${count(endpoint.messagesOut, 'message')}, ${bytes(endpoint.bytesOut)}`;
    const why = find(item, '.why');
    // A backend's notice and reason stand at its first line.
    const notice = shown.notice.after(now, backend.notice);
    const whole = name === '' ? null : backend.ready ? notice : backend.why;
    write(why, isDown ? '' : (!isReady && endpoint.lastError) || whole || '');
    why.hidden = why.textContent === '';
    why.classList.toggle('notice', isReady);
  }

  /** @param {string} key */
  #create(key) {
    const item = element('li', {},
      element('span', { class: 'state' }, element('span', { class: 'mark' }), element('b')),
      element('span', { class: 'socket' }), element('code', { class: 'endpoint' }),
      element('span', { class: 'word' }), element('span', { class: 'pace' }), element('p', { class: 'why' }));
    const made = { item, out: new Rate(), in: new Rate(), notice: new Patience() };
    this.#items.set(key, made);
    find(this.#root, 'ul').append(item);
    return made;
  }
}

/** Lets a text through once it has held for a while: what is true for the first second of a subscription is no news. */
class Patience {
  /** @type {string | null} */
  #text = null;
  #since = 0;

  /** @param {number} now @param {string | null} text */
  after(now, text) {
    if (text !== this.#text) [this.#text, this.#since] = [text, now];
    return now - this.#since > STEADY ? text : null;
  }
}

/** @param {string} socket @param {number} out @param {number} into */
function pace(socket, out, into) {
  const rate = Math.max(out, into);
  const unit = UNITS[/** @type {'REQ'} */ (socket)] ?? 'msg';
  return `${rate > 0 && rate < 10 ? rate.toFixed(1) : Math.round(rate)} ${unit}/s`;
}
