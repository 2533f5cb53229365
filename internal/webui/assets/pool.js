// A pool as a house: the listeners are its roof, the slots its rooms.

import { Keyed, button, el, setAttr, setShare, setText } from './dom.js';
import { rolling } from './model.js';
import { Room, sizeOf } from './room.js';
import { Spark } from './spark.js';
import { bytes, count, cpu, perSecond, plural, sign, tone, visible } from './text.js';

class Roof {
  constructor() {
    this.name = el('strong');
    this.address = el('code');
    this.mode = el('span', { class: 'dim' });
    this.waiting = el('span');
    this.node = el('li', { class: 'listener' }, this.name, ' ', this.address, ' ', this.mode, ' ', this.waiting);
  }

  update(listener) {
    setText(this.name, listener.name);
    setText(this.address, listener.address);
    setText(this.mode, listener.mode);
    const q = listener.queue;
    setText(this.waiting, q ? `${count(q.depth)} of ${count(q.capacity)} queued${q.drops ? `, ${count(q.drops)} refused` : ''}` : '');
    setAttr(this.waiting, 'class', !q?.depth ? 'dim' : q.depth * 4 < q.capacity ? 'some' : 'warn-text');
  }
}

// troubles are what is wrong with a pool, for people.
export function troubles(pool) {
  const list = [];
  if (pool.waits_for?.length) list.push(`waits for ${pool.waits_for.join(', ')}`);
  for (const unmet of pool.unmet ?? []) list.push(`missing: ${unmet}`);
  if (pool.rollout?.state === 'failed') list.push(`rollout of generation ${pool.rollout.generation} failed: ${pool.rollout.reason ?? ''}`);
  if (pool.state === 'ready') return list.map(visible);
  const bad = pool.slots.filter((slot) => !slot.workers.some((w) => w.ready) && (slot.worker?.health || slot.worker?.last_exit));
  for (const slot of bad.slice(0, 3)) list.push(`slot ${slot.number} is ${slot.state}: ${slot.worker.health || slot.worker.last_exit}`);
  if (bad.length > 3) list.push(`and ${plural(bad.length - 3, 'further slot')}`);
  return list.map(visible);
}

// causes of deaths that are nobody's fault.
const harmless = new Set(['recycled', 'stopped', 'finished']);

function facts(pool) {
  const deaths = Object.entries(pool.deaths ?? {}).filter(([cause, n]) => n > 0 && !harmless.has(cause));
  const list = [`generation ${pool.generation}`, plural(pool.restarts, 'restart')];
  if (deaths.length) list.push(deaths.map(([cause, n]) => `${n} ${cause.replaceAll('_', ' ')}`).join(', '));
  if (pool.autoscale) list.push(`scales ${pool.autoscale.min}–${pool.autoscale.max}`);
  if (pool.phase !== 'serving') list.push(pool.phase);
  return list.join(' · ');
}

let houses = 0;

const roomWidth = 11; // of a large room at least, in sizes of the page's letters

export class PoolView {
  #focus = 0;

  // does has open(slot) and act(verb, pool).
  constructor(pool, does) {
    const id = `pool-${++houses}`; // not the name, which may be anything
    this.name = el('h2', { id }, pool.name);
    this.state = el('span', { class: 'pill' });
    this.ready = el('span', { class: 'ready' });
    this.facts = el('span', { class: 'dim' });
    const act = (verb, text, attributes = {}) =>
      button(text, () => does.act(verb, pool.name), { 'data-verb': verb, 'aria-label': `${text.replace('…', '')} pool ${pool.name}`, ...attributes });
    this.abort = act('abort', 'Abort rollout…', { class: 'danger' });
    this.buttons = el('span', { class: 'buttons' }, this.abort, act('roll', 'Roll…'), act('scale', 'Scale…'), act('stop', 'Stop…', { class: 'danger' }));
    this.progress = el('div', { class: 'progress', hidden: true });
    this.done = el('span', { class: 'progress-fill' });
    this.doneText = el('span', { class: 'progress-text' });
    this.progress.append(el('span', { class: 'progress-bar' }, this.done), this.doneText);
    this.trouble = el('ul', { class: 'troubles' });
    this.sparks = {
      requests: new Spark('Requests', perSecond),
      connections: new Spark('Connections open', count),
      queue: new Spark('Waiting in queues', count),
      cpu: new Spark('CPU', cpu),
      memory: new Spark('Memory', bytes),
    };
    this.roof = el('ul', { class: 'listeners', 'aria-label': 'Listeners' });
    this.listeners = new Keyed(this.roof, () => new Roof());
    this.rooms = el('ol', { class: 'rooms', 'aria-label': `Slots of ${pool.name}; the arrow keys move between them` });
    this.slots = new Keyed(this.rooms, () => this.#room(does));
    this.rooms.addEventListener('keydown', (e) => this.#move(e));
    this.rooms.addEventListener('focusin', (e) => this.#focused(e.target));
    this.house = el('div', { class: 'house' }, el('div', { class: 'roof' }, this.roof), this.rooms);
    new ResizeObserver(() => this.#columns()).observe(this.rooms);
    this.node = el('section', { class: 'card pool', 'aria-labelledby': id, 'data-pool': pool.name },
      el('div', { class: 'row' }, this.name, this.state, this.ready, this.facts, el('span', { class: 'grow' }), this.buttons),
      this.trouble, this.progress,
      el('div', { class: 'sparks' }, ...Object.values(this.sparks).map((s) => s.node)),
      this.house);
  }

  #room(does) {
    const room = new Room(does.open);
    return { node: room.node, room, update: (slot) => room.update(slot, this.size) };
  }

  update(pool) {
    this.pool = pool;
    this.size = sizeOf(pool.slots.length);
    setAttr(this.node, 'data-state', pool.state);
    setAttr(this.rooms, 'data-size', this.size);
    setText(this.state, `${sign(pool.state)} ${pool.state}`);
    setAttr(this.state, 'data-tone', tone(pool.state));
    setText(this.ready, `${count(pool.ready)}/${count(pool.desired)} ready`);
    setText(this.facts, facts(pool));
    this.#lines(troubles(pool));
    this.#rollout(rolling(pool));
    for (const [name, spark] of Object.entries(this.sparks)) spark.update(pool.totals[name], pool.series[name]);
    this.listeners.update(pool.listeners ?? [], (l) => l.name);
    this.slots.update(pool.slots, (slot) => slot.number);
    this.#tabStop();
    this.#columns();
  }

  // Large rooms are spread over as many rows as they need, evenly.
  #columns() {
    const n = this.pool?.slots.length;
    if (!n || this.size !== 'large') return;
    if (this.counted !== n) {
      this.counted = n;
      this.house.style.setProperty('--most', n);
    }
    const letters = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const fit = Math.max(1, Math.floor(this.rooms.clientWidth / (roomWidth * letters)));
    const columns = Math.ceil(n / Math.ceil(n / fit));
    if (columns === this.columns) return;
    this.columns = columns;
    this.rooms.style.setProperty('--columns', columns);
  }

  #lines(lines) {
    const text = lines.join('\n');
    if (text === this.said) return;
    this.said = text;
    this.trouble.replaceChildren(...lines.map((line) => el('li', {}, line)));
  }

  #rollout(r) {
    this.progress.hidden = !r;
    this.abort.hidden = !r;
    if (!r) return;
    setAttr(this.progress, 'data-tone', tone(r.state));
    setShare(this.done, r.total ? r.done / r.total : 0);
    setText(this.doneText, `${sign(r.state)} ${r.state} ${r.state === 'rolling' ? 'to' : 'from'} generation ${r.generation}: ${r.done} of ${r.total}`);
  }

  // One room of a house is in the order of the tab key; arrows lead to the others.
  #tabStop() {
    const slots = this.pool.slots;
    if (!slots.some((s) => s.number === this.#focus)) this.#focus = slots[0]?.number ?? 0;
    const door = this.slots.get(this.#focus)?.room.door;
    if (door === this.stop) return;
    if (this.stop) setAttr(this.stop, 'tabindex', '-1');
    if (door) setAttr(door, 'tabindex', '0');
    this.stop = door;
  }

  #focused(target) {
    const number = Number(target.dataset?.slot);
    if (!Number.isInteger(number)) return;
    this.#focus = number;
    this.#tabStop();
  }

  #move(e) {
    const doors = this.pool.slots.map((s) => this.slots.get(s.number).room.door);
    const at = doors.indexOf(document.activeElement);
    if (at < 0 || e.ctrlKey || e.altKey || e.metaKey) return;
    const top = doors[0].offsetTop;
    const second = doors.findIndex((d) => d.offsetTop > top);
    const columns = second < 0 ? doors.length : second;
    const to = {
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: doors.length - 1,
    }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    doors[Math.min(doors.length - 1, Math.max(0, to))].focus();
  }

  tick() {
    if (this.size !== 'large') return;
    for (const slot of this.pool.slots) this.slots.get(slot.number)?.room.tick();
  }
}
