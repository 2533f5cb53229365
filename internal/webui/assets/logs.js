// The end of what a slot's workers write, as it is written.

import { pieces } from './api.js';
import { el } from './dom.js';
import { clock, plural, visible } from './text.js';

const keptLines = 1000;
const firstLines = 200;
const retry = 2000; // milliseconds

export class LogTail {
  #abort;
  #waiting = [];
  #isDrawn = false;

  constructor(pool, slot) {
    this.path = `/v1/logs?pool=${encodeURIComponent(pool)}&slot=${slot}&follow=true&lines=${firstLines}`;
    this.lines = el('div', { class: 'log', role: 'log', 'aria-label': `Output of ${pool} slot ${slot}`, 'aria-live': 'off', tabindex: '0' });
    this.note = el('p', { class: 'dim', role: 'status' }, 'No line yet.');
    this.node = el('div', {}, this.lines, this.note);
    document.addEventListener('visibilitychange', this.#turn);
    this.#turn();
  }

  close() {
    document.removeEventListener('visibilitychange', this.#turn);
    this.#abort.abort();
  }

  // #turn reads in the foreground, and not behind other tabs.
  #turn = () => {
    this.#abort?.abort();
    this.#abort = new AbortController();
    if (!document.hidden) this.#run(this.#abort.signal);
  };

  async #run(signal) {
    while (!signal.aborted) {
      try {
        this.lines.replaceChildren();
        for await (const text of pieces(this.path, '\n', { signal })) {
          if (text === '') continue;
          this.note.textContent = 'Live.';
          this.#add(JSON.parse(text));
        }
        this.note.textContent = 'The log has ended.';
      } catch (error) {
        if (signal.aborted) return;
        this.note.textContent = error.status ? `No log: ${error.message}` : 'The connection is lost.';
        if (error.status && error.status !== 429) return;
      }
      await new Promise((done) => setTimeout(done, retry));
    }
  }

  // #add writes lines in the next frame, many at a time.
  #add(line) {
    this.#waiting.push(line);
    if (this.#waiting.length > keptLines) this.#waiting.shift();
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    requestAnimationFrame(() => { this.#isDrawn = false; this.#draw(); });
  }

  #draw() {
    const { lines } = this;
    const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 8;
    const rows = [];
    for (const line of this.#waiting) {
      if (line.missed) rows.push(el('div', { class: 'log-missed' }, `${plural(line.missed, 'line')} missed`));
      rows.push(el('div', { class: 'log-line', 'data-stream': line.stream },
        el('time', { class: 'dim', title: line.time }, clock(line.time)), ' ', el('span', {}, visible(line.text))));
    }
    this.#waiting = [];
    lines.append(...rows);
    while (lines.children.length > keptLines) lines.firstElementChild.remove();
    if (isAtEnd) lines.scrollTop = lines.scrollHeight;
  }
}
