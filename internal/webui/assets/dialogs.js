// Questions to whoever looks at the page. A dialog of the browser keeps the focus inside, and gives it back.

import { button, el } from './dom.js';

let titles = 0;

// open shows a dialog with what is given, and removes it when it is closed. decide closes it with a result.
function open(title, make, attributes = {}) {
  const id = `dialog-${++titles}`;
  return new Promise((decided) => {
    const dialog = el('dialog', { 'aria-labelledby': id, ...attributes }, el('h2', { id }, title));
    let result;
    const decide = (value) => { result = value; dialog.close(); };
    dialog.append(make(decide, dialog));
    dialog.addEventListener('close', () => { dialog.remove(); decided(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function buttons(decide, text, isDanger) {
  return el('div', { class: 'buttons end' },
    button('Cancel', () => decide(undefined), { autofocus: isDanger }),
    el('button', { type: 'submit', class: isDanger ? 'danger strong' : 'strong' }, text));
}

function form(onSubmit, ...children) {
  const node = el('form', {}, ...children);
  node.addEventListener('submit', (e) => { e.preventDefault(); onSubmit(); });
  return node;
}

// confirm says what will happen, and asks whether it shall.
export function confirm({ title, lines, verb, isDanger }) {
  return open(title, (decide) =>
    form(() => decide(true), ...lines.map((line) => el('p', {}, line)), buttons(decide, verb, isDanger)));
}

// askNumber does so with a number; lines(n) says what it means.
export function askNumber({ title, label, value, verb, lines }) {
  return open(title, (decide) => {
    const input = el('input', { type: 'number', id: 'number', min: 1, max: 100000, step: 1, required: true, value, autofocus: true });
    const meaning = el('div', { 'aria-live': 'polite' });
    const say = () => meaning.replaceChildren(...lines(Number(input.value)).map((line) => el('p', {}, line)));
    input.addEventListener('input', say);
    input.addEventListener('focus', () => input.select(), { once: true }); // what is typed takes its place
    say();
    return form(() => decide(Number(input.value)), el('p', {}, el('label', { for: 'number' }, label), ' ', input), meaning, buttons(decide, verb));
  });
}

// askToken calls check with what was entered until it returns "", or somebody gives up.
export function askToken(check) {
  return open('Enter token', (decide) => {
    const input = el('input', { type: 'password', id: 'secret', autocomplete: 'off', spellcheck: 'false', required: true, autofocus: true });
    const wrong = el('p', { class: 'bad-text', role: 'alert' });
    const submit = async () => {
      wrong.textContent = '';
      const problem = await check(input.value.trim());
      if (problem === '') decide(true);
      wrong.textContent = problem;
      input.select();
    };
    return form(submit,
      el('p', {}, 'The content of token_file allows everything, that of read_token_file to look at logs. It is kept in the memory of this tab alone.'),
      el('p', {}, el('label', { for: 'secret' }, 'Token'), ' ', input), wrong, buttons(decide, 'Use'));
  });
}

// tell shows lines, and code to copy.
export function tell(title, lines, code) {
  return open(title, (decide) => form(() => decide(),
    ...lines.map((line) => el('p', {}, line)), code ? el('pre', { class: 'code', tabindex: '0' }, code) : null,
    el('div', { class: 'buttons end' }, el('button', { type: 'submit', class: 'strong', autofocus: true }, 'Close'))));
}

// drawer shows something on the side until it is closed. It returns the function that closes it.
export function drawer(title, node, closed) {
  let close;
  open(title, (decide) => {
    close = decide;
    return el('div', { class: 'drawer-inside' }, el('div', { class: 'drawer-close' }, button('Close', () => decide(), { autofocus: true })), node);
  }, { class: 'drawer' }).then(closed);
  return close;
}
