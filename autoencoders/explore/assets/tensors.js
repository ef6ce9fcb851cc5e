"use strict";
// Trained models in the reader's browser: TensorFlow.js carries out the steps that `measurements/programs.py` wrote.

const models = window.models ??= {}; // each script among the models adds itself

// ── Numbers from text ───────────────────────────────────────────────────────────────────────────────────────────────

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const DIGIT = new Uint8Array(128);
[...ALPHABET].forEach((letter, value) => { DIGIT[letter.charCodeAt(0)] = value; });

// Five letters hold four bytes.
function bytes(text) {
  const words = new Uint32Array(text.length / 5);
  for (let i = 0, at = 0; i < words.length; i++) {
    let word = 0;
    for (const end = at + 5; at < end; at++) word = word * 85 + DIGIT[text.charCodeAt(at)];
    words[i] = word;
  }
  return words.buffer;
}

const floats = text => new Float32Array(bytes(text));

// Half precision: its bits are those of a number 2¹¹² times smaller.
function halves(text) {
  const half = new Uint16Array(bytes(text)), single = new Uint32Array(half.length);
  for (let i = 0; i < half.length; i++) single[i] = (half[i] & 0x8000) << 16 | (half[i] & 0x7fff) << 13;
  return new Float32Array(single.buffer).map(value => value * 2 ** 112);
}

// Eight bits: in each column, 127 stands for the largest value.
function unrounded(whole, most) {
  const made = new Float32Array(whole.length), columns = most.length;
  for (let i = 0; i < made.length; i++) made[i] = whole[i] * most[i % columns] / 127;
  return made;
}

// ── Programs ────────────────────────────────────────────────────────────────────────────────────────────────────────

// A plain number would be taken for kernels that are square
const around = padding => padding ? [[0, 0], [padding, padding], [padding, padding], [0, 0]] : "valid";

const OPERATIONS = { // maps are [N, h, w, C]
  scale: ([x], [], { by, plus }) => by === 1 ? tf.add(x, plus) : plus ? tf.add(tf.mul(x, by), plus) : tf.mul(x, by),
  add: ([x, y]) => tf.add(x, y),
  clamp: ([x], [], { low, high }) => tf.clipByValue(x, low, high),
  gelu: ([x]) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  relu: ([x]) => tf.relu(x),
  sigmoid: ([x]) => tf.sigmoid(x),
  map: ([x]) => tf.reshape(x, [x.shape[0], 1, 1, x.shape[1]]),
  vector: ([x]) => tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [x.shape[0], -1]),
  convolve: ([x], [filter, bias], { stride, padding }) =>
    tf.fused.conv2d({ x, filter, strides: stride, pad: around(padding), bias }),
  "convolve back": ([x], [kernel, bias], { stride, padding, extra }) => {
    const size = [1, 2].map(way => (x.shape[way] - 1) * stride - 2 * padding + kernel.shape[way - 1] + extra[way - 1]);
    return tf.add(tf.conv2dTranspose(x, kernel, [x.shape[0], ...size, bias.shape[0]], stride, around(padding)), bias);
  },
  spread: ([x], [matrix, bias], { patch: [rows, columns] }) => { // each cell becomes a patch
    const [count, height, width, inputs] = x.shape, outputs = bias.shape[0];
    const patches = tf.matMul(tf.reshape(x, [-1, inputs]), matrix);
    const lines = tf.transpose(tf.reshape(patches, [count * height, width, rows, columns * outputs]), [0, 2, 1, 3]);
    return tf.add(tf.reshape(lines, [count, height * rows, width * columns, outputs]), bias);
  },
  repeat: ([x], [], { times, axis }) => {
    const shape = [...x.shape], copies = [1, 1, 1, 1, 1];
    copies[axis + 1] = times;
    shape.splice(axis + 1, 0, 1);
    return tf.reshape(tf.tile(tf.reshape(x, shape), copies), x.shape.map((n, i) => i === axis ? n * times : n));
  },
  place: ([x], [positions]) => tf.add(x, positions),
  normalise: ([x], [weight, bias], { epsilon }) => {
    const mean = tf.mean(x, -1, true), apart = tf.sub(x, mean);
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(apart), -1, true), epsilon));
    return tf.add(tf.mul(tf.mul(apart, scale), weight), bias);
  },
  attend: ([x, mask], [], { heads }) => { // cells hold query, key and value, each for all heads; hidden ones aren't seen
    const [count, height, width, channels] = x.shape, size = channels / 3 / heads;
    const parts = tf.unstack(tf.transpose(tf.reshape(x, [count, height * width, 3, heads, size]), [2, 0, 3, 1, 4]));
    let scores = tf.mul(tf.matMul(parts[0], parts[1], false, true), 1 / Math.sqrt(size));
    if (mask) scores = tf.sub(scores, tf.mul(tf.reshape(mask, [count, 1, 1, height * width]), 1e9));
    const seen = tf.matMul(tf.softmax(scores), parts[2]);
    return tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), [count, height, width, channels / 3]);
  },
  fill: ([mask, x], [token]) => tf.add(tf.mul(x, tf.sub(1, mask)), tf.mul(token, mask)),
};

class Program {
  constructor({ inputs, steps, shapes, coarse, halves: fine, eighths }) {
    this.inputs = inputs;
    this.steps = steps;
    const values = halves(fine), whole = new Int8Array(bytes(eighths));
    let at = 0, from = 0;
    this.weights = shapes.map((shape, i) => {
      const count = shape.reduce((product, n) => product * n, 1);
      if (!coarse[i]) return tf.keep(tf.tensor(values.subarray(at, at += count), shape));
      const most = values.subarray(at, at += shape.at(-1));
      return tf.keep(tf.tensor(unrounded(whole.subarray(from, from += count), most), shape));
    });
  }

  // What the program makes of numbers, each given as { values, shape }
  async run(...inputs) {
    const result = tf.tidy(() => {
      const values = inputs.map(({ values, shape }) => tf.tensor(values, shape, "float32"));
      for (const { op, of, weights, ...settings } of this.steps)
        values.push(OPERATIONS[op](of.map(i => values[i]), weights.map(i => this.weights[i]), settings));
      return values.at(-1);
    });
    const made = { values: await result.data(), shape: result.shape };
    result.dispose();
    return made;
  }
}

// ── Loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const loading = {};

// A script can be loaded from a disk, where a page may fetch nothing.
function loadScript(src) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`${src} can't be loaded`));
    document.head.append(element("script", { src, onload: resolve, onerror: failed }));
  });
}

// The parts of a model, each a program
function load(name) {
  const made = () => Object.fromEntries(Object.entries(models[name]).map(([part, list]) => [part, new Program(list)]));
  return loading[name] ??= loadScript(`models/${encodeURIComponent(name)}.js`)
    .then(made, error => { delete loading[name]; throw error; });
}

// The library's WebAssembly, which came as text: the library takes the address of a file.
async function startLibrary() {
  if (!window.tf) throw new Error("the tensor library could not be loaded");
  if (!await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) throw new Error("it has no WebAssembly");
  await loadScript("vendor/tfjs-backend-wasm-simd.wasm.js");
  const file = URL.createObjectURL(new Blob([bytes(wasm.text).slice(0, wasm.size)], { type: "application/wasm" }));
  tf.enableProdMode();
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // of the three files that it knows it takes one
  tf.wasm.setWasmPaths(Object.fromEntries(["", "-simd", "-threaded-simd"].map(kind => [`tfjs-backend-wasm${kind}.wasm`, file])));
  if (!await tf.setBackend("wasm")) throw new Error("its WebAssembly doesn’t start");
  URL.revokeObjectURL(file);
}

const megabytes = size => `${(size / 1e6).toFixed(1)} MB`;

// Says in an element what goes on, and whatever goes wrong; the rest of the page is hidden until the models run.
async function withModels(start) {
  const state = document.getElementById("state");
  try {
    await new Promise(done => requestAnimationFrame(() => setTimeout(done))); // a page that says what it does comes first
    await startLibrary();
    await start();
    state.textContent = "The models run in this browser.";
    document.getElementById("playground").hidden = false;
    return true;
  } catch (e) {
    state.textContent =
      `The trained models can't run in this browser: ${e.message}. The report's own figures show what they do.`;
    state.classList.add("notice");
    return false;
  }
}

// An update that runs once a frame at most, with the latest of whatever asked for it; never two at a time. A long one
// can ask whether another waits.
function steadily(update) {
  let asked = false, running = false;
  const turn = async () => {
    asked = false;
    running = true;
    try { await update(() => asked); } catch (e) { console.error(e); }
    running = false;
    if (asked) requestAnimationFrame(turn);
  };
  return () => {
    if (!asked && !running) requestAnimationFrame(turn);
    asked = true;
  };
}
