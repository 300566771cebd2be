// @ts-check
import { at } from './parts.js';

/**
 * @typedef {{ endpoint: string, role: string, state: string, lastError: string | null, messagesIn: number, messagesOut: number, bytesIn: number, bytesOut: number }} Endpoint
 * @typedef {{ socket: string, ready: boolean, why: string | null, notice: string | null, endpoints: Endpoint[] }} Backend
 * @typedef {{ path: string, methods: string[], kind: string, backend: string }} Route
 * @typedef {{ status: string, demo: boolean, version: string, backends: Record<string, Backend>, routes: Record<string, Route>, devices: number }} Health
 */

const PERIOD = 1000;
const PATIENCE = 1500;
const LONGEST_WAIT = 4000;

/** Asks the gateway every second what it has and how it is: the same document that a load balancer reads. */
export class Gateway {
  /** @type {'unknown' | 'up' | 'down'} */
  state = 'unknown';
  /** @type {Health | null} The last one; kept while the gateway is down. */
  health = null;
  /** Why it is down. */
  why = '';
  /** Whether it can be reached and says nothing. */
  isSilent = false;
  /** When it is asked again, in milliseconds of performance.now(). */
  retryAt = 0;
  /** @type {Set<(gateway: Gateway) => void>} */
  #watchers = new Set();
  #failures = 0;
  #timer = 0;
  #asking = false;
  #askAgain = false;

  /** @param {(gateway: Gateway) => void} watcher Called at every answer and every failure. */
  watch(watcher) {
    this.#watchers.add(watcher);
  }

  /** Asks now; a lost connection is a reason to. */
  async ask() {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }

    this.#asking = true;
    clearTimeout(this.#timer);
    try {
      const answer = await fetch(at('/health/ready'), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
      this.health = parse(await answer.json());
      [this.state, this.why, this.#failures] = ['up', '', 0];
    } catch (e) {
      [this.state, this.why] = ['down', reason(e)];
      this.isSilent = e instanceof DOMException;
      this.#failures++;
    }

    this.#asking = false;
    // Timings of these requests would fill the browser's buffer; calls need room in it.
    performance.clearResourceTimings();
    const wait = this.state === 'up' ? PERIOD : Math.min(LONGEST_WAIT, PERIOD * 1.5 ** (this.#failures - 1)) * (0.8 + Math.random() * 0.2);
    this.retryAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.ask(), wait);
    for (const watcher of this.#watchers) watcher(this);
    if (this.#askAgain) {
      this.#askAgain = false;
      await this.ask();
    }
  }

  /** Why a route's backend is down; empty when it is not. @param {string} route */
  whyDown(route) {
    const [name, backend] = this.#backendOf(route);
    return backend && !backend.ready ? `backend ${name}: ${backend.why ?? 'not ready'}` : '';
  }

  /** Why nothing comes from a route that is subscribed to, as far as the gateway knows. @param {string} route */
  whySilent(route) {
    const [name, backend] = this.#backendOf(route);
    return backend?.ready && backend.notice ? `backend ${name}: ${backend.notice}` : this.whyDown(route);
  }

  /** @param {string} route @returns {[string, Backend | undefined]} */
  #backendOf(route) {
    const name = this.health?.routes[route]?.backend ?? '';
    return [name, this.health?.backends[name]];
  }
}

/** @param {unknown} e */
function reason(e) {
  if (e instanceof DOMException && e.name === 'TimeoutError') return 'does not answer';
  if (e instanceof TypeError) return 'cannot be reached';
  if (e instanceof SyntaxError) return 'is not what answers at this address';
  return String(e);
}

/** What comes off the wire is unknown until looked at. @param {unknown} json @returns {Health} */
function parse(json) {
  const { status, demo, version, backends, routes, devices } = record(json);
  return {
    status: String(status), demo: demo === true, version: String(version),
    backends: map(backends, ({ socket, ready, why, notice, endpoints }) => ({
      socket: String(socket), ready: ready === true, why: textOrNull(why), notice: textOrNull(notice), endpoints: Array.isArray(endpoints) ? endpoints.map(endpoint) : [],
    })),
    devices: Object.keys(record(devices ?? {})).length,
    routes: map(routes, ({ path, methods, kind, backend }) => ({
      path: String(path), methods: Array.isArray(methods) ? methods.map(String) : [], kind: String(kind), backend: String(backend),
    })),
  };
}

/** @param {unknown} json @returns {Endpoint} */
function endpoint(json) {
  const e = record(json);
  return {
    endpoint: String(e['endpoint']), role: String(e['role']), state: String(e['state']), lastError: textOrNull(e['lastError']),
    messagesIn: Number(e['messagesIn']) || 0, messagesOut: Number(e['messagesOut']) || 0,
    bytesIn: Number(e['bytesIn']) || 0, bytesOut: Number(e['bytesOut']) || 0,
  };
}

/** @param {unknown} json @returns {Record<string, unknown>} */
function record(json) {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new SyntaxError('not an object');
  return /** @type {Record<string, unknown>} */ (json);
}

/** @template T @param {unknown} json @param {(value: Record<string, unknown>) => T} make @returns {Record<string, T>} */
const map = (json, make) => Object.fromEntries(Object.entries(record(json)).map(([name, value]) => [name, make(record(value))]));

/** @param {unknown} value */
const textOrNull = value => typeof value === 'string' && value !== '' ? value : null;
