"use strict";
// Curves of the error by epoch, as SVG: their colours are the theme's, whichever it becomes.

const PARTS = ["train", "validation"];
const isNumber = value => value !== null && value !== undefined; // what isn't a number came as null

function range(history) {
  const values = PARTS.flatMap(part => history[part]).filter(isNumber);
  const low = Math.min(...values), high = Math.max(...values);
  return values.length ? { low, high: high > low ? high : low + (Math.abs(low) || 1) * .1 } : null;
}

// A line for each part; where there is but one epoch, a point.
function curves(history, x, y, radius) {
  return PARTS.map(part => {
    const points = history[part].map((value, i) => [i, value]).filter(([, value]) => isNumber(value));
    if (points.length === 1) return svg("circle", { class: part, cx: x(points[0][0]), cy: y(points[0][1]), r: radius });
    return svg("path", { class: part, d: points.map(([i, value], n) => `${n ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("") });
  });
}

function sparkline(history) {
  const scale = range(history), last = Math.max(...PARTS.map(part => history[part].length)) - 1;
  const shape = svg("svg", { class: "spark", viewBox: "0 0 84 22", width: 84, height: 22, "aria-hidden": "true" });
  if (scale) shape.append(...curves(history, i => 3 + (last ? i / last : .5) * 78, v => 19 - (v - scale.low) / (scale.high - scale.low) * 16, 2));
  return shape;
}

// About so many round numbers from low to high.
function ticks(low, high, about) {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

function lossCurve(history, width) {
  const scale = range(history);
  if (!scale) return null;
  const epochs = Math.max(...PARTS.map(part => history[part].length));
  const [height, left, bottom, top, right] = [250, 62, 40, 14, 12];
  const x = i => left + (epochs > 1 ? i / (epochs - 1) : .5) * (width - left - right);
  const y = v => height - bottom - (v - scale.low) / (scale.high - scale.low) * (height - bottom - top);
  const described = PARTS.map(part => `${part} from ${history[part][0]} to ${history[part].at(-1)}`).join(", ");
  const shape = svg("svg", { class: "curve", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Mean squared error over ${epochs} ${epochs === 1 ? "epoch" : "epochs"}: ${described}` });
  for (const value of ticks(scale.low, scale.high, 4)) {
    shape.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    shape.append(svg("text", { x: left - 7, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  const marks = epochs > 1 ? ticks(1, epochs, 6).filter(Number.isInteger) : [1];
  for (const epoch of marks) shape.append(svg("text", { x: x(epoch - 1), y: height - bottom + 18, "text-anchor": "middle" }, String(epoch)));
  shape.append(svg("text", { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, "epoch"));
  shape.append(svg("text", { x: 13, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 13 ${(top + height - bottom) / 2})` }, "squared error"));
  shape.append(...curves(history, x, y, 3.5));
  return shape;
}
