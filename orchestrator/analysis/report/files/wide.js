"use strict";
// Tables that are wider than the page. Columns that would be cut are covered as a whole, and a button over them says how
// many there are and scrolls to them.

const COVER = 46; // the least width of a cover, which holds its button

function wide(scrolls) {
  const holder = d3.create("div").attr("class", "wide").node();
  scrolls.replaceWith(holder);
  holder.append(scrolls);
  const targets = { left: 0, right: 0 }; // where a button scrolls to
  const cover = (side) => {
    const made = button("", () => scrolls.scrollTo({ left: targets[side], behavior: "smooth" }));
    made.className = `cover ${side}`;
    made.hidden = true;
    holder.append(made);
    return made;
  };
  const heads = () => [...scrolls.querySelectorAll("thead th")];
  const firstWidth = () => heads()[0]?.offsetWidth ?? 0; // that column stays in view
  const covers = { left: cover("left"), right: cover("right") };

  const look = () => {
    const from = scrolls.scrollLeft;
    const [near, far] = [from + firstWidth(), from + scrolls.clientWidth];
    const more = { left: from > 1, right: from + scrolls.clientWidth < scrolls.scrollWidth - 1 };
    const columns = heads().slice(1).map((head) => [head.textContent, head.offsetLeft, head.offsetLeft + head.offsetWidth]); // prettier-ignore
    const cut = {
      left: more.left ? columns.filter(([, left]) => left < near + COVER) : [],
      right: more.right ? columns.filter(([, , right]) => right > far - COVER) : [],
    };
    const [start, end] = [cut.left.at(-1)?.[2] ?? near, cut.right[0]?.[1] ?? far];
    const fits = start < end; // else a single column is wider than the page
    const after = cut.right.find(([, left]) => left > near + COVER + 1);
    const before = cut.left.findLast(([, , right]) => right < far - COVER - 1);
    targets.right = after ? after[1] - firstWidth() - COVER : scrolls.scrollWidth;
    targets.left = before ? before[2] - scrolls.clientWidth + COVER : 0;
    const widths = { left: fits ? start - near : COVER, right: fits ? far - end : COVER };
    for (const [side, made] of Object.entries(covers)) {
      const names = cut[side].map(([name]) => name);
      made.hidden = !names.length;
      made.style.width = `${widths[side]}px`;
      const said = widths[side] < 2 * COVER ? names.length : `${names.length} more`;
      made.textContent = side === "left" ? `‹ ${said}` : `${said} ›`;
      made.title = names.join(", ");
      made.setAttribute("aria-label", `Scroll to ${names.length} more columns: ${names.join(", ")}`);
    }
    covers.left.style.left = `${firstWidth()}px`;
    scrolls.style.scrollPaddingInline = `${firstWidth() + COVER}px ${COVER}px`;
    scrolls.classList.toggle("cut", more.left || more.right);
  };
  scrolls.addEventListener("scroll", look, { passive: true });
  const sizes = new ResizeObserver(() => requestAnimationFrame(look));
  [scrolls, scrolls.querySelector("table")].forEach((each) => sizes.observe(each));
}
