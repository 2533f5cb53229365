// What happened: a strip with the deaths and rollouts of the last minutes, and a list below it.

import { byId, el, setAttr, svg } from './dom.js';
import { clock, now, plural, sign, tone, visible } from './text.js';

const span = 15 * 60 * 1000; // of the strip, in milliseconds
const kept = 2000; // events in memory
const shown = 200; // entries of the list
const lanes = 6;
const laneHeight = 18;
const harmless = new Set(['recycled', 'stopped', 'finished']);

const place = (e) => (e.pool ? (e.slot == null ? e.pool : `${e.pool} ${e.slot}`) : '');

const texts = {
  worker: (e) => `${e.state}${e.reason ? `: ${e.reason}` : ''}`,
  death: (e) => [e.cause?.replaceAll('_', ' '), e.exit, e.detail, e.next].filter(Boolean).join(' · '),
  rollout: (e) => `generation ${e.generation}: ${e.state}${e.reason ? `: ${e.reason}` : ''}`,
  scale: (e) => `${e.before ?? 0} → ${e.workers ?? 0} workers${e.reason ? ` (${e.reason})` : ''}`,
  pool: (e) => e.state ?? '',
  state: (e) => `brood is ${e.state}`,
  reload: (e) => `${e.state}${e.reason ? `: ${e.reason}` : ''}`,
  repair: (e) => `${e.listener ?? ''} ${e.detail ?? ''}`,
  signal: (e) => e.signal ?? '',
  request: (e) => `${e.verb ?? ''} asked for`,
  missed: (e) => `${plural(e.missed, 'event')} before this are not kept any more`,
};

export const describe = (e) => visible(texts[e.event]?.(e) ?? e.state ?? '');

// toneOf is the colour of an event.
export function toneOf(e) {
  if (e.event === 'death') return harmless.has(e.cause) ? 'done' : 'bad';
  if (e.event === 'missed') return 'warn';
  return e.state ? tone(e.state) : 'done';
}

const filters = {
  most: (e) => ({
    // Many servers set the backlog when they start: that it is put back is no news.
    worker: false, signal: false, repair: e.detail !== 'backlog', death: !harmless.has(e.cause), state: e.state === 'stopping', pool: e.state !== 'waiting' && e.state !== 'starting',
  })[e.event] ?? true,
  death: (e) => e.event === 'death',
  rollout: (e) => e.event === 'rollout' || e.event === 'reload' || e.event === 'scale',
  all: () => true,
};

// entry is an event in the list; times is how often the same happened without anything else between.
function entry(e, times) {
  const node = el('li', { 'data-tone': toneOf(e), 'data-event': e.event },
    el('time', { datetime: e.time, title: e.time }, clock(e.time)), ' ', times > 1 ? el('strong', { class: 'times' }, `${times}× `) : null,
    el('span', { class: 'what' }, `${e.event === 'death' ? '✝' : sign(e.state)} ${e.event}`), ' ',
    el('strong', {}, place(e)), ' ', el('span', { class: 'text' }, describe(e)));
  if (e.last_lines?.length) {
    node.append(el('details', {}, el('summary', {}, 'last words'), el('pre', {}, e.last_lines.map(visible).join('\n'))));
  }
  return node;
}

export class Timeline {
  #events = [];

  constructor() {
    this.strip = byId('timeline').querySelector('.strip');
    this.list = byId('timeline').querySelector('.events');
    this.kinds = byId('kinds');
    this.kinds.addEventListener('change', () => this.#rewrite());
  }

  clear() {
    this.#events = [];
    this.#rewrite();
    this.draw();
  }

  // of are the latest events of a slot, the newest first.
  of(pool, slot, most) {
    return this.#events.filter((e) => e.pool === pool && e.slot === slot).slice(-most).reverse();
  }

  add(events) {
    this.#events.push(...events);
    if (this.#events.length > kept) this.#events.splice(0, this.#events.length - kept);
    this.#show(events.filter(this.#filter()).slice(-shown));
    this.draw();
  }

  // #show puts events on top of the list. One that says the same as the one on top takes its place.
  #show(events) {
    for (const e of events) {
      const same = [e.event, place(e), e.event === 'death' ? e.cause : describe(e)].join('\n');
      this.times = same === this.top && this.list.firstElementChild ? this.times + 1 : 1;
      this.top = same;
      const node = entry(e, this.times);
      if (this.times > 1) this.list.firstElementChild.replaceWith(node);
      else this.list.prepend(node);
    }
    while (this.list.children.length > shown) this.list.lastElementChild.remove();
  }

  #filter() {
    return filters[this.kinds.value] ?? filters.all;
  }

  #rewrite() {
    this.list.replaceChildren();
    this.#show(this.#events.filter(this.#filter()).slice(-shown));
  }

  // draw paints the strip anew: time has passed.
  draw() {
    const end = now();
    const recent = this.#events.filter((e) => end - Date.parse(e.time) < span);
    const pools = [...new Set(recent.filter((e) => e.event === 'death' || e.event === 'rollout').map((e) => e.pool))].slice(0, lanes);
    const x = (time) => `${(Math.max(0, 1 - (end - Date.parse(time)) / span) * 100).toFixed(2)}%`;
    const marks = [];
    let deaths = 0;
    pools.forEach((pool, lane) => {
      const y = lane * laneHeight;
      marks.push(svg('line', { class: 'lane', x1: '0', x2: '100%', y1: y + 9, y2: y + 9 }));
      marks.push(...this.#rollouts(recent, pool, y, x));
      for (const e of recent) {
        if (e.event !== 'death' || e.pool !== pool || harmless.has(e.cause)) continue;
        deaths++;
        marks.push(svg('circle', { class: 'mark', 'data-tone': toneOf(e), cx: x(e.time), cy: y + 9, r: 4 },
          svg('title', {}, `${clock(e.time)} ${place(e)} ${describe(e)}`)));
      }
      const name = svg('text', { class: 'lane-name', x: 2, y: y + 7 }, pool);
      marks.push(name);
    });
    const rollouts = recent.filter((e) => e.event === 'rollout' && e.state === 'rolling').length;
    setAttr(this.strip, 'height', Math.max(1, pools.length) * laneHeight + 4);
    setAttr(this.strip, 'aria-label', `The last 15 minutes: ${plural(deaths, 'death')} and ${plural(rollouts, 'rollout')}`);
    this.strip.replaceChildren(...marks);
  }

  // Each rollout is a bar from its begin to its end, or until now.
  #rollouts(recent, pool, y, x) {
    const bars = [];
    let begun;
    const bar = (end) => {
      const from = begun ? x(begun.time) : '0%';
      const to = end ? x(end.time) : '100%';
      bars.push(svg('rect', {
        class: 'bar', 'data-tone': end ? tone(end.state) : 'busy', x: from, y: y + 5, height: 8, rx: 2,
        width: `${Math.max(0.6, parseFloat(to) - parseFloat(from)).toFixed(2)}%`,
      }, svg('title', {}, `rollout of ${pool} to generation ${(end ?? begun).generation}: ${(end ?? begun).state}`)));
      begun = undefined;
    };
    for (const e of recent) {
      if (e.event !== 'rollout' || e.pool !== pool) continue;
      if (e.state === 'done' || e.state === 'failed') bar(e);
      else begun ??= e;
    }
    if (begun) bar();
    return bars;
  }
}
