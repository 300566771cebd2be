// @ts-check
import { clock, element, inFrame, write } from './parts.js';
import { preview } from './payload.js';
import { sizeOf } from './subscription.js';

const MOST_ROWS = 100;
const PACE = 200;

/** The last messages, newest first: what a stream shows when its messages fit no table. */
export class MessageLog {
  /** @type {{ at: Date, data: string | ArrayBuffer }[]} Newest last. */
  #messages = [];
  /** @type {HTMLElement[]} */
  #rows = [];
  #body = element('tbody');
  #drawnAt = 0;
  #timer = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    const head = ['Time', 'Bytes', 'Message'].map(title => element('th', { scope: 'col' }, title));
    root.replaceChildren(element('table', { class: 'log' }, element('thead', {}, element('tr', {}, ...head)), this.#body));
    root.onkeydown = null;
  }

  /** @param {string | ArrayBuffer} data */
  add(data) {
    this.#messages.push({ at: new Date(), data });
    if (this.#messages.length > MOST_ROWS) this.#messages.shift();
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      inFrame(this.#draw);
    }, Math.max(0, this.#drawnAt + PACE - performance.now()));
  }

  #draw = () => {
    this.#drawnAt = performance.now();
    while (this.#rows.length < this.#messages.length) {
      const row = element('tr', {}, element('td', { class: 'time' }), element('td', { class: 'number' }), element('td', { class: 'preview' }));
      this.#rows.push(row);
      this.#body.append(row);
    }

    this.#messages.toReversed().forEach(({ at, data }, i) => {
      const [time, size, body] = /** @type {HTMLElement} */ (this.#rows[i]).children;
      write(/** @type {Element} */ (time), clock(at));
      write(/** @type {Element} */ (size), sizeOf(data).toLocaleString('en'));
      write(/** @type {Element} */ (body), preview(data));
    });
  };
}
