"use strict";
// The trials that are chosen, as a table that can be sorted.

const ROWS = 25; // before one asks for more

function drawTable(place) {
  const columns = [
    { name: "trial", of: (each) => each.trial, text: String, number: true },
    { name: "outcome", of: (each) => each.state, text: String },
    { name: objective.metric, of: (each) => each.value, text: (value) => number(value, 6), number: true },
    { name: "step", of: (each) => each.lastStep, text: (value) => value ?? "–", number: true },
    { name: "trained", of: (each) => each.seconds, text: duration, number: true },
    ...axes.map((axis) => ({ name: axis.name, of: (each) => each.cells[axis.name], text: (value) => cellText(axis, value), number: Boolean(axis.scale) })),
  ];
  let by = null; // a column; null: by rank
  let down = false;
  let all = false;

  place.replaceChildren();
  const root = d3.select(place);
  const said = root.append("p").attr("class", "count").attr("role", "status");
  const scrolls = root.append("div").attr("class", "scrolls").attr("tabindex", 0).attr("role", "region").attr("aria-label", "Trials");
  const table = scrolls.append("table");
  const heads = table.append("thead").append("tr").selectAll("th").data(columns).join("th").attr("scope", "col").classed("number", (column) => column.number);
  heads.append("button").attr("type", "button").text(({ name }) => name).on("click", (_, column) => {
    [by, down] = by === column ? [down ? null : column, !down] : [column, false];
    fill();
  });
  const body = table.append("tbody");
  const more = root.append("button").attr("type", "button").attr("class", "more").on("click", () => { all = !all; fill(); });

  const fill = () => {
    const passing = ranked.filter(({ trial }) => chosen.passing.has(trial));
    const missing = (each) => { const value = by.of(each); return value === null || value === undefined; };
    const sorted = by === null ? passing : d3.sort(passing, (a, b) => missing(a) - missing(b) || (down ? -1 : 1) * d3.ascending(by.of(a), by.of(b)));
    const shown = all ? sorted : sorted.slice(0, ROWS);
    heads.attr("aria-sort", (column) => (column === by ? (down ? "descending" : "ascending") : null));
    body.selectAll("tr").data(shown, ({ trial }) => trial).join((enter) => {
      const row = enter.append("tr").attr("data-trial", ({ trial }) => trial)
        .on("pointerenter", (_, { trial }) => chosen.point(trial)).on("pointerleave", () => chosen.point(null));
      row.selectAll("td").data((each) => columns.map((column) => [column, each])).join("td")
        .attr("class", ([column, each]) => (column.number ? "number" : column.name === "outcome" ? `state ${each.state}` : null))
        .attr("title", ([column, each]) => (column.name === "outcome" ? each.reason : null))
        .text(([column, each]) => column.text(column.of(each)));
      return row;
    }).order();
    chosen.mark(place);
    const part = chosen.filters.size ? ` of ${trials.length}` : "";
    said.text(`${passing.length}${part} ${trials.length === 1 ? "trial" : "trials"}${chosen.filters.size ? " pass the filters" : ""}`);
    more.attr("hidden", sorted.length > ROWS ? null : true).text(all ? `Show only ${ROWS}` : `Show all ${sorted.length}`);
  };
  chosen.changes.on("filter.table", fill);
  fill();
}
