"use strict";
// What every page to explore shares. It runs before the page is there: a dark page must not flash white.

const root = document.documentElement;
const remembered = () => {
  try {
    const quartos = localStorage.getItem("quarto-color-scheme");
    return localStorage.getItem("theme") || { alternate: "dark", default: "light" }[quartos] || "";
  } catch (e) { return ""; } // a private window remembers nothing
};
root.dataset.theme = remembered();

const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

addEventListener("DOMContentLoaded", () => {
  document.querySelector("button.theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch (e) { /* see above */ }
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
