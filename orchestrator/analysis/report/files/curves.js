"use strict";
// The learning curves, coloured by outcome, with the rungs and their cutoffs.

function drawCurves(figure) {
  const { metrics, scales, curves } = sweep.curves;
  let shown = 0; // the metric
  let log = null; // null: as the data suggest
  let whole = false; // whether outliers are shown too

  const paint = (svg, width) => {
    const own = curves
      .map(([trial, steps, ...values]) => ({ ...byNumber.get(trial), points: finite(steps, values[shown]) }))
      .filter((curve) => curve.points.length);
    if (!own.length) return nothing(svg, `no finite values of ${metrics[shown]}`);

    const height = clamp(width * 0.5, 260, 460);
    const frame = box({ left: 58, right: width - 14, top: 46, bottom: height - 44 });
    const steps = d3.extent(own.flatMap(({ points }) => [points[0][0], points.at(-1)[0]]));
    const x = d3.scaleLinear(steps, [frame.left + 6, frame.right - 6]);
    const y = numeric(scale(own), [frame.bottom, frame.top]);
    bottomAxis(svg, x, frame, { values: ticks(x, width / 90, true), title: sweep.unit === "seconds" ? "seconds of training" : "step" });
    leftAxis(svg, y, frame, { values: ticks(y, height / 60), title: metrics[shown] });

    paintCurves(svg, own, x, y, frame);
    if (shown === 0) paintRungs(svg, x, y, frame);
    const winner = own.find((each) => each.trial === best?.trial);
    if (winner && shown === 0) paintBest(svg, winner, x, y, frame);

    const spot = ({ points }) => points[Math.floor(points.length / 2)];
    const place = ([step, value]) => [x(step), clamp(y(value), frame.top, frame.bottom)];
    const where = new Map(own.map((each) => [each.trial, place(spot(each))]));
    pointable(svg, where, (px, py) => nearestCurve(own, x, y, px, py));
    return height;
  };

  const scale = (own) => {
    const given = { ...scales[shown], log: log ?? scales[shown].log };
    if (whole) [given.low, given.high] = d3.extent(own.flatMap(({ points }) => points.map(([, value]) => value)));
    if (given.low <= 0) given.log = false;
    return given;
  };

  const repaint = framed(figure.querySelector(".plot"), `Learning curves of ${curves.length} trials`, paint);
  const change = (act) => (value) => {
    act(value);
    menu();
    repaint();
  };
  const menu = () =>
    controls(figure, [
      metrics.length > 1 &&
        select(
          "Metric",
          metrics,
          shown,
          change((metric) => ([shown, log] = [metric, null])),
        ),
      scales[shown].low > 0 &&
        toggle(
          "Logarithmic",
          log ?? scales[shown].log,
          change((on) => (log = on)),
        ),
      scales[shown].beyond > 0 &&
        toggle(
          "Whole range",
          whole,
          change((on) => (whole = on)),
        ),
      legend(curves.some(([trial]) => trial === best?.trial), sweep.rungs.length > 0),
    ]);
  menu();
}

const finite = (steps, values) => d3.zip(steps, values).filter(([, value]) => value !== null);

/** The curves, the most important on top. Diverged and failed ones end in a symbol. */
function paintCurves(svg, own, x, y, frame) {
  const { left, top, width, height } = frame;
  set(svg.append("clipPath").attr("id", "inside").append("rect"), { x: left, y: top, width, height });
  const line = d3
    .line()
    .x(([step]) => x(step))
    .y(([, value]) => y(value));
  const loud = { diverged: 1, failed: 1, completed: 2, running: 3 };
  const onTop = [(each) => each.trial === best?.trial, (each) => loud[each.state] ?? 0, (each) => -each.rank];
  const ordered = d3.sort(own, ...onTop);
  const area = set(svg.append("g"), { class: "crowd", "clip-path": "url(#inside)" });
  set(area.selectAll("path").data(ordered).join("path"), {
    class: (each) => `curve ${each.state}${each.trial === best?.trial ? " best" : ""}`,
    "data-trial": (each) => each.trial,
    d: (each) => line(each.points),
  });
  const end = ({ points }) => [x(points.at(-1)[0]), clamp(y(points.at(-1)[1]), top, frame.bottom)];
  const ended = ordered.filter((each) => broken.includes(each.state));
  set(svg.append("g").selectAll("path").data(ended).join("path"), {
    class: (each) => `last ${each.state}`,
    "data-trial": (each) => each.trial,
    d: (each) => symbol(each.state),
    transform: (each) => `translate(${end(each)})`,
  });
}

/** A line for each rung, and its cutoff; one for each bracket, where there are several. */
function paintRungs(svg, x, y, { top, bottom }) {
  const reached = [...new Set(sweep.rungs.map(({ rung }) => rung))]
    .filter((rung) => rung <= x.domain()[1])
    .map((rung) => ({ rung, cutoffs: cutoffsAt(rung) }));
  const marks = svg.append("g").attr("class", "rungs").selectAll("g").data(reached).join("g");
  marks.attr("transform", ({ rung }) => `translate(${x(rung)},0)`);
  set(marks.append("line"), { y1: top, y2: bottom });
  let free = -Infinity; // where the label before ends
  const label = ({ rung }, i) => {
    const text = (i ? "" : "rung ") + rungText(rung);
    const half = 3.5 * text.length + 3;
    if (x(rung) - half < free) return "";
    free = x(rung) + half;
    return text;
  };
  set(marks.append("text"), { y: top - 5 }).text(label);
  const inside = ({ cutoffs }) => cutoffs.filter((cutoff) => y(cutoff) >= top && y(cutoff) <= bottom);
  const bars = marks.selectAll("path").data(inside).join("path");
  set(bars, { class: "cutoff", d: (cutoff) => `M-9,${y(cutoff)}h18` });
  marks.append("title").text(({ rung, cutoffs }) => {
    const last = cutoffs.map(resultText).join(" and ");
    const where = sweep.unit === "seconds" ? rungText(rung) : `step ${rung}`;
    return `rung at ${where}${last ? `: last cutoff ${last}` : ""}`;
  });
}

function cutoffsAt(step) {
  return sweep.rungs.filter(({ rung, cutoff }) => rung === step && cutoff !== null).map(({ cutoff }) => cutoff);
}

const rungText = (rung) => (sweep.unit === "seconds" ? `${rung} s` : String(rung));

/** A ring at the best trial's result. The key above the chart names the trial, where no curve is covered. */
function paintBest(svg, { points }, x, y, { top, bottom }) {
  const loss = ([, value]) => (minimises ? value : -value);
  const peak = objective.at === "best" ? d3.least(points, loss) : points.at(-1);
  if (peak) set(svg.append("circle"), { class: "ring", r: 6, cx: x(peak[0]), cy: clamp(y(peak[1]), top, bottom) });
}

/** The vertically nearest curve, if it is within reach. */
function nearestCurve(curves, x, y, px, py, reach = 30) {
  const step = x.invert(px);
  const right = d3.bisector(([at]) => at).left;
  let found;
  for (const { trial, points } of curves) {
    if (!chosen.passing.has(trial) || step < points[0][0] - 0.5 || step > points.at(-1)[0] + 0.5) continue;
    const after = Math.min(right(points, step), points.length - 1);
    const [[s0, v0], [s1, v1]] = [points[Math.max(0, after - 1)], points[after]];
    const share = s1 > s0 ? clamp((step - s0) / (s1 - s0), 0, 1) : 0;
    const distance = Math.abs(y(v0) + share * (y(v1) - y(v0)) - py);
    if (distance < reach) [found, reach] = [trial, distance];
  }
  return found;
}
