// A plain Node server on an inherited socket, which it finds by $BROOD_FDS.
'use strict';
const http = require('node:http');

const env = process.env;
const worker = `slot=${env.BROOD_SLOT} id=${env.BROOD_WORKER_ID} pid=${process.pid} generation=${env.BROOD_GENERATION}`;
const fd = Number(JSON.parse(env.BROOD_FDS).http.replace('/dev/fd/', ''));

const server = http.createServer((request, response) => {
  response.setHeader('X-Worker', worker);
  response.end('hello from node\n');
});
server.listen({ fd });

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  // Connections kept alive for a next request that will not come.
  server.closeIdleConnections();
});
