// What can be done from here, what it means, and what became of it.

import { Refused, ask, askJSON, enter } from './api.js';
import { byId, el, setAttr, setText } from './dom.js';
import { askNumber, askToken, confirm, tell } from './dialogs.js';
import { clock, now, plural, sign, tone, visible } from './text.js';

const waitSeconds = 20; // for news of an operation, in one request
const keptOperations = 8;
const pause = 2000; // milliseconds, after an answer that did not come

const howTo = `[supervisor]
http = "127.0.0.1:9180"

[supervisor.control]
# who has this token may do everything
token_file = "/etc/brood/token"
# and who has that one may look at logs
read_token_file = "/etc/brood/token-read"

# A token is made by: umask 077;
# head -c 24 /dev/urandom | base64 > /etc/brood/token`;

const workersOf = (pool) => plural(pool.desired, 'worker');

export class Actions {
  rights = 'none';
  off = '';
  isOutdated = false; // the token was known, and is not any more

  // on has announce(text), changed(): other rights, or something was asked for, and unlocked(): there is a token now.
  constructor(model, on) {
    this.model = model;
    this.on = on;
    this.list = byId('operations').querySelector('ol');
    byId('token').addEventListener('click', () => this.unlock());
    byId('reload').addEventListener('click', () => this.act('reload'));
    byId('stop').addEventListener('click', () => this.act('stop'));
  }

  // session takes what the supervisor says of our rights.
  session(view) {
    this.off = view.off ?? '';
    this.isOutdated = view.rights === 'none' && (this.isOutdated || this.rights !== 'none');
    this.rights = view.rights;
    const words = { write: 'Token entered', read: 'Token entered: may look', none: this.off ? 'Actions are off…' : 'Enter token…' };
    setText(byId('token'), words[this.rights]);
    setAttr(byId('token'), 'data-rights', this.rights);
  }

  explainOff() {
    return tell('Logs and actions are off', [
      `${this.off} Whoever can connect may look at this page, so what workers write and everything that changes something need a token.`,
      'To switch them on, write into the configuration and start brood anew:',
    ], howTo);
  }

  async unlock() {
    if (this.off) {
      await this.explainOff();
      return false;
    }
    const ok = await askToken((word) => this.#check(word));
    if (ok) {
      this.on.changed();
      this.on.unlocked();
    }
    return ok === true;
  }

  async #check(word) {
    try {
      const rights = await enter(word);
      if (rights === 'none') return 'This token is not known here.';
      this.session({ rights });
      this.on.announce(rights === 'write' ? 'The token allows everything.' : 'The token allows to look.');
      return '';
    } catch (error) {
      return error.message;
    }
  }

  // unlocked asks for a token where one is needed.
  async unlocked(isRead = false) {
    if (this.rights === 'none' && !(await this.unlock())) return false;
    if (isRead || this.rights === 'write') return true;
    await tell('This token may look, and change nothing', ['Enter the one of token_file to change something.']);
    return false;
  }

  // act asks, and does. pool is a name, or undefined for the whole supervisor.
  async act(verb, poolName, slot) {
    if (!this.model.snap || !(await this.unlocked())) return;
    const pool = poolName === undefined ? undefined : this.model.pool(poolName);
    if (poolName !== undefined && !pool) return;
    const body = pool ? { pool: pool.name } : {};
    const question = this.#question(verb, pool, slot);
    if (verb === 'scale') {
      const n = await askNumber(question);
      if (!n) return;
      body.workers = n;
    } else if (!(await confirm(question))) return;
    if (slot !== undefined) body.slot = slot;
    if (verb === 'abort') body.abort = true;
    await this.#request(verb === 'abort' ? 'roll' : verb, body, `${verb === 'abort' ? 'abort rollout' : verb}${pool ? ` ${pool.name}` : ''}${slot === undefined ? '' : ` ${slot}`}`);
  }

  #question(verb, pool, slot) {
    const { snap, pools } = this.model;
    switch (verb) {
      case 'roll':
        return { title: `Roll pool ${pool.name}?`, verb: 'Roll', lines: [
          `All ${workersOf(pool)} are replaced by new ones, step by step. Connections that wait stay in their queues.`,
          'If a new worker does not become ready, the rollout goes back and the present ones serve on.'] };
      case 'abort':
        return { title: `Abort the rollout of pool ${pool.name}?`, verb: 'Abort rollout', isDanger: true, lines: [
          'The new workers leave, and those of the previous generation serve, as if a new one had failed.'] };
      case 'restart':
        return { title: `Restart slot ${slot} of pool ${pool.name}?`, verb: 'Restart', lines: [
          'A successor is started, and when it is ready the present worker is told to leave. It begins when no rollout is under way.'] };
      case 'reload':
        return { title: 'Reload?', verb: 'Reload', lines: [
          snap.config.file ? `${snap.config.file} is read again. Pools that changed are rolled, the others are told to reload.` : 'There is no file: the workers are told to reload.',
          'If the file is wrong nothing changes; if a pool fails, everything goes back.'] };
      case 'scale':
        return { title: `Scale pool ${pool.name}`, label: 'Workers', verb: 'Scale', value: pool.desired, lines: (n) => this.#scaled(pool, n) };
      case 'stop': {
        const stopped = pool ? [pool] : pools;
        const workers = stopped.reduce((n, p) => n + p.workers.filter((w) => w.pid).length, 0);
        const addresses = [...new Set(stopped.flatMap((p) => (p.listeners ?? []).map((l) => l.address)))].join(', ');
        return { title: pool ? `Stop pool ${pool.name}?` : `Stop ${snap.name}?`, verb: pool ? 'Stop the pool' : 'Stop everything', isDanger: true, lines: [
          `${plural(workers, 'worker')} ${pool ? `of pool ${pool.name}` : `of ${plural(pools.length, 'pool')}`} will be told to leave${addresses ? `, and nobody serves ${addresses} any more` : ''}.`,
          pool ? 'The other pools go on.' : 'Then brood itself ends, and this page with it: it cannot start brood again.'] };
      }
    }
    throw new Error(`no such action: ${verb}`);
  }

  #scaled(pool, n) {
    const more = n - pool.desired;
    const lines = [];
    if (!(n >= 1)) return ['At least 1.'];
    if (more > 0) lines.push(`${plural(more, 'worker')} more will be started.`);
    else if (more < 0) lines.push(`${plural(-more, 'worker')} will be told to leave: what they have accepted is served to its end, within their grace.`);
    else lines.push('That is how many there are.');
    if (pool.autoscale) lines.push('The load changes the number again.');
    return lines;
  }

  async #request(verb, body, title) {
    const op = new Operation(title);
    byId('operations').hidden = false;
    this.list.prepend(op.node);
    while (this.list.children.length > keptOperations) this.list.lastElementChild.remove();
    try {
      const result = await (await ask(`/v1/${verb}`, { body })).json();
      if (result.accepted && result.operation) await this.#follow(op, result.operation);
      else op.ended('done', result.text);
    } catch (error) {
      if (error instanceof Refused) op.ended('failed', [error.message, error.hint].filter(Boolean).join(' — '), error.lines);
      else op.ended('lost', 'brood does not answer any more');
    }
    this.on.announce(`${title}: ${op.state}. ${op.text}`);
    this.on.changed();
  }

  async #follow(op, id) {
    op.running(id);
    for (;;) {
      const view = await askJSON(`/v1/operations/${encodeURIComponent(id)}?wait_seconds=${waitSeconds}`).catch(async (error) => {
        if (error.status !== 429) throw error;
        await new Promise((done) => setTimeout(done, pause));
        return { state: 'running' };
      });
      if (view.state === 'running') continue;
      op.ended(view.state, view.error || view.text, view.last_lines);
      return;
    }
  }
}

// Operation is what was asked for, until its verdict.
class Operation {
  state = 'running';
  text = '';

  constructor(title) {
    this.sign = el('span', { class: 'what' });
    this.said = el('span', { class: 'text' });
    this.node = el('li', {}, el('time', {}, clock(now())), ' ', this.sign, ' ', el('strong', {}, title), ' ', this.said);
    this.#show();
  }

  running(id) {
    this.text = `goes on (${id})`;
    this.#show();
  }

  ended(state, text, lines) {
    this.state = state;
    this.text = visible(text ?? '');
    this.#show();
    if (lines?.length) this.node.append(el('pre', {}, lines.map(visible).join('\n')));
  }

  #show() {
    setAttr(this.node, 'data-tone', tone(this.state));
    setAttr(this.node, 'data-state', this.state);
    setText(this.sign, `${sign(this.state)} ${this.state}`);
    setText(this.said, this.text);
  }
}
