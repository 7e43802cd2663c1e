// One sample, large: its neighbours, the walk to another, and what can be changed about it.

import { app } from "../../app.js";
import { latest, nextWish } from "../../api.js";
import { button, clear, field, h, saveAs, slider } from "../../dom.js";
import { number, percent, t } from "../../texts.js";
import { makeBusy } from "./busy.js";
import { makeDirections } from "./directions.js";
import { encode, near } from "./points.js";
import { makeCanvas, put } from "./source.js";
import { makeWalk } from "./walk.js";

const NEIGHBOURS = 8;
const OTHERS = 1_000_003; // seed of the rows that neighbours are mixed with; of no wall one thinks of

/** The picture (left) and its controls (right). `desk.moved(point)` is called with each change. */
export function makeLarge(desk) {
  const { source } = desk, { run, classes } = source;
  let point = null, mode = "one", spread = 0.15, others = OTHERS, target = null;
  const trail = []; // points that were the centre before

  // Left: the picture in the middle of eight neighbours, which are hidden unless asked for.
  const canvas = makeCanvas(source.size);
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, k) => {
    const picture = makeCanvas(source.size);
    const element = h("button", { type: "button", class: "cell neighbour", "aria-label": t("sample.neighbour", { n: k + 1 }), draggable: "true", on: {
      click: () => { trail.push(point); change(near(point, spread, others, k)); },
      dragstart: (event) => desk.drag(event, near(point, spread, others, k), picture),
    } }, picture);
    return { picture, element };
  });
  const centre = h("div", { class: "centre", draggable: "true", on: { dragstart: (event) => desk.drag(event, current(), canvas) } }, canvas);
  const frame = h("div", { class: "large" }, neighbours.slice(0, 4).map((one) => one.element), centre, neighbours.slice(4).map((one) => one.element));
  const walk = makeWalk(desk, (tile, exact) => { if (tile) put(canvas, tile); if (exact) draw(); mark(); });
  const previous = button(t("sample.previous"), () => change(trail.pop()), { kind: "quiet" });
  const back = button(t("sample.back"), () => desk.close(), { kind: "quiet" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const element = h("div", { class: "large-frame" }, h("div", { class: "row between" }, back, previous), frame, problem);

  // Right
  const title = h("h2", {});
  const busy = makeBusy();
  const heart = button("", () => { desk.toggle(current()); }, { kind: "primary" });
  const more = button(t("sample.more"), () => {
    if (mode === "walk") { trail.push(point); change(walk.point()); } // of what is seen
    setMode(mode === "near" ? "one" : "near");
  }, { "aria-pressed": "false" });
  const walkTo = button(t("sample.walk.to"), () => desk.walkFrom(), { "aria-pressed": "false" });
  const save = button(t("sample.save"), async () => {
    const blob = await busy.run((signal) => source.file([current()], { format: "png" }, { signal }));
    if (blob) saveAs(blob, `${desk.fileName}-${desk.fileLabel(current())}.png`);
  });
  const paint = run.views.includes("paint") && button(t("sample.paint"), async () => {
    const blob = await busy.run((signal) => source.file([current()], { format: "png" }, { signal }));
    if (!blob) return;
    desk.settle();
    app.hand(run.id, "paint", blob, `${desk.fileName}-${desk.fileLabel(current())}`);
  });
  const choice = classes.length ? h("select", { on: { change: () => change({ ...point, label: Number(choice.value) }) } }, classes.map((name, label) => h("option", { value: String(label), text: name }))) : null;
  const spreadSlider = slider(t("sample.spread"), { min: 0.01, max: 0.8, step: 0.01, value: spread, dblclick: 0.15, format: percent, on(value) { spread = value; draw(); } });
  const nearPart = h("section", { class: "panel-part" }, spreadSlider.element, button(t("sample.others"), () => { others += 1; draw(); }), h("small", { text: t("sample.near.help") }));
  const truncation = slider(t("sample.truncation"), { min: 0, max: 1.5, step: 0.05, value: 1, dblclick: 1, format: (value) => number(value), on: (value) => change({ ...point, truncation: value }, false) });
  const directions = makeDirections(run, (moves, way) => change({ ...point, moves, way }, false));
  const settings = h("div", { class: "panel-part" }, choice && field(t("sample.class"), choice), truncation.element, directions.element);
  const panel = h("div", { class: "panel" }, title,
    h("div", { class: "row actions" }, heart, save), h("div", { class: "row actions" }, more, walkTo, paint), busy.element, nearPart, walk.element, settings);

  const current = () => (mode === "walk" ? walk.point() : point);

  const draw = latest(async () => {
    frame.setAttribute("aria-busy", "true");
    const nearby = mode === "near" ? neighbours.map((_, k) => near(point, spread, others, k)) : [];
    try {
      const tiles = await source.draw([current(), ...nearby], { wish: nextWish("large") });
      if (!tiles) return;
      put(canvas, tiles[0]);
      nearby.forEach((_, k) => put(neighbours[k].picture, tiles[k + 1]));
      problem.hidden = true;
    } catch (error) {
      clear(problem, app.describe(error));
      problem.hidden = false;
    } finally {
      frame.setAttribute("aria-busy", "false");
    }
  });

  /** What depends on the point, apart from its picture. */
  function mark() {
    if (!point) return;
    const kept = desk.isKept(current());
    heart.textContent = t(kept ? "sample.kept" : "sample.keep");
    heart.setAttribute("aria-pressed", String(kept));
    title.textContent = mode === "walk" ? t("sample.between", { a: desk.describe(point), b: desk.describe(target) }) : desk.describe(point);
    previous.hidden = !trail.length || mode === "walk";
    centre.setAttribute("aria-label", title.textContent);
  }

  /** Another point in the middle; `whole`: the controls must follow. */
  function change(next, whole = true) {
    point = next;
    if (whole) place();
    desk.moved(point);
    mark();
    draw();
  }
  function place() {
    if (choice) choice.value = String(point.label);
    truncation.set(point.truncation);
    directions.set(point.moves, point.way);
  }

  function setMode(next) {
    mode = next;
    if (mode !== "walk") walk.hide();
    frame.classList.toggle("near", mode === "near");
    more.setAttribute("aria-pressed", String(mode === "near"));
    walkTo.setAttribute("aria-pressed", String(mode === "walk"));
    nearPart.hidden = mode !== "near";
    settings.hidden = mode === "walk"; // they would change one end alone
    mark();
    draw();
  }

  return {
    element, panel, mark,
    /** Open a point. */
    show(next) {
      trail.length = 0;
      change(next);
      setMode("one");
    },
    /** Walk from the open point to another one. */
    walk(to) {
      target = to;
      walk.show(point, to);
      setMode("walk");
    },
    point: () => point,
    code: () => encode(point),
    focus: () => back.focus({ preventScroll: true }),
    stop: () => { walk.stop(); busy.cancel(); },
  };
}
