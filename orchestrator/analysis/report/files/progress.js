"use strict";
// The best result so far, by the number of trials that had ended or by what their training had cost.

function drawProgress(figure) {
  const { unit, ends } = sweep.progress;
  const rows = ends.map(([trial, spent], i) => ({ trial, ended: i + 1, spent, value: byNumber.get(trial).value }));
  const ways = [
    { name: "trials", title: "trials that had ended", of: (row) => row.ended, text: count },
    { name: unit === "gpu" ? "GPU hours" : "hours of training", title: unit === "gpu" ? "GPU hours" : "hours of training, all slots together", of: (row) => row.spent / 3600, text: number }, // prettier-ignore
  ];
  let way = ways[0];

  const better = (one, other) => (minimises ? one < other : one > other);
  const steps = []; // at each improvement
  for (const row of rows) {
    if (row.value !== null && (!steps.length || better(row.value, steps.at(-1).value))) steps.push(row);
  }

  const paint = (svg, width) => {
    if (!steps.length) return nothing(svg, "no trial that has ended has a result");
    const height = clamp(width * 0.35, 220, 340);
    const frame = box({ left: 58, right: width - 14, top: 30, bottom: height - 44 });
    const end = way.of(rows.at(-1));
    const x = d3.scaleLinear([0, end || 1], [frame.left, frame.right - 6]);
    const y = numeric(sweep.result, [frame.bottom, frame.top], 6);
    bottomAxis(svg, x, frame, { values: ticks(x, width / 90, way === ways[0]), title: way.title, text: way.text });
    leftAxis(svg, y, frame, { values: ticks(y, height / 60), title: objective.metric });
    const high = ({ value }) => clamp(y(value), frame.top, frame.bottom);
    const shown = new Set(drawable().map(({ trial }) => trial));
    const own = rows.filter(({ trial, value }) => value !== null && shown.has(trial));
    const where = new Map(own.map((row) => [row.trial, [x(way.of(row)), high(row)]]));
    dots(svg, where);
    const line = d3.line((row) => x(way.of(row)), high).curve(d3.curveStepAfter);
    const last = { ...steps.at(-1), ...Object.fromEntries(["ended", "spent"].map((key) => [key, rows.at(-1)[key]])) };
    set(svg.append("path"), { class: "best-so-far", d: line([...steps, last]) });
    pointable(svg, where);
    return height;
  };
  const repaint = framed(figure.querySelector(".plot"), "The best result so far", paint);
  const choose = (index) => {
    way = ways[index];
    repaint();
  };
  controls(figure, [select("By", ways.map(({ name }) => name), 0, choose), legend(false, false)]); // prettier-ignore
  const far = sweep.result?.beyond ? ` Far worse results (${sweep.result.beyond}) are drawn at the edge.` : "";
  figure.querySelector("figcaption").append(far + drawnOf());
}
