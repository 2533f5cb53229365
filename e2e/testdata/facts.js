// A Node server on its first inherited socket that says what it found.
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const env = process.env;
const worker = `slot=${env.BROOD_SLOT} id=${env.BROOD_WORKER_ID} pid=${process.pid} generation=${env.BROOD_GENERATION}`;
const [path] = Object.values(JSON.parse(env.BROOD_FDS));
const signals = {};
for (const name of (env.COUNTED || '').split(' ').filter(Boolean)) {
  signals[name] = 0;
  process.on(name, () => { signals[name] += 1; });
}
const nofile = /Max open files +(\d+)/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))[1];

const server = http.createServer((request, response) => {
  response.setHeader('X-Worker', worker);
  response.end(JSON.stringify({
    pid: process.pid, argv: process.argv.slice(1), env, dir: process.cwd(), uid: process.getuid(), gid: process.getgid(),
    umask: process.umask().toString(8), nofile: Number(nofile), signals,
  }));
});
server.listen({ fd: Number(path.replace('/dev/fd/', '')) });

for (const name of ['SIGTERM', 'SIGINT']) {
  process.on(name, () => {
    server.close(() => process.exit(0));
    // Connections kept alive for a next request that will not come.
    server.closeIdleConnections();
  });
}
