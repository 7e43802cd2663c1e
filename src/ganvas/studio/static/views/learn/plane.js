// The game in the plane: the discriminator as colours, real and generated points, and the generator's net.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { makeCurve } from "./curves.js";
import { decodePlane, dot, toPoints } from "./drawing.js";

const RECENT = 20; // moments over which the share covered is seen to rise or fall
const CROWDING = 15; // cells across, in which points are counted to see whether they crowd

export const defaults = { target: "ring", loss: "relativistic", penalty: 0.5, ratio: 1 };
export const targetsOf = (lab) => lab.plane_targets;
export const readDrawing = decodePlane;
export const toTarget = (drawing, lab) => toPoints(drawing, lab.reach);
export const isEmpty = (drawing) => drawing.length === 0;
const NEAR = 0.15; // within which a generated point is near the data, as the server counts what is covered
const FAINTEST = 0.01; // |D - 1/2| of the strongest colour, at least: below it D is nearly blank

export const legend = ["real", "fake-points", "net", "says-real", "says-fake"].map((kind) => [kind, `learn.plane.legend.${kind}`]);
/** What the strongest colours stand for, for the legend. */
export const describeScale = (state) => ({ high: 0.5 + strongest(state), low: 0.5 - strongest(state) });

// Where the points of a target lie, for its small picture; as in ganvas.theory.plane.
const series = (count, make) => Array.from({ length: count }, (_, i) => make(i / (count - 1), i));
const PICTURES = {
  ring: () => series(8, (_, i) => [Math.cos(i * Math.PI / 4), Math.sin(i * Math.PI / 4)]),
  grid: () => series(25, (_, i) => [(i % 5) / 2 - 1, Math.floor(i / 5) / 2 - 1]),
  moons: () => [1, -1].flatMap((side) => series(16, (share) => [side * (Math.cos(share * Math.PI) - 0.4) * 0.8, side * (Math.sin(share * Math.PI) - 0.25) * 0.8])),
  spiral: () => series(48, (share) => [1.2 * Math.sqrt(share) * Math.cos(Math.sqrt(share) * 3.5 * Math.PI), 1.2 * Math.sqrt(share) * Math.sin(Math.sqrt(share) * 3.5 * Math.PI)]),
};

/** A small picture of a target. */
export function drawTarget(lab, name, drawing) {
  const points = name === "drawn" ? toTarget(drawing, lab) : (PICTURES[name]?.() ?? []);
  return h("svg", { viewBox: "0 0 64 40", "aria-hidden": "true" },
    points.map(([x, y]) => h("circle", { class: "data", cx: 32 + x / lab.reach * 20, cy: 20 - y / lab.reach * 20, r: 1.4 })));
}

/** The curves beside the panel, and what of a state they show. */
export function makeCurves(_, format, percent) {
  const covered = makeCurve({ name: t("learn.curve.covered"), title: t("learn.curve.covered.help"), kind: "g", goal: 1, goalText: t("learn.goal", { goal: percent(1) }), low: 0, high: 1, format: percent });
  const precise = makeCurve({ name: t("learn.curve.precise"), title: t("learn.curve.precise.help"), kind: "g", goal: 1, goalText: t("learn.goal", { goal: percent(1) }), low: 0, high: 1, format: percent });
  const unsure = makeCurve({ name: "|D − ½|", title: t("learn.curve.unsure.plane"), kind: "d", goal: 0, goalText: t("learn.goal", { goal: "0" }), low: 0, high: 0.5, format });
  return {
    elements: [covered.element, precise.element, unsure.element],
    read: (state) => [state.covered, countNear(state) / state.fake.length, (measureUnsure(state, "real") + measureUnsure(state, "fake")) / 2],
    show(moments) {
      covered.show(moments.map((moment) => moment[0]));
      precise.show(moments.map((moment) => moment[1]));
      unsure.show(moments.map((moment) => moment[2]));
    },
  };
}

/** D at a point: of the cell of the map in which it lies. */
function lookUp(map, [x, y]) {
  const cell = (value) => Math.min(Math.max(Math.floor((value / REACH + 1) / 2 * map.length), 0), map.length - 1);
  return map[cell(y)][cell(x)];
}
const REACH = 1.5; // of the map; the same as lab.reach
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanOfD = (state, kind) => mean(state[kind].map((point) => lookUp(state.discriminator, point)));
const measureUnsure = (state, kind) => mean(state[kind].map((point) => Math.abs(lookUp(state.discriminator, point) - 0.5)));
const strongest = (state) => Math.max(FAINTEST, ...state.discriminator.map((row) => Math.max(...row.map((value) => Math.abs(value - 0.5)))));
const countNear = ({ real, fake }) => fake.filter(([x, y]) => real.some(([a, b]) => (a - x) ** 2 + (b - y) ** 2 < NEAR ** 2)).length;

/** In how many cells of a coarse grid points lie. */
function countCells(points) {
  const cell = (value) => Math.floor((value / REACH + 1) / 2 * CROWDING);
  return new Set(points.map(([x, y]) => `${cell(x)} ${cell(y)}`)).size;
}

/** What is happening, decided by the numbers: a key of the texts and its values. */
export function describe({ state, steps, moments, percent }) {
  if (steps.d + steps.g === 0) return ["learn.plane.begin"];
  const [covered, precise, unsure] = moments.at(-1);
  const share = { covered: percent(covered) };
  const crowded = countCells(state.fake) < 0.4 * countCells(state.real);
  // Differences of D count relative to its strongest colour: a penalty keeps them all small.
  const contrast = (meanOfD(state, "real") - meanOfD(state, "fake")) / (2 * strongest(state));
  if (steps.g === 0) return [contrast > 0.3 && steps.d > 20 ? "learn.plane.ready" : "learn.plane.learning"];
  if (covered > 0.9 && precise > 0.85) return ["learn.plane.goal", share];
  if (covered < 0.5 && crowded) {
    if (steps.g < 150) return ["learn.plane.clump", share];
    return [precise < 0.3 ? "learn.plane.lost" : "learn.plane.collapse", share];
  }
  if (unsure > 0.42) return ["learn.plane.apart", share];
  if (covered > 0.8) return ["learn.plane.bridges", { ...share, astray: percent(1 - precise) }];

  const before = moments.at(-Math.min(moments.length, RECENT))[0];
  if (covered > before + 0.05) return ["learn.plane.closer", share];
  if (covered < before - 0.05) return ["learn.plane.away", share];
  return ["learn.plane.half", share];
}

/** The panel. `onDrawn(isDone, byKey)` is called while and after a person draws. */
export function makePanel({ lab, onDrawn }) {
  const canvas = h("canvas", { role: "img", "aria-label": t("learn.plane.picture"), tabindex: "-1" });
  const element = h("div", { class: "lab-box lab-plane-box" }, canvas);
  const map = h("canvas", {});
  const paint = canvas.getContext("2d");
  let state = null, side = 0, cursor = { x: 0.5, y: 0.5 };
  let drawing = null, editing = false, pressed = false; // editing: the drawing is shown and not the game

  const toX = (x) => (x / lab.reach + 1) / 2 * side, toY = (y) => (1 - y / lab.reach) / 2 * side;

  function layOut() {
    const width = element.clientWidth, density = Math.min(devicePixelRatio || 1, 2);
    if (!width) return;
    side = width;
    canvas.width = canvas.height = Math.round(width * density);
    paint.setTransform(density, 0, 0, density, 0, 0);
    redraw();
  }

  function redraw() {
    if (!side) return;
    const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const card = colour("card"), ink = colour("ink"), orange = colour("g");
    paint.fillStyle = card;
    paint.fillRect(0, 0, side, side);
    if (editing) {
      drawDots(toPoints(drawing, lab.reach), ink, card, false);
      drawCursor(colour("faint"));
    } else if (state) {
      drawMap(card, colour("d"), orange);
      drawNet(orange);
      drawDots(state.real, ink, card, true);
      drawDots(state.fake, orange, card, false);
    }
  }

  function drawMap(neutral, real, fake) {
    const limit = strongest(state), cells = state.discriminator.length, [middle, high, low] = [neutral, real, fake].map(readColour);
    map.width = map.height = cells;
    const context = map.getContext("2d"), image = context.createImageData(cells, cells);
    state.discriminator.forEach((row, y) => row.forEach((value, x) => {
      const amount = Math.abs(value - 0.5) / limit * 0.62, end = value > 0.5 ? high : low;
      const at = ((cells - 1 - y) * cells + x) * 4; // the lowest row comes first
      for (let channel = 0; channel < 3; channel++) image.data[at + channel] = middle[channel] + (end[channel] - middle[channel]) * amount;
      image.data[at + 3] = 255;
    }));
    context.putImageData(image, 0, 0);
    paint.imageSmoothingEnabled = true;
    paint.drawImage(map, 0, 0, side, side);
  }

  function drawNet(colour) {
    const { net } = state;
    paint.strokeStyle = colour;
    paint.globalAlpha = 0.55;
    paint.lineWidth = 1;
    paint.beginPath();
    const trace = (points) => points.forEach(([x, y], i) => (i ? paint.lineTo(toX(x), toY(y)) : paint.moveTo(toX(x), toY(y))));
    for (const row of net) trace(row);
    net[0].forEach((_, column) => trace(net.map((row) => row[column])));
    paint.stroke();
    paint.globalAlpha = 1;
  }

  /** Real points are rings, generated ones are dots: told apart without colours. */
  function drawDots(points, colour, edge, hollow) {
    const radius = Math.max(2, side / 190);
    for (const [x, y] of points) {
      paint.beginPath();
      paint.arc(toX(x), toY(y), radius, 0, 2 * Math.PI);
      paint.lineWidth = hollow ? 1.3 : 2;
      paint.strokeStyle = hollow ? colour : edge;
      paint.fillStyle = hollow ? edge : colour;
      if (hollow) { paint.fill(); paint.stroke(); } else { paint.stroke(); paint.fill(); }
    }
  }

  function drawCursor(colour) {
    if (document.activeElement !== canvas) return;
    const x = cursor.x * side, y = (1 - cursor.y) * side;
    paint.strokeStyle = colour;
    paint.lineWidth = 1;
    paint.beginPath();
    for (const [dx, dy] of [[8, 0], [0, 8]]) { paint.moveTo(x - dx, y - dy); paint.lineTo(x + dx, y + dy); }
    paint.stroke();
  }

  // Drawing: the pointer leaves points; with the keyboard Enter sets one at the cursor.
  const add = (event) => {
    const frame = canvas.getBoundingClientRect();
    dot(drawing, { x: (event.clientX - frame.left) / frame.width, y: 1 - (event.clientY - frame.top) / frame.height });
    redraw();
    onDrawn(false, false);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!drawing || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pressed = editing = true;
    add(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (pressed) add(event); });
  const lift = () => { if (pressed) { pressed = false; onDrawn(true, false); } };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!drawing || !(move || event.key === "Enter")) return;
    event.preventDefault();
    editing = true;
    const limit = (value) => Math.min(Math.max(value, 0), 1);
    if (move) cursor = { x: limit(cursor.x + move[0] / 32), y: limit(cursor.y + move[1] / 32) };
    else { dot(drawing, cursor); onDrawn(true, true); }
    redraw();
  });

  const observer = new ResizeObserver(layOut);
  observer.observe(element);
  // Colours are the page's; a canvas must be told when they change.
  const theme = new MutationObserver(redraw), dark = matchMedia("(prefers-color-scheme: dark)");
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  dark.addEventListener("change", redraw);
  return {
    element,
    show(next) { state = next; editing = pressed; redraw(); },
    /** Let a person draw from here on: points, which are changed; null: no more. */
    draw(next) {
      drawing = next;
      editing = next !== null && isEmpty(next);
      canvas.classList.toggle("drawing", Boolean(next));
      canvas.setAttribute("tabindex", next ? "0" : "-1");
      canvas.setAttribute("aria-label", t(next ? "learn.plane.draw" : "learn.plane.picture"));
      redraw();
    },
    close() { observer.disconnect(); theme.disconnect(); dark.removeEventListener("change", redraw); },
  };
}

/** "#rrggbb" as three numbers. */
const readColour = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
