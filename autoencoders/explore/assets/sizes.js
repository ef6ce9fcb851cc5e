"use strict";
// A slider over sizes of the latent: principal components of any number, and networks of the sizes that were trained.
{
  const { shape, size: usual } = explore, images = gallery(explore.gallery), at = id => document.getElementById(id);
  const mean = halves(explore.mean), most = halves(explore.most), pixels = mean.length, count = most.length;
  const rows = new Int8Array(bytes(explore.basis)); // a component after the other
  const component = k => rows.subarray(k * pixels, (k + 1) * pixels);
  const models = explore.models.map(model => {
    const all = new Uint8Array(bytes(model.images));
    const output = i => Float32Array.from(all.subarray(i * pixels, (i + 1) * pixels), value => value / 255);
    return { ...model, outputs: images.map((_, i) => output(i)) };
  });
  let image = images[0];

  // ── Principal components ──────────────────────────────────────────────────────────────────────────────────────────

  function coordinates({ values }) {
    return Float32Array.from({ length: count }, (_, k) => {
      let sum = 0;
      const own = component(k);
      for (let i = 0; i < pixels; i++) sum += (values[i] - mean[i]) * own[i];
      return sum * most[k] / 127;
    });
  }
  const known = images.map(coordinates);

  function rebuilt(place, size) {
    const made = Float32Array.from(mean);
    for (let k = 0; k < size; k++) {
      const own = component(k), by = known[place][k] * most[k] / 127;
      for (let i = 0; i < pixels; i++) made[i] += by * own[i];
    }
    return made.map(value => Math.min(1, Math.max(0, value)));
  }

  const average = values => values.reduce((sum, value) => sum + value, 0) / values.length;
  const qualityOf = size => average(images.map(({ values, place }) => psnr(rebuilt(place, size), values)));
  const sizes = [...new Set(Array.from({ length: 25 }, (_, i) => Math.round(count ** (i / 24))))];
  const curve = sizes.map(size => [size, qualityOf(size)]);
  const points = models.map(({ title, size, outputs }) => ({ title, size, quality: average(images.map(({ values, place }) => psnr(outputs[place], values))) }));
  const chosen = () => Math.round(count ** Number(at("size").value));

  // ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────────

  const all = [...curve, ...points.map(({ size, quality }) => [size, quality])];
  const chart = new DecibelChart(at("course")), largest = Math.max(...all.map(([size]) => size));
  chart.span(Math.min(...all.map(([, quality]) => quality)), Math.max(...all.map(([, quality]) => quality)));
  const share = size => Math.log(size) / Math.log(largest);
  const cursor = svg("line", { class: "cursor", y1: chart.y(chart.high), y2: chart.y(chart.low) });

  function drawPoint({ title, size, quality }) { // names of one size stand on two sides of the curve
    const x = chart.x(share(size)), y = chart.y(quality), above = title.startsWith("AE");
    const name = above ? chart.text(x - 8, y - 9, "end", title) : share(size) > .9 ? chart.text(x, y + 20, "end", title) : chart.text(x + 8, y + 18, "start", title);
    return svg("g", {}, svg("circle", { cx: x, cy: y, r: 4.5 }), name);
  }

  function drawCurve() {
    at("course").append(
      ...chart.grid(),
      ...[1, 4, 16, 64].filter(size => size <= count).map(size => chart.below(share(size), "middle", size)),
      chart.below(1, "end", "size"),
      chart.line(curve.map(([size, quality]) => [share(size), quality]), "held"),
      cursor,
      ...points.map(drawPoint),
    );
  }

  const panels = {};
  function panel(name) {
    const canvas = picture(name), title = element("b", {}, name), score = element("span", { class: "score" });
    panels[name] = { canvas, title, score };
    at("outputs").append(element("figure", {}, canvas, element("figcaption", {}, title, score)));
  }
  function fill(name, title, values) {
    const { canvas, title: label, score } = panels[name];
    paint(canvas, values, shape);
    label.textContent = title;
    score.textContent = name === "image" ? image.label : inDecibels(psnr(values, image.values));
  }

  const nearest = (kind, size) => models.filter(({ title }) => title.startsWith(kind))
    .sort((a, b) => Math.abs(Math.log(a.size / size)) - Math.abs(Math.log(b.size / size)))[0];

  const show = steadily(async () => {
    const size = chosen();
    fill("image", "Test image", image.values);
    fill("components", `PCA, ${size}`, rebuilt(image.place, size));
    for (const kind of ["AE", "VAE"]) {
      const model = nearest(kind, size);
      fill(kind, `${model.title} numbers`, model.outputs[image.place]);
    }
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, chart.x(share(size)));
    at("outputs").dataset.size = size; // all of it shows this size
  });

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────

  function few() {
    const kept = average(images.map(({ values, place }) => {
      const whole = meanSquare(values, mean);
      return 1 - meanSquare(rebuilt(place, 16), values) / whole;
    }));
    return `Of what the images differ from the mean image, ${Math.round(100 * kept)} %: colours and coarse shapes, at `
      + `${inDecibels(qualityOf(16))} on average, from 16 numbers in place of ${pixels.toLocaleString("en")}.`;
  }

  function beside() {
    const components = qualityOf(Math.min(usual, count));
    const said = points.filter(each => each.size === usual).map(({ title, quality }) => `${title}: ${quality.toFixed(2)} dB`).join("; ");
    const [ae] = points.filter(each => each.size === usual), apart = ae.quality - components;
    return `On these ${images.length} images, ${said}; ${usual} components: ${components.toFixed(2)} dB. The autoencoder is `
      + `${Math.abs(apart).toFixed(2)} dB ${apart > 0 ? "better" : "worse"} than a matrix product.`;
  }

  // The least size of such a quality, if there is one: quality grows with size
  function sizeOf(quality, from) {
    let [low, high] = [from, count + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (middle > count || qualityOf(middle) >= quality) high = middle; else low = middle + 1;
    }
    return low <= count ? low : null;
  }

  function decibelMore() {
    const from = Math.min(64, Math.floor(count / 3)), start = qualityOf(from);
    const one = sizeOf(start + 1, from), two = one && sizeOf(start + 2, one);
    return one ? `From ${from} components, one more decibel takes ${one - from} more numbers`
      + (two ? `, and the next one ${two - one}.` : `; for the next one, the ${count} of this page don’t suffice.`)
      : `More than there are here, from ${from} components on.`;
  }

  for (const name of ["image", "components", "AE", "VAE"]) panel(name);
  picker(at("image"), images, shape, image.place, picked => { image = picked; show(); });
  const showSize = () => { at("numbers").value = chosen(); };
  at("size").value = Math.log(Math.min(usual, count)) / Math.log(count);
  at("size").addEventListener("input", () => { showSize(); show(); });
  showSize();
  drawCurve();
  show();
  at("playground").hidden = false;
  explain(few, beside, decibelMore);
}
