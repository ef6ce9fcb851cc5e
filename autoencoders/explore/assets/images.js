"use strict";
// Small images on canvases: numbers in [0, 1], [h, w, C], drawn pixel by pixel and enlarged by the style sheet.

// The test images that the pages share, each { values, label, kind, place }; `label` is its class's name
function gallery({ shape: [count, height, width, channels], pixels, labels, classes }) {
  const all = new Uint8Array(bytes(pixels)), size = height * width * channels;
  return Array.from({ length: count }, (_, place) => ({
    values: Float32Array.from(all.subarray(place * size, (place + 1) * size), value => value / 255),
    kind: labels[place],
    label: classes[labels[place]],
    place,
  }));
}

// Draws values on a canvas; where `hidden` says so, a pixel is grey.
function paint(canvas, values, [height, width, channels], hidden = () => false) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), picture = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) // it rounds
      picture.data[4 * i + c] = hidden(i) ? 128 : 255 * values[channels * i + c % channels];
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
  canvas.shown = values; // for tests
}

function meanSquare(a, b, counts = () => true) {
  let sum = 0, count = 0;
  for (let i = 0; i < a.length; i++) if (counts(i)) { sum += (a[i] - b[i]) ** 2; count++; }
  return sum / count;
}

const psnr = (a, b) => -10 * Math.log10(meanSquare(a, b));
const inDecibels = value => Number.isFinite(value) ? `${value.toFixed(1)} dB` : "∞ dB"; // of an image without any error

const picture = (label, attributes = {}) =>
  element("canvas", { class: "pixels", role: "img", "aria-label": label, ...attributes });

// Thumbnails of all images in a fieldset, of which one is chosen: by mouse, or by the arrow keys.
function picker(fieldset, images, shape, first, onpick) {
  const thumbnails = images.map(image => {
    const which = images.filter(other => other.kind === image.kind).indexOf(image) + 1;
    const radio = element("input", {
      type: "radio", name: fieldset.id, value: image.place, checked: image.place === first,
      "aria-label": `${image.label} ${which}`, onchange: () => onpick(image),
    });
    const canvas = picture("", { "aria-hidden": "true" });
    paint(canvas, image.values, shape);
    return element("label", { title: image.label }, radio, canvas);
  });
  fieldset.append(element("div", { class: "thumbnails" }, thumbnails));
}

// Two digits at most, with a true minus sign
const written = value => String(Math.round(value * 100) / 100).replace("-", "−");
