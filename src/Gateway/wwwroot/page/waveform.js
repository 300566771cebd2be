// @ts-check
import { bytes, context, count, find, inFrame, isStill, Rate, showAge, showState, write } from './parts.js';
import { streamUrl } from './stream.js';
import { Subscription } from './subscription.js';

const MARGIN = { left: 36, right: 8, top: 8, bottom: 20 };
const STILL_PACE = 1000;

/** Draws the newest array of float32 samples, at most once per animation frame. */
export class WaveformPanel {
  subscription;
  rate = new Rate();
  #byteRate = new Rate();
  #root;
  #canvas;
  #pause;
  #route = '';
  /** @type {Float32Array} */
  #samples = new Float32Array();
  #limit = 1;
  #drawnAt = 0;
  #size = { width: 0, height: 0 };

  /** @param {HTMLElement} root @param {import('./gateway.js').Gateway} gateway @param {() => void} changed Called when the state is another one. */
  constructor(root, gateway, changed) {
    this.#root = root;
    this.#canvas = /** @type {HTMLCanvasElement} */ (find(root, 'canvas'));
    this.#pause = find(root, '.pause');
    this.subscription = new Subscription(gateway, data => this.#receive(data), changed);
    this.#pause.addEventListener('click', () => {
      const paused = !this.subscription.isPaused;
      this.subscription.pause(paused);
      this.#pause.setAttribute('aria-pressed', String(paused));
      write(this.#pause, paused ? 'Resume' : 'Pause');
    });
    new ResizeObserver(([entry]) => {
      if (!entry) return;
      this.#size = { width: entry.contentRect.width, height: entry.contentRect.height };
      this.redraw();
    }).observe(this.#canvas);
  }

  /** @param {string} name @param {import('./gateway.js').Route | undefined} route */
  setRoute(name, route) {
    this.#route = name;
    write(find(this.#root, '.where'), route ? `WS ${route.path}` : '');
    this.subscription.open(route ? streamUrl(route.path, '') : null);
  }

  redraw() {
    inFrame(this.#draw);
  }

  /** @param {number} now */
  tick(now) {
    this.rate.sample(now, this.subscription.messages);
    this.#byteRate.sample(now, this.subscription.bytes);
    const state = this.subscription.state(now, this.#route, '');
    if (state.kind === 'ok') state.more = `${Math.round(this.rate.perSecond)} frames/s · ${bytes(this.#byteRate.perSecond)}/s`;
    const gaps = this.subscription.gaps;
    if (gaps > 0) state.more = `${state.more ?? ''} · ${count(gaps, 'gap')}`;
    showState(find(this.#root, '.state'), state);
    showAge(this.#root, state, () => this.redraw());
    return state;
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    if (typeof data === 'string' || data.byteLength % Float32Array.BYTES_PER_ELEMENT !== 0) {
      write(find(this.#root, '.facts'), 'not an array of float32');
      return;
    }

    // A view on what was received; all browsers run on little-endian machines.
    this.#samples = new Float32Array(data);
    write(find(this.#root, '.facts'), `float32[${this.#samples.length}]`);
    if (!isStill() || performance.now() - this.#drawnAt > STILL_PACE) this.redraw();
  }

  #draw = () => {
    this.#drawnAt = performance.now();
    const { width, height } = this.#size;
    if (width < 1 || height < 1) return;
    const pen = context(this.#canvas, width, height);
    const style = getComputedStyle(this.#canvas);
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    this.#limit = niceLimit(this.#samples, this.#limit);
    const y = (/** @type {number} */ value) => MARGIN.top + inner.height * (1 - (value / this.#limit + 1) / 2);
    const x = (/** @type {number} */ part) => MARGIN.left + inner.width * part;
    drawAxes(pen, style, x, y, this.#limit, this.#samples.length);
    pen.strokeStyle = style.color;
    pen.lineWidth = 1.5;
    pen.lineJoin = 'round';
    pen.beginPath();
    this.#samples.forEach((value, i) => pen.lineTo(x(i / (this.#samples.length - 1)), y(value)));
    pen.stroke();
  };
}

/** Grows at once and shrinks late, so that the axis stays still. @param {Float32Array} samples @param {number} limit */
function niceLimit(samples, limit) {
  let peak = 0;
  for (const value of samples) if (Number.isFinite(value)) peak = Math.max(peak, Math.abs(value));
  if (peak <= limit && peak > limit / 4) return limit;
  const power = 10 ** Math.floor(Math.log10(peak || 1));
  return [1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10].map(step => step * power).find(step => step >= peak) ?? 1;
}

/**
 * @param {CanvasRenderingContext2D} pen @param {CSSStyleDeclaration} style
 * @param {(part: number) => number} x @param {(value: number) => number} y @param {number} limit @param {number} samples
 */
function drawAxes(pen, style, x, y, limit, samples) {
  pen.font = `11px ${style.fontFamily}`;
  pen.fillStyle = style.getPropertyValue('outline-color');
  pen.strokeStyle = style.getPropertyValue('border-top-color');
  pen.lineWidth = 1;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  for (const value of [limit, limit / 2, 0, -limit / 2, -limit]) {
    pen.beginPath();
    pen.moveTo(x(0), Math.round(y(value)) + 0.5);
    pen.lineTo(x(1), Math.round(y(value)) + 0.5);
    pen.stroke();
    pen.fillText(String(Number(value.toPrecision(6))), x(0) - 6, y(value));
  }

  pen.textBaseline = 'bottom';
  pen.textAlign = 'center';
  for (const part of [0.25, 0.5, 0.75]) pen.fillText(String(Math.round(samples * part)), x(part), y(-limit) + 18);
  pen.textAlign = 'left';
  pen.fillText('0', x(0), y(-limit) + 18);
  pen.textAlign = 'right';
  pen.fillText(String(Math.max(0, samples - 1)), x(1), y(-limit) + 18);
}
