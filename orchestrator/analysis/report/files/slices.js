"use strict";
// Each parameter against the objective: small charts side by side, with the bounds of the space.

const STRIP = 20; // height of the strip for trials without a result

function drawSlices(figure) {
  const shown = drawable();
  let result = sweep.result ?? { low: 0, high: 1, log: false, beyond: 0 };
  const repaints = axes.map((axis) => {
    const cell = document.createElement("div");
    figure.querySelector(".plot").append(cell);
    const label = `${axis.name} against ${objective.metric}`;
    return framed(cell, label, (svg, width) => paintSlice(svg, width, axis, shown, result));
  });
  const widen = (whole) => {
    const [low, high] = d3.extent(shown, (each) => each.value);
    result = whole ? { low, high, log: sweep.result.log } : sweep.result;
    repaints.forEach((repaint) => repaint());
  };
  controls(figure, [result.beyond > 0 && toggle("Whole range", false, widen)]);

  const said = ["Dashed lines are the bounds of the space."];
  if (best) said.push("The ring marks the best trial.");
  if (trials.some((each) => each.value === null)) said.push("Trials without a result are in the strip below.");
  if (result.beyond) said.push(`Far worse results (${result.beyond}) are drawn at the edge.`);
  const hit = axes.filter((axis) => axis.hit).map((axis) => axis.name);
  if (hit.length) said.push(`The best trials are at a bound of ${hit.join(", ")}; better values may lie beyond.`);
  figure.querySelector("figcaption").textContent = said.join(" ") + drawnOf();
}

function paintSlice(svg, width, axis, shown, result) {
  const height = clamp(width * 0.5, 216, 300);
  const frame = box({ left: 52, right: width - 10, top: 30, bottom: height - 32 });
  const strip = shown.some((each) => each.value === null) ? STRIP : 0;
  const x = scaleOf(axis, [frame.left, frame.right], axis.scale ? 12 : 0);
  const y = numeric(result, [frame.bottom - strip, frame.top], 4);
  const text = (value) => shortened(cellText(axis, value), LETTERS);
  bottomAxis(svg, x, frame, { values: tickValues(axis, x), text });
  leftAxis(svg, y, frame, { values: sweep.result ? ticks(y, 4) : [] });
  const title = set(svg.append("text"), { class: "title start", x: 6, y: 16 }).text(axis.name);
  if (axis.when) title.append("title").text(`when ${axis.when}`);
  if (strip) {
    const below = { x: frame.left, y: frame.bottom - strip + 3, width: frame.width, height: strip - 3 };
    set(svg.append("rect"), { class: "strip", ...below });
  }
  for (const end of axis.bounded ? ["low", "high"] : []) {
    const at = x(axis.scale[end]);
    const line = {
      class: `bound${axis.hit === end ? " hit" : ""}`,
      x1: at,
      x2: at,
      y1: frame.top,
      y2: frame.bottom,
    };
    set(svg.append("line"), line);
  }

  const spread = axis.scale
    ? axis.integer && axis.scale.high - axis.scale.low < 20
      ? 4
      : 0
    : Math.min(14, x.step() / 3);
  const up = ({ value }) =>
    value === null ? frame.bottom - strip / 2 + 1 : clamp(y(value), frame.top, frame.bottom - strip);
  const own = shown.filter((each) => each.cells[axis.name] !== null);
  const across = (each) => x(each.cells[axis.name]) + spread * jitter(each.trial);
  const where = new Map(own.map((each) => [each.trial, [across(each), up(each)]]));
  dots(svg, where);
  pointable(svg, where);
  return height;
}
