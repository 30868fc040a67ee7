"use strict";
// The importance of each parameter: a bar and its interval.

const BAR = 26; // height including spacing

function drawWeights(figure) {
  const weights = d3.sort(sweep.weights, ({ share }) => -share);
  const paint = (svg, width) => {
    const left =
      16 +
      7.2 *
        Math.min(
          18,
          d3.max(weights, ({ name }) => name.length),
        );
    const frame = box({ left, right: width - 20, top: 6, bottom: 10 + BAR * weights.length });
    const x = d3.scaleLinear(
      [
        0,
        Math.max(
          0.1,
          d3.max(weights, ({ high }) => high),
        ),
      ],
      [left, frame.right],
    );
    bottomAxis(svg, x, frame, { values: x.ticks(Math.min(8, width / 90)), text: d3.format(".0%") });
    const bars = svg.append("g").selectAll("g").data(weights).join("g");
    bars.attr("transform", (_, i) => `translate(0,${10 + BAR * i})`);
    set(bars.append("text"), { class: "label end", x: left - 8, y: 15 }).text(({ name }) => shortened(name, 18));
    set(bars.append("rect"), { class: "weight", x: left, y: 3, height: 16, width: ({ share }) => x(share) - left });
    const whiskers = ({ low, high }) => `M${x(low)},7v8m0,-4H${x(high)}m0,-4v8`;
    set(bars.append("path"), { class: "interval", d: whiskers });
    return frame.bottom + BAR;
  };
  framed(figure.querySelector(".plot"), "Importance of each parameter", paint);
}
