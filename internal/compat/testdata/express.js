// express on the socket that it is given.
'use strict';
const express = require('express');

const app = express();
app.get('/', (request, response) => response.send('hello\n'));
const server = app.listen({ fd: 3 });

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
