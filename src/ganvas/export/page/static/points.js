// Points in the plane: a scatter plot of as many samples as wanted.

import { button, clear, h, slider } from "../../../studio/static/dom.js";
import { joinNoise, latest, rowNoise } from "./engine.js";
import { move } from "./latents.js";
import { makeStatus, savePng, seedField } from "./parts.js";
import { number, t } from "./texts.js";

const SIDE = 720; // pixels of the plot
const ROOM = 1.1; // the plot reaches from -1.1 to 1.1
const RADIUS = 3;

export function showPoints(root, engine, kept) {
  const wanted = Object.assign(kept, { seed: 0, count: 1000, truncation: 1, ...kept });
  const plot = h("canvas", { class: "plot", width: SIDE, height: SIDE, role: "img" }), status = makeStatus();

  const draw = latest(async () => {
    const points = Array.from({ length: wanted.count }, (_, row) => move(rowNoise(wanted.seed, row), wanted.truncation));
    const made = await status.follow(() => engine.run(wanted.count, joinNoise(points)));
    if (made) scatter(plot, made.map(({ values }) => values));
    plot.setAttribute("aria-label", t("points.plot", { n: wanted.count }));
  });

  const slide = (key, name, range) => slider(t(key), { ...range, value: wanted[name], format: number, on: (value) => { wanted[name] = value; draw(); } }).element;
  clear(root, h("div", { class: "stage" },
    h("div", { class: "picture" }, plot, h("div", { class: "row between under" }, status.element, button(t("page.saveOne"), () => savePng(plot, `seed-${wanted.seed}`), { kind: "primary" }))),
    h("div", { class: "panel" }, seedField(wanted.seed, (value) => { wanted.seed = value; draw(); }),
      slide("points.count", "count", { min: 100, max: 3000, step: 100 }), slide("samples.truncation", "truncation", { min: 0, max: 1, step: 0.05 }))));
  draw();
  return () => {};
}

/** Draw points [x, y] in [-1, 1]; y points upwards. */
function scatter(canvas, points) {
  const context = canvas.getContext("2d"), colours = getComputedStyle(document.documentElement);
  const colour = (name) => colours.getPropertyValue(name).trim();
  const across = (x) => ((x / ROOM + 1) * SIDE) / 2, down = (y) => across(-y);
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, SIDE, SIDE);

  context.strokeStyle = colour("--line");
  context.strokeRect(across(-1), down(1), across(1) - across(-1), down(-1) - down(1));
  context.beginPath();
  for (const [from, to] of [[[-1, 0], [1, 0]], [[0, -1], [0, 1]]]) {
    context.moveTo(across(from[0]), down(from[1]));
    context.lineTo(across(to[0]), down(to[1]));
  }
  context.stroke();

  context.fillStyle = colour("--g");
  context.globalAlpha = 0.5;
  for (const [x, y] of points) {
    context.beginPath();
    context.arc(across(x), down(y), RADIUS, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}
