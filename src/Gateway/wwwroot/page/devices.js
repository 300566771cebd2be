// @ts-check
import { at, bytes, clock, count, element, find, inFrame, Rate, write } from './parts.js';

/**
 * @typedef {{ messages: number, bytes: number, dropped: number, lost: number, waiting: number }} Way
 * @typedef {{ name: string, type: string, state: string, lastError: string | null, in: Way, out: Way }} Device
 * @typedef {{ direction: string, time: string, size: number, skipped: number, frames: { text?: string, hex?: string, size: number, truncated?: boolean }[] }} Shown
 */

const MOST_ROWS = 20;
/** @type {Record<string, string>} */
const KINDS = { running: 'ok', paused: 'paused', stopped: 'idle', stopping: 'wait', failed: 'down' };

/** The devices: state and pace of each, a button that pauses it, and what passes through the one that is watched. */
export class DevicesPanel {
  #root;
  /** @type {Map<string, { item: HTMLElement, in: Rate, out: Rate }>} */
  #items = new Map();
  #watched = '';
  /** @type {WebSocket | null} */
  #tap = null;
  /** @type {Shown[]} */
  #rows = [];
  #isAsking = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    find(root, '.rows').append(element('table', {}, element('thead', {}, element('tr', {},
      ...['Time', 'Way', 'Bytes', 'Frames'].map(title => element('th', { scope: 'col' }, title)))), element('tbody')));
  }

  /** @param {import('./gateway.js').Gateway} gateway */
  async show(gateway) {
    const health = gateway.health;
    this.#root.hidden = !health || health.devices === 0;
    if (this.#root.hidden || gateway.state !== 'up' || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const answer = await fetch(at('/gateway/devices'), { cache: 'no-store', signal: AbortSignal.timeout(1500) });
      this.#list(/** @type {{ devices: Device[] }} */ (await answer.json()).devices);
    } catch (e) {
      // A gateway that went away between two questions: the header says so, and what is shown stays.
      if (!(e instanceof DOMException || e instanceof TypeError || e instanceof SyntaxError)) throw e;
    } finally {
      this.#isAsking = false;
    }
  }

  /** @param {Device[]} devices */
  #list(devices) {
    for (const [name, { item }] of this.#items) {
      if (devices.some(device => device.name === name)) continue;
      item.remove();
      this.#items.delete(name);
    }

    for (const device of devices) this.#showDevice(device);
    write(find(this.#root, '.facts'), `${devices.filter(device => device.state === 'running').length} of ${devices.length} running`);
  }

  /** @param {Device} device */
  #showDevice(device) {
    const shown = this.#items.get(device.name) ?? this.#create(device.name);
    const { item } = shown;
    const now = performance.now();
    shown.in.sample(now, device.in.messages);
    shown.out.sample(now, device.out.messages);
    find(item, '.state').dataset.state = KINDS[device.state] ?? 'wait';
    write(find(item, '.socket'), device.type);
    write(find(item, '.word'), device.state);
    write(find(item, '.pace'), `in ${Math.round(shown.in.perSecond)}, out ${Math.round(shown.out.perSecond)} msg/s`);
    const missing = device.in.dropped + device.out.dropped + device.in.lost + device.out.lost;
    const waiting = device.in.waiting + device.out.waiting;
    const words = [missing > 0 ? `${count(missing, 'message')} dropped or lost` : '', waiting > 0 ? `${count(waiting, 'message')} waiting` : '', device.state === 'failed' ? device.lastError ?? '' : ''];
    const why = find(item, '.why');
    write(why, words.filter(word => word !== '').join('; '));
    why.hidden = why.textContent === '';
    why.classList.toggle('notice', device.state !== 'failed');
    item.title = `in ${count(device.in.messages, 'message')}, ${bytes(device.in.bytes)}; out ${count(device.out.messages, 'message')}, ${bytes(device.out.bytes)}`;
    const pause = /** @type {HTMLButtonElement} */ (find(item, '.pause'));
    const isPaused = device.state === 'paused';
    write(pause, isPaused ? 'Resume' : 'Pause');
    pause.setAttribute('aria-label', `${isPaused ? 'Resume' : 'Pause'} ${device.name}`);
    pause.disabled = device.state !== 'running' && !isPaused;
  }

  /** @param {string} name */
  #create(name) {
    const pause = element('button', { class: 'pause', type: 'button' }, 'Pause');
    const watch = element('button', { class: 'watch', type: 'button', 'aria-pressed': 'false', 'aria-label': `Watch ${name}` }, 'Watch');
    pause.addEventListener('click', () => this.#steer(name, pause.textContent === 'Pause' ? 'pause' : 'resume'));
    watch.addEventListener('click', () => this.#watch(this.#watched === name ? '' : name));
    const item = element('li', {},
      element('span', { class: 'state' }, element('span', { class: 'mark' }), element('b', {}, name)),
      element('span', { class: 'socket' }), element('span', { class: 'word' }), element('span', { class: 'pace' }), pause, watch, element('p', { class: 'why' }));
    const made = { item, in: new Rate(), out: new Rate() };
    this.#items.set(name, made);
    find(this.#root, 'ul').append(item);
    return made;
  }

  /** @param {string} name @param {string} action */
  async #steer(name, action) {
    const answer = await fetch(at(`/gateway/devices/${encodeURIComponent(name)}/${action}`), { method: 'POST' });
    const body = await answer.json();
    if (answer.ok) this.#showDevice(/** @type {Device} */ (body));
    write(find(document, '#announce'), answer.ok ? `${name}: ${body.state}` : String(body.detail));
  }

  /** @param {string} name Empty for none. */
  #watch(name) {
    this.#watched = name;
    this.#tap?.close(1000);
    [this.#tap, this.#rows] = [null, []];
    for (const [other, { item }] of this.#items) find(item, '.watch').setAttribute('aria-pressed', String(other === name));
    find(this.#root, '.rows').hidden = name === '';
    this.#draw();
    if (name === '') return;
    const url = at(`/gateway/devices/${encodeURIComponent(name)}/tap?max=64&rate=20`);
    url.protocol = url.protocol.replace('http', 'ws');
    const tap = new WebSocket(url);
    this.#tap = tap;
    tap.addEventListener('message', event => {
      if (this.#tap !== tap) return;
      this.#rows.unshift(/** @type {Shown} */ (JSON.parse(String(event.data))));
      this.#rows.length = Math.min(this.#rows.length, MOST_ROWS);
      inFrame(this.#drawInFrame);
    });
    tap.addEventListener('close', () => {
      // The gateway ended it, or the device is gone: the button says that nothing is watched.
      if (this.#tap === tap) this.#watch('');
    });
  }

  #drawInFrame = () => this.#draw();

  #draw() {
    find(this.#root, 'tbody').replaceChildren(...this.#rows.map(row => element('tr', {},
      element('td', { class: 'time' }, clock(new Date(row.time))),
      element('td', {}, row.direction),
      element('td', { class: 'number' }, String(row.size)),
      element('td', { class: 'preview' }, row.frames.map(frame => frame.text ?? `0x${frame.hex ?? ''}`).map(text => text === '' ? '(empty)' : text).join(' | ')))));
  }
}
