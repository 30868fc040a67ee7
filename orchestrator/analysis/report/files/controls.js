"use strict";
// The controls above a chart: menus, switches, the legend.

/** Fills the controls of a chart; falsy parts are left out. */
function controls(figure, parts) {
  const place = figure.querySelector(".controls");
  const focused = place.contains(document.activeElement);
  place.replaceChildren(...parts.filter(Boolean));
  if (focused) place.querySelector("select, input")?.focus();
}

function select(text, options, selectedIndex, choose) {
  const label = d3.create("label").text(`${text} `);
  const menu = label.append("select").on("change", (event) => choose(event.target.selectedIndex));
  menu.selectAll("option").data(options).join("option").text(String);
  menu.property("selectedIndex", selectedIndex);
  return label.node();
}

function toggle(text, on, change) {
  const label = d3.create("label");
  const input = label.append("input").attr("type", "checkbox").property("checked", on);
  input.on("change", (event) => change(event.target.checked));
  label.append("span").text(` ${text}`);
  return label.node();
}

function button(text, click) {
  return d3.create("button").attr("type", "button").text(text).on("click", click).node();
}

/** The colour and symbol of each outcome. */
function legend(withBest, withCutoff) {
  const list = d3.create("span").attr("class", "legend");
  const key = (text) => {
    const item = list.append("span").attr("class", "key");
    const icon = set(item.append("svg"), { width: 22, height: 12, "aria-hidden": true });
    item.append("span").text(text);
    return icon;
  };
  for (const state of sweep.states.filter((state) => trials.some((each) => each.state === state))) {
    const icon = key(state);
    set(icon.append("path"), { class: `curve ${state}`, d: "M0,6H22" });
    if (broken.includes(state)) {
      set(icon.append("path"), { class: `last ${state}`, d: symbol(state), transform: "translate(11,6)" });
    }
  }
  if (withBest) set(key(`best: trial ${best.trial}`).append("path"), { class: "curve best", d: "M0,6H22" });
  if (withCutoff) set(key("rung cutoff").append("path"), { class: "cutoff", d: "M2,6H20" });
  return list.node();
}
