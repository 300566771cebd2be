// @ts-check
import { element, find, write } from './parts.js';
import { bytesOf } from './subscription.js';

const VIEWS = ['text', 'JSON', 'hex'];
const MOST_TEXT = 16 * 1024;
const MOST_HEX = 64 * 16;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param {string | ArrayBuffer} data @returns {string | null} Null when it is no text. */
export function textOf(data) {
  if (typeof data === 'string') return data;
  try {
    const text = decoder.decode(data);
    // Control characters mean bytes that happen to decode.
    return /[\0-\x08\x0e-\x1f]/.test(text) ? null : text;
  } catch (e) {
    if (e instanceof TypeError) return null;
    throw e;
  }
}

/** @param {string | null} text @returns {unknown} Undefined when it is no JSON. */
export function jsonOf(text) {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch (e) {
    if (e instanceof SyntaxError) return undefined;
    throw e;
  }
}

/** One line of a payload. @param {string | ArrayBuffer} data */
export function preview(data) {
  const text = textOf(typeof data === 'string' ? data.slice(0, 200) : data.byteLength > 200 ? data.slice(0, 200) : data);
  if (text !== null) return text.replace(/\s+/g, ' ');
  return hexOf(bytesOf(data).subarray(0, 32));
}

/** @param {Uint8Array} bytes */
const hexOf = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');

/** @param {Uint8Array} bytes */
function dump(bytes) {
  const lines = [];
  for (let i = 0; i < Math.min(bytes.length, MOST_HEX); i += 16) {
    const row = bytes.subarray(i, i + 16);
    const ascii = Array.from(row, byte => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·').join('');
    lines.push(`${i.toString(16).padStart(4, '0')}  ${hexOf(row).padEnd(47)}  ${ascii}`);
  }

  return cut(lines.join('\n'), bytes.length - MOST_HEX);
}

/** @param {string} text @param {number} left */
const cut = (text, left) => left > 0 ? `${text}\n… ${left.toLocaleString('en')} bytes more` : text;

/** @param {string | ArrayBuffer} data @param {string} view @returns {string} */
export function render(data, view) {
  const text = view === 'hex' ? null : textOf(data);
  if (text === null) return dump(bytesOf(data));
  const json = view === 'JSON' ? jsonOf(text) : undefined;
  const whole = json === undefined ? text : JSON.stringify(json, null, 2);
  return cut(whole.slice(0, MOST_TEXT), whole.length - MOST_TEXT);
}

/** The view that fits when the reader has not chosen one. @param {string | ArrayBuffer} data */
export function bestView(data) {
  const text = textOf(data);
  if (text === null) return 'hex';
  return jsonOf(text) === undefined ? 'text' : 'JSON';
}

/** Shows one message: topic, bytes, and the body as text, JSON or hex. */
export class PayloadView {
  #facts;
  #body;
  #buttons;
  /** @type {string | null} */
  #chosen = null;
  /** @type {string | ArrayBuffer | null} */
  #data = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#facts = find(root, '.facts');
    this.#body = find(root, 'pre');
    this.#buttons = VIEWS.map(view => {
      const button = element('button', { type: 'button', 'aria-pressed': 'false' }, view);
      button.addEventListener('click', () => {
        this.#chosen = view;
        this.#draw();
      });
      return button;
    });
    find(root, '.views').append(...this.#buttons);
  }

  /** @param {string | ArrayBuffer | null} data @param {string} facts What stands beside it. */
  show(data, facts) {
    this.#data = data;
    write(this.#facts, facts);
    this.#draw();
  }

  /** Another route: its messages may be of another kind. */
  reset() {
    this.#chosen = null;
    this.show(null, '');
  }

  #draw() {
    const view = this.#chosen ?? (this.#data === null ? 'text' : bestView(this.#data));
    VIEWS.forEach((name, i) => this.#buttons[i]?.setAttribute('aria-pressed', String(name === view)));
    write(this.#body, this.#data === null ? '' : render(this.#data, view));
  }
}
