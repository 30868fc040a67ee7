"use strict";
// Parallel coordinates: a line a trial, an axis a parameter. A range drawn on an axis filters all of the page.
// Where the page is narrow, or the parameters are many, the axes lie one below the other.

function drawParallel(figure) {
  const place = figure.querySelector(".plot");
  const dimensions = axes.map((axis) => ({ ...axis, of: (each) => each.cells[axis.name] }));
  if (sweep.result) {
    dimensions.push({ name: objective.metric, scale: sweep.result, words: [], result: true, of: (each) => each.value });
  }
  const ranges = new Map(); // dimension's name → [from, to] as shares of the axis

  const paint = (svg, width) => {
    const upright = (width - 90) / dimensions.length >= 84;
    const length = upright ? 300 : width - 60;
    const gap = upright ? (width - 110) / Math.max(1, dimensions.length - 1) : 62;
    const height = upright ? length + 76 : gap * (dimensions.length - 1) + 84;
    const range = upright ? [length, 0] : [0, length];
    const placed = dimensions.map((dimension, i) => ({
      ...dimension,
      at: scaleOf(dimension, range),
      unset: trials.some((each) => (dimension.of(each) ?? null) === null),
      origin: upright ? [50 + i * gap, 44] : [28, 40 + i * gap],
    }));

    /** Where a trial crosses an axis; what has no value there lies beside its end. */
    const crossing = (each, dimension) => {
      const value = dimension.of(each);
      const along = value === null || value === undefined ? range[0] - 20 * Math.sign(range[1] - range[0])
        : Math.max(0, Math.min(length, dimension.at(value))) + (dimension.scale ? 0 : 7 * jitter(each.trial));
      const [x, y] = dimension.origin;
      return upright ? [x, y + along] : [x + along, y];
    };
    const lines = drawable().slice().reverse();
    const route = d3.line().curve(upright ? d3.curveMonotoneX : d3.curveMonotoneY);
    svg.append("g").style("--crowd", crowd(lines.length)).selectAll("path").data(lines).join("path")
      .attr("class", (each) => `line ${each.value === null ? each.state : "ranked"}${each === best ? " best" : ""}`)
      .attr("data-trial", (each) => each.trial)
      .style("--light", (each) => tone(each, false))
      .style("--dark", (each) => tone(each, true))
      .attr("d", (each) => route(placed.map((dimension) => crossing(each, dimension))));

    svg.selectAll(".dimension").data(placed).join("g")
      .attr("class", "dimension")
      .attr("transform", ({ origin }) => `translate(${origin})`)
      .each(function (dimension) { paintAxis(d3.select(this), dimension, upright, length); });
    const where = new Map(lines.map((each) => [each.trial, crossing(each, placed.at(-1))]));
    pointable(svg, where, (x, y) => nearestLine(lines, placed, crossing, upright, x, y));
    return height;
  };

  const paintAxis = (group, dimension, upright, length) => {
    const axis = upright ? d3.axisLeft(dimension.at) : d3.axisBottom(dimension.at);
    group.append("g").attr("class", "axis").call(axis.tickValues(tickValues(dimension, dimension.at, upright))
      .tickFormat((value) => shortened(cellText(dimension, value), LETTERS)).tickSize(4));
    const brush = (upright ? d3.brushY() : d3.brushX()).extent(upright ? [[-11, -8], [11, length + 8]] : [[-8, -11], [length + 8, 11]]);
    const handle = group.append("g").attr("class", "brush").call(brush);
    const shares = (ends) => (upright ? [1 - ends[1] / length, 1 - ends[0] / length] : [ends[0] / length, ends[1] / length]);
    const pixels = ([from, to]) => (upright ? [(1 - to) * length, (1 - from) * length] : [from * length, to * length]);
    const slide = (wanted) => {
      const [from, to] = wanted.map((share) => Math.max(-0.02, Math.min(1.02, share)));
      handle.call(brush.move, to - from < 0.01 ? null : pixels([from, to]));
    };
    brush.on("brush end", ({ selection, type, sourceEvent }) => {
      if (!selection && type === "brush") return;
      const now = selection ? shares(selection) : null;
      if (now) ranges.set(dimension.name, now); else ranges.delete(dimension.name);
      group.attr("aria-valuetext", inWords(dimension, now)).classed("brushed", Boolean(now));
      if (sourceEvent !== null || type === "end") apply(dimension, now);
    });
    group.attr("tabindex", 0).attr("role", "slider").attr("aria-label", `Range of ${dimension.name}`)
      .attr("aria-valuemin", 0).attr("aria-valuemax", 100).attr("aria-valuenow", 50)
      .attr("aria-orientation", upright ? "vertical" : "horizontal").attr("aria-valuetext", inWords(dimension, null))
      .on("keydown", (event) => {
        const up = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
        if (up === undefined && !["Escape", "Delete", "Backspace"].includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        const now = ranges.get(dimension.name);
        if (!up) handle.call(brush.move, null);
        else if (!now) slide(up > 0 ? [0.75, 1.02] : [-0.02, 0.25]);
        else if (event.shiftKey) slide([now[0] - 0.025 * up, now[1] + 0.025 * up]);
        else slide([now[0] + 0.05 * up, now[1] + 0.05 * up]);
      });
    const title = group.append("text").attr("class", "title").text(shortened(dimension.name, upright ? 13 : 40));
    title.attr("x", upright ? 0 : -8).attr("y", upright ? -22 : -16).classed("start", !upright).classed("result", dimension.result);
    title.append("title").text(dimension.when ? `${dimension.name}, when ${dimension.when}` : dimension.name);
    if (dimension.unset) {
      const unset = group.append("text").attr("class", "unset").text(dimension.result ? "no result" : "unset");
      unset.attr("x", upright ? 0 : -20).attr("y", upright ? length + 34 : 26).classed("start", !upright);
    }
    if (ranges.has(dimension.name)) slide(ranges.get(dimension.name));
  };

  const inWords = (dimension, range) => {
    if (!range) return "no range";
    if (!dimension.scale) return dimension.words.filter((_, word) => within(dimension, word, range)).join(", ") || "no value";
    const at = numeric(dimension.scale, [0, 1]);
    return range.map((share) => number(at.invert(Math.max(0, Math.min(1, share))))).join(" to ");
  };

  const within = (dimension, value, [from, to]) => {
    if (value === null || value === undefined) return false;
    const share = Math.max(0, Math.min(1, scaleOf(dimension, [0, 1])(value)));
    return share >= from && share <= to;
  };

  const apply = (dimension, range) => {
    chosen.filter(`range of ${dimension.name}`, range && ((each) => within(dimension, dimension.of(each), range)));
    clear.hidden = !ranges.size;
  };

  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: "Clear ranges", hidden: true });
  clear.addEventListener("click", () => {
    const gone = dimensions.filter(({ name }) => ranges.delete(name));
    gone.forEach((dimension) => apply(dimension, null));
    repaint();
  });
  const scale = d3.create("span").attr("class", "ramp");
  scale.append("span").text("best");
  scale.append("i");
  scale.append("span").text("worst");
  controls(figure, [scale.node(), clear]);
  const repaint = framed(place, "Parallel coordinates: a line for each trial", paint);
  figure.querySelector("figcaption").textContent = "Drag along an axis to see only the trials that pass there; click beside the range to "
    + "let go of it. By keyboard: Tab to an axis, arrows set and move a range, with Shift they widen or narrow it, Escape clears.";
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** The line that passes nearest between the two axes around a point. */
function nearestLine(lines, placed, crossing, upright, px, py, reach = 14) {
  const [along, across] = upright ? [px, py] : [py, px];
  const stops = placed.map(({ origin }) => origin[upright ? 0 : 1]);
  const right = Math.max(1, Math.min(d3.bisectLeft(stops, along), placed.length - 1));
  if (placed.length < 2) return undefined;
  const share = (along - stops[right - 1]) / (stops[right] - stops[right - 1]);
  let found;
  for (const each of lines) {
    if (!chosen.passing.has(each.trial)) continue;
    const [from, to] = [placed[right - 1], placed[right]].map((dimension) => crossing(each, dimension)[upright ? 1 : 0]);
    const distance = Math.abs(from + share * (to - from) - across);
    if (distance < reach) [found, reach] = [each.trial, distance];
  }
  return found;
}
