"use strict";
// The linear denoiser: an image's coordinates along few directions, mixed by a matrix that suits the noise.

function linearDenoiser({ sigmas, directions, mean, basis, most, seen, weights }) {
  const centre = halves(mean), rows = unrounded(new Int8Array(bytes(basis)), halves(most)), pixels = centre.length;
  const offsets = halves(seen), matrices = halves(weights), size = directions * directions;

  // A level between two that were fitted has what lies between them; without noise nothing is changed.
  function between(values, length, sigma, whole) {
    const known = [0, ...sigmas], after = known.findIndex(level => level >= sigma);
    const i = after < 0 ? known.length - 1 : Math.max(after, 1);
    const share = Math.min(1, (sigma - known[i - 1]) / (known[i] - known[i - 1]));
    const at = (level, k) => level ? values[(level - 1) * length + k] : whole(k);
    return Float32Array.from({ length }, (_, k) => at(i - 1, k) + share * (at(i, k) - at(i - 1, k)));
  }

  return (values, sigma) => {
    const offset = between(offsets, directions, sigma, () => 0);
    const matrix = between(matrices, size, sigma, k => k % (directions + 1) ? 0 : 1);
    const along = new Float32Array(directions), mixed = new Float32Array(directions);
    for (let p = 0, at = 0; p < pixels; p++) {
      const apart = values[p] - centre[p];
      for (let k = 0; k < directions; k++) along[k] += apart * rows[at++];
    }
    for (let i = 0; i < directions; i++)
      for (let k = 0; k < directions; k++) mixed[k] += (along[i] - offset[i]) * matrix[i * directions + k];
    return Float32Array.from({ length: pixels }, (_, p) => {
      let sum = centre[p];
      for (let k = 0, at = p * directions; k < directions; k++) sum += mixed[k] * rows[at + k];
      return Math.min(1, Math.max(0, sum));
    });
  };
}
