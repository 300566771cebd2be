// @ts-check
// Small parts that every panel uses.

/**
 * What a state line shows. `kind` picks colour and shape, the word says the same.
 * @typedef {{ kind: 'ok' | 'wait' | 'down' | 'paused' | 'idle', word: string, more?: string }} State
 */

/** @param {ParentNode} root @param {string} selector @returns {HTMLElement} */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`${selector} is not on the page`);
  return found;
}

/**
 * Makes an element; whatever comes from the wire goes in as text.
 * @param {string} name @param {Record<string, string>} attributes @param {...(Node | string)} children
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Writes only what changed: an unchanged text costs no layout. @param {Node} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {HTMLElement} line @param {State} state */
export function showState(line, state) {
  if (line.dataset.state !== state.kind) line.dataset.state = state.kind;
  write(find(line, 'b'), state.word);
  write(find(line, '.more'), state.more ?? '');
}

/** What is shown is no longer live: it stays, but looks like it. @param {HTMLElement} panel @param {State} state @param {() => void} redraw */
export function showAge(panel, state, redraw) {
  const isOld = state.kind === 'down' || state.kind === 'paused';
  if (panel.classList.contains('old') === isOld) return;
  panel.classList.toggle('old', isOld);
  redraw();
}

/** The absolute form of one of the gateway's paths, wherever the page is mounted. @param {string} path */
export const at = path => new URL(`.${path}`, document.baseURI);

/** @param {number} n */
export function bytes(n) {
  if (n < 1000) return `${Math.round(n)} B`;
  if (n < 1_000_000) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1_048_576).toFixed(1)} MiB`;
}

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** @param {Date} date */
export function clock(date) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A rate over the last two seconds of a counter that is sampled at every tick. */
export class Rate {
  /** @type {{ at: number, count: number }[]} */
  #samples = [];

  /** @param {number} now Milliseconds. @param {number} count Total so far. */
  sample(now, count) {
    const last = this.#samples.at(-1);
    // A restarted gateway or another stream counts from zero again.
    if (last && count < last.count) this.#samples = [];
    this.#samples.push({ at: now, count });
    while (this.#samples.length > 2 && now - /** @type {any} */ (this.#samples[0]).at > 2100) this.#samples.shift();
  }

  get perSecond() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < 400) return 0;
    return (last.count - first.count) * 1000 / (last.at - first.at);
  }
}

/** @type {Set<() => void>} */
const dirty = new Set();

/** Runs `draw` in the next animation frame, once, however often it is asked for. @param {() => void} draw */
export function inFrame(draw) {
  if (dirty.size === 0) requestAnimationFrame(drawAll);
  dirty.add(draw);
}

function drawAll() {
  const due = [...dirty];
  dirty.clear();
  for (const draw of due) draw();
}

/** A canvas at device pixels: sets its size and returns its context in CSS pixels. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
export function context(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

const motion = matchMedia('(prefers-reduced-motion: reduce)');

/** Whether the user asked for stillness. */
export const isStill = () => motion.matches;

/** @param {() => void} changed */
export const onMotionChange = changed => motion.addEventListener('change', changed);

/** A command to copy, broken between its words and not within them. @param {string} name @param {string} text */
export function command(name, text) {
  const pre = element('pre', { class: name, tabindex: '0', role: 'group', 'aria-label': name });
  writeCommand(pre, text);
  return element('div', { class: 'command' }, pre, copyOf(name, text));
}

/** @param {HTMLElement} pre @param {string} text */
export function writeCommand(pre, text) {
  if (pre.textContent !== text) pre.replaceChildren(...text.split(/( )/).map(word => word === ' ' ? word : element('span', {}, word)));
}

/** @param {string} name @param {string} text */
export function copyOf(name, text) {
  const button = element('button', { class: 'copy', type: 'button', 'aria-label': `Copy: ${name}` }, 'Copy');
  copyButton(button, () => text);
  return button;
}

/** Copies on click and says so on the button. @param {HTMLElement} button @param {() => string} text */
export function copyButton(button, text) {
  button.addEventListener('click', async () => {
    const done = await copy(text());
    button.textContent = done ? 'Copied' : 'Select it';
    write(find(document, '#announce'), done ? 'Copied' : 'Nothing was copied; select the text');
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (e) {
    // No clipboard without HTTPS or localhost, or not allowed: the old way still works there.
    if (!(e instanceof DOMException || e instanceof TypeError)) throw e;
    const area = /** @type {HTMLTextAreaElement} */ (element('textarea', { class: 'unseen' }));
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}
