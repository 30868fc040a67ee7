"use strict";
// The most important parameters against each other, two at a time: each trial in the colour of its rank.

function drawPairs(figure) {
  const top = d3
    .sort(sweep.weights, ({ share }) => -share)
    .slice(0, 3)
    .map((weight) => axes.find(({ name }) => name === weight.name));
  for (const [flat, tall] of d3.cross(top, top).filter(([one, other]) => top.indexOf(one) < top.indexOf(other))) {
    const cell = document.createElement("div");
    figure.querySelector(".plot").append(cell);
    framed(cell, `${flat.name} and ${tall.name}`, (svg, width) => paintPair(svg, width, flat, tall));
  }
  controls(figure, [ramp()]);
  figure.querySelector("figcaption").append(drawnOf());
}

function paintPair(svg, width, flat, tall) {
  const frame = box({ left: 58, right: width - 12, top: 30, bottom: clamp(width * 0.75, 220, 330) });
  const x = scaleOf(flat, [frame.left, frame.right], 10);
  const y = scaleOf(tall, [frame.bottom, frame.top], 10);
  const text = (axis) => (value) => shortened(cellText(axis, value), LETTERS);
  bottomAxis(svg, x, frame, { values: tickValues(flat, x), text: text(flat), title: flat.name });
  leftAxis(svg, y, frame, { values: tickValues(tall, y, true), text: text(tall), title: tall.name });
  const loose = (axis, scale, each, turn) =>
    scale(each.cells[axis.name]) + (axis.scale ? 0 : Math.min(12, scale.step() / 4) * jitter(turn * (each.trial + 1)));
  const own = drawable().filter((each) => each.value !== null && [flat, tall].every(({ name }) => each.cells[name] !== null)); // prettier-ignore
  const where = new Map(own.map((each) => [each.trial, [loose(flat, x, each, 1), loose(tall, y, each, 7)]]));
  dots(svg, where);
  const marks = svg.selectAll("path.dot").attr("class", "dot toned");
  marks.style("--light", (each) => tone(each, false)).style("--dark", (each) => tone(each, true));
  pointable(svg, where);
  return frame.bottom + 44;
}
