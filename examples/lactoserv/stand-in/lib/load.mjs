// The configuration is code, and is evaluated anew for each reload.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

import { StaticFiles } from './built-ins.mjs';

register('./resolve.mjs', import.meta.url);
let loads = 0;

// placeOf reads the interface of an endpoint: /dev/fd/N, /dev/fd/N:PORT (for the log alone), or ADDRESS:PORT.
export function placeOf(text) {
  const [, fd, shown] = /^[/]dev[/]fd[/](\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (fd !== undefined && fd <= 65535 && (shown ?? 0) <= 65535) {
    return { fd: Number(fd) };
  }
  const [, host, port] = /^([^/]+):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || port < 1 || port > 65535) {
    throw new Error(`cannot read interface ${text}`);
  }
  return { host: host === '*' ? '::' : host, port: Number(port) };
}

function check({ hosts = [], applications = [], endpoints = [] }) {
  for (const endpoint of endpoints) {
    placeOf(endpoint.interface);
    const application = applications.find((a) => a.name === endpoint.application);
    if (application?.class !== StaticFiles) {
      throw new Error(`endpoint ${endpoint.name} has no application ${endpoint.application}`);
    }
    if (!['http', 'https'].includes(endpoint.protocol)) {
      throw new Error(`endpoint ${endpoint.name} has no protocol ${endpoint.protocol}`);
    }
    if (endpoint.protocol === 'https' && !hosts[0]?.privateKey) {
      throw new Error(`endpoint ${endpoint.name} has no host with a key`);
    }
  }
  return { hosts, applications, endpoints };
}

// load evaluates a configuration. Whatever is wrong with it throws, and has changed nothing here.
export async function load(path) {
  loads += 1; // what has been imported by one name is not imported again
  return check((await import(`${pathToFileURL(path).href}?${loads}`)).default);
}
