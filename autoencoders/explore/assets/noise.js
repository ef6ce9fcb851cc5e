"use strict";
// The same noisy image through every denoiser, side by side.
{
  const { shape, smoothing } = explore, images = gallery(explore.gallery), at = id => document.getElementById(id);
  const programs = {}; // of the models that are loaded
  let image = images[0], seed = 1, noise = normal(image.values.length, seed), next = 0;

  async function restored(name, values) {
    const { encode, decode } = programs[name];
    return (await decode.run(await encode.run({ values, shape: [1, ...shape] }))).values;
  }

  // The strength that suits a noise level: between those that were chosen on validation images
  function strength(sigma) {
    const sigmas = [0, ...smoothing.sigmas], weights = [0, ...smoothing.weights], last = sigmas.length - 1;
    if (sigma >= sigmas[last]) return weights[last] * sigma / sigmas[last];
    const i = sigmas.findIndex(level => level > sigma), share = (sigma - sigmas[i - 1]) / (sigmas[i] - sigmas[i - 1]);
    return weights[i - 1] + share * (weights[i] - weights[i - 1]);
  }

  // ── The panels ────────────────────────────────────────────────────────────────────────────────────────────────────

  const panels = {};
  function panel(name, title, make) {
    const canvas = picture(title), note = element("span", { class: "score" });
    const caption = element("figcaption", {}, element("b", {}, title), note);
    const holder = element("figure", {}, canvas, caption);
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
    paint(panels.clean.canvas, image.values, shape);
    paint(panels.noisy.canvas, seen, shape);
    score(panels.noisy, seen);
    const makers = Object.values(panels).filter(each => each.make);
    for (let done = 0; done < makers.length; done++) { // who waits while the slider moves is the first of the next turn
      if (waiting() && performance.now() - start > 60) return;
      const one = makers[next++ % makers.length], values = await one.make(seen, sigma);
      paint(one.canvas, values, shape);
      score(one, values);
      await pause();
    }
    at("outputs").dataset.sigma = sigma; // all panels show this level
  });

  // ── Loading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  const megabytes = size => `${(size / 1e6).toFixed(1)} MB`;

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
    const attributes = { type: "button", class: "load", onclick: go, "aria-label": `Load ${model.title}, ${size}` };
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
    at("notes").textContent = explore.notes;
    for (const model of explore.models) if (!programs[model.name]) offer(model);
    offerAll();
    changed();
  }

  withModels(async () => {
    panel("clean", "Test image");
    panel("noisy", "With noise");
    panel("tv", "Total variation", (values, sigma) => totalVariation(values, shape, strength(sigma)));
    for (const model of explore.models) panel(model.name, model.title);
    for (const model of explore.models.filter(each => each.atOnce)) await take(model);
    const [first] = Object.keys(programs);
    return chooseBackend(() => restored(first, image.values));
  }).then(runs => { if (runs) setUp(); });
}
