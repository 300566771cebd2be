// @ts-check
/** @typedef {import('./parts.js').State} State */

const PATIENCE = 5000;
const SILENCE = 3000;
const LONGEST_WAIT = 8000;
const encoder = new TextEncoder();

/** What a close code means to the reader of this page. @type {Record<number, string>} */
const CLOSE_CODES = {
  1001: 'the gateway is stopping', 1002: 'protocol error', 1006: 'the connection was lost or refused', 1008: 'refused by policy',
  1009: 'a message was too big', 1011: 'the gateway failed', 1012: 'the gateway restarts', 1013: 'the gateway is overloaded',
  4008: 'this page did not keep up',
};

/** One WebSocket that comes back by itself, with what there is to say about it. */
export class Subscription {
  messages = 0;
  bytes = 0;
  /** Connections that were lost: what came meanwhile is missing here. */
  gaps = 0;
  #gateway;
  #receive;
  #changed;
  /** @type {URL | null} */
  #url = null;
  /** @type {WebSocket | null} */
  #socket = null;
  #timer = 0;
  #isPaused = false;
  #isWaiting = false;
  #failures = 0;
  #retryAt = 0;
  #why = '';
  #openedAt = 0;
  #lastAt = 0;

  /**
   * @param {import('./gateway.js').Gateway} gateway @param {(data: string | ArrayBuffer) => void} receive
   * @param {() => void} changed Called when the state is another one.
   */
  constructor(gateway, receive, changed) {
    this.#gateway = gateway;
    this.#receive = receive;
    this.#changed = changed;
    gateway.watch(() => {
      // A gateway that is back is not left waiting.
      if (this.#isWaiting && gateway.state === 'up' && this.#failures <= 1) this.#connect();
    });
  }

  get isPaused() { return this.#isPaused; }

  /** @param {URL | null} url Null when there is nothing to subscribe to. */
  open(url) {
    if (this.#url?.href === url?.href) return;
    this.#url = url;
    [this.messages, this.bytes, this.gaps] = [0, 0, 0];
    this.#again();
  }

  /** @param {boolean} paused A paused subscription is closed: nothing is sent to it. */
  pause(paused) {
    this.#isPaused = paused;
    this.#again();
  }

  /** @param {number} now @param {string} route @param {string} prefix @returns {State} */
  state(now, route, prefix) {
    if (this.#isPaused) return { kind: 'paused', word: 'paused' };
    if (!this.#url) return { kind: 'idle', word: '' };
    if (this.#isWaiting) {
      const isDown = this.#gateway.state === 'down';
      const seconds = Math.max(0, Math.ceil(((isDown ? this.#gateway.retryAt : this.#retryAt) - now) / 1000));
      return { kind: 'down', word: seconds > 0 ? `reconnecting in ${seconds} s` : 'reconnecting', more: isDown ? `the gateway ${this.#gateway.why}` : this.#gateway.whyDown(route) || this.#why };
    }

    if (this.#socket?.readyState !== WebSocket.OPEN) return { kind: 'wait', word: 'connecting' };
    if (now - Math.max(this.#lastAt, this.#openedAt) < SILENCE) return { kind: 'ok', word: 'live' };
    const filtered = prefix === '' ? 'the service sends nothing' : `no topic that begins with “${prefix}” has come`;
    return { kind: 'wait', word: 'nothing arrives', more: this.#gateway.whySilent(route) || filtered };
  }

  #again() {
    clearTimeout(this.#timer);
    [this.#isWaiting, this.#failures, this.#why, this.#lastAt] = [false, 0, '', 0];
    this.#socket?.close(1000);
    this.#socket = null;
    if (this.#url && !this.#isPaused) this.#connect();
    this.#changed();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#isWaiting = false;
    const url = new URL(/** @type {URL} */ (this.#url));
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = this.#socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#timer = setTimeout(() => socket.close(), PATIENCE);
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#openedAt = performance.now();
      this.#changed();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#lastAt = performance.now();
      this.#failures = 0;
      this.messages++;
      this.bytes += sizeOf(data);
      this.#receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#lost(reason || CLOSE_CODES[code] || `close code ${code}`);
    };
  }

  /** @param {string} why */
  #lost(why) {
    clearTimeout(this.#timer);
    if (this.#socket && this.#lastAt > 0) this.gaps++;
    [this.#isWaiting, this.#why, this.#lastAt] = [true, why, 0];
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures++) * (0.75 + Math.random() * 0.25);
    this.#retryAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.#retry(), wait);
    this.#changed();
    // Is it this stream alone, or the gateway?
    void this.#gateway.ask();
  }

  #retry() {
    // While the gateway is down its health is what is asked for; its return connects.
    if (this.#gateway.state === 'down') this.#failures = 0;
    else this.#connect();
  }
}

/** @param {string | ArrayBuffer} data */
export const sizeOf = data => typeof data === 'string' ? encoder.encode(data).length : data.byteLength;

/** @param {string | ArrayBuffer} data */
export const bytesOf = data => typeof data === 'string' ? encoder.encode(data) : new Uint8Array(data);
