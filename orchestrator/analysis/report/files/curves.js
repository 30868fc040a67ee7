"use strict";
// The learning curves, coloured by outcome, with the rungs and what was asked for at each.

function drawCurves(figure) {
  const place = figure.querySelector(".plot");
  const { metrics, scales, curves } = sweep.curves;
  let shown = 0;
  let log = null; // null: as the data say
  let whole = false; // whether hopeless values are shown, too

  const paint = (svg, width) => {
    const height = Math.max(260, Math.min(460, width * 0.5));
    const frame = { left: 58, right: width - 14, top: 46, bottom: height - 44 };
    const own = curves.map(([trial, steps, ...values]) => ({ ...byNumber.get(trial), points: pairs(steps, values[shown]) }))
      .filter((curve) => curve.points.length);
    const scale = { ...scales[shown], log: log ?? scales[shown].log };
    if (whole) [scale.low, scale.high] = d3.extent(own.flatMap((each) => each.points), ([, value]) => value);
    scale.log &&= scale.low > 0;
    const x = d3.scaleLinear([d3.min(own, (each) => each.points[0][0]), d3.max(own, (each) => each.points.at(-1)[0])],
      [frame.left + 6, frame.right - 6]);
    const y = numeric(scale, [frame.bottom, frame.top]);
    bottomAxis(svg, x, { y: frame.bottom, height: frame.bottom - frame.top, title: "step", values: ticks(x, width / 90, true) });
    leftAxis(svg, y, { x: frame.left, width: frame.right - frame.left, title: metrics[shown], values: ticks(y, height / 60) });

    const clip = svg.append("clipPath").attr("id", "curves-clip").append("rect");
    clip.attr("x", frame.left).attr("y", frame.top).attr("width", frame.right - frame.left).attr("height", frame.bottom - frame.top);
    const line = d3.line(([step]) => x(step), ([, value]) => y(value));
    const loud = { completed: 2, diverged: 1, failed: 1, running: 3 };
    const ordered = d3.sort(own, (each) => each === best, (each) => loud[each.state] ?? 0, (each) => -each.rank);
    const area = svg.append("g").attr("clip-path", "url(#curves-clip)").style("--crowd", crowd(own.length));
    area.selectAll("path").data(ordered).join("path")
      .attr("class", (each) => `curve ${each.state}${each.trial === best?.trial ? " best" : ""}`)
      .attr("data-trial", (each) => each.trial)
      .attr("d", (each) => line(each.points));
    svg.append("g").selectAll("path").data(ordered.filter((each) => ["diverged", "failed"].includes(each.state))).join("path")
      .attr("class", (each) => `last ${each.state}`)
      .attr("data-trial", (each) => each.trial)
      .attr("d", (each) => symbol(each.state))
      .attr("transform", (each) => `translate(${x(each.points.at(-1)[0])},${clamp(y(each.points.at(-1)[1]), frame)})`);
    rungs(svg, x, y, frame);
    const winner = own.find((each) => each.trial === best?.trial);
    if (winner) label(svg, winner, x, y, frame);

    const where = new Map(own.map((each) => [each.trial, middle(each.points.map(([step, value]) => [x(step), clamp(y(value), frame)]))]));
    pointable(svg, where, (px, py) => nearestCurve(own, x, y, px, py));
    return height;
  };

  const rungs = (svg, x, y, frame) => {
    if (shown > 0) return;
    const inside = sweep.rungs.filter((rung) => rung.rung <= x.domain()[1]);
    const marks = svg.append("g").attr("class", "rungs").selectAll("g").data(inside).join("g");
    marks.attr("transform", ({ rung }) => `translate(${x(rung)},0)`);
    marks.append("line").attr("y1", frame.top).attr("y2", frame.bottom);
    marks.append("text").attr("y", frame.top - 5).text(({ rung }, i) => (i ? rung : `rung ${rung}`));
    const cut = marks.filter(({ cutoff }) => cutoff !== null && clamp(y(cutoff), frame) === y(cutoff));
    cut.append("path").attr("class", "cutoff").attr("d", "M-9,0H9").attr("transform", ({ cutoff }) => `translate(0,${y(cutoff)})`);
    marks.append("title").text(({ rung, cutoff }) => `rung at step ${rung}: last cut-off ${number(cutoff, 6)}`);
  };

  const label = (svg, winner, x, y, frame) => {
    const [step, value] = winner.points.at(-1);
    const top = winner.points.find(([at]) => at === best.step);
    if (top && shown === 0) svg.append("circle").attr("class", "ring").attr("r", 6).attr("cx", x(top[0])).attr("cy", clamp(y(top[1]), frame));
    svg.append("text").attr("class", "best-label").attr("x", x(step) - 6).attr("y", clamp(y(value), frame) - 8).text(`best: trial ${best.trial}`);
  };

  const repaint = framed(place, `Learning curves of ${curves.length} trials`, paint);
  const menu = () => controls(figure, [
    metrics.length > 1 && select("Metric", metrics, shown, (number) => { shown = number; log = null; menu(); repaint(); }),
    scales[shown].low > 0 && toggle("Logarithmic", scales[shown].log, (on) => { log = on; repaint(); }),
    scales[shown].beyond > 0 && toggle("Whole range", whole, (on) => { whole = on; repaint(); }),
    legend(sweep.rungs.length > 0),
  ]);
  menu();
}

const pairs = (steps, values) => d3.zip(steps, values).filter(([, value]) => value !== null);
const middle = (points) => points[Math.floor(points.length / 2)];
const clamp = (y, frame) => Math.max(frame.top, Math.min(frame.bottom, y));

/** The curve that passes nearest, up or down, if it is near. */
function nearestCurve(curves, x, y, px, py, reach = 30) {
  const step = x.invert(px);
  let found;
  for (const { trial, points } of curves) {
    if (!chosen.passing.has(trial) || step < points[0][0] - 0.5 || step > points.at(-1)[0] + 0.5) continue;
    const right = Math.min(d3.bisector(([at]) => at).left(points, step), points.length - 1);
    const [[s0, v0], [s1, v1]] = [points[Math.max(0, right - 1)], points[right]];
    const share = s1 > s0 ? Math.max(0, Math.min(1, (step - s0) / (s1 - s0))) : 0;
    const distance = Math.abs(y(v0) + share * (y(v1) - y(v0)) - py);
    if (distance < reach) [found, reach] = [trial, distance];
  }
  return found;
}

// Controls above a drawing -----------------------------------------------------------------------------------------

function controls(figure, parts) {
  const place = figure.querySelector(".controls");
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...parts.filter(Boolean));
  if (focused) place.querySelector("select, input")?.focus();
}

function select(text, options, chosen, choose) {
  const label = d3.create("label").text(`${text} `);
  const list = label.append("select").on("change", (event) => choose(event.target.selectedIndex));
  list.selectAll("option").data(options).join("option").text((option) => option);
  list.property("selectedIndex", chosen);
  return label.node();
}

function toggle(text, on, change) {
  const label = d3.create("label");
  label.append("input").attr("type", "checkbox").property("checked", on).on("change", (event) => change(event.target.checked));
  label.append("span").text(` ${text}`);
  return label.node();
}

/** Which colour and symbol is which outcome. */
function legend(cutoffs) {
  const states = sweep.states.filter((state) => trials.some((each) => each.state === state));
  const list = d3.create("span").attr("class", "legend");
  const item = list.selectAll("span").data(states).join("span").attr("class", "key");
  const icon = item.append("svg").attr("width", 22).attr("height", 12).attr("aria-hidden", true);
  icon.append("path").attr("class", (state) => `curve ${state}`).attr("d", "M0,6H22");
  icon.filter((state) => ["diverged", "failed"].includes(state)).append("path")
    .attr("class", (state) => `last ${state}`).attr("d", (state) => symbol(state)).attr("transform", "translate(11,6)");
  item.append("span").text((state) => state);
  if (cutoffs) {
    const key = list.append("span").attr("class", "key");
    key.append("svg").attr("width", 22).attr("height", 12).attr("aria-hidden", true).append("path").attr("class", "cutoff").attr("d", "M2,6H20");
    key.append("span").text("cut-off of a rung");
  }
  return list.node();
}
