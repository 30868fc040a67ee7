"use strict";
// How much each parameter matters: a bar, and the interval it may lie in.

function drawWeights(figure) {
  const weights = d3.sort(sweep.weights, ({ share }) => -share);
  framed(figure.querySelector(".plot"), "How much each parameter matters", (svg, width) => {
    const left = 8 + 7.2 * Math.min(18, d3.max(weights, ({ name }) => name.length));
    const x = d3.scaleLinear([0, Math.max(0.1, d3.max(weights, ({ high }) => high))], [left, width - 20]);
    const bottom = 10 + 26 * weights.length;
    bottomAxis(svg, x, { y: bottom, height: bottom - 6, values: x.ticks(Math.min(8, width / 90)), text: d3.format(".0%") });
    const bars = svg.append("g").selectAll("g").data(weights).join("g").attr("transform", (_, i) => `translate(0,${10 + 26 * i})`);
    bars.append("text").attr("class", "node end").attr("x", left - 8).attr("y", 15).text(({ name }) => shortened(name, 18));
    bars.append("rect").attr("class", "weight").attr("x", left).attr("y", 3).attr("height", 16).attr("width", ({ share }) => x(share) - left);
    bars.append("path").attr("class", "interval").attr("d", ({ low, high }) => `M${x(low)},7v8m0,-4H${x(high)}m0,-4v8`);
    return bottom + 26;
  });
}
