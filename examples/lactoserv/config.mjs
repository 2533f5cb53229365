// Lactoserv's configuration, the same for every worker: what differs between them is in their environment.
import { readFileSync } from 'node:fs';

import { StaticFiles } from '@lactoserv/built-ins';

const fds = JSON.parse(process.env.LACTOSERV_FDS); // { "http": "/dev/fd/3", "https": "/dev/fd/4" }
const beside = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

export default {
  hosts: [{ hostnames: ['*'], certificate: beside('cert.pem'), privateKey: beside('key.pem') }],
  applications: [{ name: 'site', class: StaticFiles, siteDirectory: '/srv/website' }],
  endpoints: [
    { name: 'insecure', protocol: 'http', interface: fds.http, application: 'site' },
    { name: 'secure', protocol: 'https', interface: `${fds.https}:443`, application: 'site' }, // the port is for the log
  ],
};
