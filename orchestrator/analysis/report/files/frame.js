"use strict";
// What the drawings have in common: a frame that follows the width of the page, axes, the hint, the keyboard.

/**
 * Draws into a place, and anew when its width changes.
 * @param place the element
 * @param paint (svg, width) → the height
 * @param label what a screen reader says
 */
function framed(place, label, paint) {
  let width = 0;
  const repaint = () => {
    if (!width) return;
    const focused = place.contains(document.activeElement);
    const svg = d3.create("svg").attr("width", width).attr("role", "group").attr("aria-label", label);
    place.replaceChildren(svg.node());
    svg.attr("height", paint(svg, width));
    chosen.mark(place);
    if (focused) place.querySelector("[tabindex]")?.focus();
  };
  new ResizeObserver(([entry]) => requestAnimationFrame(() => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    repaint();
  })).observe(place);
  return repaint;
}

/** A D3 scale for a Scale of the data, with a little room at the ends. */
function numeric(scale, range, room = 0) {
  const made = (scale.log ? d3.scaleLog() : d3.scaleLinear()).domain([scale.low, scale.high]);
  const [from, to] = range;
  const inset = Math.sign(to - from) * room;
  return made.range([from + inset, to - inset]);
}

/** Where ticks stand, about so many: on a logarithmic scale at powers of ten, or at 1, 2, 5, 10, 20, …; else at round numbers. */
function ticks(scale, count, integer = false) {
  const [low, high] = scale.domain();
  const powers = scale.base ? d3.range(Math.floor(Math.log10(low)), Math.floor(Math.log10(high) + 1e-9) + 1) : [];
  const inside = (factors) => powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
    .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  const [fine, coarse] = [inside([1, 2, 5]), inside([1])];
  const fits = (value) => !integer || Number.isInteger(value);
  if (fine.length < 3) return d3.ticks(low, high, count).filter(fits);
  const marks = fine.length <= count + 1 || coarse.length < 2 ? fine : coarse;
  const every = Math.max(1, Math.ceil(marks.length / (count + 1)));
  return marks.filter((value, i) => i % every === 0 && fits(value));
}

/** A D3 scale for an axis of the space: numbers or words. */
function scaleOf(axis, range, room = 0) {
  if (axis.scale) return numeric(axis.scale, range, room);
  return d3.scalePoint().domain(d3.range(axis.words.length)).range(range).padding(0.5);
}

const LETTERS = 9; // of a word at a tick

/** Ticks of an axis of the space, with room for their texts. */
function tickValues(axis, scale, upright = false) {
  const [from, to] = d3.extent(scale.range());
  if (axis.scale) return ticks(scale, (to - from) / (upright ? 45 : 62), axis.integer);
  const room = upright ? 16 : 12 + 7 * Math.min(LETTERS, d3.max(axis.words, (word) => word.length));
  const every = Math.ceil(room / (scale.step() || room));
  return scale.domain().filter((word) => word % every === 0);
}

function bottomAxis(svg, scale, { y, height, values, text = number, title = "" }) {
  const axis = d3.axisBottom(scale).tickValues(values).tickFormat((value) => text(value)).tickSizeInner(-height).tickSizeOuter(0).tickPadding(7);
  const group = svg.append("g").attr("class", "axis").attr("transform", `translate(0,${y})`).call(axis);
  const [from, to] = d3.extent(scale.range());
  if (title) group.append("text").attr("class", "title").attr("x", (from + to) / 2).attr("y", 34).text(title);
  return group;
}

function leftAxis(svg, scale, { x, width, values, text = number, title = "" }) {
  const axis = d3.axisLeft(scale).tickValues(values).tickFormat((value) => text(value)).tickSizeInner(-width).tickSizeOuter(0).tickPadding(7);
  const group = svg.append("g").attr("class", "axis").attr("transform", `translate(${x},0)`).call(axis);
  if (title) {
    group.append("text").attr("class", "title start").attr("x", 6 - x).attr("y", 14).text(title);
  }
  return group;
}

/** How opaque each of so many lines or symbols is, so that many of them show where they are dense. */
const crowd = (count) => Math.max(0.12, Math.min(1, 130 / count));

/** The symbol of an outcome, so that nobody needs colours to tell them apart. */
const symbols = {
  completed: d3.symbolCircle, stopped: d3.symbolCircle, running: d3.symbolTriangle, pending: d3.symbolTriangle,
  diverged: d3.symbolTimes, failed: d3.symbolPlus, cancelled: d3.symbolDiamond,
};
const symbol = (state, size = 34) => d3.symbol(symbols[state], size)();

// The hint beside what is pointed at -------------------------------------------------------------------------------

const hint = document.getElementById("hint");

function showHint(each, x, y) {
  const { title, result, config } = description(each);
  const lines = [["strong", title], ["div", result], ["small", config.join("\n")]];
  hint.replaceChildren(...lines.map(([tag, text]) => Object.assign(document.createElement(tag), { textContent: text })));
  hint.hidden = false;
  const box = hint.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  hint.style.left = `${Math.max(4, left) + scrollX}px`;
  hint.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - box.height - 4)) + scrollY}px`;
}

function hideHint() {
  hint.hidden = true;
  chosen.point(null);
}

/**
 * Lets the pointer and the keyboard point at the trials of a drawing.
 * @param svg the drawing
 * @param where trial → [x, y] in it, for those that are drawn
 * @param nearest (x, y) → the trial that is meant, or undefined
 */
function pointable(svg, where, nearest = nearestOf(where)) {
  const node = svg.node();
  const show = (trial, [x, y]) => {
    const box = node.getBoundingClientRect();
    chosen.point(trial);
    showHint(byNumber.get(trial), box.left + x, box.top + y);
  };
  const order = ranked.filter((each) => where.has(each.trial)).map((each) => each.trial);
  svg
    .attr("tabindex", 0)
    .on("pointermove pointerdown", (event) => {
      const at = d3.pointer(event, node);
      const trial = nearest(...at);
      if (trial === undefined) hideHint(); else show(trial, at);
    })
    .on("pointerleave blur", hideHint)
    .on("keydown", (event) => {
      const passing = order.filter((trial) => chosen.passing.has(trial));
      const now = passing.indexOf(chosen.pointed);
      const next = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: passing.length - 1 }[event.key];
      if (event.key === "Escape") hideHint();
      if (next === undefined || !passing.length) return;
      event.preventDefault();
      const trial = passing[Math.max(0, Math.min(next, passing.length - 1))];
      show(trial, where.get(trial));
    });
}

/** The nearest of the points, if it is near. */
function nearestOf(where, reach = 24) {
  const entries = [...where];
  const mesh = d3.Delaunay.from(entries, ([, [x]]) => x, ([, [, y]]) => y);
  return (x, y) => {
    if (!entries.length) return undefined;
    const [trial, [px, py]] = entries[mesh.find(x, y)];
    return Math.hypot(px - x, py - y) < reach && chosen.passing.has(trial) ? trial : undefined;
  };
}
