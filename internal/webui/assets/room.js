// A slot as a room of the house: its queue above the door, and one or two workers in it.

import { el, setAttr, setShare, setText } from './dom.js';
import { bytes, cpu, since, sign, tone, visible } from './text.js';

// The three sizes of rooms, by how many there are.
export const sizeOf = (slots) => (slots <= 24 ? 'large' : slots <= 160 ? 'middle' : 'small');

function facts(worker, isPair) {
  const list = [];
  if (worker.pid) list.push(`pid ${worker.pid}`);
  if (isPair) return list.join('');
  if (worker.usage?.memory_bytes != null) list.push(bytes(worker.usage.memory_bytes));
  if (worker.cpu != null) list.push(cpu(worker.cpu));
  if (worker.connections != null) list.push(`${worker.connections} open`);
  return list.map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · ');
}

// before lists the states of those that do not run yet: how the one before them ended is the news about them.
const before = new Set(['waiting', 'starting', 'free']);

const trouble = (worker) => visible(worker.health || (before.has(worker.state) ? worker.last_exit : worker.status) || '');

// signature is what of a slot is shown: while it stays, no node is touched.
function signature(slot, size) {
  let text = `${size} ${slot.queue ?? ''}/${slot.capacity ?? ''}`;
  for (const w of slot.workers) {
    text += `|${w.state} ${w.pid} ${w.generation} ${w.side} ${trouble(w)}`;
    if (size === 'large') text += ` ${facts(w, slot.workers.length > 1)}`;
  }
  return text;
}

function label(slot) {
  if (slot.workers.length === 0) return `Slot ${slot.number}: empty`;
  const words = slot.workers.map((w) => `${w.state}${w.pid ? `, pid ${w.pid}` : ''}${trouble(w) ? `, ${trouble(w)}` : ''}`).join('; successor ');
  return `Slot ${slot.number}: ${words}${slot.queue ? `; ${slot.queue} in the queue` : ''}`;
}

class WorkerView {
  constructor(isLarge) {
    this.sign = el('span', { class: 'sign' });
    this.node = el('span', { class: 'worker' }, this.sign);
    if (!isLarge) return;
    this.word = el('span', { class: 'word' });
    this.age = el('span', { class: 'age dim' });
    this.facts = el('span', { class: 'facts dim' });
    this.trouble = el('span', { class: 'trouble' });
    this.node.append(this.word, this.age, this.facts, this.trouble);
  }

  update(worker, isPair) {
    this.worker = worker;
    setAttr(this.node, 'data-tone', tone(worker.state));
    setAttr(this.node, 'data-state', worker.state);
    setText(this.sign, sign(worker.state));
    if (!this.word) return;
    setText(this.word, worker.state);
    setText(this.facts, facts(worker, isPair));
    setText(this.trouble, trouble(worker));
    this.tick();
  }

  tick() {
    if (this.age) setText(this.age, this.worker.pid && this.worker.started ? since(this.worker.started) : '');
  }
}

// Room is the view of one slot.
export class Room {
  #signature = '';
  #workers = [];

  constructor(open) {
    this.number = el('span', { class: 'number' });
    this.fill = el('span', { class: 'fill' });
    this.queue = el('span', { class: 'queue' }, this.fill);
    this.queued = el('span', { class: 'queued' });
    this.inside = el('span', { class: 'inside' });
    this.door = el('button', { type: 'button', class: 'room', tabindex: '-1' }, this.number, this.queue, this.queued, this.inside);
    this.door.addEventListener('click', () => open(this.slot));
    this.node = el('li', {}, this.door);
  }

  update(slot, size) {
    this.slot = slot;
    const text = signature(slot, size);
    if (text === this.#signature) return false;
    this.#signature = text;
    setText(this.number, String(slot.number));
    setAttr(this.door, 'data-slot', slot.number);
    setAttr(this.door, 'data-tone', tone(slot.state));
    setAttr(this.door, 'data-state', slot.state);
    setAttr(this.door, 'aria-label', label(slot));
    setAttr(this.door, 'title', size === 'large' ? null : label(slot));
    setAttr(this.queue, 'data-unknown', slot.queue == null);
    setShare(this.fill, slot.capacity ? Math.sqrt((slot.queue ?? 0) / slot.capacity) : 0); // a root: a few are seen too
    setText(this.queued, slot.queue || (size === 'large' && slot.queue === 0) ? String(slot.queue) : '');
    setAttr(this.queued, 'data-empty', slot.queue === 0);
    this.#show(slot.workers, size);
    return true;
  }

  #show(workers, size) {
    if (this.size !== size || this.#workers.length !== workers.length) {
      this.size = size;
      this.#workers = workers.map(() => new WorkerView(size === 'large'));
      this.inside.replaceChildren(...this.#workers.map((view) => view.node));
    }
    workers.forEach((worker, i) => this.#workers[i].update(worker, workers.length > 1));
  }

  // tick brings the ages up to date.
  tick() {
    for (const view of this.#workers) view.tick();
  }
}
