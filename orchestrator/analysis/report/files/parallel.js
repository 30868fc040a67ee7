"use strict";
// Parallel coordinates: one line per trial, one axis per parameter. A range on an axis filters the whole page.
// On a narrow page, or with many parameters, the axes are stacked.

const USE =
  "Drag along an axis to show only trials in that range; click outside the range to clear it. Keyboard: Tab to an axis," +
  " arrow keys set and move the range, Shift+arrow keys widen or narrow it, Escape clears it.";

function drawParallel(figure) {
  const dimensions = axes.map((axis) => ({ ...axis, of: (each) => each.cells[axis.name] }));
  if (sweep.result) {
    const result = { name: objective.metric, scale: sweep.result, words: [], of: (each) => each.value };
    dimensions.push({ ...result, isResult: true });
  }
  const ranges = new Map(); // dimension name → [from, to] as fractions of its axis

  const paint = (svg, width) => {
    const upright = (width - 90) / dimensions.length >= 84;
    const length = upright ? 300 : width - 60;
    const gap = upright ? (width - 110) / Math.max(1, dimensions.length - 1) : 62;
    const placed = dimensions.map((dimension, i) => ({
      ...dimension,
      at: scaleOf(dimension, upright ? [length, 0] : [0, length]),
      origin: upright ? [50 + i * gap, 44] : [28, 40 + i * gap],
    }));

    const crossing = (each, dimension) => {
      const along = place(each, dimension, upright, length);
      const [x, y] = dimension.origin;
      return upright ? [x, y + along] : [x + along, y];
    };
    const link = d3.link(upright ? d3.curveBumpX : d3.curveBumpY);
    const drawn = d3.reverse(drawable());
    /** The links between neighbouring axes at which the trial has both values, or not. */
    const route = (each, isWhole) =>
      d3
        .pairs(placed)
        .filter((sides) => sides.every((dimension) => dimension.of(each) !== null) === isWhole)
        .map((sides) => link({ source: crossing(each, sides[0]), target: crossing(each, sides[1]) }))
        .join("");
    const gaps = drawn.filter((each) => placed.some((dimension) => dimension.of(each) === null));
    const thin = svg.append("g").attr("class", "crowd").selectAll("path").data(gaps).join("path");
    set(thin, { class: "gap", "data-trial": (each) => each.trial, d: (each) => route(each, false) });
    const lines = svg.append("g").attr("class", "crowd").selectAll("path").data(drawn).join("path");
    set(lines, {
      class: (each) => `line ${each.value === null ? each.state : "ranked"}${each === best ? " best" : ""}`,
      "data-trial": (each) => each.trial,
      d: (each) => route(each, true),
    });
    lines.style("--light", (each) => tone(each, false)).style("--dark", (each) => tone(each, true));

    const groups = svg.selectAll(".dimension").data(placed).join("g");
    set(groups, { class: "dimension", transform: ({ origin }) => `translate(${origin})` });
    groups.each(function (dimension) {
      paintDimension(d3.select(this), dimension, upright, length);
    });
    const where = new Map(drawn.map((each) => [each.trial, crossing(each, placed.at(-1))]));
    pointable(svg, where, (x, y) => nearestLine(drawn, placed, crossing, upright, x, y));
    return upright ? length + 96 : gap * (dimensions.length - 1) + 84;
  };

  const paintDimension = (group, dimension, upright, length) => {
    const axis = upright ? d3.axisLeft(dimension.at) : d3.axisBottom(dimension.at);
    axis.tickValues(tickValues(dimension, dimension.at, upright)).tickSize(4);
    axis.tickFormat((value) => shortened(cellText(dimension, value), LETTERS));
    group.append("g").attr("class", "axis").call(axis);

    const title = group.append("text").text(shortened(dimension.name, upright ? 13 : 40));
    set(title, { class: "title", x: upright ? 0 : -8, y: upright ? -22 : -16 });
    title.classed("start", !upright).classed("result", Boolean(dimension.isResult));
    title.append("title").text(dimension.when ? `${dimension.name}, when ${dimension.when}` : dimension.name);
    const without = trials.filter((each) => dimension.of(each) === null).length;
    if (without) {
      const [across, along] = [UNSET.half, { width: 8, height: 2 * UNSET.half }];
      const place = upright
        ? { x: -4, y: length + UNSET.at - across, ...along }
        : { x: -UNSET.at - across, y: -4, width: along.height, height: along.width };
      set(group.append("rect"), { class: "unset-place", rx: 3, ...place });
      const said = `${count(without)} ${dimension.isResult ? "without" : "unset"}`;
      const unset = group.append("text").text(upright ? said : `◂ ${said}`);
      set(unset, { class: `unset${upright ? "" : " end"}`, x: upright ? 0 : length, y: upright ? length + 46 : -16 });
    }
    ranged(group, dimension, upright, length);
  };

  /** Lets the user select a range on an axis, by pointer or keyboard. */
  const ranged = (group, dimension, upright, length) => {
    const extent = upright ? [[-11, -8], [11, length + 8]] : [[-8, -11], [length + 8, 11]]; // prettier-ignore
    const brush = (upright ? d3.brushY() : d3.brushX()).extent(extent);
    const handle = group.append("g").attr("class", "brush").call(brush);
    const flip = ([from, to]) => (upright ? [length - to, length - from] : [from, to]);
    const slide = (range) => {
      const [from, to] = range.map((share) => clamp(share, -0.02, 1.02));
      handle.call(brush.move, to - from < 0.01 ? null : flip([from * length, to * length]));
    };
    brush.on("brush end", ({ selection }) => {
      const range = selection && flip(selection).map((end) => end / length);
      if (range) ranges.set(dimension.name, range);
      else ranges.delete(dimension.name);
      describe();
      apply(dimension);
    });
    const describe = () => {
      const range = ranges.get(dimension.name);
      const middle = range ? Math.round(50 * (range[0] + range[1])) : 50;
      set(group, { "aria-valuetext": inWords(dimension, range), "aria-valuenow": clamp(middle, 0, 100) });
    };
    const press = (event) => {
      const up = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key] ?? 0;
      if (!up && !["Escape", "Delete", "Backspace"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation(); // the chart handles arrow keys too
      const range = ranges.get(dimension.name);
      if (!up) handle.call(brush.move, null);
      else if (!range) slide(up > 0 ? [0.75, 1.02] : [-0.02, 0.25]);
      else if (event.shiftKey) slide([range[0] - 0.025 * up, range[1] + 0.025 * up]);
      else slide([range[0] + 0.05 * up, range[1] + 0.05 * up]);
    };
    set(group, { tabindex: 0, role: "slider", "aria-label": `Range of ${dimension.name}` });
    set(group, { "aria-valuemin": 0, "aria-valuemax": 100 });
    set(group, { "aria-orientation": upright ? "vertical" : "horizontal" }).on("keydown", press);
    describe();
    if (ranges.has(dimension.name)) slide(ranges.get(dimension.name));
  };

  const apply = (dimension) => {
    const range = ranges.get(dimension.name);
    const passes = (each) => within(dimension, dimension.of(each), range);
    chosen.filter(`range of ${dimension.name}`, range ? passes : null);
    clear.hidden = !ranges.size;
  };

  const clear = button("Clear ranges", () => {
    const cleared = dimensions.filter(({ name }) => ranges.delete(name));
    cleared.forEach(apply);
    repaint();
  });
  clear.hidden = true;
  const repaint = framed(figure.querySelector(".plot"), "Parallel coordinates: one line per trial", paint);
  controls(figure, [ramp(), clear]);
  figure.querySelector("figcaption").textContent = USE + drawnOf();
}

/** The place of trials without a value: its distance beyond the low end of the axis, and half its length. */
const UNSET = { at: 22, half: 8 };

/** Where on an axis a trial crosses it; without a value, in the place beyond the end of the axis. */
function place(each, dimension, upright, length) {
  const value = dimension.of(each);
  if (value === null) return (upright ? length + UNSET.at : -UNSET.at) + (UNSET.half - 1) * jitter(each.trial);
  return clamp(dimension.at(value), 0, length) + (dimension.scale ? 0 : 7 * jitter(each.trial));
}

function within(dimension, value, [from, to]) {
  if (value === null) return false;
  const share = clamp(scaleOf(dimension, [0, 1])(value), 0, 1);
  return share >= from && share <= to;
}

function inWords(dimension, range) {
  if (!range) return "no range";
  if (!dimension.scale) return dimension.words.filter((_, word) => within(dimension, word, range)).join(", ") || "none";
  const at = numeric(dimension.scale, [0, 1]);
  return range.map((share) => number(at.invert(clamp(share, 0, 1)))).join(" to ");
}

/** The colour scale from best to worst. */
function ramp() {
  const key = d3.create("span").attr("class", "ramp");
  key.append("span").text("best");
  key.append("i");
  key.append("span").text("worst");
  return key.node();
}

/** The nearest line between the two axes around a point. */
function nearestLine(lines, placed, crossing, upright, px, py, reach = 14) {
  if (placed.length < 2) return undefined;
  const [along, across] = upright ? [px, py] : [py, px];
  const stops = placed.map(({ origin }) => origin[upright ? 0 : 1]);
  const right = clamp(d3.bisectLeft(stops, along), 1, placed.length - 1);
  const share = (along - stops[right - 1]) / (stops[right] - stops[right - 1]);
  let found;
  for (const each of lines) {
    if (!chosen.passing.has(each.trial)) continue;
    const [from, to] = [right - 1, right].map((i) => crossing(each, placed[i])[upright ? 1 : 0]);
    const distance = Math.abs(from + share * (to - from) - across);
    if (distance < reach) [found, reach] = [each.trial, distance];
  }
  return found;
}
