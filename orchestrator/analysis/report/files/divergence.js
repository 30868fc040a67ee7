"use strict";
// Where trials diverge: the two parameters that best separate them, or one parameter and the last step.

function drawDivergence(figure) {
  const ofSpace = (axis) => ({ ...axis, of: (each) => each.cells[axis.name] });
  const named = (name) => ofSpace(axes.find((axis) => axis.name === name));
  const { across, up } = sweep.divergence;
  const far = { low: 0, high: d3.max(trials, (each) => each.lastStep) || 1, log: false };
  const flat = named(across);
  const tall = up ? named(up) : { name: "last step", scale: far, integer: true, of: (each) => each.lastStep };
  const shown = drawable().filter(
    (each) => each.state !== "failed" && flat.of(each) !== null && tall.of(each) !== null,
  );

  const paint = (svg, width) => {
    const height = clamp(width * 0.5, 260, 380);
    const frame = box({ left: 58, right: width - 14, top: 30, bottom: height - 44 });
    const x = scaleOf(flat, [frame.left, frame.right], 10);
    const y = scaleOf(tall, [frame.bottom, frame.top], 10);
    bottomAxis(svg, x, frame, { values: tickValues(flat, x), title: flat.name });
    leftAxis(svg, y, frame, { values: tickValues(tall, y, true), title: tall.name });
    const where = new Map(shown.map((each) => [each.trial, [x(flat.of(each)), y(tall.of(each))]]));
    dots(svg, where);
    pointable(svg, where);
    return height;
  };
  framed(figure.querySelector(".plot"), `${flat.name} and ${tall.name} of diverged and other trials`, paint);
}
