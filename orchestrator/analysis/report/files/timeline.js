"use strict";
// Who trained where, and when. A row is a slot; sessions stand side by side, without the time between them.

function drawTimeline(figure) {
  const { lanes, sessions, spans } = sweep.timeline;
  const nodes = d3.groups(d3.range(lanes.length), (lane) => lanes[lane]);

  const paint = (svg, width) => {
    const row = Math.max(3, Math.min(18, 460 / lanes.length));
    const beside = width >= 700;
    const head = beside ? 6 : 18; // above the rows of a node
    const left = beside ? Math.min(190, 16 + 7 * d3.max(nodes, ([node]) => node.length)) : 10;
    let bottom = 18;
    const tops = new Map();
    for (const [node, own] of nodes) {
      tops.set(node, (bottom += head));
      own.forEach((lane, i) => tops.set(lane, bottom + i * row));
      bottom += own.length * row;
    }
    const { elapsed, whole } = withoutGaps(sessions);
    const x = d3.scaleLinear([0, whole], [left, width - 12]);
    bottomAxis(svg, x, { y: bottom + 4, height: bottom - 14, values: timeTicks(whole, width / 110), text: duration, title: "since the beginning" });

    for (const [node, own] of nodes) {
      const label = svg.append("text").attr("class", "node").text(shortened(node, 24));
      label.attr("x", beside ? left - 8 : left).attr("y", beside ? tops.get(node) + (own.length * row) / 2 + 4 : tops.get(node) - 5).classed("end", beside);
    }
    svg.append("g").selectAll("rect").data(lanes.flatMap((_, lane) => sessions.map((session) => [lane, session]))).join("rect")
      .attr("class", "slot")
      .attr("x", ([, [from]]) => x(elapsed(from))).attr("width", ([, [from, to]]) => Math.max(1, x(elapsed(to)) - x(elapsed(from))))
      .attr("y", ([lane]) => tops.get(lane) + row * 0.08).attr("height", row * 0.84);
    const box = ([, , lane, from, to]) => [x(elapsed(from)), tops.get(lane) + row * 0.08, Math.max(1, x(elapsed(to)) - x(elapsed(from)) - 0.6)];
    svg.append("g").selectAll("rect").data(spans).join("rect")
      .attr("class", ([, , , , , outcome]) => `span ${outcome}`)
      .attr("data-trial", ([trial]) => trial)
      .attr("x", (span) => box(span)[0]).attr("y", (span) => box(span)[1])
      .attr("width", (span) => box(span)[2]).attr("height", row * 0.84);
    svg.append("g").selectAll("line").data(sessions.slice(1)).join("line").attr("class", "break")
      .attr("x1", ([from]) => x(elapsed(from))).attr("x2", ([from]) => x(elapsed(from))).attr("y1", 14).attr("y2", bottom + 4);

    const where = new Map(spans.map((span) => [span[0], [box(span)[0] + box(span)[2] / 2, box(span)[1] + row / 2]]));
    pointable(svg, where, (px, py) => {
      const hit = spans.find((span) => { const [bx, by, wide] = box(span); return px >= bx && px <= bx + wide + 1 && py >= by && py <= by + row; });
      return hit && chosen.passing.has(hit[0]) ? hit[0] : undefined;
    });
    return bottom + 46;
  };
  framed(figure.querySelector(".plot"), `${spans.length} attempts in ${lanes.length} slots over time`, paint);
}

/** Maps a time to the seconds in which the sweep ran until then. */
function withoutGaps(sessions) {
  const before = d3.cumsum([0, ...sessions.map(([from, to]) => to - from)]);
  const elapsed = (time) => {
    const session = Math.max(0, d3.bisectRight(sessions.map(([from]) => from), time) - 1);
    return before[session] + Math.min(time - sessions[session][0], sessions[session][1] - sessions[session][0]);
  };
  return { elapsed, whole: before.at(-1) || 1 };
}

/** Round times: seconds, minutes, hours. */
function timeTicks(whole, count) {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800];
  return d3.range(0, whole, steps.find((step) => whole / step <= count) ?? 604800);
}
