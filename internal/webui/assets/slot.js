// A slot from near: its workers with all that is known of them, what happened to it, and its log.

import { button, el, setAttr, setText } from './dom.js';
import { drawer } from './dialogs.js';
import { LogTail } from './logs.js';
import { describe, toneOf } from './timeline.js';
import { bytes, clock, count, cpu, since, sign, tone, visible } from './text.js';

const latest = 6; // events

function facts(w) {
  return [
    ['State', `${sign(w.state)} ${w.state}`], ['Trouble', visible(w.health)], ['Says', visible(w.status)],
    ['Process', w.pid ? `pid ${w.pid}, for ${since(w.started)}` : 'none'], ['Worker id', w.worker_id ?? 'none'],
    ['Generation', `${w.generation}, side ${w.side.toUpperCase()}`],
    ['Connections open', w.connections == null ? '' : count(w.connections)],
    ['Queue', w.queue ? `${count(w.queue.depth)} of ${count(w.queue.capacity)}, ${count(w.queue.drops)} refused` : ''],
    ['Memory', w.usage?.memory_bytes ? `${bytes(w.usage.memory_bytes)}${w.usage.memory_peak_bytes ? `, at most ${bytes(w.usage.memory_peak_bytes)}` : ''}` : ''],
    ['CPU', w.usage ? `${cpu(w.cpu)}, ${w.usage.cpu_seconds.toFixed(1)} s in all` : ''],
    ['Processes', w.usage?.pids ?? ''], ['Descriptors', w.usage?.fds ?? ''],
    ['Restarts of the slot', count(w.restarts)], ['Last exit', visible(w.last_exit)],
  ].filter(([, value]) => value !== '' && value != null);
}

export class SlotView {
  // does has act(verb, pool, slot) and closed(); actions knows the rights, timeline the events.
  constructor(pool, number, actions, timeline, does) {
    Object.assign(this, { pool, number, actions, timeline, does });
    this.workers = el('div', { class: 'slot-workers' });
    this.events = el('ol', { class: 'events', 'aria-label': 'What happened to it' });
    this.log = el('div');
    const body = el('div', {},
      el('div', { class: 'buttons' }, button('Restart…', () => does.act('restart', pool, number), { 'data-verb': 'restart' })),
      this.workers, el('h3', {}, 'Events'), this.events, el('h3', {}, 'Log'), this.log);
    this.close = drawer(`${pool}, slot ${number}`, body, () => { this.tail?.close(); does.closed(); });
    this.unlocked();
  }

  // unlocked shows the log if there are rights to read it, and how to get them if not.
  unlocked() {
    if (this.tail) return;
    if (this.actions.rights !== 'none') {
      this.tail = new LogTail(this.pool, this.number);
      this.log.replaceChildren(this.tail.node);
      return;
    }
    this.log.replaceChildren(
      el('p', {}, this.actions.off ? 'Logs are off.' : 'What workers write is shown to those who have a token.'),
      button(this.actions.off ? 'How to switch them on…' : 'Enter token…', () => this.actions.unlocked(true), { 'data-verb': 'unlock' }));
  }

  update(slot) {
    const workers = slot?.workers ?? [];
    if (this.tables?.length !== workers.length) {
      this.tables = workers.map(() => new Facts());
      this.workers.replaceChildren(...this.tables.map((t) => t.node));
    }
    workers.forEach((worker, i) => this.tables[i].update(worker));
    if (workers.length === 0) setText(this.workers, 'There is no worker.');
    const events = this.timeline.of(this.pool, this.number, latest);
    const key = events.map((e) => e.id).join();
    if (key === this.shown) return;
    this.shown = key;
    this.events.replaceChildren(...events.map((e) => el('li', { 'data-tone': toneOf(e) },
      el('time', { datetime: e.time }, clock(e.time)), ' ', el('span', { class: 'what' }, e.event), ' ', el('span', { class: 'text' }, describe(e)))));
  }
}

// Facts is a table of what is known of one worker.
class Facts {
  #cells = new Map();

  constructor() {
    this.node = el('dl', { class: 'facts-table' });
  }

  update(worker) {
    setAttr(this.node, 'data-tone', tone(worker.state));
    const list = facts(worker);
    const names = list.map(([name]) => name).join();
    if (names !== this.names) {
      this.names = names;
      this.#cells = new Map(list.map(([name]) => [name, el('dd')]));
      this.node.replaceChildren(...[...this.#cells].flatMap(([name, cell]) => [el('dt', {}, name), cell]));
    }
    for (const [name, value] of list) setText(this.#cells.get(name), String(value));
  }
}
