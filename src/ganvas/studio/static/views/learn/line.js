// The game on a line: densities, the discriminator, and where the generator sends its noise.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { decodeLine, heap, stroke, toDensity } from "./drawing.js";
import { makeCurve } from "./curves.js";

const LOW = -8, HIGH = 8; // the line
const TICKS = [-6, -3, 0, 3, 6];
const LEAST_SCALE = 0.62; // top of the density's axis, at least: the first p_g must fit
const EMPTY = 1e-4; // where both densities are below it, D* means nothing
const LOG2 = Math.log(2);
const RECENT = 20; // moments over which JS is seen to rise or fall
const FLAT = 0.05; // mean gradient at the generated points, per unit of x, below which D counts as flat there

export const defaults = { target: "gaussian", loss: "non-saturating", penalty: 0.05, ratio: 2 };
export const targetsOf = (lab) => Object.keys(lab.targets);
export const readDrawing = decodeLine;
export const toTarget = (drawing, lab) => toDensity(drawing, lab.x.length);
export const isEmpty = (drawing) => !drawing.some((height) => height > 0);

export const legend = ["data", "fake", "d", "best", "arrow"].map((kind) => [kind, `learn.line.legend.${kind}`]);
export const describeScale = () => ({});

/** A small picture of a target. */
export function drawTarget(lab, name, drawing) {
  const density = name === "drawn" ? toDensity(drawing, 128) : lab.targets[name].filter((_, i) => i % 4 === 0);
  const top = Math.max(...density, 1e-6);
  const points = density.map((value, i) => `${(i / (density.length - 1) * 64).toFixed(1)} ${(38 - value / top * 32).toFixed(1)}`);
  return h("svg", { viewBox: "0 0 64 40", "aria-hidden": "true" }, h("path", { class: "data", d: `M0 38L${points.join("L")}L64 38Z` }));
}

/** The curves beside the panel, and what of a state they show. */
export function makeCurves(lossKind, format) {
  const value = makeCurve({ name: "V(D, G)", title: t("learn.curve.value"), kind: "d", goal: -2 * LOG2, goalText: t("learn.goal", { goal: `−log 4 = ${format(-2 * LOG2)}` }), low: -2.5, high: 0, format });
  const js = makeCurve({ name: "JS", title: t("learn.curve.js"), kind: "g", goal: 0, goalText: t("learn.goal", { goal: "0" }), low: 0, high: LOG2, format });
  const unsure = makeCurve({ name: "|D − ½|", title: t("learn.curve.unsure"), kind: "d", goal: 0, goalText: t("learn.goal", { goal: "0" }), low: 0, high: 0.5, format });
  return {
    elements: [value.element, js.element, unsure.element],
    read: (state) => [state.value, state.js, state.unsure],
    show(moments) {
      value.show(moments.map((moment) => moment[0]), lossKind === "slope" ? t("learn.curve.none") : "–");
      js.show(moments.map((moment) => moment[1]));
      unsure.show(moments.map((moment) => moment[2]));
    },
  };
}

/**
 * How hard D pulls on the generated points: the mean size of the loss's gradient at them, per unit of x.
 * null: the server has cut D off where most of them lie, so its slope there is not known.
 */
function measurePull(state, loss, kind) {
  const cut = kind === "probability" ? 0.0011 : 1e-11, width = (HIGH - LOW) / state.discriminator.length;
  const score = (d) => (kind === "probability" ? d : Math.log(d / (1 - d)));
  let sum = 0, known = 0, all = 0;
  for (let i = 1; i < state.discriminator.length - 1; i++) {
    const [before, d, after] = state.discriminator.slice(i - 1, i + 2), mass = state.p_g[i];
    all += mass;
    const isCut = Math.min(before, after, 1 - before, 1 - after) < cut;
    if (isCut && loss !== "minimax") continue;
    // The derivative of the generator's loss with respect to the score; minimax has none where D is certain.
    const factor = { minimax: d, "non-saturating": 1 - d, "least-squares": 2 * (1 - d), relativistic: 1 - d }[loss] ?? 1;
    sum += mass * factor * Math.abs(score(after) - score(before)) / (2 * width);
    known += mass;
  }
  return known > all / 2 ? sum / known : null;
}

/** The mean of D over one of the densities. */
function meanOfD(state, density) {
  const mass = state[density].reduce((sum, p) => sum + p, 0);
  return state[density].reduce((sum, p, i) => sum + p * state.discriminator[i], 0) / mass;
}

/** What is happening, decided by the numbers: a key of the texts and its values. */
export function describe({ state, steps, moments, loss, kind }) {
  if (steps.d + steps.g === 0) return ["learn.line.begin"];
  const [found, all] = state.modes;
  const sure = state.unsure > 0.4;
  if (state.js < 0.005 && state.unsure < 0.06) return ["learn.line.goal"];
  if (state.js > 0.55 && sure) {
    const pull = measurePull(state, loss, kind);
    return [pull === null ? "learn.line.certain" : pull < FLAT ? "learn.line.flat" : "learn.line.apart"];
  }
  if (steps.g > 100 && all > 1 && found < all && state.js > 0.03) return ["learn.line.modes", { left: all - found, all }];
  if (state.distance !== null && state.distance > 0.15) return ["learn.line.behind"];
  if (state.js < 0.01) return ["learn.line.close"];
  if (steps.g < 5) {
    if (state.distance !== null) return ["learn.line.ready"];
    return [meanOfD(state, "p_data") > meanOfD(state, "p_g") + 0.2 ? "learn.line.slope" : "learn.line.learning"];
  }

  const before = moments.at(-Math.min(moments.length, RECENT))[1];
  if (state.js < before * 0.93) return ["learn.line.closer"];
  if (state.js > before * 1.07 + 0.002) return ["learn.line.away"];
  return state.distance !== null && state.distance < 0.05 ? ["learn.line.ahead"] : ["learn.line.circle"];
}

/** The panel. `onDrawn(isDone, byKey)` is called while and after a person draws. */
export function makePanel({ lab, onDrawn }) {
  const svg = h("svg", { class: "lab-line", role: "img", "aria-label": t("learn.line.picture"), tabindex: "-1" });
  const clip = h("rect", {}), clipId = "lab-clip";
  const shapes = {
    ground: h("g", { class: "ground" }), data: h("path", { class: "data" }), fake: h("path", { class: "fake" }), best: h("path", { class: "best" }),
    d: h("path", { class: "d" }), arrows: h("path", { class: "arrows" }), heads: h("path", { class: "heads" }), labels: h("g", { class: "labels" }),
    cursor: h("path", { class: "cursor", hidden: true }),
  };
  svg.append(h("defs", {}, h("clipPath", { id: clipId }, clip)), shapes.ground,
    h("g", { "clip-path": `url(#${clipId})` }, shapes.data, shapes.fake, shapes.best, shapes.d), shapes.arrows, shapes.heads, shapes.cursor, shapes.labels);
  const element = h("div", { class: "lab-box lab-line-box" }, svg);

  let box = { width: 0, height: 0 }, state = null, scale = 1, cursor = 0.5;
  let drawing = null, editing = false, last = null; // editing: the drawing is shown and not the game; last: of the stroke

  const toX = (x) => box.left + (x - LOW) / (HIGH - LOW) * (box.right - box.left);
  const toY = (share) => box.base - share * (box.base - box.top);
  const path = (values, y) => values.map((value, i) => `${i ? "L" : "M"}${toX(lab.x[i]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const closed = (line) => `${line}L${toX(HIGH)} ${box.base}L${toX(LOW)} ${box.base}Z`;

  function layOut() {
    const width = element.clientWidth, height = element.clientHeight;
    if (!width || !height) return;
    box = { width, height, left: 8, right: width - 34, top: 14, base: height - Math.min(130, height * 0.33), noise: height - 30 };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    for (const [name, value] of Object.entries({ x: 0, y: 0, width, height: box.base })) clip.setAttribute(name, value);
    const half = toY(0.5);
    shapes.ground.replaceChildren(
      h("line", { x1: box.left, x2: box.right, y1: box.base, y2: box.base }),
      h("line", { class: "half", x1: box.left, x2: box.right, y1: half, y2: half }),
      h("line", { x1: toX(-4), x2: toX(4), y1: box.noise, y2: box.noise }));
    const text = (x, y, words, anchor = "middle", kind = "") => h("text", { x, y, "text-anchor": anchor, class: kind, text: words });
    shapes.labels.replaceChildren(
      ...TICKS.map((x) => text(toX(x), box.base + 15, String(x).replace("-", "−"))),
      text(box.right + 6, toY(1) + 5, "1", "start", "d"), text(box.right + 6, half + 4, "½", "start", "d"), text(box.right + 6, box.base + 4, "0", "start", "d"),
      text(box.right + 6, toY(0.75) + 4, "D", "start", "d"), text(box.right + 6, box.base + 20, "x", "start"),
      ...[-1, 0, 1].map((z) => text(toX(z * 4), box.noise + 17, String(z).replace("-", "−"))),
      text(toX(4) + 14, box.noise + 4, t("learn.line.noise"), "start"));
    redraw();
  }

  function redraw() {
    if (!box.width) return;
    const shown = editing ? toDensity(drawing, lab.x.length) : state?.p_data;
    if (editing) scale = 64 / 0.92; // heights of a drawing
    else if (state) scale = Math.max(LEAST_SCALE, Math.max(...state.p_data) * 1.25);
    shapes.data.setAttribute("d", shown ? closed(path(shown, (value) => toY(value / scale))) : "");

    const seen = state && !editing;
    shapes.fake.setAttribute("d", seen ? closed(path(state.p_g, (value) => toY(value / scale))) : "");
    shapes.d.setAttribute("d", seen ? path(state.discriminator, toY) : "");
    shapes.best.setAttribute("d", seen ? drawBest() : "");
    shapes.arrows.setAttribute("d", seen ? drawArrows() : "");
    shapes.heads.setAttribute("d", seen ? drawHeads() : "");
    shapes.cursor.setAttribute("d", editing ? `M${toX(LOW + cursor * (HIGH - LOW))} ${box.top}V${box.base}` : "");
  }

  function drawBest() {
    let open = false, line = "";
    state.best.forEach((value, i) => {
      const known = state.p_data[i] + state.p_g[i] > EMPTY;
      if (known) line += `${open ? "L" : "M"}${toX(lab.x[i]).toFixed(1)} ${toY(value).toFixed(1)}`;
      open = known;
    });
    return line;
  }

  const ends = () => state.arrows.map((x, i) => [toX((i / (state.arrows.length - 1) * 2 - 1) * 4), toX(Math.min(Math.max(x, LOW), HIGH))]);
  const drawArrows = () => ends().map(([from, to]) => `M${from.toFixed(1)} ${box.noise}L${to.toFixed(1)} ${box.base + 26}`).join("");
  const drawHeads = () => ends().map(([, to]) => `M${to.toFixed(1)} ${box.base + 20}l-3 7h6Z`).join("");

  // Drawing: the pointer sets heights; with the keyboard a hill grows at the cursor.
  const placeOf = (event) => {
    const frame = svg.getBoundingClientRect();
    return { x: (event.clientX - frame.left - box.left) / (box.right - box.left), y: (box.base - (event.clientY - frame.top)) / (box.base - box.top) / 0.92 };
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!drawing || event.button) return;
    svg.setPointerCapture(event.pointerId);
    editing = true;
    last = placeOf(event);
    stroke(drawing, last, last);
    redraw();
    event.preventDefault();
  });
  svg.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const place = placeOf(part);
      stroke(drawing, last, place);
      last = place;
    }
    cursor = Math.min(Math.max(last.x, 0), 1);
    redraw();
    onDrawn(false, false);
  });
  const lift = () => { if (last) { last = null; onDrawn(true, false); } };
  svg.addEventListener("pointerup", lift);
  svg.addEventListener("pointercancel", lift);
  svg.addEventListener("keydown", (event) => {
    if (!drawing) return;
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key], grow = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!move && !grow) return;
    event.preventDefault();
    if (move) cursor = Math.min(Math.max(cursor + move / 64, 0), 1);
    editing = true;
    if (grow) { heap(drawing, cursor, grow * 0.1); onDrawn(true, true); }
    redraw();
  });

  const observer = new ResizeObserver(layOut);
  observer.observe(element);
  return {
    element,
    show(next) { state = next; editing = last !== null; redraw(); },
    /** Let a person draw from here on: heights, which are changed; null: no more. */
    draw(next) {
      drawing = next;
      editing = next !== null && isEmpty(next);
      svg.classList.toggle("drawing", Boolean(next));
      svg.setAttribute("tabindex", next ? "0" : "-1");
      svg.setAttribute("aria-label", t(next ? "learn.line.draw" : "learn.line.picture"));
      redraw();
    },
    close() { observer.disconnect(); },
  };
}
