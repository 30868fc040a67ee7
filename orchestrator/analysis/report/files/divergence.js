"use strict";
// Where trials diverge: the two numbers of the space that tell them apart best; with one, the step they came to.

function drawDivergence(figure) {
  const { across, up } = sweep.divergence;
  const named = (name) => axes.find((axis) => axis.name === name);
  const far = { name: "last step", scale: { low: 0, high: d3.max(trials, (each) => each.lastStep) || 1, log: false }, words: [], integer: true };
  const [flat, tall] = [named(across), up ? named(up) : far];
  const value = (each, axis) => (axis === far ? each.lastStep : each.cells[axis.name]);
  const shown = drawable().filter((each) => each.state !== "failed" && value(each, flat) !== null && value(each, tall) !== null);

  framed(figure.querySelector(".plot"), `${across} and ${tall.name} of diverged and other trials`, (svg, width) => {
    const height = Math.max(260, Math.min(380, width * 0.5));
    const frame = { left: 58, right: width - 14, top: 30, bottom: height - 44 };
    const [x, y] = [scaleOf(flat, [frame.left, frame.right], 10), scaleOf(tall, [frame.bottom, frame.top], 10)];
    bottomAxis(svg, x, { y: frame.bottom, height: frame.bottom - frame.top, title: across, values: tickValues(flat, x) });
    leftAxis(svg, y, { x: frame.left, width: frame.right - frame.left, title: tall.name, values: tickValues(tall, y, true) });
    const where = new Map(shown.map((each) => [each.trial, [x(value(each, flat)), y(value(each, tall))]]));
    dots(svg, where);
    pointable(svg, where);
    return height;
  });
}
