"use strict";
// Selecting trials by pointer or keyboard, with a tooltip that describes them.

const hint = document.getElementById("hint");

function showHint(each, x, y) {
  const { title, result, verdict, config } = description(each);
  const parts = { strong: title, div: result, em: verdict, small: config.join("\n") };
  const lines = Object.entries(parts).map(([tag, text]) => d3.create(tag).text(text).node());
  hint.replaceChildren(...lines);
  hint.hidden = false;
  const { width, height } = hint.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
  hint.style.left = `${Math.max(4, left) + scrollX}px`;
  hint.style.top = `${clamp(y + 12, 4, innerHeight - height - 4) + scrollY}px`;
}

function hideHint() {
  hint.hidden = true;
  chosen.point(null);
}

/**
 * Lets pointer and keyboard select trials in a chart, and open them.
 * @param svg the chart
 * @param where trial → [x, y], for the trials drawn
 * @param nearest (x, y) → the nearest trial, or undefined
 */
function pointable(svg, where, nearest = nearestOf(where)) {
  const show = (trial, [x, y]) => {
    const { left, top } = svg.node().getBoundingClientRect();
    chosen.point(trial);
    showHint(byNumber.get(trial), left + x, top + y);
  };
  const point = (event) => {
    const at = d3.pointer(event, svg.node());
    const trial = nearest(...at);
    if (trial === undefined) hideHint();
    else show(trial, at);
  };
  const order = ranked.map((each) => each.trial).filter((trial) => where.has(trial));
  const step = (event) => {
    const passing = order.filter((trial) => chosen.passing.has(trial));
    const now = passing.indexOf(chosen.pointed);
    const steps = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1 };
    const next = { ...steps, Home: 0, End: passing.length - 1 }[event.key];
    if (event.key === "Escape") hideHint();
    if (event.key === "Enter" && event.target === svg.node() && chosen.pointed !== null) openTrial(chosen.pointed);
    if (next === undefined || !passing.length) return;
    event.preventDefault();
    const trial = passing[clamp(next, 0, passing.length - 1)];
    show(trial, where.get(trial));
  };
  const open = (event) => {
    const trial = event.target.closest(".brush") ? undefined : nearest(...d3.pointer(event, svg.node()));
    if (trial !== undefined) openTrial(trial);
  };
  svg.attr("tabindex", 0).on("click", open);
  svg.on("pointermove pointerdown", point).on("pointerleave blur", hideHint).on("keydown", step);
}

/** The nearest point, if it is within reach. */
function nearestOf(where, reach = 24) {
  const entries = [...where].filter(([, point]) => point.every(Number.isFinite));
  const points = d3.Delaunay.from(entries.map(([, point]) => point));
  return (x, y) => {
    if (!entries.length) return undefined;
    const [trial, [px, py]] = entries[points.find(x, y)];
    return Math.hypot(px - x, py - y) < reach && chosen.passing.has(trial) ? trial : undefined;
  };
}
