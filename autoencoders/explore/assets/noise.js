"use strict";
// The same noisy image through every denoiser, side by side.
{
  const { shape, smoothing } = explore, images = gallery(explore.gallery), at = id => document.getElementById(id);
  const programs = {}; // of the models that are loaded
  let image = images[0], seed = 1, noise = normal(image.values.length, seed), next = 0;

  async function restored(name, values) {
    const { encode, decode, forward } = programs[name], input = { values, shape: [1, ...shape] };
    return (await (forward ? forward.run(input) : decode.run(await encode.run(input)))).values;
  }

  // The strength that suits a noise level: between those that were chosen on validation images
  function strength(sigma) {
    const sigmas = [0, ...smoothing.sigmas], weights = [0, ...smoothing.weights], last = sigmas.length - 1;
    if (sigma >= sigmas[last]) return weights[last] * sigma / sigmas[last];
    const i = sigmas.findIndex(level => level > sigma), share = (sigma - sigmas[i - 1]) / (sigmas[i] - sigmas[i - 1]);
    return weights[i - 1] + share * (weights[i] - weights[i - 1]);
  }

  // ── The panels ────────────────────────────────────────────────────────────────────────────────────────────────────

  const panels = {}, titles = {};
  function panel(name, title, make) {
    const canvas = picture(title), note = element("span", { class: "score" });
    const caption = element("figcaption", {}, element("b", {}, title), note);
    const holder = element("figure", {}, canvas, caption);
    titles[name] = title;
    panels[name] = { canvas, note, holder, make, score: null };
    at("outputs").append(holder);
    return panels[name];
  }

  function score(one, values) {
    one.score = psnr(values, image.values);
    one.note.textContent = inDecibels(one.score);
    const denoisers = Object.values(panels).filter(each => each.score !== null && each.make);
    const best = Math.max(...denoisers.map(each => each.score));
    for (const each of denoisers) each.holder.classList.toggle("best", each.score === best);
  }

  const pause = () => new Promise(done => { // so that a slider's next move is heard; a timer would wait for longer
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });

  const show = steadily(async waiting => {
    const sigma = Number(at("sigma").value), seen = noisy(image.values, noise, sigma), start = performance.now();
    let rested = start;
    paint(panels.clean.canvas, image.values, shape);
    paint(panels.noisy.canvas, seen, shape);
    score(panels.noisy, seen);
    const makers = Object.values(panels).filter(each => each.make);
    for (let done = 0; done < makers.length; done++) { // who waits while the slider moves is the first of the next turn
      if (waiting() && performance.now() - start > 60) return;
      const one = makers[next++ % makers.length], values = await one.make(seen, sigma);
      paint(one.canvas, values, shape);
      score(one, values);
      if (performance.now() - rested < 16) continue; // each rest is a frame, which is drawn
      await pause();
      rested = performance.now();
    }
    at("outputs").dataset.sigma = sigma; // all panels show this level
  });

  // ── Loading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async function take(model) {
    programs[model.name] = await load(model.name);
    panels[model.name].make = values => restored(model.name, values);
    panels[model.name].button?.remove();
    offerAll();
  }

  function offer(model) {
    const one = panels[model.name];
    const go = async () => {
      one.button.disabled = true;
      try { await take(model); show(); } catch (e) { one.note.textContent = e.message; one.button.disabled = false; }
    };
    const size = megabytes(model.bytes);
    const attributes = { type: "button", class: "load", onclick: go, "aria-label": `Load ${size}: ${model.title}` };
    one.button = element("button", attributes, "Load", element("br"), size);
    one.holder.prepend(one.button);
  }

  function offerAll() {
    const missing = explore.models.filter(model => !programs[model.name]);
    at("all").hidden = !missing.length;
    at("all").textContent = `Load the others (${megabytes(missing.reduce((sum, model) => sum + model.bytes, 0))})`;
  }

  function setUp() {
    const changed = () => { noise = normal(image.values.length, seed); delete at("outputs").dataset.sigma; show(); };
    picker(at("image"), images, shape, image.place, chosen => { image = chosen; changed(); });
    const showLevel = () => { at("level").value = written(Number(at("sigma").value)); };
    at("sigma").max = Math.max(at("sigma").max, 2 * explore.sigma);
    at("sigma").value = explore.sigma;
    showLevel();
    at("sigma").addEventListener("input", () => { showLevel(); show(); });
    at("again").addEventListener("click", () => { seed++; changed(); });
    at("all").addEventListener("click", () => {
      for (const each of document.querySelectorAll("button.load:enabled")) each.click();
    });
    at("notes").append(...explore.notes.map(note => element("li", {}, note)));
    for (const model of explore.models) if (!programs[model.name]) offer(model);
    offerAll();
    changed();
  }

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────

  // How well the differences between neighbouring pixels agree with the clean image's: their correlation
  function edges(values) {
    const [height, width, channels] = shape, row = width * channels;
    let both = 0, own = 0, clean = 0;
    for (let i = 0; i < values.length; i++) {
      for (const step of [i % row < row - channels && channels, i < (height - 1) * row && row]) {
        if (!step) continue;
        const a = values[i + step] - values[i], b = image.values[i + step] - image.values[i];
        both += a * b; own += a * a; clean += b * b;
      }
    }
    return both / Math.sqrt(own * clean || 1);
  }

  // What each denoiser that is loaded makes of this image at a level, the best first
  async function ranked(sigma, judge) {
    const seen = noisy(image.values, noise, sigma), found = [];
    for (const [name, { make }] of Object.entries(panels)) {
      if (make) found.push({ title: titles[name], value: judge(await make(seen, sigma)) });
    }
    return found.sort((a, b) => b.value - a.value);
  }
  const quality = values => psnr(values, image.values);

  async function keepsEdges() {
    const [best, ...rest] = await ranked(.5, edges), worst = rest.at(-1);
    return `At σ = 0.5, ${best.title} keeps most of the edges of this image: differences between neighbouring pixels `
      + `agree with the clean ones’ by ${written(best.value)} (1: all the same), those of ${worst.title} by `
      + `${written(worst.value)} and of the noisy image by ${written(edges(noisy(image.values, noise, .5)))}.`;
  }

  async function costsCleanImages() {
    const [best, ...rest] = await ranked(0, quality), worst = rest.at(-1);
    const told = smoothing ? "Total variation and the linear denoiser are" : "The linear denoiser is";
    return `Nothing would be lost by leaving the image alone. ${best.title} comes closest to that, at `
      + `${inDecibels(best.value)}; ${worst.title} is furthest from it, at ${inDecibels(worst.value)}. What is lost is what a `
      + `denoiser takes for noise, or what its bottleneck doesn’t hold. ${told} told σ; the networks aren’t.`;
  }

  async function bestByLevel() {
    const levels = [.05, .1, .2, .3, .4, .5], best = [];
    for (const sigma of levels) best.push((await ranked(sigma, quality))[0].title);
    const said = levels.map((sigma, i) => `${written(sigma)}: ${best[i]}`).join("; ");
    return `${new Set(best).size > 1 ? "No" : "Yes, on this image"}. The best by σ – ${said}.`;
  }

  withModels(async () => {
    panel("clean", "Test image");
    panel("noisy", "With noise");
    if (smoothing) panel("tv", "Total variation", (values, sigma) => totalVariation(values, shape, strength(sigma)));
    panel("linear", "Linear, few directions", linearDenoiser(explore.linear));
    for (const model of [...explore.models].sort((a, b) => b.atOnce - a.atOnce)) panel(model.name, model.title);
    for (const model of explore.models.filter(each => each.atOnce)) await take(model);
  }).then(runs => {
    if (!runs) return;
    setUp();
    explain(keepsEdges, costsCleanImages, bestByLevel);
  });
}
