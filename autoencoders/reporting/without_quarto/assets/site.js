"use strict";

// ── What is wider than its box can be scrolled by the keyboard, too ──────────
const boxes = document.querySelectorAll(".scrolling, pre, math[display=block]");
const measured = new ResizeObserver(changes => changes.forEach(({ target }) => {
  if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));
boxes.forEach(box => measured.observe(box));

// ── Where the reader is on this page ─────────────────────────────────────────
const entries = new Map([...document.querySelectorAll("aside a")].map(a => [decodeURIComponent(a.hash.slice(1)), a]));
const headings = [...entries.keys()].map(id => document.getElementById(id)).filter(Boolean);
function mark() {
  const passed = headings.filter(h => h.getBoundingClientRect().top < 120);
  const current = passed.at(-1) ?? headings[0];
  entries.forEach((a, id) => a.classList.toggle("current", id === current?.id));
}
if (headings.length) { addEventListener("scroll", mark, { passive: true }); mark(); }
