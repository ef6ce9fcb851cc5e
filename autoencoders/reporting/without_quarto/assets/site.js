"use strict";
const base = document.currentScript.dataset.base;

// ── Menu on narrow screens ───────────────────────────────────────────────────
const menu = document.querySelector(".menu");
const setMenu = open => {
  root.classList.toggle("menu-open", open);
  menu.setAttribute("aria-expanded", open);
};
menu.addEventListener("click", () => setMenu(!root.classList.contains("menu-open")));
document.getElementById("sidebar").addEventListener("focusout", event => { // a menu that was left covers nothing
  if (event.relatedTarget && event.relatedTarget !== menu && !event.currentTarget.contains(event.relatedTarget)) setMenu(false);
});
document.querySelector(".chapters [aria-current]")?.scrollIntoView({ block: "nearest" });

// ── Search: the index is a script, since pages on a disk may not fetch ───────
const input = document.querySelector(".search input");
const results = document.getElementById("results");
const counted = document.getElementById("found");
const literal = word => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const escaped = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

function loadIndex() {
  if (document.getElementById("index")) return;
  const script = document.createElement("script");
  Object.assign(script, { id: "index", src: `${base}search.js`, onload: search });
  document.head.append(script);
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  results.hidden = !words.length;
  if (!words.length || !window.searchIndex) return;
  const found = window.searchIndex
    .map(([url, page, title, text]) => ({ url, page, title, text, score: score(words, `${page} ${title}`, text) }))
    .filter(entry => entry.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 12);
  counted.textContent = found.length ? `${found.length} sections found` : "Nothing found";
  results.innerHTML = found.map(item).join("") || "<li class='none'>Nothing found</li>";
  function item({ url, page, title, text }) {
    const within = title && !page.endsWith(title) ? `${escaped(title)} · ` : "";
    return `<li><a href="${base}${escaped(url)}"><b>${within}${escaped(page)}</b><span>${snippet(text, words)}</span></a></li>`;
  }
}

// Every word must begin some word of the section; one in a title counts more
function score(words, title, text) {
  let sum = 0;
  for (const word of words) {
    const begins = new RegExp(`(^|[^\\p{L}\\p{N}])${literal(word)}`, "giu");
    const count = (text.match(begins) || []).length + 8 * (title.match(begins) || []).length;
    if (!count) return 0;
    sum += Math.log2(1 + count);
  }
  return sum;
}

function snippet(text, words) {
  const at = Math.max(0, text.toLowerCase().indexOf(words[0]) - 40);
  const part = escaped((at ? "…" : "") + text.slice(at, at + 130) + (at + 130 < text.length ? "…" : ""));
  const any = words.map(word => literal(escaped(word))).join("|");
  return part.replace(new RegExp(any, "gi"), "<mark>$&</mark>");
}

input.addEventListener("focus", loadIndex);
input.addEventListener("input", () => { loadIndex(); search(); });
input.addEventListener("keydown", event => {
  if (event.key === "Enter") results.querySelector("a")?.click();
});
addEventListener("keydown", event => {
  if (event.key === "Escape") leave();
  if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) {
    event.preventDefault();
    setMenu(true);
    input.focus();
  }
});

// What was opened last goes first: the results, then the menu
function leave() {
  if (!results.hidden) {
    input.value = counted.textContent = "";
    search();
    input.focus();
  } else if (root.classList.contains("menu-open")) {
    setMenu(false);
    menu.focus();
  }
}

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
