"use strict";
// The sweep behind the page, and what is chosen of it: all drawings share both.

const sweep = JSON.parse(document.getElementById("data").textContent);
const { objective, axes } = sweep;
const minimises = objective.mode === "min";

const trials = d3.zip(...["trial", "state", "value", "step", "lastStep", "seconds", "reason"].map((name) => sweep.trials[name]))
  .map(([trial, state, value, step, lastStep, seconds, reason], row) => ({
    trial, value, step, lastStep, seconds, reason,
    state: sweep.states[state],
    cells: Object.fromEntries(axes.map((axis) => [axis.name, sweep.trials.cells[axis.name][row]])),
  }));
const byNumber = new Map(trials.map((each) => [each.trial, each]));

/** The trials with a result, the best first; then those without. */
const ranked = d3.sort(trials, (each) => each.value === null, (each) => (minimises ? each.value : -each.value), (each) => each.trial);
const withResult = ranked.filter((each) => each.value !== null);
ranked.forEach((each, rank) => { each.rank = rank; });
const best = withResult[0];

/** As many trials as a drawing can hold: the best, and the others evenly. */
function drawable(most = 2000) {
  if (ranked.length <= most) return ranked;
  const stride = ranked.length / (most - 10);
  return [...new Set([...ranked.slice(0, 10), ...d3.range(most - 10).map((i) => ranked[Math.floor(i * stride)])])];
}

/** What the reader has chosen: the trials that pass all filters, and the one trial that is pointed at. */
const chosen = {
  filters: new Map(), // who filters → what a trial must fulfil
  passing: new Set(trials.map((each) => each.trial)),
  pointed: null,
  changes: d3.dispatch("filter", "point"),

  filter(who, passes) {
    if (passes) this.filters.set(who, passes); else this.filters.delete(who);
    const all = [...this.filters.values()];
    this.passing = new Set(trials.filter((each) => all.every((passes) => passes(each))).map((each) => each.trial));
    this.mark();
    this.changes.call("filter");
  },

  point(trial) {
    if (trial === this.pointed) return;
    this.pointed = trial;
    for (const mark of document.querySelectorAll(".pointed")) mark.classList.remove("pointed");
    for (const mark of document.querySelectorAll(`[data-trial="${trial}"]`)) {
      mark.classList.add("pointed");
      if (mark.matches(".curve, .line")) mark.parentNode.append(mark); // above the others
    }
    this.changes.call("point");
  },

  /** Show the choice on all that stands for a trial; call it when some of that is new. */
  mark(within = document) {
    for (const mark of within.querySelectorAll("[data-trial]")) {
      const trial = Number(mark.dataset.trial);
      mark.classList.toggle("out", !this.passing.has(trial));
      mark.classList.toggle("pointed", trial === this.pointed);
    }
  },
};

// Numbers and trials as texts ------------------------------------------------------------------------------------

function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) return String(Number(value.toPrecision(digits)));
  return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
}

function duration(seconds) {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}

function cellText(axis, value) {
  if (value === null || value === undefined) return "–";
  return axis.scale ? number(value) : axis.words[value];
}

/** A trial in a few lines. */
function description(each) {
  const result = each.value === null ? each.reason : `${objective.metric} ${number(each.value, 6)} at step ${each.step}`;
  const config = axes.filter((axis) => each.cells[axis.name] !== null)
    .map((axis) => `${axis.name} ${cellText(axis, each.cells[axis.name])}`);
  return { title: `Trial ${each.trial}, ${each.state}`, result, config };
}

/** A small repeatable shift for each trial, so that equal values do not hide each other; in [-1, 1]. */
const jitter = (trial) => (((trial + 1) * 0.618034) % 1) * 2 - 1;

/** From the best trial to the worst, in a colour that can be told from its neighbours by anybody: viridis. */
function tone(each, dark) {
  const share = withResult.length > 1 ? each.rank / (withResult.length - 1) : 0;
  return d3.interpolateViridis(dark ? 0.95 - 0.7 * share : 0.1 + 0.75 * share);
}
