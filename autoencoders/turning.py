"""The page of a figure that can be turned, apart from what draws it: whoever writes pages allows its script."""

from __future__ import annotations

from string import Template

PAGE = Template("""<div class="turnable">
<style>
.turnable > div { display: flex; flex-wrap: wrap; gap: .4rem; justify-content: center; }
.turnable figure { flex: 1 1 16rem; margin: 0; max-width: 26rem; text-align: center; }
.turnable canvas { width: 100%; aspect-ratio: 1; cursor: grab; touch-action: pan-y; }
.turnable figcaption { font-size: .85em; font-style: normal; }
.turnable button { font: inherit; font-size: .8em; color: inherit; background: none; padding: .1em .6em;
  border: 2px solid var(--class); border-radius: 1em; cursor: pointer; }
.turnable button[aria-pressed=true] { background: color-mix(in srgb, var(--class) 25%, transparent); font-weight: 600; }
</style>
<div>$canvases</div>
<div>$buttons</div>
<script type="application/json">$content</script>
<script>$script</script>
</div>""")

# The same for every figure, so that a page can allow it by its hash
SCRIPT = """
(() => {
  const box = document.currentScript.parentElement;
  const {clouds, colours} = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const canvases = [...box.querySelectorAll("canvas")], buttons = [...box.querySelectorAll("button")];
  let yaw = 0.6, pitch = 0.4, only = -1;
  function draw() {
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    canvases.forEach((canvas, which) => {
      const side = canvas.clientWidth * (window.devicePixelRatio || 1);
      if (!side) return;
      canvas.width = canvas.height = side;
      const pen = canvas.getContext("2d");
      const {points, kinds} = clouds[which];
      const seen = points.map(([x, y, z], i) => {
        const depth = cy * y - sy * x;
        return [cy * x + sy * y, sp * depth - cp * z, cp * depth + sp * z, kinds[i]];
      });
      seen.sort((a, b) => b[2] - a[2]);
      for (const [x, y, depth, kind] of seen) {
        pen.globalAlpha = only >= 0 && only !== kind ? 0.06 : 0.55 - 0.4 * depth;
        pen.fillStyle = colours[kind];
        pen.beginPath();
        pen.arc(side * (0.5 + 0.48 * x), side * (0.5 + 0.48 * y), side * (0.009 - 0.003 * depth), 0, 7);
        pen.fill();
      }
    });
  }
  const turn = (dx, dy) => { yaw += dx; pitch = Math.max(-1.5, Math.min(1.5, pitch + dy)); draw(); };
  const keys = {ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1]};
  for (const canvas of canvases) {
    canvas.addEventListener("pointerdown", event => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", event => {
      if (event.buttons) turn(event.movementX / 120, event.movementY / 120);
    });
    canvas.addEventListener("keydown", event => {
      if (keys[event.key]) { event.preventDefault(); turn(...keys[event.key]); }
    });
  }
  buttons.forEach((button, kind) => button.addEventListener("click", () => {
    only = only === kind ? -1 : kind;
    buttons.forEach((other, i) => other.setAttribute("aria-pressed", String(i === only)));
    draw();
  }));
  new ResizeObserver(draw).observe(box);
  draw();
})();
"""
