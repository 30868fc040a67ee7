"use strict";
// Each parameter against the objective: small drawings side by side, with the bounds of the space.

const NEAR = 0.04; // of an axis: so close to its end, the best is at the bound

function drawSlices(figure) {
  const place = figure.querySelector(".plot");
  const shown = drawable();
  const values = shown.map((each) => each.value);
  let result = sweep.result ?? { low: 0, high: 1, log: false };
  const repaints = axes.map((axis) => {
    const cell = document.createElement("div");
    place.append(cell);
    return framed(cell, `${axis.name} against ${objective.metric}`, (svg, width) => paintSlice(svg, width, axis, shown, result));
  });
  if (result.beyond) {
    controls(figure, [toggle("Whole range", false, (on) => {
      const [low, high] = d3.extent(values);
      result = on ? { low, high, log: sweep.result.log } : sweep.result;
      repaints.forEach((repaint) => repaint());
    })]);
  }
  const at = axes.filter((axis) => bestAt(axis));
  const strip = trials.some((each) => each.value === null) ? " Trials without a result lie in the strip below." : "";
  const beyond = result.beyond ? ` Results that are far worse (${result.beyond}) are drawn at the edge that they lie beyond.` : "";
  figure.querySelector("figcaption").textContent = "Dashed lines are the bounds of the space; the ring is the best trial." + strip + beyond
    + (at.length ? ` The best lies at a bound of ${at.map((axis) => axis.name).join(", ")}: better values may lie beyond.` : "");
}

/** The bound at which the best trial lies: "low", "high", or undefined. */
function bestAt(axis) {
  const value = best?.cells[axis.name];
  if (!axis.bounded || !axis.scale || value === null || value === undefined || (axis.integer && axis.scale.high - axis.scale.low < 8)) return undefined;
  const share = numeric(axis.scale, [0, 1])(value);
  return share < NEAR ? "low" : share > 1 - NEAR ? "high" : undefined;
}

function paintSlice(svg, width, axis, shown, result) {
  const height = Math.max(216, Math.min(300, width * 0.5));
  const strip = shown.some((each) => each.value === null) ? 20 : 0;
  const frame = { left: 52, right: width - 10, top: 30, bottom: height - 32 };
  const x = scaleOf(axis, [frame.left, frame.right], axis.scale ? 12 : 0);
  bottomAxis(svg, x, {
    y: frame.bottom, height: frame.bottom - frame.top,
    values: tickValues(axis, x),
    text: (value) => shortened(cellText(axis, value), LETTERS),
  });
  const y = numeric(result, [frame.bottom - strip, frame.top], 4);
  leftAxis(svg, y, { x: frame.left, width: frame.right - frame.left, values: sweep.result ? ticks(y, 4) : [] });
  svg.append("text").attr("class", "title start").attr("x", 6).attr("y", 16).text(axis.name)
    .append("title").text(axis.when ? `when ${axis.when}` : axis.name);
  if (strip) svg.append("rect").attr("class", "strip").attr("x", frame.left).attr("width", frame.right - frame.left).attr("y", frame.bottom - strip + 3).attr("height", strip - 3);
  if (axis.bounded) {
    for (const [end, value] of [["low", axis.scale.low], ["high", axis.scale.high]]) {
      svg.append("line").attr("class", `bound${bestAt(axis) === end ? " hit" : ""}`).attr("x1", x(value)).attr("x2", x(value)).attr("y1", frame.top).attr("y2", frame.bottom);
    }
  }
  const spread = axis.scale ? (axis.integer && axis.scale.high - axis.scale.low < 20 ? 4 : 0) : Math.min(14, (x.step?.() ?? 0) / 3);
  const where = new Map(shown.filter((each) => each.cells[axis.name] !== null).map((each) => [each.trial, [
    x(each.cells[axis.name]) + spread * jitter(each.trial),
    each.value === null ? frame.bottom - strip / 2 + 1 : Math.max(frame.top, Math.min(frame.bottom - strip, y(each.value))),
  ]]));
  dots(svg, where);
  pointable(svg, where);
  return height;
}

/** A symbol a trial, the best with a ring. */
function dots(svg, where) {
  const shown = d3.sort(ranked.filter((each) => where.has(each.trial)), (each) => -each.rank);
  svg.append("g").style("--crowd", crowd(shown.length / 3)).selectAll("path").data(shown).join("path")
    .attr("class", (each) => `dot ${each.state}`)
    .attr("data-trial", (each) => each.trial)
    .attr("d", (each) => symbol(each.state))
    .attr("transform", (each) => `translate(${where.get(each.trial)})`);
  if (best && where.has(best.trial)) svg.append("circle").attr("class", "ring").attr("r", 7).attr("transform", `translate(${where.get(best.trial)})`);
}
