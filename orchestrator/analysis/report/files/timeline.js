"use strict";
// Which trial ran where and when. Each row is a slot; sessions are side by side, without the time between them.

function drawTimeline(figure) {
  const { lanes, sessions } = sweep.timeline;
  const names = ["trial", "attempt", "lane", "from", "to", "outcome"];
  const spans = sweep.timeline.spans.map((span) => Object.fromEntries(d3.zip(names, span)));
  const nodes = d3.groups(d3.range(lanes.length), (lane) => lanes[lane]);
  const { elapsed, whole } = withoutGaps(sessions);

  const paint = (svg, width) => {
    const beside = width >= 700; // whether node names are beside their rows, or above them
    const left = beside ? Math.min(190, 16 + 7 * d3.max(nodes, ([node]) => node.length)) : 10;
    const row = clamp(460 / lanes.length, 3, 18);
    const thick = { height: row * 0.84 };
    const { tops, bottom } = stacked(nodes, row, beside ? 6 : 18);
    const frame = box({ left, right: width - 12, top: 14, bottom: bottom + 4 });
    const x = d3.scaleLinear([0, whole], [left, frame.right]);
    const at = (time) => x(elapsed(time));
    bottomAxis(svg, x, frame, { values: timeTicks(whole, width / 110), text: duration, title: "since the start" });

    for (const [node, own] of nodes) {
      const middle = tops.get(own[0]) + (own.length * row) / 2 + 4;
      const spot = beside
        ? { class: "label end", x: left - 8, y: middle }
        : { class: "label", x: left, y: tops.get(own[0]) - 5 };
      set(svg.append("text"), spot).text(shortened(node, 24));
    }
    const slots = lanes.flatMap((_, lane) => sessions.map(([from, to]) => ({ lane, from, to })));
    const top = ({ lane }) => tops.get(lane) + row * 0.08;
    const long = ({ from, to }) => Math.max(1, at(to) - at(from) - 0.6);
    const bars = (data) =>
      set(svg.append("g").selectAll("rect").data(data).join("rect"), {
        x: ({ from }) => at(from),
        y: top,
        width: long,
        ...thick,
      });
    bars(slots).attr("class", "slot");
    set(bars(spans), { class: ({ outcome }) => `span ${outcome}`, "data-trial": ({ trial }) => trial });
    const breaks = svg.append("g").selectAll("line").data(sessions.slice(1)).join("line");
    set(breaks, {
      class: "break",
      x1: ([from]) => at(from),
      x2: ([from]) => at(from),
      y1: frame.top,
      y2: frame.bottom,
    });

    const where = new Map(spans.map((span) => [span.trial, [at(span.from) + long(span) / 2, top(span) + row / 2]]));
    const covers = (span, px, py) =>
      px >= at(span.from) && px <= at(span.to) && py >= top(span) && py <= top(span) + row;
    pointable(
      svg,
      where,
      (px, py) => spans.find((span) => chosen.passing.has(span.trial) && covers(span, px, py))?.trial,
    );
    return bottom + 46;
  };
  framed(figure.querySelector(".plot"), `${spans.length} attempts in ${lanes.length} slots over time`, paint);
}

/** The top of each row; the rows of a node are grouped, with room for its name. */
function stacked(nodes, row, head) {
  const tops = new Map();
  let bottom = 18;
  for (const [, own] of nodes) {
    bottom += head;
    own.forEach((lane, i) => tops.set(lane, bottom + i * row));
    bottom += own.length * row;
  }
  return { tops, bottom };
}

/** Maps a time to the seconds that the sweep had run by then. */
function withoutGaps(sessions) {
  const before = d3.cumsum([0, ...sessions.map(([from, to]) => to - from)]);
  const elapsed = (time) => {
    const session = Math.max(
      0,
      sessions.findLastIndex(([from]) => from <= time),
    );
    const [from, to] = sessions[session];
    return before[session] + Math.min(time, to) - from;
  };
  return { elapsed, whole: before.at(-1) || 1 };
}

/** Round times: seconds, minutes, hours, days. */
function timeTicks(whole, count) {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800];
  return d3.range(0, whole, steps.find((step) => whole / step <= count) ?? 604800);
}
