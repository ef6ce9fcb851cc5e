"use strict";
// What every page to explore shares. It runs before the page is there: a dark page must not flash white.

const root = document.documentElement;
const REMEMBERED = "quarto-color-scheme"; // where and as Quarto's pages keep it; so do those by Pandoc
try {
  root.dataset.theme = { alternate: "dark", default: "light" }[localStorage.getItem(REMEMBERED)] || "";
} catch (e) { /* a private window remembers nothing */ }

const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

addEventListener("DOMContentLoaded", () => {
  document.querySelector("button.theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem(REMEMBERED, isDark() ? "alternate" : "default"); } catch (e) { /* see above */ }
    dispatchEvent(new Event("themechange")); // for what is drawn on a canvas
  });
});

// An element with attributes and children: `element("button", { type: "button", onclick: go }, "Go")`
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child != null));
  return made;
}
