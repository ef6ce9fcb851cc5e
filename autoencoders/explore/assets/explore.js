"use strict";
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

// ── In a chapter: a page is small then, has the chapter's theme, and says how high it has become ──────────────────────

const asked = new URLSearchParams(location.search);
if (asked.has("small")) {
  root.classList.add("small");
  root.dataset.theme = asked.get("theme");
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !data.theme) return;
    root.dataset.theme = data.theme;
    dispatchEvent(new Event("themechange"));
  });
  addEventListener("DOMContentLoaded", () => {
    const tell = () => parent.postMessage({ height: document.body.scrollHeight }, "*");
    new ResizeObserver(tell).observe(document.body);
  });
}

// ── What to try: each answer is worked out from what the page shows when its fold is opened ───────────────────────────

function explain(...answers) {
  document.querySelector(".prompts").hidden = false;
  document.querySelectorAll(".prompts details").forEach((fold, i) => {
    const say = async () => { if (fold.open) fold.lastElementChild.textContent = await answers[i](); };
    fold.addEventListener("toggle", say);
    say();
  });
}
