// Samples of a GAN: a wall of them, one opened large, the tray of favourites, and arithmetic.

import { app } from "../app.js";
import { button, clear, field, h, slider } from "../dom.js";
import { number, t } from "../texts.js";
import { makeArithmetic } from "./sample/arithmetic.js";
import { makeLarge } from "./sample/large.js";
import { decode, encode, samplePoint } from "./sample/points.js";
import { makeSource } from "./sample/source.js";
import { makeTray } from "./sample/tray.js";
import { makeWall } from "./sample/wall.js";

const SEEDS = 1_000_000; // of the dice

export async function show(root, place) {
  const { run, query } = place, { classes } = run.model;
  const source = makeSource(run);
  const state = {
    seed: /^\d{1,15}$/.test(query.seed ?? "") ? Number(query.seed) : 0,
    label: query.class in Object.keys(classes) ? Number(query.class) : "all",
    truncation: Math.min(1.5, Math.max(0, Number(query.truncation ?? 1))) || (query.truncation === "0" ? 0 : 1),
  };
  let picking = null; // {on(point), cancel()}: the next sample that is clicked is taken for it
  let opened = null; // row or element that opened the large view, for the focus on the way back
  let pending = {}, resting = 0; // settings that the address does not hold yet, and their timer
  let pushed = false; // whether the history has a step for the large view

  // What the parts share.
  const desk = {
    source, dragged: null, fileName: run.name.replace(/[^\p{L}\p{N}._-]+/gu, "-"),
    describe, fileLabel, open, close, pick, walkFrom,
    act(point) { if (picking) finishPick(point); else open(point); },
    toggle: (point) => tray.toggle(point),
    isKept: (point) => tray.has(point),
    trayChanged() { wall.mark(); large.mark(); },
    settle, // before another view opens, so that the way back leads here
    moved: (point) => remember({ at: encode(point) }),
    drag(event, point, canvas) {
      desk.dragged = point;
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData("text/plain", describe(point));
      event.dataTransfer.setDragImage(canvas, canvas.clientWidth / 2, canvas.clientHeight / 2);
    },
  };

  /** A point in a few words. */
  function describe(point) {
    const [seed, row] = point.terms[0];
    const what = point.terms.length === 1 ? t("sample.row", { seed: String(seed), row: row + 1 }) : t("sample.mix", { n: point.terms.length });
    return [what, classes[point.label]].filter(Boolean).join(" · ");
  }
  function fileLabel(point) {
    const [seed, row] = point.terms[0];
    return point.terms.length === 1 && !point.moves.length ? `seed${seed}-no${row + 1}` : "mix";
  }

  /** Keep settings in the address, when they rest: browsers allow few changes of it. */
  function remember(settings) {
    Object.assign(pending, settings);
    clearTimeout(resting);
    resting = setTimeout(settle, 300);
  }
  function settle() { clearTimeout(resting); app.keep(pending); pending = {}; }

  // The wall and its controls
  const wall = makeWall(desk);
  const tray = makeTray(desk);
  const large = makeLarge(desk);
  const arithmetic = makeArithmetic(desk);
  const seed = h("input", { type: "number", min: 0, max: 1e15, step: 1, value: String(state.seed), on: { input() { if (/^\d{1,15}$/.test(seed.value)) { state.seed = Number(seed.value); showWall(); } } } });
  const roll = () => { state.seed = Math.floor(Math.random() * SEEDS); seed.value = String(state.seed); showWall(); };
  const choice = classes.length ? h("select", { on: { change() { state.label = choice.value === "all" ? "all" : Number(choice.value); showWall(); } } },
    h("option", { value: "all", text: t("sample.all") }), classes.map((name, label) => h("option", { value: String(label), text: name }))) : null;
  if (choice) choice.value = String(state.label);
  const truncation = slider(t("sample.truncation"), { min: 0, max: 1.5, step: 0.05, value: state.truncation, dblclick: 1, format: (value) => number(value), on(value) { state.truncation = value; showWall(); } });
  const wallPanel = h("div", { class: "panel" },
    button(t("sample.roll"), roll, { kind: "primary roll" }),
    field(t("word.seed"), seed), choice && field(t("sample.class"), choice),
    h("div", {}, truncation.element, h("small", { text: t("sample.truncation.help") })), arithmetic.element);

  function showWall() {
    remember({ seed: state.seed || "", class: state.label === "all" ? "" : state.label, truncation: state.truncation === 1 ? "" : state.truncation });
    wall.show(Array.from({ length: wall.count }, (_, row) =>
      samplePoint(state.seed, row, state.label === "all" ? row % Math.max(1, classes.length) : state.label, state.truncation)));
  }

  // Choosing a sample for something else
  const banner = h("div", { class: "banner", role: "status", hidden: true });
  function pick(text, on, cancel = () => {}) {
    picking = { on, cancel };
    clear(banner, h("span", { text }), button(t("word.cancel"), cancelPick, { kind: "link" }));
    banner.hidden = false;
    arrange(false);
    wall.focus(0);
  }
  function endPick() { const { on, cancel } = picking; picking = null; banner.hidden = true; return { on, cancel }; }
  const finishPick = (point) => endPick().on(point);
  const cancelPick = () => endPick().cancel();
  function walkFrom() {
    const show = () => { arrange(true); large.focus(); };
    pick(t("sample.pick.walk"), (point) => { show(); large.walk(point); }, show);
  }

  // Wall or large
  const left = h("div", { class: "picture" }, banner, wall.element, large.element);
  const right = h("div", { class: "sample-panel" }, wallPanel, large.panel);
  function arrange(isLarge) {
    left.classList.toggle("one", isLarge);
    large.element.hidden = large.panel.hidden = !isLarge;
    wall.element.hidden = wallPanel.hidden = isLarge;
  }
  function open(point) {
    if (picking) endPick();
    opened = document.activeElement;
    if (!pushed) { history.pushState(null, "", location.hash); pushed = true; }
    arrange(true);
    large.show(point);
    large.focus();
  }
  function close() {
    arrange(false);
    remember({ at: "" });
    if (root.contains(opened) && !opened.closest("[hidden]")) opened.focus({ preventScroll: true }); else wall.focus(0);
  }

  const onKey = (event) => {
    if (event.key !== "Escape") return;
    if (picking) cancelPick(); else if (!large.element.hidden) close();
  };
  const onDragEnd = () => { desk.dragged = null; };
  document.addEventListener("keydown", onKey);
  document.addEventListener("dragend", onDragEnd);

  root.append(h("div", { class: "stage" }, left, right), tray.element);
  arrange(false);
  showWall();
  const at = decode(query.at);
  if (at) { arrange(true); large.show(at); }
  return () => {
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("dragend", onDragEnd);
    clearTimeout(resting);
    large.stop();
    tray.stop();
  };
}
