"use strict";
// The selected trials as a sortable table.

const ROWS = 25; // shown before "Show all"

function drawTable(place) {
  const columns = [
    { name: "trial", of: (each) => each.trial, text: String, number: true },
    { name: "outcome", of: (each) => each.state, text: String },
    { name: objective.metric, of: (each) => each.value, text: resultText, number: true },
    ...(objective.at === "best" ? [{ name: "best step", of: (each) => each.step, text: number, number: true }] : []),
    { name: "last step", of: (each) => each.lastStep, text: number, number: true },
    { name: "trained", of: (each) => each.seconds, text: duration, number: true },
    ...(trials.some((each) => each.verdict) ? [{ name: "diagnosis", of: (each) => each.verdict, text: String }] : []),
    ...axes.map((axis) => ({
      name: axis.name,
      of: (each) => each.cells[axis.name],
      text: (value) => cellText(axis, value),
      number: Boolean(axis.scale),
    })),
  ];
  let by = null; // a column; null: by rank
  let down = false;
  let all = false;

  const root = d3.select(place);
  const said = set(root.append("p"), { class: "count", role: "status" });
  const scrolls = set(root.append("div"), { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Trials" });
  const table = scrolls.append("table");
  const heads = table.append("thead").append("tr").selectAll("th").data(columns).join("th");
  set(heads, { scope: "col", class: (column) => (column.number ? "number" : null) });
  const body = table.append("tbody");

  const sortBy = (_, column) => {
    [by, down] = by === column ? [down ? null : column, !down] : [column, false];
    fill();
  };
  heads
    .append("button")
    .attr("type", "button")
    .text(({ name }) => name)
    .on("click", sortBy);
  const more = button("", () => {
    all = !all;
    fill();
  });
  more.className = "more";
  place.append(more);

  const sorted = () => {
    const passing = ranked.filter(({ trial }) => chosen.passing.has(trial));
    if (by === null) return passing;
    const last = (each) => by.of(each) === null; // missing values come last in either order
    const compare = down ? d3.descending : d3.ascending;
    return d3.sort(passing, (a, b) => last(a) - last(b) || compare(by.of(a), by.of(b)));
  };

  const fill = () => {
    const passing = sorted();
    heads.attr("aria-sort", (column) => (column === by ? (down ? "descending" : "ascending") : null));
    const rows = body.selectAll("tr").data(all ? passing : passing.slice(0, ROWS), ({ trial }) => trial);
    rows.join((enter) => enter.append("tr").call(addRow)).order();
    chosen.mark(place);
    const noun = trials.length === 1 ? "trial" : "trials";
    const filtered = `${count(passing.length)} of ${count(trials.length)} ${noun} match the filters`;
    said.text(chosen.filters.size ? filtered : `${count(trials.length)} ${noun}`);
    more.hidden = passing.length <= ROWS;
    more.textContent = all ? `Show only ${ROWS}` : `Show all ${count(passing.length)}`;
  };

  const addRow = (row) => {
    row.attr("data-trial", ({ trial }) => trial);
    row.on("pointerenter", (_, { trial }) => chosen.point(trial)).on("pointerleave", () => chosen.point(null));
    const cells = row
      .selectAll("td")
      .data((each) => columns.map((column) => ({ column, each })))
      .join("td");
    cells.text(({ column, each }) => column.text(column.of(each)));
    cells.attr("class", ({ column }) => (column.number ? "number" : null));
    const numbers = cells.filter(({ column }) => column === columns[0]).text("");
    set(numbers.append("a"), { href: ({ each }) => `#trial-${each.trial}` }).text(({ each }) => each.trial);
    const outcomes = cells.filter(({ column }) => column.name === "outcome");
    const judged = cells.filter(({ column }) => column.name === "diagnosis");
    set(judged, { class: "diagnosis", title: ({ each }) => each.because });
    set(outcomes, { class: ({ each }) => `state ${each.state}`, title: ({ each }) => each.reason });
  };

  chosen.changes.on("filter.table", fill);
  fill();
}
