// Making and changing nodes. Nothing here takes markup: what is shown is always text.

export const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttr(node, name, value);
  node.append(...children.filter((child) => child != null));
  return node;
}

// el makes an HTML element. Strings among the children become text.
export const el = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

// svg makes an SVG element.
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);

// button makes one that does something.
export function button(text, onClick, attributes = {}) {
  const node = el('button', { type: 'button', ...attributes }, text);
  node.addEventListener('click', onClick);
  return node;
}

// setText and setAttr touch a node only if that changes something: a thousand workers are looked at in each update.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const word = value === true ? '' : String(value);
  if (node.getAttribute(name) !== word) node.setAttribute(name, word);
}

// setShare is the width of a bar, from 0 to 1.
export function setShare(node, share) {
  const word = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`;
  if (node.style.width !== word) node.style.width = word;
}

// Keyed keeps one view for each key below a parent, in the order of the items. A view has a node, and update(item).
export class Keyed {
  #views = new Map();

  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
  }

  get(key) {
    return this.#views.get(key);
  }

  update(items, keyOf) {
    const keys = new Set(items.map(keyOf));
    for (const [key, view] of this.#views) {
      if (keys.has(key)) continue;
      view.node.remove();
      this.#views.delete(key);
    }
    let before = this.parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let view = this.#views.get(key);
      if (!view) {
        view = this.make(item);
        this.#views.set(key, view);
      }
      if (view.node === before) before = before.nextElementSibling;
      else this.parent.insertBefore(view.node, before);
      view.update(item);
    }
  }
}
