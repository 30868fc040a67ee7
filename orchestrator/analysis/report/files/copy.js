"use strict";
// A button that copies what stands beside it. Where the browser keeps the clipboard from pages, it selects the text.

function copyable(holder) {
  const text = holder.querySelector("pre");
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      copy.textContent = "Selected";
    }
    setTimeout(() => (copy.textContent = "Copy"), 2000);
  });
  holder.append(copy);
}
