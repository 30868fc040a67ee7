"use strict";
// The sweep data and the current selection, shared by all charts.

const sweep = JSON.parse(document.getElementById("data").textContent);
const { objective, axes } = sweep;
const minimises = objective.mode === "min";

/** One object per trial, from the columns of the data. */
const trials = sweep.trials.trial.map((trial, row) => ({
  trial,
  state: sweep.states[sweep.trials.state[row]],
  value: sweep.trials.value[row],
  step: sweep.trials.step[row],
  lastStep: sweep.trials.lastStep[row],
  seconds: sweep.trials.seconds[row],
  reason: sweep.trials.reason[row],
  verdict: sweep.trials.verdict[row],
  because: sweep.trials.because[row],
  cells: Object.fromEntries(axes.map(({ name }) => [name, sweep.trials.cells[name][row]])),
}));
const byNumber = new Map(trials.map((each) => [each.trial, each]));

/** The trials with a result, the best first; then those without. */
const ranked = d3.sort(
  trials,
  (each) => each.value === null,
  (each) => (minimises ? each.value : -each.value),
  (each) => each.trial,
);
const withResult = ranked.filter((each) => each.value !== null);
ranked.forEach((each, rank) => (each.rank = rank));
const best = byNumber.get(sweep.best);

const DRAWN = 2000; // the most trials in one chart

/** As many trials as a chart can hold: the ten best and an even sample of the others. */
function drawable() {
  if (ranked.length <= DRAWN) return ranked;
  const stride = ranked.length / (DRAWN - 10);
  const evenly = d3.range(DRAWN - 10).map((i) => ranked[Math.floor(i * stride)]);
  return [...new Set([...ranked.slice(0, 10), ...evenly])];
}

/** A note if a chart does not show all trials. */
function drawnOf() {
  if (ranked.length <= DRAWN) return "";
  return ` ${count(drawable().length)} of ${count(ranked.length)} trials are shown: the ten best and an even sample of the others.`;
}

/** The selection: the trials that pass all filters, and the trial under the pointer. */
const chosen = {
  filters: new Map(), // name of the filter → predicate on trials
  passing: new Set(byNumber.keys()),
  pointed: null,
  changes: d3.dispatch("filter"),

  filter(who, passes) {
    if (passes) this.filters.set(who, passes);
    else this.filters.delete(who);
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
  },

  /** Apply the selection to all marks of trials; call it after drawing new ones. */
  mark(within = document) {
    for (const mark of within.querySelectorAll("[data-trial]")) {
      const trial = Number(mark.dataset.trial);
      mark.classList.toggle("out", !this.passing.has(trial));
      mark.classList.toggle("pointed", trial === this.pointed);
    }
    for (const crowd of within.querySelectorAll(".crowd")) {
      const inside = crowd.childElementCount - crowd.querySelectorAll(":scope > .out").length;
      crowd.style.setProperty("--thin", clamp(130 / inside, 0.12, 1)); // more transparent when there are many
    }
  },
};

// Numbers and trials as text ---------------------------------------------------------------------------------------

function number(value, digits = 4) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) return String(Number(value.toPrecision(digits)));
  return value
    .toExponential(digits - 1)
    .replace(/\.?0+e/, "e")
    .replace("e+", "e");
}

/** A result with the digits that tell results apart, as `sweep show` has them: to a hundredth of their spread. */
function resultText(value) {
  if (value === null) return "–";
  if (!sweep.spread || !value) return number(value);
  return number(value, clamp(Math.ceil(Math.log10(Math.abs(value) / sweep.spread)) + 2, 2, 6));
}

const count = (whole) => whole.toLocaleString("en");

function duration(seconds) {
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function cellText(axis, value) {
  if (value === null) return "–";
  return axis.scale ? number(value) : axis.words[value];
}

/** A trial in a few lines. */
function description(each) {
  const result =
    each.value === null ? each.reason : `${objective.metric} ${resultText(each.value)}, ${objective.at} step ${each.step}`;
  const set = axes.filter(({ name }) => each.cells[name] !== null);
  const config = set.map((axis) => `${axis.name} ${cellText(axis, each.cells[axis.name])}`);
  const verdict = each.verdict && each.state !== "diverged" ? `${each.verdict}: ${each.because}` : "";
  return { title: `Trial ${each.trial}, ${each.state}`, result, verdict, config };
}

/** A small deterministic offset per trial in [-1, 1], so that equal values do not overlap. */
const jitter = (trial) => (((trial + 1) * 0.618034) % 1) * 2 - 1;

/** A colour from the best trial to the worst: viridis, which colour-blind people can read. */
function tone(each, dark) {
  const share = withResult.length > 1 ? each.rank / (withResult.length - 1) : 0;
  return d3.interpolateViridis(dark ? 0.95 - 0.7 * share : 0.1 + 0.75 * share);
}
