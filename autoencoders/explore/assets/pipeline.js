"use strict";
// What a part comes from and what it leads to is lit while it is pointed at or has the focus.
{
  const graph = document.querySelector(".graph svg");
  const nodes = new Map([...graph.querySelectorAll("[data-id]")].map(node => [node.dataset.id, node]));
  const lines = [...graph.querySelectorAll(".edges path")];

  function reached(from, forwards) {
    const found = new Set([from]);
    for (const each of found) { // grows while it is walked
      for (const [a, b] of window.explore.edges) {
        if ((forwards ? a : b) === each) found.add(forwards ? b : a);
      }
    }
    return found;
  }

  function light(id) {
    const before = reached(id, false), after = reached(id, true);
    const lit = found => (a, b) => found.has(a) && found.has(b);
    graph.classList.add("choosing");
    for (const [name, node] of nodes) node.classList.toggle("lit", before.has(name) || after.has(name));
    window.explore.edges.forEach(([a, b], i) => lines[i].classList.toggle("lit", lit(before)(a, b) || lit(after)(a, b)));
  }

  function dark() {
    graph.classList.remove("choosing");
    for (const lit of graph.querySelectorAll(".lit")) lit.classList.remove("lit");
  }

  const focused = () => document.activeElement.closest?.("[data-id]");
  const rest = () => focused() ? light(focused().dataset.id) : dark();
  for (const [id, node] of nodes) {
    node.addEventListener("mouseenter", () => light(id));
    node.addEventListener("mouseleave", rest);
    node.addEventListener("focus", () => light(id));
    node.addEventListener("blur", dark);
  }
}
