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

  const svg = (tag, attributes, ...children) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const all = [...curve.map(([, quality]) => quality), ...points.map(({ quality }) => quality)];
  const low = Math.floor(Math.min(...all)), high = Math.ceil(Math.max(...all));
  const x = size => 44 + Math.log(size) / Math.log(Math.max(count, ...points.map(each => each.size))) * 540;
  const y = quality => 160 - (quality - low) / (high - low) * 148;
  const cursor = svg("line", { class: "cursor", y1: 8, y2: 164 });

  function drawCurve() {
    const text = (where, anchor, words) => svg("text", { ...where, "text-anchor": anchor }, words);
    at("course").append(
      ...[low, Math.round((low + high) / 2), high].flatMap(value => [
        svg("line", { class: "grid", x1: 44, x2: 592, y1: y(value), y2: y(value) }),
        text({ x: 38, y: y(value) + 4 }, "end", `${value} dB`),
      ]),
      ...[1, 4, 16, 64].filter(size => size <= count).map(size => text({ x: x(size), y: 182 }, "middle", String(size))),
      text({ x: 592, y: 182 }, "end", "size"),
      svg("path", { class: "held", d: curve.map(([size, quality], i) => `${i ? "L" : "M"}${x(size).toFixed(1)} ${y(quality).toFixed(1)}`).join("") }),
      cursor,
      ...points.map(({ title, size, quality }) => svg("g", {}, svg("circle", { cx: x(size), cy: y(quality), r: 4.5 }),
        text({ x: x(size) - 8, y: y(quality) + 4 }, "end", title))),
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
    cursor.setAttribute("x1", x(size));
    cursor.setAttribute("x2", x(size));
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

  function decibelMore() {
    const from = Math.min(64, Math.floor(count / 3)), start = qualityOf(from);
    let size = from;
    while (size < count && qualityOf(size) < start + 1) size++;
    return size < count ? `From ${from} components, one more decibel takes ${size - from} more numbers; each further one takes more, since the `
      + "strongest directions come first." : `More than there are here, from ${from} components on.`;
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
