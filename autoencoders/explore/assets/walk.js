"use strict";
// Between two images, and between classes: a decoder alone, for where the images lie is known.
{
  const { model, shape, dimensions, triples } = explore, images = gallery(explore.gallery);
  const points = text => {
    const all = floats(text);
    const point = (_, i) => all.subarray(i * dimensions, (i + 1) * dimensions);
    return Array.from({ length: all.length / dimensions }, point);
  };
  const latents = points(explore.latents), means = points(explore.means);
  const names = explore.kinds.map(kind => explore.gallery.classes[kind]);
  const at = id => document.getElementById(id);
  let decoder;

  const decode = async point => (await decoder.run({ values: point, shape: [1, dimensions] })).values;

  // As `models.interpolate` does it
  function between(start, end, share, spherical) {
    const line = start.map((value, i) => value + share * (end[i] - value));
    if (!spherical) return line;
    const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    const lengths = [start, end].map(point => Math.max(Math.sqrt(dot(point, point)), 1e-12));
    const angle = Math.acos(Math.min(1, Math.max(-1, dot(start, end) / lengths[0] / lengths[1])));
    const sine = Math.sin(angle);
    if (sine <= 1e-3) return line;
    return start.map((value, i) => (Math.sin((1 - share) * angle) * value + Math.sin(share * angle) * end[i]) / sine);
  }

  const figure = (canvas, caption, attributes = {}) =>
    element("figure", attributes, canvas, element("figcaption", {}, caption));

  // ── Between two images ────────────────────────────────────────────────────────────────────────────────────────────

  function setUpWalk() {
    const STEPS = 9;
    const chosen = { from: images[0], to: images.findLast(image => image.kind !== images[0].kind) ?? images.at(-1) };
    const canvas = {};
    const add = (id, label, attributes) => at("stage").append(figure(canvas[id] = picture(label), label, attributes));
    add("from", "Test image");
    add("start", "Decoded");
    add("result", "On the way", { class: "main" });
    add("end", "Decoded");
    add("to", "Test image");
    const share = at("share"), steps = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));
    const strip = steps.map(step => {
      const small = picture("", { "aria-hidden": "true" });
      const go = () => { share.value = step; moved(); };
      const attributes = { type: "button", "aria-label": `Go to ${written(step)}`, onclick: go };
      at("strip").append(element("button", attributes, small));
      return small;
    });
    const point = step => {
      const spherical = document.querySelector("[name=path]:checked").value === "spherical";
      return between(latents[chosen.from.place], latents[chosen.to.place], step, spherical);
    };

    const show = steadily(async () => {
      const step = Number(share.value);
      paint(canvas.result, await decode(point(step)), shape);
      canvas.result.step = step;
    });
    const showAll = steadily(async () => {
      for (const [i, step] of steps.entries()) paint(strip[i], await decode(point(step)), shape);
      paint(canvas.start, strip[0].shown, shape);
      paint(canvas.end, strip.at(-1).shown, shape);
    });
    const moved = () => { at("way").value = written(Number(share.value)); show(); };
    const changed = () => {
      for (const side of ["from", "to"]) paint(canvas[side], chosen[side].values, shape);
      canvas.result.setAttribute("aria-label", `Between ${chosen.from.label} and ${chosen.to.label}`);
      show();
      showAll();
    };
    for (const side of ["from", "to"])
      picker(at(side), images, shape, chosen[side].place, image => { chosen[side] = image; changed(); });
    share.addEventListener("input", moved);
    at("path").addEventListener("change", changed);
    changed();
  }

  // ── Class arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────

  function setUpArithmetic() {
    const SIGNS = [1, -1, 1];
    const terms = SIGNS.map((sign, i) => {
      const mean = picture(""), weight = element("output", {}, "1");
      const options = names.map((name, place) => element("option", { value: place }, name));
      const select = element("select", { "aria-label": `Class ${"abc"[i]}` }, options);
      const range = { type: "range", min: 0, max: 2, step: 0.05, value: 1 };
      const slider = element("input", { ...range, "aria-label": `Weight of class ${"abc"[i]}` });
      select.addEventListener("change", () => changed());
      slider.addEventListener("input", () => { weight.value = written(Number(slider.value)); show(); });
      if (i || sign < 0) at("sum").append(element("span", { class: "sign" }, sign < 0 ? "−" : "+"));
      at("sum").append(element("figure", {}, mean, select, element("span", { class: "slide" }, slider, weight)));
      return { sign, mean, select, slider, weight };
    });
    const result = picture("The sum, decoded"), nearest = picture("Nearest test image"), name = element("b");
    at("sum").append(
      element("span", { class: "sign equals" }, "="),
      figure(result, "Decoded", { class: "result" }),
      figure(nearest, ["Nearest: ", name]),
    );
    const meanOf = term => means[Number(term.select.value)];

    const show = steadily(async () => {
      const sum = new Float32Array(dimensions);
      for (const term of terms) {
        const weight = term.sign * Number(term.slider.value);
        meanOf(term).forEach((value, i) => { sum[i] += weight * value; });
      }
      paint(result, await decode(sum), shape);
      const distances = latents.map(latent => meanSquare(latent, sum));
      const best = images[distances.indexOf(Math.min(...distances))];
      paint(nearest, best.values, shape);
      name.textContent = best.label;
    });
    const showMeans = steadily(async () => {
      for (const term of terms) paint(term.mean, await decode(meanOf(term)), shape);
    });
    const changed = () => {
      for (const term of terms) term.mean.setAttribute("aria-label", `Mean of ${names[term.select.value]}, decoded`);
      show();
      showMeans();
    };
    const take = triple => {
      terms.forEach((term, i) => { term.select.value = triple[i]; term.slider.value = 1; term.weight.value = "1"; });
      changed();
    };
    for (const triple of triples) {
      const [a, b, c] = triple.map(place => names[place]);
      at("presets").append(element("button", { type: "button", onclick: () => take(triple) }, `${a} − ${b} + ${c}`));
    }
    take(triples[0]);
  }

  withModels(async () => {
    decoder = (await load(model)).decode;
    return chooseBackend(() => decode(latents[0]));
  }).then(runs => {
    if (!runs) return;
    setUpWalk();
    setUpArithmetic();
  });
}
