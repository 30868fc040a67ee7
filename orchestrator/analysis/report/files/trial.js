"use strict";
// One trial in a dialog: how it went and why it ended, its configuration, its curves, the end of its log. The fragment of
// the page's address names it, so it can be linked to, and the way back closes it.

const NAMED = /^#trial-(\d+)$/;

/** Opens a trial; on a page without the dialog, such as a figure in a notebook, nothing happens. */
function openTrial(trial) {
  if (!document.getElementById("trial")) return;
  if (location.hash === `#trial-${trial}`) dispatchEvent(new HashChangeEvent("hashchange")); // just closed
  else location.hash = `trial-${trial}`;
}

function trialDialog(dialog) {
  const follow = () => {
    const each = byNumber.get(Number(NAMED.exec(location.hash)?.[1]));
    if (!each) {
      dialog.close();
      return;
    }
    hideHint();
    fillTrial(dialog, each);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    for (const log of dialog.querySelectorAll("pre")) log.scrollTop = log.scrollHeight;
  };
  dialog.addEventListener("close", () => {
    if (!dialog.open && NAMED.test(location.hash)) history.replaceState(null, "", location.href.split("#")[0]);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  addEventListener("hashchange", follow);
  follow();
}

function fillTrial(dialog, each) {
  const root = d3.create("div").attr("class", "inside");
  const head = root.append("header");
  const title = set(head.append("h2"), { id: "trial-title" }).text(`Trial ${each.trial} `);
  set(title.append("span"), { class: `status state ${each.state}` }).text(each.state);
  const turn = (text, other) => {
    const made = button(text, () => openTrial(other.trial));
    made.disabled = !other;
    head.append(() => made);
  };
  turn("‹ better", ranked[each.rank - 1]);
  turn("worse ›", ranked[each.rank + 1]);
  head.append(() => button("Close", () => dialog.close()));

  const fact = (text, kind = null) => text && root.append("p").attr("class", kind).text(text);
  if (each.value !== null) {
    fact(`${objective.metric} ${resultText(each.value)}, ${objective.at} step ${each.step}; number ${count(each.rank + 1)} of ${count(withResult.length)} results.`); // prettier-ignore
  }
  const reached = each.lastStep === null ? "No step reported" : `Last step ${each.lastStep}`;
  fact(`${reached}, ${duration(each.seconds)} of training.`);
  fact(each.reason && `Why it ended: ${each.reason}`);
  fact(each.verdict && `${each.verdict}: ${each.because}`);

  root.append("h3").text("Configuration");
  const config = axes.filter(({ name }) => each.cells[name] !== null);
  const items = root.append("dl").attr("class", "config").selectAll("div").data(config).join("div");
  items.attr("class", "searched");
  items.append("dt").text(({ name }) => name);
  items.append("dd").text((axis) => (axis.scale ? number(each.cells[axis.name], 6) : cellText(axis, each.cells[axis.name]))); // prettier-ignore

  root.append("h3").text("Curves");
  const grid = root.append("div").attr("class", "grid");
  const [own, top] = [each.trial, best?.trial].map((trial) => sweep.curves.curves.find(([of]) => of === trial));
  sweep.curves.metrics.forEach((metric, i) => {
    const points = own ? finite(own[1], own[2 + i]) : [];
    if (!points.length) return;
    const other = top && top !== own ? finite(top[1], top[2 + i]) : [];
    const place = grid.append("div").node();
    framed(place, metric, (svg, width) => paintCurve(svg, width, metric, points, other, each));
  });
  const none = own ? "It reported no finite value." : "Its reports are not on this page.";
  if (!grid.node().hasChildNodes()) grid.append("p").attr("class", "aside").text(each.lastStep === null ? "It has reported nothing." : none); // prettier-ignore
  else if (top && top !== own) fact(`The thin line is the best, trial ${best.trial}.`, "aside");

  root.append("h3").text("End of its log");
  root.append("div").call(fillLog, each);
  dialog.replaceChildren(root.node());
}

function paintCurve(svg, width, metric, points, other, each) {
  const frame = box({ left: 52, right: width - 10, top: 28, bottom: 168 });
  const seen = [...points, ...other];
  const x = d3.scaleLinear(d3.extent(seen, ([step]) => step), [frame.left, frame.right]); // prettier-ignore
  const [low, high] = d3.extent(seen, ([, value]) => value);
  const room = (high - low) * 0.04 || Math.abs(high) * 0.05 || 1;
  const y = d3.scaleLinear([low - room, high + room], [frame.bottom, frame.top]);
  bottomAxis(svg, x, frame, { values: ticks(x, width / 90, true) });
  leftAxis(svg, y, frame, { values: ticks(y, 4), title: metric });
  const line = d3.line(([step]) => x(step), ([, value]) => y(value)); // prettier-ignore
  set(svg.append("path"), { class: "curve other", d: line(other) });
  set(svg.append("path"), { class: `curve ${each.state} own`, d: line(points) });
  if (points.length === 1) set(svg.append("circle"), { class: "ring", r: 3, cx: x(points[0][0]), cy: y(points[0][1]) });
  return 200;
}

function fillLog(place, each) {
  const { held, ends } = sweep.logs;
  const [, text, before] = ends.find(([trial]) => trial === each.trial) ?? [];
  const aside = (said) => place.append("p").attr("class", "aside").text(said);
  const bytes = held < 1000 ? `${held} B` : `${Math.round(held / 1000)} kB`;
  const whole = `sweep logs ${sweep.sweep} ${each.trial}`;
  if (text === undefined) {
    aside(`Not on this page, which holds the logs' ends of ${count(ends.length)} trials, ${bytes}: of the best, of those that failed or diverged, then of others. ${whole} prints it.`); // prettier-ignore
  } else if (!text) aside("It printed nothing, or its log is gone.");
  else {
    if (before) aside(`${count(before)} bytes come before this; ${whole} prints them.`);
    set(place.append("pre"), { tabindex: 0 }).text(text);
  }
}
