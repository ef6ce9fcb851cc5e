"use strict";
// A figure, table or reference is shown where the text refers to it, and what a claim's mark says.
{
  const base = document.currentScript.dataset.base;
  const REFERENCES = "main a[href*='#fig-'], main a[href*='#tbl-'], main a[href*='#ref-'], main a.claim";
  const box = document.createElement("div");
  Object.assign(box, { id: "preview", className: "preview", hidden: true });
  box.setAttribute("role", "tooltip");
  document.body.append(box);
  let shownFor = null, timer = 0;

  // From a disk, a page may load scripts but fetch nothing.
  let loading;
  const content = () => loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: `${base}previewed.js`, onload: () => resolve(window.previewed), onerror: reject });
    document.head.append(script);
  });

  async function show(link) {
    const label = decodeURIComponent(link.hash.slice(1)), said = link.title || link.dataset.said;
    if (link.classList.contains("claim") && said) box.textContent = link.dataset.said = said;
    else if (!isInView(label)) {
      const found = (await content())[label];
      if (!found || link !== shownFor) return;
      box.innerHTML = found;
      for (const name of ["src", "href"]) for (const each of box.querySelectorAll(`[${name}]`)) {
        const address = each.getAttribute(name);
        if (!/^(\w+:|#|\/)/.test(address)) each.setAttribute(name, base + address);
      }
      box.querySelectorAll("img").forEach(image => { image.loading = "eager"; });
    } else return;
    link.removeAttribute("title"); // or the browser shows it, too
    link.setAttribute("aria-describedby", box.id);
    box.style.backgroundColor = getComputedStyle(document.body).backgroundColor;
    box.hidden = false;
    place(link);
  }

  function isInView(label) { // what one sees already needs no preview
    const { top, bottom } = document.getElementById(label)?.getBoundingClientRect() ?? { top: -1, bottom: -1 };
    return top >= 0 && bottom <= innerHeight;
  }

  function place(link) {
    const at = link.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const below = at.bottom + 6 + height <= innerHeight || at.top < innerHeight - at.bottom;
    box.style.left = `${scrollX + Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    box.style.top = `${scrollY + (below ? at.bottom + 6 : Math.max(8, at.top - 6 - height))}px`;
  }

  function ask(link, delay) {
    clearTimeout(timer);
    if (link === shownFor) return;
    hide();
    shownFor = link;
    timer = setTimeout(() => show(link).catch(console.info), delay);
  }
  function hide() {
    clearTimeout(timer);
    shownFor?.removeAttribute("aria-describedby");
    shownFor = null;
    box.hidden = true;
  }
  const leave = () => { clearTimeout(timer); timer = setTimeout(hide, 250); };

  document.addEventListener("pointerover", event => {
    const link = event.pointerType === "touch" ? null : event.target.closest?.(REFERENCES);
    if (link) ask(link, 200);
    else if (box.contains(event.target)) clearTimeout(timer); // one may read it
    else if (shownFor && shownFor !== document.activeElement) leave();
  });
  document.addEventListener("focusin", event => {
    const link = event.target.closest?.(REFERENCES);
    if (link && link.matches(":focus-visible")) ask(link, 0);
    else if (shownFor) hide();
  });
  document.addEventListener("keydown", event => { if (event.key === "Escape" && !box.hidden) hide(); });
}
