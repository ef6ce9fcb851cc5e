"use strict";
// Navigation and search, the same on chapters and on pages to explore.
{
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
  const results = document.getElementById("hits");
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
    const found = ranked(window.searchIndex.map(section), words)
      .sort((a, b) => b.score - a.score)
      .slice(0, 12);
    counted.textContent = found.length ? `${found.length} sections found` : "Nothing found";
    results.innerHTML = found.map(item).join("") || "<li class='none'>Nothing found</li>";
    function item({ url, page, title, text }) {
      const within = title && !page.endsWith(title) ? `${escaped(title)} · ` : "";
      return `<li><a href="${base}${escaped(url)}"><b>${within}${escaped(page)}</b><span>${snippet(text, words)}</span></a></li>`;
    }
  }

  // A section as our own index has it, or Quarto's: prose, what tables and code say, and how much it counts
  const section = entry => {
    const [url, page, title, text, rest = "", weight = 1] = Array.isArray(entry) ? entry : [entry.href, entry.title, entry.section, entry.text];
    return { url, page, title, text, rest, weight };
  };

  // Every word must begin some word of the section. What is about a word comes first: it has it in its heading, writes it
  // out, or says it often for its length (as in BM25); lists and tables of names count little.
  function ranked(sections, words) {
    const length = sections.reduce((sum, { text }) => sum + text.length, 0) / sections.length || 1;
    const patterns = words.map(word => [new RegExp(`(?<![\\p{L}\\p{N}])${literal(word)}`, "giu"), new RegExp(`\\(${literal(word)}s?\\)`, "i")]);
    const count = (pattern, text) => (text.match(pattern) || []).length;
    for (const each of sections) {
      const scores = patterns.map(([begins, writtenOut]) => {
        const often = count(begins, each.text), heading = count(begins, each.title) ? 4 : count(begins, each.page) ? 2 : 0;
        const about = often * 2.2 / (often + .3 + .9 * each.text.length / length) + (writtenOut.test(each.text) ? 3 : 0);
        return often || heading ? heading + about : count(begins, each.rest) ? .2 : 0;
      });
      each.score = Math.min(...scores) > 0 ? each.weight * scores.reduce((sum, score) => sum + score) : 0;
    }
    return sections.filter(({ score }) => score > 0);
  }

  function snippet(prose, words) {
    const text = prose || "A table or code";
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
}
