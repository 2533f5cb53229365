// Keeps the page up to date: one stream of events says when to look, and a look every few seconds brings what is measured.
// A page in the background does nothing.

import { askJSON, eventOf, forget, pieces } from './api.js';

const history = 400; // events of the past that are asked for
const lookEvery = 2000; // milliseconds; brood measures no more often
const leastPause = 100; // between two looks, however much happens
const share = 8; // one part in so many of the time is the most that looking takes
const retryFirst = 500;
const retryMost = 10000;
const patience = 10000; // for a status

export class Live {
  #on;
  #life = ''; // when the supervisor started
  #key = ''; // of the last event
  #stopping = false;
  #looking = null;
  #again = false;
  #timer = 0;
  #abort = null;
  #broken = null; // ends a connection that is none any more

  // on has snapshot(snap, isNewLife), events(list), link(state, text), session(view).
  constructor(on) {
    this.#on = on;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#pause() : this.#run()));
  }

  start() {
    this.#run();
  }

  // look asks for the status soon.
  look() {
    if (this.#looking) this.#again = true;
    else this.#looking = this.#look().finally(() => this.#looked());
  }

  // again connects anew, with the token that there is now: with one, events have the last words of workers.
  again() {
    this.#abort?.abort();
    this.#abort = null;
    clearTimeout(this.#timer);
    this.#run();
  }

  #pause() {
    this.#abort?.abort();
    this.#abort = null;
    clearTimeout(this.#timer);
    this.#on.link('paused', 'paused');
  }

  async #run() {
    if (this.#abort || document.hidden) return;
    const abort = (this.#abort = new AbortController());
    for (let pause = retryFirst; !abort.signal.aborted; pause = Math.min(2 * pause, retryMost)) {
      const broken = (this.#broken = new AbortController());
      let why = '';
      try {
        await this.#connect(AbortSignal.any([abort.signal, broken.signal]), () => (pause = retryFirst));
      } catch (error) {
        if (abort.signal.aborted) return;
        console.debug('brood: not connected', error);
        if (error.status) why = error.message; // it answers, and refuses
      }
      if (abort.signal.aborted) return;
      this.#lost(why);
      await new Promise((done) => { this.#timer = setTimeout(done, pause); abort.signal.addEventListener('abort', done); });
    }
  }

  #lost(why) {
    clearTimeout(this.#timer);
    if (this.#stopping) this.#on.link('ended', 'brood has ended');
    else this.#on.link('lost', why ? 'refused, trying again…' : 'connection lost, trying again…', why);
  }

  // connect returns when the stream of events ends.
  async #connect(signal, connected) {
    const view = await askJSON('/ui/session', { signal });
    if (view.rights === 'none') forget();
    this.#on.session(view);
    await this.#status(signal);
    connected();
    this.#on.link('live', 'live');
    this.#tick();
    const after = this.#key || `${Math.max(0, view.last_event - history)}`;
    let batch = [];
    for await (const block of pieces(`/v1/events?after=${encodeURIComponent(after)}`, '\n\n', { signal })) {
      const event = eventOf(block);
      if (!event) continue;
      if (event.key) this.#key = event.key;
      if (event.event === 'state') this.#stopping = event.state === 'stopping';
      event.isNews = event.id === undefined || event.id > view.last_event;
      if (batch.push(event) === 1) {
        requestAnimationFrame(() => { this.#on.events(batch); batch = []; });
      }
      this.look();
    }
  }

  async #status(signal) {
    const snap = await askJSON('/v1/status', { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    const isNew = this.#life !== '' && this.#life !== snap.started;
    if (isNew) this.#key = '';
    this.#life = snap.started;
    this.#stopping = snap.state === 'stopping';
    const began = performance.now();
    this.#on.snapshot(snap, isNew);
    return performance.now() - began;
  }

  async #look() {
    const signal = this.#abort?.signal;
    if (!signal) return;
    const began = performance.now();
    try {
      await this.#status(signal);
    } catch (error) {
      if (!signal.aborted) { // else there is another connection already, or none is wanted
        console.debug('brood: no status', error);
        this.#broken?.abort();
      }
    }
    const cost = performance.now() - began;
    await new Promise((done) => setTimeout(done, Math.max(leastPause, share * cost)));
  }

  #looked() {
    this.#looking = null;
    if (!this.#again) return;
    this.#again = false;
    this.look();
  }

  #tick() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.look(); this.#tick(); }, lookEvery);
  }
}
