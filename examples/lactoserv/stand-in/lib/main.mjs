// Lactoserv's contract with whatever runs it, without what it serves beside files: its command line, its signals and their
// times, its sockets. For the test, where Lactoserv itself is not at hand.
import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { dump } from './dump.mjs';
import { load } from './load.mjs';
import { System } from './system.mjs';

const { values: { config, 'log-to-stdout': toStdout } } = parseArgs({
  options: { config: { type: 'string' }, 'log-to-stdout': { type: 'boolean' } },
});
const limit = Number(process.env.STAND_IN_LIMIT ?? 10_000); // ms for a shutdown
const log = (text) => { if (toStdout) console.log(`lactoserv: ${text}`); };
const system = new System(log);

let exits = 0; // of INT and TERM together
let reloading = false;

async function exit(signal) {
  exits += 1;
  log(`${signal}: exiting, ${exits}`);
  if (exits > 3) {
    process.stderr.write('\n\nNot waiting for clean shutdown. Bye!\n');
    process.exit(1);
  }
  if (exits > 1) {
    return;
  }
  const clean = await Promise.race([system.stop().then(() => true), after(limit, false)]);
  log(clean ? 'shut down' : 'not shut down in time');
  await after(250); // for the log
  process.exit(clean ? 0 : 1);
}

async function reload(signal) {
  if (exits > 0 || reloading) {
    log(`${signal}: ignored`);
    return;
  }
  reloading = true;
  try {
    await system.use(await load(config));
    log('reloaded');
  } catch (error) {
    log(`not reloaded: ${error.message}`);
  }
  reloading = false;
}

process.on('SIGINT', exit);
process.on('SIGTERM', exit);
process.on('SIGHUP', reload);
process.on('SIGUSR2', async () => log(`dumped to ${await dump()}`));

try {
  await system.use(await load(config));
} catch (error) {
  console.error(`cannot use ${config}: ${error.message}`);
  process.exit(1);
}
log(`running as ${process.env.LACTOSERV_SERVICE_NAME}`);
