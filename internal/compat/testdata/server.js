// Node on the socket that it is given.
'use strict';
const http = require('node:http');

const server = http.createServer((request, response) => response.end('hello\n'));
server.listen({ fd: 3 });

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
