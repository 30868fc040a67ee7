"use strict";
// Begins: finds the places on this page and draws what belongs there.

const drawings = {
  curves: drawCurves,
  parallel: drawParallel,
  slices: drawSlices,
  timeline: drawTimeline,
  divergence: drawDivergence,
  weights: drawWeights,
};
for (const figure of document.querySelectorAll("[data-figure]")) drawings[figure.dataset.figure](figure);
for (const place of document.querySelectorAll("#table")) drawTable(place);

// The buttons in the head show and hide outcomes.
const outcomes = [...document.querySelectorAll("#outcomes button")];
const isHidden = (each) => each.getAttribute("aria-pressed") === "false";
for (const each of outcomes) {
  each.addEventListener("click", () => {
    each.setAttribute("aria-pressed", String(isHidden(each)));
    const hidden = new Set(outcomes.filter(isHidden).map(({ dataset }) => dataset.state));
    chosen.filter("outcome", hidden.size ? ({ state }) => !hidden.has(state) : null);
  });
}

// In a notebook the page lies in a frame, which is made as high as the page.
if (document.documentElement.classList.contains("alone")) {
  new ResizeObserver(() => {
    try {
      window.frameElement.style.height = `${document.documentElement.scrollHeight + 2}px`;
    } catch {
      // nobody gave us a frame, or not one that we may touch
    }
  }).observe(document.body);
}
