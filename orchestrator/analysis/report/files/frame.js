"use strict";
// What all charts share: a frame that follows the width of the page, scales, axes, symbols.

/** Sets attributes of a D3 selection, each to a value or a function of the datum. */
function set(selection, attributes) {
  for (const [name, value] of Object.entries(attributes)) selection.attr(name, value);
  return selection;
}

/**
 * Draws a chart into an element, and redraws it when the width changes.
 * @param place the element
 * @param label the accessible name
 * @param paint (svg, width) → the height
 * @returns a function that redraws
 */
function framed(place, label, paint) {
  let width = 0;
  const repaint = () => {
    if (!width) return;
    const focused = place.contains(document.activeElement);
    const svg = set(d3.create("svg"), { width, role: "group", "aria-label": label });
    place.replaceChildren(svg.node());
    svg.attr("height", paint(svg, width));
    chosen.mark(place);
    if (focused) place.querySelector("[tabindex]")?.focus();
  };
  const resized = ([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    repaint();
  };
  new ResizeObserver((entries) => requestAnimationFrame(() => resized(entries))).observe(place);
  return repaint;
}

/** The plot area of a chart. */
function box({ left, right, top, bottom }) {
  return { left, right, top, bottom, width: right - left, height: bottom - top };
}

/** Draws a message instead of a chart, and returns its height. */
function nothing(svg, why) {
  set(svg.append("text"), { class: "label", x: 8, y: 28 }).text(why);
  return 44;
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// Scales and ticks -------------------------------------------------------------------------------------------------

/** A D3 scale for a Scale of the data, with some room at the ends. */
function numeric(scale, [from, to], room = 0) {
  const inset = Math.sign(to - from) * room;
  const made = scale.log ? d3.scaleLog() : d3.scaleLinear();
  return made.domain([scale.low, scale.high]).range([from + inset, to - inset]);
}

/** A D3 scale for a parameter: numbers or categories. */
function scaleOf(axis, range, room = 0) {
  if (axis.scale) return numeric(axis.scale, range, room);
  return d3.scalePoint().domain(d3.range(axis.words.length)).range(range).padding(0.5);
}

/** About so many ticks: on a logarithmic scale at powers of ten or at 1, 2, 5, 10, 20, …; else at round numbers. */
function ticks(scale, count, integer = false) {
  const [low, high] = scale.domain();
  const fits = (value) => !integer || Number.isInteger(value);
  const powers = scale.base ? d3.range(Math.floor(Math.log10(low)), Math.floor(Math.log10(high) + 1e-9) + 1) : [];
  const within = (factors) =>
    powers
      .flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
      .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  const [fine, coarse] = [within([1, 2, 5]), within([1])];
  if (fine.length < 3) return d3.ticks(low, high, count).filter(fits);
  const marks = fine.length <= count + 1 || coarse.length < 2 ? fine : coarse;
  const every = Math.max(1, Math.ceil(marks.length / (count + 1)));
  return marks.filter((value, i) => i % every === 0 && fits(value));
}

const LETTERS = 9; // the most of a tick label

/** Ticks for a parameter, with room for their labels. */
function tickValues(axis, scale, upright = false) {
  const [from, to] = d3.extent(scale.range());
  if (axis.scale) return ticks(scale, (to - from) / (upright ? 45 : 62), axis.integer);
  const room = upright
    ? 16
    : 12 +
      7 *
        Math.min(
          LETTERS,
          d3.max(axis.words, (word) => word.length),
        );
  const every = Math.ceil(room / (scale.step() || room));
  return scale.domain().filter((word) => word % every === 0);
}

function bottomAxis(svg, scale, frame, { values, text = number, title = "" }) {
  const axis = d3
    .axisBottom(scale)
    .tickValues(values)
    .tickFormat((value) => text(value));
  axis.tickSizeInner(-frame.height).tickSizeOuter(0).tickPadding(7);
  const group = set(svg.append("g"), { class: "axis", transform: `translate(0,${frame.bottom})` }).call(axis);
  const middle = (frame.left + frame.right) / 2;
  if (title) set(group.append("text"), { class: "title", x: middle, y: 34 }).text(title);
}

function leftAxis(svg, scale, frame, { values, text = number, title = "" }) {
  const axis = d3
    .axisLeft(scale)
    .tickValues(values)
    .tickFormat((value) => text(value));
  axis.tickSizeInner(-frame.width).tickSizeOuter(0).tickPadding(7);
  const group = set(svg.append("g"), { class: "axis", transform: `translate(${frame.left},0)` }).call(axis);
  if (title) set(group.append("text"), { class: "title start", x: 6 - frame.left, y: 14 }).text(title);
}

// Symbols ----------------------------------------------------------------------------------------------------------

/** Each outcome has a symbol, so that colour is not needed to tell them apart. */
const symbols = {
  completed: d3.symbolCircle,
  stopped: d3.symbolCircle,
  paused: d3.symbolSquare,
  running: d3.symbolTriangle,
  pending: d3.symbolTriangle,
  diverged: d3.symbolTimes,
  failed: d3.symbolPlus,
  cancelled: d3.symbolDiamond,
};
const symbol = (state) => d3.symbol(symbols[state], 34)();

/** Outcomes that end a curve abnormally. */
const broken = ["diverged", "failed"];

/** One symbol per trial, with a ring around the best; `where`: trial → [x, y]. */
function dots(svg, where) {
  const shown = d3.sort(
    ranked.filter((each) => where.has(each.trial)),
    (each) => -each.rank,
  );
  const marks = svg.append("g").attr("class", "crowd").selectAll("path").data(shown).join("path");
  set(marks, {
    class: (each) => `dot ${each.state}`,
    "data-trial": (each) => each.trial,
    d: (each) => symbol(each.state),
    transform: (each) => `translate(${where.get(each.trial)})`,
  });
  if (best && where.has(best.trial)) {
    set(svg.append("circle"), { class: "ring", r: 7, transform: `translate(${where.get(best.trial)})` });
  }
}
