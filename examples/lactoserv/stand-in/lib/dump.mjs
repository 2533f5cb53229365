// Heap dumps: where, under which name, and what.
import { open } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import path from 'node:path';

// name has the second and nothing else: two processes that dump in one directory and one second write one file.
function name() {
  const [date, time] = new Date().toISOString().split('T');
  return `lactoserv-${date}_${time.slice(0, 8).replaceAll(':', '')}.heapsnapshot`;
}

// openFirst makes the file in the first directory that may be written in.
async function openFirst(file) {
  for (const dir of ['.', process.env.HOME, process.env.TMPDIR, '/tmp']) {
    if (dir) {
      try {
        const target = path.resolve(dir, file);
        return { target, handle: await open(target, 'w') };
      } catch {
        // The next one may be better.
      }
    }
  }
  throw new Error('no directory for a heap dump');
}

export async function dump() {
  const { target, handle } = await openFirst(name());
  const session = new Session();
  let written = Promise.resolve();
  session.connect();
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => {
    written = written.then(() => handle.write(params.chunk));
  });
  await session.post('HeapProfiler.takeHeapSnapshot', null);
  await written;
  session.disconnect();
  await handle.close();
  return target;
}
