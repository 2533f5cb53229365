// What the page asks the supervisor. The token is here and nowhere else: it ends with the tab.

import { setClock } from './text.js';

let token = '';

// forget drops a token that is not known any more: with it even what everybody may see would be refused.
export function forget() {
  token = '';
}

// Refused is an answer that is no success. It has the fields of the API's answer.
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error || `the answer is ${status}`);
    Object.assign(this, { status, code: answer.code, hint: answer.hint, lines: answer.last_lines ?? [] });
  }
}

// ask sends a request, with the token if there is one. A body makes it a POST.
export async function ask(path, { body, signal, as = token } = {}) {
  const init = { signal, headers: {}, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' };
  if (as) init.headers.Authorization = `Bearer ${as}`;
  if (body) Object.assign(init, { method: 'POST', body: JSON.stringify(body) });
  const response = await fetch(path, init);
  setClock(response.headers.get('Date'));
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

export const askJSON = async (path, options) => (await ask(path, options)).json();

// enter takes a token if it allows anything, and returns what: write, read or none.
export async function enter(word) {
  if (!/^[!-~]+$/.test(word)) return 'none';
  const { rights } = await askJSON('/ui/session', { as: word });
  if (rights !== 'none') token = word;
  return rights;
}

// pieces reads a stream piece by piece; they end with an end.
export async function* pieces(path, end, options) {
  const response = await ask(path, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(end);
    rest = parts.pop();
    yield* parts;
  }
}

// eventOf reads a block of text/event-stream; undefined for a comment.
export function eventOf(block) {
  const field = (name) => block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const data = field('data');
  return data && { ...JSON.parse(data), key: field('id') };
}
