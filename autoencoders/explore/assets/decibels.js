"use strict";
// A small chart of decibels, as wide as there is room.

class DecibelChart {
  constructor(holder) {
    this.width = matchMedia("(max-width: 40rem)").matches ? 340 : 600; // as in the style sheet
    this.height = 190;
    holder.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
  }

  // Whole numbers of decibels, and one in the middle
  span(least, most) {
    this.low = Math.floor(least);
    const high = Math.max(Math.ceil(most), this.low + 2);
    this.high = high + (high - this.low) % 2;
  }

  x(share) { return 44 + share * (this.width - 52); }
  y(value) { return this.height - 26 - (Math.max(value, this.low) - this.low) / (this.high - this.low) * (this.height - 36); }

  text(x, y, anchor, words) { return svg("text", { x, y, "text-anchor": anchor }, words); }
  below(share, anchor, words) { return this.text(this.x(share), this.height - 6, anchor, words); }

  grid() {
    return [this.low, (this.low + this.high) / 2, this.high].flatMap(value => [
      svg("line", { class: "grid", x1: this.x(0), x2: this.x(1), y1: this.y(value), y2: this.y(value) }),
      this.text(this.x(0) - 6, this.y(value) + 4, "end", `${value} dB`),
    ]);
  }

  line(points, name) {
    const known = points.filter(([, value]) => Number.isFinite(value));
    const d = known.map(([share, value], i) => `${i ? "L" : "M"}${this.x(share).toFixed(1)} ${this.y(value).toFixed(1)}`).join("");
    return svg("path", { class: name, d });
  }
}
