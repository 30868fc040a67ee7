"use strict";
// Begins: finds the places on this page and draws what belongs there.

const drawings = {
  curves: drawCurves, parallel: drawParallel, slices: drawSlices,
  timeline: drawTimeline, divergence: drawDivergence, weights: drawWeights,
};
for (const figure of document.querySelectorAll("[data-figure]")) drawings[figure.dataset.figure](figure);

const table = document.getElementById("table");
if (table) drawTable(table);

// The buttons in the head show and hide outcomes.
const buttons = [...document.querySelectorAll("#outcomes button")];
for (const button of buttons) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
    const hidden = new Set(buttons.filter((each) => each.getAttribute("aria-pressed") === "false").map((each) => each.dataset.state));
    chosen.filter("outcome", hidden.size ? (each) => !hidden.has(each.state) : null);
  });
}

// In a notebook the page lies in a frame, which is made as high as the page.
if (document.documentElement.classList.contains("alone")) {
  new ResizeObserver(() => {
    try {
      window.frameElement.style.height = `${document.documentElement.scrollHeight + 2}px`;
    } catch { /* nobody gave us a frame, or not one of ours */ }
  }).observe(document.body);
}
