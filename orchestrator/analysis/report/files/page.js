"use strict";
// Entry point: finds the figures on this page and draws them.

const drawings = {
  progress: drawProgress,
  curves: drawCurves,
  parallel: drawParallel,
  slices: drawSlices,
  timeline: drawTimeline,
  divergence: drawDivergence,
  weights: drawWeights,
  pairs: drawPairs,
};
for (const figure of document.querySelectorAll("[data-figure]")) drawings[figure.dataset.figure](figure);
for (const place of document.querySelectorAll("#table")) drawTable(place);
for (const scrolls of document.querySelectorAll(".scrolls")) wide(scrolls);
for (const holder of document.querySelectorAll(".copy")) copyable(holder);
for (const dialog of document.querySelectorAll("#trial")) trialDialog(dialog);

// The buttons in the header show and hide outcomes.
const outcomes = [...document.querySelectorAll("#outcomes button")];
const isHidden = (each) => each.getAttribute("aria-pressed") === "false";
for (const each of outcomes) {
  each.addEventListener("click", () => {
    each.setAttribute("aria-pressed", String(isHidden(each)));
    const hidden = new Set(outcomes.filter(isHidden).map(({ dataset }) => dataset.state));
    chosen.filter("outcome", hidden.size ? ({ state }) => !hidden.has(state) : null);
  });
}

// In a notebook the page is in a frame, which gets the height of the page.
if (document.documentElement.classList.contains("alone")) {
  new ResizeObserver(() => {
    try {
      window.frameElement.style.height = `${document.documentElement.scrollHeight + 2}px`;
    } catch {
      // not in a frame, or in one from another origin
    }
  }).observe(document.body);
}
