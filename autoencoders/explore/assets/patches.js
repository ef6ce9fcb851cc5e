"use strict";
// Patches of an image clicked away, and what a masked autoencoder puts there.
{
  const { shape, patch } = explore, [height, width, channels] = shape, images = gallery(explore.gallery);
  const rows = height / patch, columns = width / patch, at = id => document.getElementById(id);
  const patchOf = pixel => Math.floor(pixel / width / patch) * columns + Math.floor(pixel % width / patch);
  let image = images[0], model = explore.models.find(each => each.atOnce), program, hidden = new Set(), seed = 1;

  const reconstruct = async () => {
    const mask = Float32Array.from({ length: rows * columns }, (_, i) => hidden.has(i) ? 1 : 0);
    const inputs = [{ values: image.values, shape: [1, ...shape] }, { values: mask, shape: [1, rows, columns, 1] }];
    return (await program.run(...inputs)).values;
  };

  const show = steadily(async () => {
    const gone = pixel => hidden.has(patchOf(pixel)), output = await reconstruct();
    paint(at("seen"), image.values, shape, gone);
    paint(at("output"), output, shape);
    paint(at("clean"), image.values, shape);
    write("All", meanSquare(output, image.values));
    write("Hidden", meanSquare(output, image.values, i => gone(Math.floor(i / channels))));
    at("output").count = hidden.size;
  });

  function write(region, error) { // of nothing, there is none
    at(`mse${region}`).textContent = Number.isNaN(error) ? "–" : error.toFixed(4);
    at(`psnr${region}`).textContent = Number.isNaN(error) ? "–" : inDecibels(-10 * Math.log10(error));
  }

  // ── The grid: one stop of the tab key, arrows within ──────────────────────────────────────────────────────────────

  const cells = [];
  function hide(place, away) {
    if (away) hidden.add(place); else hidden.delete(place);
    cells[place].setAttribute("aria-pressed", away);
    show();
  }

  function setUpGrid() {
    const grid = at("grid");
    grid.style.setProperty("--columns", columns);
    grid.append(element("canvas", { class: "pixels", id: "seen", "aria-hidden": "true" }));
    for (let place = 0; place < rows * columns; place++) {
      const label = `Row ${Math.floor(place / columns) + 1}, column ${place % columns + 1}: hidden`;
      const attributes = { type: "button", tabindex: place ? -1 : 0, "aria-label": label, "aria-pressed": "false" };
      cells.push(element("button", attributes));
    }
    grid.append(element("div", { class: "cells" }, cells));
    let away = null; // what a drag does to the patches that it crosses
    const cellAt = event => cells.indexOf(document.elementFromPoint(event.clientX, event.clientY));
    grid.addEventListener("pointerdown", event => {
      const place = cellAt(event);
      if (place < 0 || event.button) return;
      away = !hidden.has(place);
      hide(place, away);
    });
    addEventListener("pointermove", event => {
      const place = away === null ? -1 : cellAt(event);
      if (place >= 0 && hidden.has(place) !== away) hide(place, away);
    });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { away = null; });
    grid.addEventListener("click", event => { // of the keyboard: a pointer's was answered when it went down
      const place = cells.indexOf(event.target);
      if (place >= 0 && event.detail === 0) hide(place, !hidden.has(place));
    });
    grid.addEventListener("keydown", event => {
      const place = cells.indexOf(event.target), row = Math.floor(place / columns), column = place % columns;
      const to = {
        ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
        Home: [row, 0], End: [row, columns - 1],
      }[event.key];
      if (!to || place < 0) return;
      event.preventDefault();
      if (to[0] < 0 || to[0] >= rows || to[1] < 0 || to[1] >= columns) return;
      cells[place].tabIndex = -1;
      const next = cells[to[0] * columns + to[1]];
      next.tabIndex = 0;
      next.focus();
    });
  }

  function hideAll(places) {
    hidden = places;
    cells.forEach((cell, place) => cell.setAttribute("aria-pressed", places.has(place)));
    show();
  }

  // ── The models, each loaded when it is asked for ──────────────────────────────────────────────────────────────────

  const percent = share => `${Math.round(100 * share)} %`;

  function setUpModels() {
    for (const each of explore.models) {
      const size = element("span", {}, each === model ? "" : ` · load ${(each.bytes / 1e6).toFixed(1)} MB`);
      const pressed = { type: "button", "aria-pressed": String(each === model) };
      const button = element("button", pressed, `${percent(each.ratio)} hidden in training`, size);
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          program = (await load(each.name)).forward;
          model = each;
          size.textContent = "";
          for (const other of at("models").children) other.setAttribute("aria-pressed", other === button);
          named();
          show();
        } catch (e) { size.textContent = ` · ${e.message}`; }
        button.disabled = false;
      });
      at("models").append(button);
    }
    named();
  }
  const named = () => { at("who").textContent = `trained with ${percent(model.ratio)} hidden`; };

  function setUp() {
    setUpGrid();
    setUpModels();
    const showClass = () => { at("class").textContent = image.label; };
    picker(at("image"), images, shape, image.place, chosen => { image = chosen; showClass(); show(); });
    showClass();
    at("ratio").value = model.ratio;
    const showShare = () => { at("shareShown").value = percent(at("ratio").value); };
    const draw = () => hideAll(drawn(rows * columns, Number(at("ratio").value), seed++));
    at("ratio").addEventListener("input", showShare);
    at("ratio").addEventListener("change", draw);
    at("random").addEventListener("click", draw);
    at("none").addEventListener("click", () => hideAll(new Set()));
    showShare();
    draw();
  }

  withModels(async () => {
    program = (await load(model.name)).forward;
    return chooseBackend(reconstruct);
  }).then(runs => { if (runs) setUp(); });
}
