"use strict";
// A notebook's first figure: keeps its code where the other figures of the page find it, also when its cell is cleared
// (in the page) and when the notebook is opened again (in the browser's storage).
{
  const key = document.documentElement.dataset.code;
  const code = [...document.querySelectorAll("script[data-code]")].map((script) => script.textContent);
  try {
    parent[key] = code;
  } catch {
    // the page around us is of another origin
  }
  try {
    const old = Object.keys(localStorage).filter((name) => name.startsWith("sweep-figure-") && name !== key);
    for (const name of old) localStorage.removeItem(name);
    localStorage.setItem(key, JSON.stringify(code));
  } catch {
    // there is no storage, or no room in it
  }
}
