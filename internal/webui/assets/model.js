// What a snapshot means: slots with their workers, what is used per second, and how that went.

export const points = 90; // of a sparkline; with a look every two seconds that is three minutes
const lookSpan = 2; // seconds between the regular looks
const longSpan = 10; // seconds without a look that are more than a slow one
const leastSpan = 1.5; // seconds between two readings of a counter that give a rate
const idleSpan = 5; // after which one that stays the same is taken for idle

// Rates turns counters into amounts per second.
class Rates {
  #seen = new Map();

  // rate is undefined as long as there is no second reading. It is known when values with a time of their own were read; those without
  // may be the same measurement once more, and looks and measurements are not in step.
  rate(key, value, look, at) {
    const seen = this.#seen.get(key);
    if (value == null) return undefined;
    const now = at ?? look;
    if (!seen || value < seen.value) {
      this.#seen.set(key, { value, at: now, used: look });
      return undefined;
    }
    seen.used = look;
    const span = now - seen.at;
    if (span >= (at === undefined && value === seen.value ? idleSpan : leastSpan)) {
      const rate = (value - seen.value) / span;
      seen.rate = at !== undefined || seen.rate === undefined ? rate : (seen.rate + rate) / 2;
      seen.value = value;
      seen.at = now;
    }
    return seen.rate;
  }

  // forget drops what nobody asked for in this look.
  forget(now) {
    for (const [key, seen] of this.#seen) if (seen.used !== now) this.#seen.delete(key);
  }
}

// Series are the last points of some numbers.
class Series {
  constructor() {
    this.values = {};
    this.last = 0;
  }

  add(now, numbers) {
    if (now - this.last < leastSpan) return; // looks between the regular ones
    const pause = this.last ? now - this.last : 0;
    if (pause > longSpan) { // nobody looked: the line has a gap of that length
      const missing = Math.min(points, Math.round(pause / lookSpan));
      for (const list of Object.values(this.values)) list.push(...Array(missing).fill(null));
    }
    this.last = now;
    for (const [name, value] of Object.entries(numbers)) {
      const list = (this.values[name] ??= []);
      list.push(value ?? null);
      if (list.length > points) list.splice(0, list.length - points);
    }
  }
}

const sum = (list, of) => list.reduce((total, item) => (of(item) == null ? total : (total ?? 0) + of(item)), undefined);

export class Model {
  #rates = new Rates();
  #series = new Map();
  pools = [];

  clear() {
    this.#rates = new Rates();
    this.#series.clear();
  }

  // take makes pools of a snapshot: the view of each as the API has it, with slots, totals and series.
  take(snap) {
    const now = performance.now() / 1000;
    this.snap = snap;
    const measured = snap.measured ? Date.parse(snap.measured) / 1000 : undefined;
    this.pools = snap.pools.map((pool) => this.#pool(pool, now, measured));
    this.#rates.forget(now);
    const names = new Set(snap.pools.map((pool) => pool.name));
    for (const name of this.#series.keys()) if (!names.has(name)) this.#series.delete(name);
    return this.pools;
  }

  pool(name) {
    return this.pools.find((pool) => pool.name === name);
  }

  slot(poolName, number) {
    return this.pool(poolName)?.slots.find((slot) => slot.number === number);
  }

  #pool(pool, now, measured) {
    const slots = new Map();
    const workers = pool.workers ?? [];
    for (const worker of workers) {
      worker.cpu = this.#rates.rate(`${pool.name} ${worker.pid} ${worker.started}`, worker.usage?.cpu_seconds, now, measured);
      const slot = slots.get(worker.slot);
      if (slot) slot.workers.push(worker);
      else slots.set(worker.slot, { number: worker.slot, pool: pool.name, workers: [worker] });
    }
    for (let number = 0; number < pool.desired; number++) {
      if (!slots.has(number)) slots.set(number, { number, pool: pool.name, workers: [] });
    }
    const served = [...slots.values()].map((s) => this.#rates.rate(`${pool.name} ${s.number} requests`, s.workers[0]?.requests, now));
    const totals = {
      requests: sum(served, (n) => n),
      connections: sum(workers, (w) => w.connections),
      queue: sum(pool.listeners ?? [], (l) => l.queue?.depth),
      capacity: sum(pool.listeners ?? [], (l) => l.queue?.capacity),
      drops: sum(pool.listeners ?? [], (l) => l.queue?.drops),
      cpu: sum(workers, (w) => w.cpu),
      memory: sum(workers, (w) => w.usage?.memory_bytes),
    };
    let series = this.#series.get(pool.name);
    if (!series) this.#series.set(pool.name, (series = new Series()));
    series.add(now, totals);
    return {
      ...pool, workers, totals, series: series.values,
      slots: [...slots.values()].map(finish).sort((a, b) => a.number - b.number),
    };
  }
}

// finish puts incumbent before successor, and says what state the slot is in as a whole: that of its best worker.
function finish(slot) {
  slot.workers.sort((a, b) => a.generation - b.generation || (a.started ?? '').localeCompare(b.started ?? ''));
  slot.worker = slot.workers.find((w) => w.ready) ?? slot.workers.at(-1);
  slot.state = slot.worker?.state ?? 'free';
  slot.queue = sum(slot.workers, (w) => w.queue?.depth);
  slot.capacity = sum(slot.workers, (w) => w.queue?.capacity);
  return slot;
}

// rolling is the rollout at hand: how far it is.
export function rolling(pool) {
  const rollout = pool.rollout;
  if (!rollout || (rollout.state !== 'rolling' && rollout.state !== 'reverting')) return undefined;
  const target = rollout.state === 'reverting' ? pool.generation : rollout.generation;
  const done = pool.slots.filter((s) => s.workers.length === 1 && s.worker.ready && s.worker.generation === target).length;
  return { ...rollout, done, total: pool.desired };
}
