"use strict";
(() => {
  const { classes, labels, sprite, spaces } = explore;
  const find = (selector, within = document) => within.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
  const panels = Object.fromEntries(findAll(".clouds figure").map(figure => [figure.dataset.input, {
    canvas: find("canvas", figure), tip: find(".tip", figure), frame: find(".frame", figure),
  }]));
  const toggles = findAll(".legend button[aria-pressed]"), where = find("#where"), hint = where.textContent;
  const shapes = toggles.map(button => find("path", button));
  const outlines = shapes.map(path => new Path2D(path.getAttribute("d")));
  const RADIUS = 4.2, NEAR = { mouse: 14, touch: 28 };

  let yaw = 0.6, pitch = 0.4;
  let hovered = null, kept = null; // images; the pointer's goes before the one that was kept
  const marked = () => hovered ?? kept;
  const checked = name => find(`input[name=${name}]:checked`).value;
  const space = () => spaces[find("#space").value];
  const solid = () => checked("dims") === "3";
  const shown = image => toggles[labels[image]].getAttribute("aria-pressed") === "true";
  const numbers = (value, digits = 3) => Number(value.toPrecision(digits)).toString().replace("-", "−");

  // ── From coordinates to places in a square from -1 to 1, the same for both panels ─────────────────────────────────
  function fitted() {
    const dims = Number(checked("dims")), both = space().views[checked("method") + dims];
    const axes = [...Array(dims).keys()], all = [...both.clean, ...both.noisy];
    const ranges = axes.map(axis => {
      const along = all.filter((_, i) => i % dims === axis);
      return [Math.min(...along), Math.max(...along)];
    });
    const middle = ranges.map(([low, high]) => (low + high) / 2);
    const points = Object.fromEntries(Object.entries(both).map(([input, flat]) =>
      [input, labels.map((_, i) => axes.map(axis => flat[i * dims + axis] - middle[axis]))]));
    const extent = p => dims === 3 ? Math.hypot(...p) : Math.max(...p.map(Math.abs));
    const reach = Math.max(...Object.values(points).flat().map(extent)) || 1;
    return { dims, raw: both, points, middle, reach };
  }
  let view = fitted();

  function placed([x, y, z = 0]) {
    if (view.dims === 2) return { x: x / view.reach, y: -y / view.reach, depth: 0 };
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const deep = cy * y - sy * x;
    return { x: (cy * x + sy * y) / view.reach, y: (sp * deep - cp * z) / view.reach, depth: (cp * deep + sp * z) / view.reach };
  }

  // ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────
  let places = {}, side = 1;
  const onCanvas = ({ x, y, depth }) => ({ x: side * (0.5 + 0.46 * x), y: side * (0.5 + 0.46 * y), depth });
  let asked = false;
  function redraw() {
    if (!asked) requestAnimationFrame(() => { asked = false; draw(); });
    asked = true;
  }

  function draw() {
    side = panels.clean.canvas.clientWidth;
    if (!side) return;
    places = Object.fromEntries(Object.entries(view.points).map(([input, points]) => [input, points.map(p => onCanvas(placed(p)))]));
    const style = getComputedStyle(root), ink = style.getPropertyValue("--ink"), quiet = style.getPropertyValue("--quiet");
    const looks = shapes.map(path => getComputedStyle(path));
    for (const [input, { canvas, tip }] of Object.entries(panels)) {
      const other = input === "clean" ? "noisy" : "clean", dense = devicePixelRatio || 1;
      canvas.width = canvas.height = Math.round(side * dense);
      const pen = canvas.getContext("2d");
      pen.scale(canvas.width / side, canvas.width / side);
      drawAxes(pen, quiet);
      const images = [...labels.keys()].filter(shown).sort((a, b) => places[input][b].depth - places[input][a].depth);
      if (find("#trails").checked) {
        pen.globalAlpha = 0.35;
        for (const image of images) line(pen, places.clean[image], places.noisy[image], quiet, 0.8);
      }
      for (const image of images) {
        const kind = labels[image];
        pen.globalAlpha = marked() === null || marked() === image ? 0.9 : 0.55;
        stamp(pen, places[input][image], outlines[kind], looks[kind].fill, looks[kind].stroke, RADIUS);
      }
      pen.globalAlpha = 1;
      const image = marked();
      tip.hidden = image === null || !shown(image);
      if (tip.hidden) continue;
      const [here, there] = [places[input][image], places[other][image]], { fill, stroke } = looks[labels[image]];
      line(pen, here, there, ink, 1.6);
      stamp(pen, there, outlines[labels[image]], style.getPropertyValue("--paper"), ink, RADIUS + 1);
      stamp(pen, here, outlines[labels[image]], fill, stroke, RADIUS + 2.5);
      ring(pen, here, ink);
      show(tip, input, image, here);
    }
  }

  function drawAxes(pen, colour) {
    if (checked("method") !== "pca") return;
    const origin = view.middle.map(value => -value);
    pen.fillStyle = colour;
    pen.font = "12px " + getComputedStyle(document.body).fontFamily;
    pen.globalAlpha = 0.45;
    view.middle.forEach((_, axis) => {
      const ends = [-1, 1].map(sign => onCanvas(placed(origin.map((o, i) => i === axis ? sign * view.reach : o))));
      line(pen, ...ends, colour, 0.8);
    });
    pen.globalAlpha = 1;
    view.middle.forEach((_, axis) => {
      const text = `PC ${axis + 1} (${(100 * space().explained[axis]).toFixed(0)} %)`;
      const end = onCanvas(placed(origin.map((o, i) => i === axis ? view.reach : o)));
      const room = pen.measureText(text).width;
      pen.fillText(text, Math.max(4, Math.min(side - room - 4, end.x + 4)), Math.max(14, Math.min(side - 5, end.y - 5)));
    });
  }

  function line(pen, from, to, colour, width) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
  }

  function stamp(pen, at, outline, fill, stroke, radius) {
    const size = radius * (1 - 0.25 * at.depth);
    pen.save();
    pen.translate(at.x, at.y);
    pen.scale(size, size);
    Object.assign(pen, { fillStyle: fill, strokeStyle: stroke, lineWidth: 1 / size });
    pen.fill(outline);
    pen.stroke(outline);
    pen.restore();
  }

  function ring(pen, at, colour) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: 1.5 });
    pen.beginPath();
    pen.arc(at.x, at.y, 2.6 * RADIUS, 0, 7);
    pen.stroke();
  }

  function show(tip, input, image, at) {
    const [picture, name] = tip.children, edge = 72;
    const rows = Math.ceil(labels.length / sprite.columns);
    const row = Math.floor(image / sprite.columns) + (input === "noisy" ? rows : 0);
    picture.style.backgroundSize = `${edge * sprite.columns}px ${edge * 2 * rows}px`;
    picture.style.backgroundPosition = `${-edge * (image % sprite.columns)}px ${-edge * row}px`;
    name.textContent = classes[labels[image]];
    const left = at.x + 18 + tip.offsetWidth > side ? at.x - 18 - tip.offsetWidth : at.x + 18;
    const top = Math.max(2, Math.min(side - tip.offsetHeight - 2, at.y - tip.offsetHeight / 2));
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  function describe() {
    const image = marked();
    if (image === null || !shown(image)) { where.textContent = hint; return; }
    const [clean, noisy] = ["clean", "noisy"].map(input => view.raw[input].slice(image * view.dims, (image + 1) * view.dims));
    const moved = Math.hypot(...clean.map((value, axis) => noisy[axis] - value));
    const spot = values => `(${values.map(value => numbers(value)).join(", ")})`;
    where.textContent = `${classes[labels[image]]}, image ${image + 1} of ${labels.length}: clean at ${spot(clean)}, `
      + `with noise at ${spot(noisy)}, ${numbers(moved)} apart in this picture.`;
  }

  function mark(changes) {
    if ("hovered" in changes) hovered = changes.hovered;
    if ("kept" in changes) kept = changes.kept;
    describe();
    redraw();
  }

  // ── Pointers and keys ─────────────────────────────────────────────────────────────────────────────────────────────
  function nearest(input, x, y, within) {
    let best = null;
    places[input].forEach((place, image) => {
      const distance = Math.hypot(place.x - x, place.y - y);
      if (shown(image) && distance < within) [best, within] = [image, distance];
    });
    return best;
  }

  // The nearest point that lies rather that way than sideways
  function towards(input, image, dx, dy) {
    const from = places[input][image];
    let best = image, least = Infinity;
    places[input].forEach((place, other) => {
      const along = (place.x - from.x) * dx + (place.y - from.y) * dy;
      const across = Math.abs((place.x - from.x) * dy - (place.y - from.y) * dx);
      if (other === image || !shown(other) || along <= 0 || along < across) return;
      if (along + across < least) [best, least] = [other, along + across];
    });
    return best;
  }

  const turn = (dx, dy) => {
    yaw += dx;
    pitch = Math.max(-1.57, Math.min(1.57, pitch + dy));
    redraw();
  };
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  for (const [input, { canvas }] of Object.entries(panels)) {
    let held = null;
    const under = event => nearest(input, event.offsetX, event.offsetY, NEAR[event.pointerType] ?? NEAR.mouse);
    canvas.addEventListener("pointerdown", event => {
      held = { x: event.clientX, y: event.clientY, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      if (!held) { mark({ hovered: under(event) }); return; }
      held.moved ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > 4;
      if (held.moved && solid()) turn(event.movementX / 120, event.movementY / 120);
    });
    canvas.addEventListener("pointerup", event => {
      if (held && !held.moved) mark({ kept: under(event) });
      held = null;
    });
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("pointerleave", () => mark({ hovered: null }));
    canvas.addEventListener("focus", () => {
      if (marked() === null && canvas.matches(":focus-visible")) mark({ kept: nearest(input, side / 2, side / 2, Infinity) });
    });
    canvas.addEventListener("keydown", event => {
      const arrow = ARROWS[event.key];
      if (event.key === "Escape") mark({ hovered: null, kept: null });
      if (!arrow || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      if (event.shiftKey) { if (solid()) turn(...arrow.map(step => step / 10)); return; }
      const from = marked() !== null && shown(marked()) ? marked() : null;
      mark({ hovered: null, kept: from === null ? nearest(input, side / 2, side / 2, Infinity) : towards(input, from, ...arrow) });
    });
  }

  for (const button of findAll("[data-turn]")) {
    button.addEventListener("click", () => turn(...button.dataset.turn.split(",").map(step => Number(step) / 5)));
  }

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────
  const { measures } = explore;
  const percent = share => `${Math.round(100 * share)} %`;

  // By the lines of the picture: how long their mean is, as a share of their mean length
  function sameWay() {
    const { clean, noisy } = view.points, moves = clean.map((point, i) => point.map((value, axis) => noisy[i][axis] - value));
    const mean = moves[0].map((_, axis) => moves.reduce((sum, move) => sum + move[axis], 0) / moves.length);
    const length = moves.reduce((sum, move) => sum + Math.hypot(...move), 0) / moves.length;
    const share = length ? Math.hypot(...mean) / length : 0;
    return `In this picture of ${measures[find("#space").value].name}, the mean of all moves is ${percent(share)} as long as a move is on `
      + "average: 100 % if all went the same way and equally far, near 0 % if each went its own.";
  }

  function movedLeast() {
    const known = measures.filter(each => each["shift of an image"] != null);
    const order = [...known].sort((a, b) => a["shift of an image"] - b["shift of an image"]);
    const said = order.map(each => `${each.name} ${each["shift of an image"].toFixed(3)}`).join(", ");
    return `In ${order[0].name}. In units of the clean latents’ spread, noise moves an image on average by: ${said}.`;
  }

  function islands() {
    const counts = classes.map((_, kind) => labels.filter(label => label === kind).length / labels.length);
    const chance = counts.reduce((sum, share) => sum + share * share, 0), { name, "purity, clean": purity } = measures[find("#space").value];
    return `A picture can’t say; the space can. In ${name}, ${percent(purity)} of an image’s nearest neighbours are of its class, where `
      + `${percent(chance)} would be by chance. If classes were islands, it would be nearly all of them.`;
  }
  explain(sameWay, movedLeast, islands);

  // ── Choices ───────────────────────────────────────────────────────────────────────────────────────────────────────
  const press = wanted => {
    toggles.forEach((button, kind) => button.setAttribute("aria-pressed", String(wanted(kind))));
    describe();
    redraw();
  };
  const pressed = kind => toggles[kind].getAttribute("aria-pressed") === "true";
  const alone = kind => toggles.every((_, other) => pressed(other) === (other === kind));
  const only = kind => press(alone(kind) ? () => true : other => other === kind);
  toggles.forEach((button, kind) => {
    button.addEventListener("click", event => event.shiftKey ? only(kind) : press(other => pressed(other) !== (other === kind)));
    button.addEventListener("dblclick", event => { if (!event.shiftKey) only(kind); });
  });
  find(".legend .all").addEventListener("click", () => press(() => true));

  function choose() {
    view = fitted();
    find(".clouds").classList.toggle("solid", solid());
    for (const button of findAll("[data-turn]")) button.disabled = !solid();
    describe();
    redraw();
  }
  find(".choices").addEventListener("change", choose);
  addEventListener("themechange", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(redraw).observe(panels.clean.frame);
  new Image().src = "latents.png"; // there when the first point is pointed at
  choose();
})();
