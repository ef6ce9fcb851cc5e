"use strict";
// A small denoiser that learns here: patches through two layers down to a bottleneck, and two layers back.
{
  const at = id => document.getElementById(id);
  const PATCH = 8, HIDDEN = 64, BATCH = 96, LOOK = 20; // steps from one look at held-out images to the next
  const [count, height, width, channels] = explore.train.shape, INPUTS = PATCH * PATCH * channels;
  const whole = ({ shape, pixels }) => Float32Array.from(new Uint8Array(bytes(pixels)).subarray(0, shape.reduce((a, b) => a * b)), value => value / 255);
  const lessons = whole(explore.train), heldOut = whole(explore.held_out), held = explore.held_out.shape[0];
  const size = height * width * channels, one = i => heldOut.subarray(i * size, (i + 1) * size);

  // ── Patches of images ─────────────────────────────────────────────────────────────────────────────────────────────

  // Each number of a patch as a place in the image
  const inside = Array.from({ length: INPUTS }, (_, i) => {
    const row = Math.floor(i / (PATCH * channels)), rest = i % (PATCH * channels);
    return row * width * channels + rest;
  });
  const corners = length => Array.from({ length: Math.ceil((length - PATCH) / (PATCH / 2)) + 1 }, (_, i) => Math.min(i * PATCH / 2, length - PATCH));
  const places = corners(height).flatMap(y => corners(width).map(x => (y * width + x) * channels));

  const covers = new Float32Array(size); // how many patches show a number
  for (const start of places) for (const place of inside) covers[start + place]++;

  function cut(images, starts) {
    const patches = new Float32Array(starts.length * INPUTS);
    for (let n = 0, at = 0; n < starts.length; n++)
      for (let i = 0; i < INPUTS; i++) patches[at++] = images[starts[n] + inside[i]] - .5;
    return tf.tensor(patches, [starts.length, INPUTS]);
  }

  // ── The network, by hand: what tf computes is products of matrices ────────────────────────────────────────────────

  class Network {
    constructor(bottleneck, seed) {
      const sizes = [INPUTS, HIDDEN, bottleneck, HIDDEN, INPUTS];
      this.layers = sizes.slice(1).map((outputs, i) => {
        const inputs = sizes[i], start = normal(inputs * outputs, seed + i).map(value => value * Math.sqrt((i % 2 ? 1 : 2) / inputs));
        return { shape: [inputs, outputs], weight: adaptive(start), bias: adaptive(new Float32Array(outputs)), bent: i % 2 === 0 };
      });
      this.steps = 0;
    }

    forward(x) { // all layers' outputs; every second layer is rectified
      return this.layers.reduce((made, { shape, weight, bias, bent }) => {
        const y = tf.add(tf.matMul(made.at(-1), tf.tensor(weight.values, shape)), tf.tensor(bias.values));
        return [...made, bent ? tf.relu(y) : y];
      }, [x]);
    }

    apply(x) {
      let made; // which `tidy` mustn't return: it would look for tensors among all the numbers
      tf.tidy(() => { made = this.forward(x).at(-1).dataSync(); });
      x.dispose();
      return made;
    }

    // One step down the gradient of the mean squared error; returns the error before it
    learn(x, wanted, rate) {
      this.steps++;
      return tf.tidy(() => {
        const made = this.forward(x), apart = tf.sub(made.at(-1), wanted);
        let slope = tf.mul(apart, 2 / apart.size);
        const slopes = [];
        for (let i = this.layers.length - 1; i >= 0; i--) {
          const { shape, weight, bent } = this.layers[i];
          if (bent) slope = tf.mul(slope, tf.cast(tf.greater(made[i + 1], 0), "float32"));
          slopes[i] = [tf.matMul(made[i], slope, true, false).dataSync(), tf.sum(slope, 0).dataSync()];
          if (i) slope = tf.matMul(slope, tf.tensor(weight.values, shape), false, true);
        }
        this.layers.forEach(({ weight, bias }, i) => [weight, bias].forEach((part, k) => adapt(part, slopes[i][k], rate, this.steps)));
        return tf.mean(tf.square(apart)).dataSync()[0];
      });
    }
  }

  const adaptive = values => ({ values, mean: new Float32Array(values.length), square: new Float32Array(values.length) });

  function adapt({ values, mean, square }, slopes, rate, step) { // Adam
    const first = 1 - .9 ** step, second = 1 - .99 ** step;
    for (let i = 0; i < values.length; i++) {
      mean[i] += .1 * (slopes[i] - mean[i]);
      square[i] += .01 * (slopes[i] ** 2 - square[i]);
      values[i] -= rate * mean[i] / first / (Math.sqrt(square[i] / second) + 1e-8);
    }
  }

  // ── The course of one training ────────────────────────────────────────────────────────────────────────────────────

  const decibels = error => -10 * Math.log10(error);
  const sigma = () => Number(at("sigma").value), rate = () => Number(at("rate").value);
  const noises = Array.from({ length: held }, (_, i) => normal(size, 1000 + i)); // of each held-out image
  const all = []; // the trainings so far
  let network, random, course, running = false;

  function restart() {
    random = randomly(1);
    network = new Network(Number(at("bottleneck").value), 7);
    const seen = noises.map((noise, i) => noisy(one(i), noise, sigma()));
    course = { sigma: sigma(), bottleneck: Number(at("bottleneck").value), rate: rate(), seen, train: [], held: [] };
    course.before = mean(seen.map((values, i) => decibels(meanSquare(values, one(i)))));
    all.push(course);
    look();
  }
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

  function denoised(images) { // all at once
    const joined = new Float32Array(images.length * size), sum = new Float32Array(joined.length);
    images.forEach((values, i) => joined.set(values, i * size));
    const starts = images.flatMap((_, i) => places.map(place => i * size + place)), made = network.apply(cut(joined, starts));
    for (let n = 0, at = 0; n < starts.length; n++)
      for (let i = 0; i < INPUTS; i++) sum[starts[n] + inside[i]] += made[at++];
    const whole = sum.map((value, i) => Math.min(1, Math.max(0, value / covers[i % size] + .5)));
    return images.map((_, i) => whole.subarray(i * size, (i + 1) * size));
  }

  function look() {
    const made = denoised(course.seen);
    const after = mean(made.map((values, i) => decibels(meanSquare(values, one(i)))));
    course.held.push([network.steps, after]);
    at("steps").textContent = network.steps;
    at("before").textContent = inDecibels(course.before);
    at("after").textContent = inDecibels(after);
    at("gain").textContent = `${(after - course.before).toFixed(1).replace("-", "−")} dB`;
    shown.forEach(({ input, output }, i) => {
      paint(input, course.seen[i], [height, width, channels]);
      paint(output, made[i], [height, width, channels]);
    });
    drawCourse();
  }

  function step() {
    const starts = Array.from({ length: BATCH }, () => {
      const [image, y, x] = [count, height - PATCH + 1, width - PATCH + 1].map(n => Math.floor(random() * n));
      return image * size + (y * width + x) * channels;
    });
    const error = tf.tidy(() => {
      const clean = cut(lessons, starts), values = clean.dataSync();
      const noise = normal(values.length, Math.floor(random() * 2 ** 31));
      const seen = tf.tensor(values.map((value, i) => Math.min(.5, Math.max(-.5, value + course.sigma * noise[i]))), clean.shape);
      return network.learn(seen, clean, rate());
    });
    course.rate = rate();
    course.train.push([network.steps, decibels(error)]);
    if (network.steps % LOOK === 0) look();
  }

  async function run() {
    while (running) {
      const until = performance.now() + 40;
      do step(); while (running && performance.now() < until);
      at("steps").textContent = network.steps;
      await new Promise(done => setTimeout(done)); // buttons are heard between
    }
  }

  // ── What is shown ─────────────────────────────────────────────────────────────────────────────────────────────────

  const chart = new DecibelChart(at("course"));

  function drawCourse() {
    const last = Math.max(100, network.steps), shares = points => points.map(([step, value]) => [step / last, value]);
    const smooth = course.train.filter((_, i) => i % 5 === 4).map(([at], i) => [at, mean(course.train.slice(5 * i, 5 * i + 5).map(([, value]) => value))]);
    const values = [...course.held, ...smooth].map(([, value]) => value).concat(course.before).filter(Number.isFinite);
    chart.span(Math.max(Math.min(...values), course.before - 6), Math.max(...values) + .5);
    at("course").replaceChildren(
      ...chart.grid(),
      chart.below(0, "start", "0"), chart.below(.5, "middle", Math.round(last / 2)), chart.below(1, "end", `${last} steps`),
      chart.line([[0, course.before], [1, course.before]], "before"),
      chart.line(shares(smooth), "train"), chart.line(shares(course.held), "held"),
    );
    at("course").setAttribute("aria-label", `PSNR by step: noisy ${inDecibels(course.before)}, after ${network.steps} steps ${inDecibels(course.held.at(-1)[1])}`);
  }

  const shown = [];
  function setUp() {
    for (let i = 0; i < Math.min(6, held); i++) {
      const [clean, input, output] = ["Clean", "Noisy", "Denoised"].map(name => picture(`${name} image ${i + 1}`));
      shown.push({ input, output });
      at("lessons").append(element("figure", {}, clean, input, output));
      paint(clean, one(i), [height, width, channels]);
    }
    at("sigma").value = explore.sigma;
    const showLevel = () => { at("level").value = written(sigma()); };
    showLevel();
    at("sigma").addEventListener("input", () => { showLevel(); restart(); });
    at("bottleneck").addEventListener("change", restart);
    at("restart").addEventListener("click", restart);
    at("run").addEventListener("click", () => {
      running = !running;
      at("run").textContent = running ? "Stop" : "Start";
      if (running) run();
    });
    restart();
    explain(soonBetter, byBottleneck, byRate);
  }

  // ── What is to be seen ────────────────────────────────────────────────────────────────────────────────────────────

  const tried = () => all.filter(each => each.train.length);
  const best = each => Math.max(...each.held.map(([, value]) => value));

  function soonBetter() {
    const run = tried().at(-1);
    if (!run) return "Press Start first.";
    const found = run.held.find(([steps, value]) => steps && value > run.before);
    return found ? `Within ${found[0]} steps, which are ${found[0] * BATCH} patches; the best so far is ${inDecibels(best(run))}, where the noisy images have ${inDecibels(run.before)}.`
      : `Not yet: after ${run.train.length} steps it has ${inDecibels(run.held.at(-1)[1])}, the noisy images ${inDecibels(run.before)}.`;
  }

  function compared(name, unit) {
    const known = new Map();
    for (const each of tried().filter(each => each.sigma === course.sigma)) known.set(each[name], Math.max(best(each), known.get(each[name]) ?? -Infinity));
    const said = [...known].sort(([a], [b]) => a - b).map(([value, quality]) => `${value}: ${inDecibels(quality)}`).join("; ");
    return known.size > 1 ? `The best of each ${unit} so far, at σ = ${written(course.sigma)} – ${said}.`
      : `Only one ${unit} was tried so far${said && ` (${said})`}: try another.`;
  }
  const byBottleneck = () => `${compared("bottleneck", "bottleneck")} A narrow one can’t hold a patch; a wide one lets more noise through, too.`;
  const byRate = () => {
    const strides = course.held.slice(1).map(([, value], i) => value - course.held[i][1]), back = strides.filter(stride => stride < 0).length;
    return `${compared("rate", "learning rate")} In this run, ${back} of ${strides.length} looks at held-out images found them worse than the look before.`;
  };

  withModels(() => {}).then(runs => { if (runs) setUp(); });
}
