"use strict";
// Samples: latents drawn from a normal distribution or from a mixture of them, and decoded.
{
  const { shape, densities, models, rows: all } = explore, at = id => document.getElementById(id);
  const COUNT = 6, decoders = {};
  const loaded = () => all.filter(row => decoders[row.model]);
  let seed = 1;

  const mixtures = Object.fromEntries(Object.entries(densities).map(([name, { dimensions, weights, means, factors }]) =>
    [name, { dimensions, weights, means: halves(means), factors: halves(factors) }]));

  // One latent: the same noise at every temperature
  function latent({ model, kind }, i, temperature) {
    const { dimensions, weights, means, factors } = mixtures[model];
    const noise = normal(dimensions, 7919 * seed + i).map(value => value * Math.sqrt(temperature));
    if (kind === "prior") return noise;
    let left = randomly(104729 * seed + i)() * weights.reduce((sum, weight) => sum + weight), k = 0;
    while (k < weights.length - 1 && left > weights[k]) left -= weights[k++];
    const half = dimensions * (dimensions + 1) / 2;
    return noise.map((_, row) => {
      let sum = means[k * dimensions + row];
      const from = k * half + row * (row + 1) / 2;
      for (let column = 0; column <= row; column++) sum += factors[from + column] * noise[column];
      return sum;
    });
  }

  async function images(row, temperature) {
    const { dimensions } = mixtures[row.model], values = new Float32Array(COUNT * dimensions);
    for (let i = 0; i < COUNT; i++) values.set(latent(row, i, temperature), i * dimensions);
    const made = (await decoders[row.model].run({ values, shape: [COUNT, dimensions] })).values, size = made.length / COUNT;
    return Array.from({ length: COUNT }, (_, i) => made.slice(i * size, (i + 1) * size));
  }

  let next = 0;
  const show = steadily(async waiting => {
    const temperature = Number(at("temperature").value), start = performance.now(), rows = loaded();
    for (let done = 0; done < rows.length; done++) { // a row that waits while the slider moves is the first of the next turn
      if (done && waiting() && performance.now() - start > 40) return;
      const row = rows[next++ % rows.length];
      (await images(row, temperature)).forEach((values, i) => paint(row.canvases[i], values, shape));
    }
    at("rows").dataset.temperature = temperature; // all rows show it
  });

  async function take(model) { decoders[model] = (await load(models[model].file)).decode; }

  function offer(row, place) {
    const waiting = element("button", { type: "button", class: "load" }, `Load ${megabytes(models[row.model].bytes)}`);
    waiting.addEventListener("click", async () => {
      waiting.disabled = true;
      try { await take(row.model); waiting.remove(); show(); } catch (e) { waiting.textContent = e.message; waiting.disabled = false; }
    });
    place.append(waiting);
  }

  function setUp() {
    for (const row of all) {
      row.canvases = Array.from({ length: COUNT }, (_, i) => picture(`${row.title}: sample ${i + 1}`));
      const distance = row.distance == null ? "" : `Fréchet distance ${row.distance.toFixed(2)}`;
      const place = element("div", {}, row.canvases);
      at("rows").append(element("figure", { class: "samples" },
        element("figcaption", {}, element("b", {}, row.title), distance), place));
      if (!decoders[row.model]) offer(row, place);
    }
    at("temperature").addEventListener("input", () => { at("degrees").value = written(Number(at("temperature").value)); show(); });
    at("again").addEventListener("click", () => { seed++; show(); });
    show();
    explain(atZero, nearest, atTwo);
  }

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────

  const each = async say => (await loaded().reduce(async (said, row) => [...await said, await say(row)], [])).join(" ");
  const different = found => new Set(found.map(values => Array.from(values, value => Math.round(value * 100)).join())).size;

  const atZero = () => each(async row => {
    const count = different(await images(row, 0));
    return `${row.title}: ${count === 1 ? "one image, six times" : `${count} images among six`}.`;
  }).then(said => `${said} Without variance a prior is one point, and a mixture the means of its Gaussians.`);

  const nearest = () => {
    const order = all.filter(row => row.distance != null).sort((a, b) => a.distance - b.distance);
    return `By the Fréchet distance of many more samples than these: ${order.map(row => `${row.title} (${row.distance.toFixed(2)})`).join("; then ")}.`;
  };

  const atTwo = () => each(async row => {
    const share = async temperature => {
      const all = (await images(row, temperature)).flatMap(values => [...values]);
      return all.filter(value => value <= .01 || value >= .99).length / all.length;
    };
    const [one, two] = [await share(1), await share(2)];
    return `${row.title}: ${(100 * two).toFixed(1)} % of the numbers are black or white through and through, ${(100 * one).toFixed(1)} % at 1.`;
  }).then(said => `Latents lie √2 times as far from their centres as at 1, where the decoder has met few images or none. ${said}`);

  withModels(async () => {
    for (const model in models) if (models[model].atOnce) await take(model);
  }).then(runs => { if (runs) setUp(); });
}
