"use strict";
// Patches of an image clicked away, and what a masked autoencoder puts there.
{
  const { shape, patch } = explore, [height, width, channels] = shape, images = gallery(explore.gallery);
  const rows = height / patch, columns = width / patch, at = id => document.getElementById(id);
  const patchOf = pixel => Math.floor(pixel / width / patch) * columns + Math.floor(pixel % width / patch);
  const first = explore.models.find(each => each.kind === "mcae" && each.atOnce);
  const vit = explore.models.find(each => each.kind === "vit");
  let image = images[0], model = first, hidden = new Set(), seed = 1;
  const programs = {}; // by kind

  const reconstruct = async (kind, places = hidden) => {
    const mask = Float32Array.from({ length: rows * columns }, (_, i) => places.has(i) ? 1 : 0);
    const inputs = [{ values: image.values, shape: [1, ...shape] }, { values: mask, shape: [1, rows, columns, 1] }];
    return (await programs[kind].run(...inputs)).values;
  };
  const within = places => i => places.has(patchOf(Math.floor(i / channels)));

  const show = steadily(async () => {
    const places = new Set(hidden); // more may be hidden while the models work
    paint(at("seen"), image.values, shape, pixel => places.has(patchOf(pixel)));
    paint(at("clean"), image.values, shape);
    for (const [kind, canvas, prefix] of [["mcae", "output", ["mse", "psnr"]], ["vit", "vit", ["vitMse", "vitPsnr"]]]) {
      if (!programs[kind]) continue;
      const output = await reconstruct(kind, places);
      paint(at(canvas), output, shape);
      write(prefix, "All", meanSquare(output, image.values));
      write(prefix, "Hidden", meanSquare(output, image.values, within(places)));
    }
    at("output").count = places.size;
  });

  function write([square, decibels], region, error) { // of nothing, there is none
    at(square + region).textContent = Number.isNaN(error) ? "–" : error.toFixed(4);
    at(decibels + region).textContent = Number.isNaN(error) ? "–" : inDecibels(-10 * Math.log10(error));
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
    for (const each of explore.models.filter(each => each.kind === "mcae")) {
      const size = element("span", {}, each === model ? "" : ` · load ${megabytes(each.bytes)}`);
      const pressed = { type: "button", "aria-pressed": String(each === model) };
      const button = element("button", pressed, `${percent(each.ratio)} hidden`, size);
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          programs.mcae = (await load(each.name)).forward;
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
    if (vit) setUpTransformer();
    named();
  }

  function setUpTransformer() {
    at("beside").hidden = false;
    at("whoVit").textContent = `trained with ${percent(vit.ratio)} hidden`;
    if (programs.vit) return;
    const label = `Load the ViT, ${megabytes(vit.bytes)}`;
    const button = element("button", { type: "button", class: "load" }, label);
    button.addEventListener("click", async () => {
      programs.vit = (await load(vit.name)).forward;
      button.remove();
      show();
    });
    at("beside").prepend(button);
  }
  const named = () => { at("who").textContent = `trained with ${percent(model.ratio)} hidden`; };

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────

  const NAMES = { mcae: "the MCAE", vit: "the ViT" };
  const each = async say => (await Promise.all(Object.keys(programs).map(say))).join(" ");
  const block = side => { // in the middle
    const [top, left] = [rows, columns].map(count => Math.floor((count - side) / 2));
    const places = Array.from({ length: side * side }, (_, i) => (top + Math.floor(i / side)) * columns + left + i % side);
    return new Set(places.filter(place => place >= 0 && place < rows * columns));
  };
  const share = (part, all) => percent(all ? part / all : 0);

  const whereItChanges = () => each(async kind => {
    const inner = block(1), around = block(3), [before, after] = [await reconstruct(kind, new Set()), await reconstruct(kind, inner)];
    const sums = { patch: 0, next: 0, far: 0 };
    before.forEach((value, i) => {
      const place = patchOf(Math.floor(i / channels)), change = (value - after[i]) ** 2;
      sums[inner.has(place) ? "patch" : around.has(place) ? "next" : "far"] += change;
    });
    const all = sums.patch + sums.next + sums.far;
    return `Of what ${NAMES[kind]} changes, ${share(sums.patch, all)} is in the patch itself, ${share(sums.next, all)} in the `
      + `patches beside it, ${share(sums.far, all)} further away.`;
  });

  const byShare = () => each(async kind => {
    const errors = [];
    for (const part of [.25, .75]) {
      const places = drawn(rows * columns, part, seed);
      errors.push(meanSquare(await reconstruct(kind, places), image.values, within(places)));
    }
    const [few, many] = errors.map(error => inDecibels(-10 * Math.log10(error)));
    return `Over what is hidden, ${NAMES[kind]} comes to ${few} where 25 % are hidden and to ${many} where 75 % are.`;
  });

  async function inTheHeart() {
    const hole = block(4), heart = block(2), mean = new Float32Array(channels);
    image.values.forEach((value, i) => { if (!within(hole)(i)) mean[i % channels] += value; });
    const seen = (rows * columns - hole.size) * patch * patch;
    const errors = [["one colour, the mean of what is seen", image.values.map((_, i) => mean[i % channels] / seen)]];
    for (const kind of Object.keys(programs)) errors.push([NAMES[kind], await reconstruct(kind, hole)]);
    const found = errors.map(([name, values]) => [name, meanSquare(values, image.values, within(heart))]).sort((a, b) => a[1] - b[1]);
    return `In the four patches farthest from all that is seen, from the least mean square error: `
      + `${found.map(([name, error]) => `${name}, ${error.toFixed(4)}`).join("; ")}.`;
  }

  function setUp() {
    setUpGrid();
    setUpModels();
    const showClass = () => { at("class").textContent = image.label; };
    picker(at("image"), images, shape, image.place, chosen => { image = chosen; showClass(); show(); });
    showClass();
    at("ratio").value = model.ratio;
    const showShare = () => { at("shareShown").value = percent(at("ratio").value); };
    const draw = () => hideAll(drawn(rows * columns, Number(at("ratio").value), seed)); // more of the same while it is dragged
    at("ratio").addEventListener("input", () => { showShare(); draw(); });
    at("random").addEventListener("click", () => { seed++; draw(); });
    at("none").addEventListener("click", () => hideAll(new Set()));
    showShare();
    draw();
  }

  withModels(async () => {
    for (const each of explore.models.filter(each => each.atOnce)) programs[each.kind] = (await load(each.name)).forward;
  }).then(runs => {
    if (!runs) return;
    setUp();
    explain(whereItChanges, byShare, inTheHeart);
  });
}
