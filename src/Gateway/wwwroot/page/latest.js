// @ts-check
import { clock, context, element, inFrame, isStill, write } from './parts.js';

const MOST_ROWS = 200;
const POINTS = 60;
const PACE = 100;
const SPARK_HEIGHT = 18;

/**
 * One row: the newest value of a key and its way there.
 * @typedef {{ key: string, data: string | ArrayBuffer, value: number, before: number, digits: number, at: Date, points: number[],
 *   isDirty: boolean, row: HTMLElement, cells: HTMLElement[], spark: HTMLCanvasElement }} Entry
 */

/**
 * A message that has a name and a number, such as {"symbol":"EURUSD","price":1.08}, fits the table of latest values.
 * @param {unknown} json @returns {{ key: string, value: number, at: Date } | null}
 */
export function sampleOf(json) {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  let [key, value] = [/** @type {string | null} */ (null), /** @type {number | null} */ (null)];
  let at = new Date();
  for (const [name, field] of Object.entries(json)) {
    if (/^(time|timestamp|ts)$/i.test(name)) at = dateOf(field) ?? at;
    else if (key === null && typeof field === 'string') key = field;
    else if (value === null && typeof field === 'number') value = field;
  }

  return key === null || value === null ? null : { key, value, at };
}

/** @param {unknown} field ISO text, or seconds or milliseconds since 1970. */
function dateOf(field) {
  const date = new Date(typeof field === 'number' ? (field < 1e11 ? field * 1000 : field) : typeof field === 'string' ? field : NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** The newest message of each key, in the order of the keys. */
export class LatestTable {
  /** @type {Map<string, Entry>} Least recently updated first. */
  #entries = new Map();
  #body = element('tbody');
  #drawnAt = 0;
  #sparkWidth = 96;
  #timer = 0;
  /** @type {string | null} */
  #selected = null;
  #selectionChanged;

  /** @param {HTMLElement} root @param {() => void} selectionChanged */
  constructor(root, selectionChanged) {
    this.#selectionChanged = selectionChanged;
    const head = ['Key', 'Value', '', `Last ${POINTS}`, 'Time'].map(title => element('th', { scope: 'col' }, title));
    new ResizeObserver(([entry]) => {
      this.#sparkWidth = Math.max(48, Math.floor(entry?.contentRect.width ?? 0));
      this.redraw();
    }).observe(/** @type {HTMLElement} */ (head[3]));
    root.replaceChildren(element('table', { class: 'latest' }, element('thead', {}, element('tr', {}, ...head)), this.#body));
    root.onkeydown = event => this.#onKey(event);
  }

  redraw() {
    for (const entry of this.#entries.values()) entry.isDirty = true;
    inFrame(this.#draw);
  }

  /** @returns {Entry | undefined} The chosen row, if any. */
  get selected() { return this.#selected === null ? undefined : this.#entries.get(this.#selected); }

  get size() { return this.#entries.size; }

  /** @param {string | ArrayBuffer} data @param {{ key: string, value: number, at: Date }} sample */
  add(data, { key, value, at }) {
    const entry = this.#entries.get(key) ?? this.#create(key, value);
    // Last in the map is what was updated last; the first is the one to go.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MOST_ROWS) this.#evict();
    entry.before = entry.value;
    Object.assign(entry, { data, value, at, isDirty: true, digits: Math.max(entry.digits, digitsOf(value)) });
    entry.points.push(value);
    if (entry.points.length > POINTS) entry.points.shift();
    this.#schedule();
  }

  #schedule() {
    if (this.#timer) return;
    // Nobody reads faster than this, and a frame without news costs nothing.
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      inFrame(this.#draw);
    }, Math.max(0, this.#drawnAt + PACE - performance.now()));
  }

  #draw = () => {
    this.#drawnAt = performance.now();
    for (const entry of this.#entries.values()) {
      if (entry.isDirty) drawEntry(entry, this.#sparkWidth);
    }
  };

  /** @param {string} key @param {number} value @returns {Entry} */
  #create(key, value) {
    const spark = /** @type {HTMLCanvasElement} */ (element('canvas', { 'aria-hidden': 'true' }));
    const cells = ['key', 'number', 'way', 'spark', 'time'].map(name => element('td', { class: name }));
    /** @type {HTMLElement} */ (cells[3]).append(spark, element('span'));
    const row = element('tr', {}, ...cells);
    write(/** @type {HTMLElement} */ (cells[0]), key);
    row.addEventListener('click', () => this.#select(this.#selected === key ? null : key));
    const next = [...this.#body.children].find(other => /** @type {string} */ (other.firstElementChild?.textContent) > key);
    this.#body.insertBefore(row, next ?? null);
    return { key, data: '', value, before: value, digits: 0, at: new Date(), points: [], isDirty: true, row, cells, spark };
  }

  #evict() {
    const [oldest] = this.#entries.values();
    if (!oldest) return;
    oldest.row.remove();
    this.#entries.delete(oldest.key);
    if (this.#selected === oldest.key) this.#select(null);
  }

  /** @param {string | null} key */
  #select(key) {
    this.selected?.row.removeAttribute('aria-current');
    this.#selected = key;
    this.selected?.row.setAttribute('aria-current', 'true');
    this.selected?.row.scrollIntoView({ block: 'nearest' });
    this.#selectionChanged();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const rows = [...this.#body.children];
    const at = rows.findIndex(row => row.hasAttribute('aria-current'));
    const to = { ArrowDown: Math.min(rows.length - 1, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === 'Escape') this.#select(null);
    else if (to === undefined) return;
    else this.#select(rows[to]?.firstElementChild?.textContent ?? null);
    event.preventDefault();
  }
}

/** @param {Entry} entry @param {number} sparkWidth */
function drawEntry(entry, sparkWidth) {
  entry.isDirty = false;
  const [, value, way, spark, time] = /** @type {[HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]} */ (entry.cells);
  write(value, entry.value.toFixed(entry.digits));
  write(way, entry.value > entry.before ? '▲' : entry.value < entry.before ? '▼' : '');
  write(time, clock(entry.at));
  const range = /** @type {HTMLElement} */ (spark.lastElementChild);
  entry.spark.hidden = isStill();
  write(range, isStill() ? `${Math.min(...entry.points).toFixed(entry.digits)}–${Math.max(...entry.points).toFixed(entry.digits)}` : '');
  if (!isStill()) drawSpark(entry.spark, sparkWidth, entry.points);
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number[]} points */
function drawSpark(canvas, width, points) {
  const pen = context(canvas, width, SPARK_HEIGHT);
  const [low, high] = [Math.min(...points), Math.max(...points)];
  const step = (width - 4) / (POINTS - 1);
  const y = (/** @type {number} */ value) => high === low ? SPARK_HEIGHT / 2 : 2 + (SPARK_HEIGHT - 4) * (high - value) / (high - low);
  const left = width - 2 - step * (points.length - 1);
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.lineWidth = 1.25;
  pen.beginPath();
  points.forEach((value, i) => pen.lineTo(left + i * step, y(value)));
  pen.stroke();
}

/** @param {number} value Digits after the point, as they were sent. */
function digitsOf(value) {
  const text = String(value);
  const point = text.indexOf('.');
  return point < 0 || text.includes('e') ? 0 : Math.min(8, text.length - point - 1);
}
