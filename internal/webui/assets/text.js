// Numbers, times and foreign words for people.

const steps = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

export function age(seconds) {
  if (!(seconds >= 0)) return '–';
  for (const [size, unit] of steps) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return '0 s';
}

// The clocks of two machines differ. An HTTP date is whole seconds, so that less is not told from nothing.
let ahead = 0; // of our clock that of the supervisor, in milliseconds

export function setClock(date) {
  const off = Date.parse(date) - Date.now();
  if (Number.isFinite(off)) ahead = Math.abs(off) > 3000 ? off : 0;
}

// now is the time by the supervisor's clock.
export const now = () => Date.now() + ahead;

// since is the age of what began at a time of the supervisor's clock.
export const since = (time) => age((now() - Date.parse(time)) / 1000);

export function bytes(n) {
  if (n == null) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1024; i++; }
  return `${n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

export function count(n) {
  return n == null ? '–' : n.toLocaleString('en');
}

export function perSecond(n) {
  return n == null ? '–' : `${n < 10 ? n.toFixed(1) : Math.round(n).toLocaleString('en')} /s`;
}

// cpu is in percent of one CPU.
export function cpu(share) {
  if (share == null) return '–';
  return `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;

const two = (n) => String(n).padStart(2, '0');

// clock is the time of day, and the day if it is another one.
export function clock(time) {
  const t = new Date(time);
  const hours = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  return t.toDateString() === new Date().toDateString() ? hours : `${two(t.getMonth() + 1)}-${two(t.getDate())} ${hours}`;
}

// visible shows what a worker wrote: colours of terminals are left out, other control characters and those that turn the
// direction of writing around become visible.
export function visible(text) {
  return String(text ?? '')
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[\x00-\x08\x0b-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\x7f/g, '\u2421')
    .replace(/[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

// words of states, with a sign for each so that colour is not all there is. tone is what colours them.
const states = {
  ready: ['●', 'good'], starting: ['◔', 'busy'], proving: ['◑', 'busy'], waiting: ['◌', 'warn'], unready: ['▲', 'warn'],
  failing: ['✕', 'bad'], settling: ['↓', 'leave'], retiring: ['↓', 'leave'], draining: ['↓', 'leave'], tracing: ['✕', 'bad'],
  reaping: ['✕', 'bad'], killed: ['✕', 'bad'], finished: ['✓', 'done'], free: ['·', 'done'], degraded: ['▲', 'warn'],
  stopping: ['↓', 'leave'], exited: ['·', 'done'], rolling: ['↻', 'busy'], reverting: ['↺', 'warn'], done: ['✓', 'good'],
  failed: ['✕', 'bad'], running: ['↻', 'busy'], gone: ['·', 'done'], ended: ['·', 'done'],
};

export const sign = (state) => states[state]?.[0] ?? '·';
export const tone = (state) => states[state]?.[1] ?? 'done';
