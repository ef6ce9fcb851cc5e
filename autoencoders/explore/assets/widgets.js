"use strict";
// Pages to explore in a chapter: each is loaded when it comes near, and follows the chapter's theme.
(() => {
  const frames = [];
  const theme = () => { // whichever renderer's switch set it
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
    return r + g + b < 384 ? "dark" : "light";
  };
  const tell = () => frames.forEach(frame => frame.contentWindow.postMessage({ theme: theme() }, "*"));

  function load(link) {
    const frame = document.createElement("iframe"), asked = location.search.replace("?", "&");
    Object.assign(frame, { className: link.className, title: link.textContent });
    frame.src = `${link.getAttribute("href")}?small&theme=${theme()}${asked}`;
    link.replaceWith(frame);
    frames.push(frame);
  }

  const near = new IntersectionObserver(seen => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); load(target); }
  }, { rootMargin: "400px 0px" });
  document.querySelectorAll("a.widget").forEach(link => near.observe(link));

  addEventListener("message", ({ source, data }) => { // it grows where a fold was opened, and never shrinks
    const frame = frames.find(each => each.contentWindow === source);
    if (frame && data.height > frame.clientHeight) frame.style.height = `${data.height + 2}px`;
  });
  new MutationObserver(tell).observe(document.documentElement, { attributeFilter: ["data-theme", "class"] });
  new MutationObserver(tell).observe(document.body, { attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
})();
