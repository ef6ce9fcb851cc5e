"use strict";
// Seeded noise, and the classical denoiser.

// Numbers in [0, 1), the same for the same seed (mulberry32)
function randomly(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

// So many draws of a normal distribution (Box and Muller)
function normal(count, seed) {
  const random = randomly(seed);
  const one = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length: count }, one);
}

// Which of so many things are drawn, a share of them
function drawn(count, share, seed) {
  const random = randomly(seed);
  const order = Array.from({ length: count }, (_, i) => [random(), i]).sort((a, b) => a[0] - b[0]);
  return new Set(order.slice(0, Math.round(share * count)).map(([, i]) => i));
}

const noisy = (values, noise, sigma) => values.map((value, i) => Math.min(1, Math.max(0, value + sigma * noise[i])));

// Chambolle's, each channel by itself: scikit-image's `denoise_tv_chambolle` with its own tolerance and patience
function totalVariation(values, shape, weight) {
  const [height, width, channels] = shape, made = new Float32Array(values.length);
  if (weight <= 0) return Float32Array.from(values);
  for (let c = 0; c < channels; c++) {
    const channel = Float64Array.from({ length: height * width }, (_, i) => values[i * channels + c]);
    smoothed(channel, height, width, weight).forEach((value, i) => { made[i * channels + c] = value; });
  }
  return made;
}

function smoothed(image, height, width, weight, tolerance = 2e-4, patience = 200) {
  const size = height * width, step = 1 / 4; // 1 / (2 · dimensions)
  const down = new Float64Array(size), right = new Float64Array(size), out = Float64Array.from(image);
  let first, before;
  for (let turn = 0; turn < patience; turn++) {
    let energy = 0, slopes = 0;
    for (let i = 0; turn && i < size; i++) {
      const change = (i >= width ? down[i - width] : 0) - down[i] + (i % width ? right[i - 1] : 0) - right[i];
      energy += change * change;
      out[i] = image[i] + change;
    }
    for (let i = 0; i < size; i++) {
      const below = i + width < size ? out[i + width] - out[i] : 0, beside = (i + 1) % width ? out[i + 1] - out[i] : 0;
      const slope = Math.sqrt(below * below + beside * beside), norm = 1 + slope * step / weight;
      slopes += slope;
      down[i] = (down[i] - step * below) / norm;
      right[i] = (right[i] - step * beside) / norm;
    }
    energy = (energy + weight * slopes) / size;
    if (turn === 0) first = energy;
    else if (Math.abs(before - energy) < tolerance * first) break;
    before = energy;
  }
  return out;
}
