// @ts-check
import { count, find, showState, write } from './parts.js';
/** @typedef {import('./parts.js').State} State */

/** The line on top: what runs, and the pill that says how. */
export class Header {
  #gateway;
  #pill = find(document, '#pill');
  #announced = '';

  /** @param {import('./gateway.js').Gateway} gateway */
  constructor(gateway) {
    this.#gateway = gateway;
  }

  /** @param {number} now @param {State[]} streams States of what this page subscribes to. @param {number} rate Messages per second over all. */
  tick(now, streams, rate) {
    const state = this.#state(now, streams, rate);
    showState(this.#pill, state);
    write(find(document, '#summary'), this.#summary());
    // The state is announced, not the numbers.
    const word = state.word.replace(/ in \d+ s/, '');
    if (word === this.#announced) return;
    this.#announced = word;
    write(find(document, '#announce'), `Gateway: ${word}`);
    document.title = state.kind === 'down' ? `Gateway: ${word}` : 'Gateway';
  }

  #summary() {
    const health = this.#gateway.health;
    if (!health) return '';
    const backends = Object.values(health.backends);
    const demo = health.demo ? 'demo · ' : '';
    if (this.#gateway.state === 'down') return `${demo}${count(backends.length, 'backend')} when last seen · ${health.version}`;
    const ready = backends.filter(backend => backend.ready).length;
    const ratio = ready === backends.length ? count(ready, 'backend') : `${ready} of ${count(backends.length, 'backend')}`;
    return `${demo}${ratio} ready · ${health.version}`;
  }

  /** @param {number} now @param {State[]} streams @param {number} rate @returns {State} */
  #state(now, streams, rate) {
    const { state, health } = this.#gateway;
    if (state === 'unknown' || !health) return state === 'down' ? this.#stopped(now) : { kind: 'wait', word: 'connecting' };
    if (state === 'down') return this.#stopped(now);
    const perSecond = `${Math.round(rate)} msg/s`;
    if (health.status === 'draining') return { kind: 'wait', word: 'stopping', more: perSecond };
    if (health.status === 'unready') return { kind: 'down', word: 'no backend is ready' };
    if (health.status === 'degraded') return { kind: 'wait', word: 'degraded', more: perSecond };
    const running = streams.filter(stream => stream.kind !== 'idle');
    if (running.length > 0 && running.every(stream => stream.kind === 'paused')) return { kind: 'paused', word: 'paused' };
    if (running.some(stream => stream.kind === 'ok')) return { kind: 'ok', word: 'live', more: perSecond };
    if (running.length === 0) return { kind: 'ok', word: 'ready' };
    const worst = running.find(stream => stream.kind === 'down') ?? running.find(stream => stream.kind === 'wait');
    return worst ? { kind: 'wait', word: worst.word } : { kind: 'ok', word: 'ready' };
  }

  /** @param {number} now @returns {State} */
  #stopped(now) {
    const { why, isSilent, retryAt } = this.#gateway;
    const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
    return { kind: 'down', word: isSilent ? 'no answer' : 'gateway stopped', more: `it ${why}; next try ${seconds > 0 ? `in ${seconds} s` : 'now'}` };
  }
}
