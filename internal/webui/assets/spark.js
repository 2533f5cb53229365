// Small lines of numbers, in SVG.

import { setAttr, setText, svg, el } from './dom.js';
import { points } from './model.js';

const width = 100;
const height = 26;

// path draws values from the right, newest last; what was not measured is a gap.
function path(values, most) {
  let text = '';
  let isPen = false;
  values.forEach((value, i) => {
    if (value == null) { isPen = false; return; }
    const x = width - (values.length - 1 - i) * (width / (points - 1));
    const y = height - 2 - (value / most) * (height - 4);
    text += `${isPen ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}`;
    isPen = true;
  });
  return text;
}

// Spark is a number with its name, and the line of how it came about.
export class Spark {
  constructor(name, words) {
    this.words = words;
    this.value = el('span', { class: 'spark-value' });
    this.extra = el('span', { class: 'spark-extra dim' });
    this.line = svg('path', { class: 'spark-line', 'vector-effect': 'non-scaling-stroke' });
    this.area = svg('path', { class: 'spark-area' });
    this.picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.area, this.line);
    this.node = el('div', { class: 'spark' }, el('span', { class: 'spark-name dim' }, name), this.value, this.extra, this.picture);
  }

  update(value, values = [], extra = '') {
    this.node.hidden = value == null && !values.some((v) => v != null);
    setText(this.value, this.words(value));
    setText(this.extra, extra);
    const most = Math.max(...values.filter((v) => v != null), 0) || 1;
    const line = path(values, most);
    setAttr(this.line, 'd', line);
    const first = values.findIndex((v) => v != null);
    const isWhole = first >= 0 && values.slice(first).every((v) => v != null);
    const left = width - (values.length - 1 - first) * (width / (points - 1));
    setAttr(this.area, 'd', isWhole ? `${line}L${width} ${height}L${left.toFixed(2)} ${height}Z` : '');
  }
}
