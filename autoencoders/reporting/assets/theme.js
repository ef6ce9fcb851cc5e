"use strict";
// Dark or light. It runs before the page is there: a dark page must not flash white.

const root = document.documentElement;
const REMEMBERED = "quarto-color-scheme"; // where and as Quarto's pages keep it: one choice for all pages
try {
  root.dataset.theme = { alternate: "dark", default: "light" }[localStorage.getItem(REMEMBERED)] || "";
} catch (e) { /* a private window remembers nothing */ }

addEventListener("DOMContentLoaded", () => document.querySelector("button.theme").addEventListener("click", () => {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  try { localStorage.setItem(REMEMBERED, root.dataset.theme === "dark" ? "alternate" : "default"); } catch (e) { /* see above */ }
  dispatchEvent(new Event("themechange")); // for what is drawn on a canvas
}));
