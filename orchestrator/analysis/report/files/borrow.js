"use strict";
// A later figure of a notebook: draws with the code of the first one as soon as that is there. Outputs may appear in any
// order. The policy of this page names the code by its hash, so nothing else can take its place.
{
  const key = document.documentElement.dataset.code;
  const began = Date.now();
  const missing = document.getElementById("missing");
  const find = () => {
    try {
      if (parent[key]) return parent[key];
    } catch {
      // the page around us is of another origin
    }
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  };
  const look = () => {
    const code = find();
    missing.hidden = Boolean(code) || Date.now() - began < 2000;
    if (!code) {
      setTimeout(look, 100);
      return;
    }
    for (const text of code) {
      document.body.append(Object.assign(document.createElement("script"), { textContent: text }));
    }
  };
  look();
}
