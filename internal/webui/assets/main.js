// Brings the parts together: what comes from the supervisor goes to those who show it.

import { Actions } from './actions.js';
import { Keyed, byId, el, button, setAttr, setText } from './dom.js';
import { Live } from './live.js';
import { Model } from './model.js';
import { PoolView, troubles } from './pool.js';
import { SlotView } from './slot.js';
import { Timeline, describe } from './timeline.js';
import { plural, sign, since, tone, visible } from './text.js';

const announceEvery = 3000; // milliseconds: a reader has to come to an end
const announceMost = 3; // things at once
const mostBad = 4; // pools that are told of above all
const spoken = new Set(['death', 'rollout', 'state', 'reload']);

const model = new Model();
const timeline = new Timeline();
const actions = new Actions(model, {
  announce,
  unlocked: () => live.again(),
  changed: () => {
    showNotices();
    slot?.unlocked();
    live.look();
  },
});
const does = { act: (verb, pool, number) => actions.act(verb, pool, number), open: openSlot };
const board = new Keyed(byId('notices'), (notice) => new NoticeView(notice));
const pools = new Keyed(byId('pools'), (pool) => new PoolView(pool, does));
let slot; // that is open
let link = { state: 'connecting', text: '' };
let news = []; // to be announced

const live = new Live({ snapshot, events, link: showLink, session: (view) => { actions.session(view); showNotices(); } });

// snapshot shows a new one. How long that took is left for who measures it.
function snapshot(snap, isNewLife) {
  const began = performance.now();
  if (isNewLife) {
    model.clear();
    timeline.clear();
  }
  model.take(snap);
  setText(byId('name'), snap.name);
  const ready = model.pools.reduce((n, p) => n + p.ready, 0);
  const desired = model.pools.reduce((n, p) => n + p.desired, 0);
  document.title = `${sign(snap.state)} ${ready}/${desired} ${snap.name} – brood`;
  setText(byId('state'), `${sign(snap.state)} ${snap.state}`);
  setAttr(byId('state'), 'data-tone', tone(snap.state));
  setAttr(byId('state'), 'data-state', snap.state);
  pools.update(model.pools, (pool) => pool.name);
  slot?.update(model.slot(slot.pool, slot.number));
  showSummary();
  showNotices();
  performance.clearMeasures('brood-update');
  performance.measure('brood-update', { start: began, end: performance.now() });
}

function showSummary() {
  const { snap } = model;
  if (!snap) return;
  setText(byId('summary'), `${plural(model.pools.length, 'pool')} · up ${since(snap.started)} · pid ${snap.pid} · ${snap.version}`);
}

function events(list) {
  timeline.add(list);
  for (const e of list) {
    if (e.isNews && spoken.has(e.event)) {
      announce([e.event, e.pool, e.slot == null ? '' : `slot ${e.slot}`].filter(Boolean).join(' ') + `: ${describe(e)}`);
    }
  }
}

// announce tells those who hear the page, not more often than one can listen.
function announce(text) {
  news.push(text);
  if (news.length > 1) return;
  setTimeout(() => {
    const more = news.length - announceMost;
    setText(byId('announcer'), news.slice(0, announceMost).join('. ') + (more > 0 ? `, and ${more} more` : ''));
    news = [];
  }, announceEvery);
}

function showLink(state, text, why = '') {
  link = { state, text, why };
  setAttr(byId('link'), 'data-link', state);
  setText(byId('link'), text);
  setAttr(document.body, 'data-link', state);
  showNotices();
}

// notices are what somebody has to know first.
function notices() {
  const list = [];
  const say = (key, toned, text, more) => list.push({ key, toned, text, more });
  const { snap } = model;
  if (link.state === 'ended') say('link', 'bad', `${snap?.name ?? 'brood'} has ended. What is shown is how it was. This page goes on when it is started again.`);
  if (link.state === 'lost') say('link', 'warn', `${link.why ? `brood refuses: ${visible(link.why)}` : 'brood does not answer'}. What is shown is how it was.`);
  if (actions.isOutdated) say('token', 'warn', 'The token that was entered is not known any more.', ['Enter token…', () => actions.unlock()]);
  const reload = snap?.config?.reload;
  if (reload?.state === 'failed') say('reload', 'bad', `The last reload failed: ${visible(reload.error)}`);
  else if (reload && reload.state !== 'done') say('reload', 'busy', `Reload: ${reload.state}`);
  const bad = model.pools.filter((pool) => pool.state === 'degraded' || pool.rollout?.state === 'failed' || pool.unmet?.length);
  for (const pool of bad.slice(0, mostBad)) {
    const toned = pool.state === 'degraded' && pool.ready === 0 ? 'bad' : 'warn';
    const why = troubles(pool)[0];
    say(`pool ${pool.name}`, toned, `${pool.name}: ${pool.ready}/${pool.desired} ready${why ? `, ${why}` : ''}`, [`Show ${pool.name}`, () => show(pool.name)]);
  }
  if (bad.length > mostBad) say('more', 'warn', `and ${plural(bad.length - mostBad, 'further pool')}`);
  if (actions.off) say('off', 'plain', `Logs and actions are off. ${actions.off}`, ['How to switch them on…', () => actions.explainOff()]);
  return list;
}

// show leads to a pool, and there to the first slot that is not well.
function show(name) {
  const { node } = pools.get(name) ?? {};
  node?.scrollIntoView({ block: 'start' });
  const door = node?.querySelector('.room:not([data-state=ready])') ?? node?.querySelector('.room[tabindex="0"]');
  door?.scrollIntoView({ block: 'nearest' });
  door?.focus({ preventScroll: true, focusVisible: true });
}

// NoticeView keeps its node while its words change: a button in it must not lose the focus.
class NoticeView {
  constructor({ more }) {
    this.text = el('span');
    this.node = el('p', { class: 'notice' }, this.text, more ? button(more[0], more[1]) : null);
  }

  update({ toned, text }) {
    setAttr(this.node, 'data-tone', toned);
    setText(this.text, text);
  }
}

function showNotices() {
  board.update(notices(), (notice) => notice.key);
}

function openSlot({ pool, number }) {
  slot = new SlotView(pool, number, actions, timeline, { act: does.act, closed: () => { slot = undefined; } });
  slot.update(model.slot(pool, number));
}

// Ages change without news. A page in the background is left alone.
setInterval(() => {
  if (document.hidden || link.state !== 'live') return;
  for (const pool of model.pools) pools.get(pool.name)?.tick();
  showSummary();
}, 1000);
setInterval(() => { if (!document.hidden) timeline.draw(); }, 10000);

live.start();
