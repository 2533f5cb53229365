// What serves: a server for each endpoint, which stays over reloads.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';

import { placeOf } from './load.mjs';

const env = process.env;
// Who answered, for whoever counts.
const worker = `slot=${env.BROOD_SLOT} id=${env.BROOD_WORKER_ID} pid=${process.pid} generation=${env.BROOD_GENERATION}`;

export class System {
  #log;
  #servers = new Map(); // of endpoints, by interface

  constructor(log) { this.#log = log; }

  // use takes a configuration that is right. Sockets that it still has are not let go of.
  async use(config) {
    const certified = { cert: config.hosts[0]?.certificate, key: config.hosts[0]?.privateKey };
    const wanted = new Map(config.endpoints.map((endpoint) => [endpoint.interface, endpoint]));
    for (const [place, server] of this.#servers) {
      if (!wanted.has(place)) {
        this.#servers.delete(place);
        server.close();
      }
    }
    for (const [place, endpoint] of wanted) {
      const { siteDirectory } = config.applications.find((a) => a.name === endpoint.application);
      let server = this.#servers.get(place);
      if (!server) {
        server = endpoint.protocol === 'https' ? https.createServer(certified) : http.createServer();
        this.#servers.set(place, server);
        await new Promise((listening, failed) => server.once('error', failed).listen(placeOf(place), listening));
        this.#log(`endpoint ${endpoint.name} on ${place}`);
      } else if (endpoint.protocol === 'https') {
        server.setSecureContext(certified);
      }
      server.removeAllListeners('request').on('request', (request, response) => answer(siteDirectory, request, response));
    }
  }

  // stop ends when every request has its answer.
  async stop() {
    await Promise.all([...this.#servers.values()].map((server) => new Promise((closed) => server.close(closed))));
  }
}

async function answer(site, request, response) {
  response.setHeader('X-Worker', worker);
  for await (const _ of request); // also what nobody wants: its end is the end of the request
  const { pathname } = new URL(request.url, 'http://host');
  const file = path.join(site, path.normalize(pathname).endsWith('/') ? path.join(pathname, 'index.html') : pathname);
  try {
    const text = await readFile(file);
    response.end(text);
  } catch {
    response.statusCode = 404;
    response.end('not found\n');
  }
}
