"use strict";
// Between two images, and between classes: a decoder alone, for where the images lie is known.
{
  const { model, shape, dimensions, triples, opening } = explore, tests = gallery(explore.gallery);
  const pair = gallery(opening.images).map(image => ({ ...image, place: image.place + tests.length }));
  const images = [...tests, ...pair]; // the pair that it opens on is of validation images
  const points = text => {
    const all = floats(text);
    const point = (_, i) => all.subarray(i * dimensions, (i + 1) * dimensions);
    return Array.from({ length: all.length / dimensions }, point);
  };
  const latents = [...points(explore.latents), ...points(opening.latents)], means = points(explore.means);
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
    const chosen = { from: pair[0], to: pair[1] };
    const canvas = {};
    const add = (id, label, attributes) => at("stage").append(figure(canvas[id] = picture(label), label, attributes));
    add("from", "Image");
    add("start", "Decoded");
    add("result", "On the way", { class: "main" });
    add("end", "Decoded");
    add("to", "Image");
    at("opening").textContent = opening.said;
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
    explain(oneOrTwo, contrastOfArc, pace);

    // ── What is to be seen ──────────────────────────────────────────────────────────────────────────────────────────

    const along = (step, spherical = false) =>
      decode(between(latents[chosen.from.place], latents[chosen.to.place], step, spherical));
    const distance = (a, b) => Math.sqrt(meanSquare(a, b));
    const percent = share => `${Math.round(100 * share)} %`;

    async function oneOrTwo() {
      const [start, middle, end] = [await along(0), await along(.5), await along(1)];
      const share = distance(middle, start.map((value, i) => (value + end[i]) / 2)) / distance(start, end);
      return `Measure it by the average of the two decoded ends, which shows both at once: the middle of the straight line `
        + `differs from that by ${percent(share)} of what the ends differ from each other. Zero would be a mere cross-fade`
        + `${share < .1 ? ", and this is hardly more." : "."}`;
    }

    async function contrastOfArc() {
      const spread = values => {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return Math.sqrt(meanSquare(values, values.map(() => mean)));
      };
      const [line, arc] = [spread(await along(.5)), spread(await along(.5, true))];
      return `${Math.abs(line - arc) < 5e-4 ? "Neither" : line < arc ? "The arc’s" : "The straight line’s"}: pixels deviate from `
        + `their mean by ${line.toFixed(3)} on the line and by ${arc.toFixed(3)} on the arc, which stays as far from the `
        + "origin as its ends are.";
    }

    async function pace() {
      const frames = [];
      for (const step of steps) frames.push(await along(step));
      const strides = frames.slice(1).map((frame, i) => distance(frame, frames[i]));
      const most = Math.max(...strides), mean = strides.reduce((sum, stride) => sum + stride) / strides.length;
      return `On the straight line, the longest of the eight strides of the strip is ${(most / mean).toFixed(2)} times the mean `
        + `one, from ${written(steps[strides.indexOf(most)])} to ${written(steps[strides.indexOf(most) + 1])}. At an even pace it would be 1.`;
    }
  }

  // ── Class arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────

  function setUpArithmetic() {
    const SIGNS = [1, -1, 1];
    let turn = 0; // which of a class's images are taken
    const terms = SIGNS.map((sign, i) => {
      const weight = element("output", {}, "1");
      const options = names.map((name, place) => element("option", { value: place }, name));
      const select = element("select", { "aria-label": `Class ${"abc"[i]}` }, options);
      const range = { type: "range", min: 0, max: 2, step: 0.05, value: 1 };
      const slider = element("input", { ...range, "aria-label": `Weight of class ${"abc"[i]}` });
      select.addEventListener("change", () => changed());
      slider.addEventListener("input", () => { weight.value = written(Number(slider.value)); show(); });
      return { sign, select, slider, weight, controls: [select, element("span", { class: "slide" }, slider, weight)] };
    });
    const imageOf = (term, i) => {
      const own = tests.filter(image => image.kind === explore.kinds[term.select.value]);
      return own.length ? own[(turn + i) % own.length] : tests[(turn + i) % tests.length];
    };
    const ways = { // what a term stands for in each of the two sums
      means: term => means[Number(term.select.value)],
      singles: (term, i) => latents[imageOf(term, i).place],
    };
    const rows = Object.fromEntries(Object.keys(ways).map(way => {
      const row = { shown: terms.map(() => picture("")), result: picture("The sum, decoded"), nearest: picture("Nearest test image"), name: element("b") };
      terms.forEach((term, i) => {
        if (i) at(way).append(element("span", { class: "sign" }, term.sign < 0 ? "−" : "+"));
        at(way).append(element("figure", {}, row.shown[i], way === "means" ? term.controls : []));
      });
      at(way).append(
        element("span", { class: "sign equals" }, "="),
        figure(row.result, "Decoded", { class: "result" }),
        figure(row.nearest, ["Nearest: ", row.name]),
      );
      return [way, row];
    }));

    const show = steadily(async () => {
      for (const [way, row] of Object.entries(rows)) {
        const sum = new Float32Array(dimensions);
        terms.forEach((term, i) => {
          const weight = term.sign * Number(term.slider.value);
          ways[way](term, i).forEach((value, d) => { sum[d] += weight * value; });
        });
        paint(row.result, await decode(sum), shape);
        const own = way === "singles" ? terms.map((term, i) => imageOf(term, i)) : []; // which are nearest to no purpose
        const distances = tests.map(image => own.includes(image) ? Infinity : meanSquare(latents[image.place], sum));
        const best = tests[distances.indexOf(Math.min(...distances))];
        paint(row.nearest, best.values, shape);
        row.name.textContent = best.label;
      }
    });
    const showTerms = steadily(async () => {
      for (const [i, term] of terms.entries()) {
        paint(rows.means.shown[i], await decode(ways.means(term)), shape);
        paint(rows.singles.shown[i], imageOf(term, i).values, shape);
      }
    });
    const changed = () => {
      terms.forEach((term, i) => {
        rows.means.shown[i].setAttribute("aria-label", `Mean of ${names[term.select.value]}, decoded`);
        rows.singles.shown[i].setAttribute("aria-label", `A test image: ${imageOf(term, i).label}`);
      });
      show();
      showTerms();
    };
    const take = triple => {
      terms.forEach((term, i) => { term.select.value = triple[i]; term.slider.value = 1; term.weight.value = "1"; });
      changed();
    };
    for (const triple of triples) {
      const [a, b, c] = triple.map(place => names[place]);
      at("presets").append(element("button", { type: "button", onclick: () => take(triple) }, `${a} − ${b} + ${c}`));
    }
    at("others").addEventListener("click", () => { turn++; changed(); });
    at("best").textContent = explore.sum;
    take(triples[0]);
  }

  withModels(async () => {
    decoder = (await load(model)).decode;
  }).then(runs => {
    if (!runs) return;
    setUpWalk();
    setUpArithmetic();
  });
}
