// Fill a hole in a photo: open one, paint over what shall be replaced, fill, compare, save.

import { app } from "../app.js";
import { postBlob, postJson } from "../api.js";
import { button, clear, field, h, saveAs, sharpness, slider } from "../dom.js";
import { say } from "../say.js";
import { duration, number, percent, t } from "../texts.js";
import { makeEasel } from "./paint/easel.js";
import { loadCanvas, readPhoto, toPng, writeHole } from "./paint/photo.js";
import { makeBusy } from "./sample/busy.js";

const EFFORTS = { quick: { steps: 60, candidates: 2 }, thorough: { steps: 300, candidates: 4 } }; // of a search
const kept = { id: null, photo: null, results: [], notes: [], size: null, chosen: 0, fills: 0 }; // of the page: another view or language loses no work
const seconds = new Map(); // how long a fill took last, by run and effort

export async function show(root, place) {
  const { run, query } = place, { model } = run;
  const direct = "mask" in model.inputs; // an inpainting GAN fills at once; of others the noise is searched
  if (kept.id !== run.id) Object.assign(kept, { id: run.id, photo: null, results: [], chosen: 0, fills: 0 });
  let effort = query.effort === "thorough" ? "thorough" : "quick", size = query.size === "own" ? "own" : "auto", held = false, working = false;

  // The picture
  const easel = makeEasel({ begins: resume, painted: update, brush: drawBrush, zoomed: (zoom) => { zoomText.textContent = percent(zoom); } });
  const tool = (key, on, more = {}) => button(t(`paint.${key}`), on, { title: t(`paint.${key}.key`), ...more });
  const brush = tool("brush", () => choose(false)), eraser = tool("eraser", () => choose(true));
  const undo = tool("undo", () => edit((mask) => mask.undo()));
  const invert = tool("invert", () => edit((mask) => mask.invert()));
  const empty = tool("clear", () => edit((mask) => mask.clear()));
  const zoomText = h("output", {});
  const toolbar = h("div", { class: "row toolbar", role: "toolbar", "aria-label": t("paint.tools") }, brush, eraser, undo, invert, empty, h("div", { class: "grow" }),
    button("−", () => easel.zoomBy(1 / 1.5), { "aria-label": t("paint.smaller"), title: t("paint.zoom.key") }), zoomText,
    button("+", () => easel.zoomBy(1.5), { "aria-label": t("paint.larger"), title: t("paint.zoom.key") }), button(t("paint.fit"), () => easel.fitZoom()));
  const file = h("input", { type: "file", accept: "image/*", hidden: true, on: { change() { if (file.files[0]) open(file.files[0], file.files[0].name); file.value = ""; } } });
  const samples = model.views.includes("sample");
  const opener = (kind = "") => h("div", { class: "row actions" }, button(t("paint.open"), () => file.click(), { kind }), samples && button(t("paint.sample"), useSample));
  const drop = h("div", { class: "drop paint-drop" }, h("p", { text: t("paint.drop") }), opener("primary"));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const candidates = h("div", { class: "row candidates", role: "group", "aria-label": t("paint.candidates") });
  const left = h("div", { class: `picture paint-picture${direct ? "" : " search"}` }, toolbar, drop, easel.element, candidates, problem, file);

  // The controls
  const sizer = slider(t("paint.size"), { min: 4, max: 300, step: 1, value: easel.brush.size, format: (value) => `${value} px`, on: (value) => easel.setBrush({ size: value }) });
  const efforts = Object.keys(EFFORTS).map((name) => button(t(`paint.${name}`), () => setEffort(name), { title: t("paint.effort.help", EFFORTS[name]), data: { name } }));
  const workSize = h("select", { value: size, on: { change() { size = workSize.value; app.keep({ size: size === "auto" ? "" : size }); } } }, ["auto", "own"].map((name) => h("option", { value: name, text: t(`paint.at.${name}`), selected: name === size })));
  const how = direct ? field(t("paint.at"), workSize, t("paint.at.help", { size: model.size }))
    : h("div", { class: "field" }, h("span", { class: "label", text: t("paint.effort") }), h("div", { class: "row segments", role: "group", "aria-label": t("paint.effort") }, efforts), h("small", { text: t("paint.search.help", { size: model.size }) }));
  const fill = button(t("paint.fill"), startFill, { kind: "primary" });
  const hint = h("small", { class: "hint", role: "status" });
  const busy = makeBusy();
  const compare = button(t("paint.compare"), () => {}, { title: t("paint.compare.key") });
  const again = button(t("paint.again"), () => { kept.results = []; update(); easel.element.focus({ preventScroll: true }); });
  const goOn = button(t("paint.continue"), continueWith, { title: t("paint.continue.help") });
  const save = button(t("paint.save"), async () => saveAs(await toPng(kept.results[kept.chosen].canvas), `${kept.photo.name}-filled.png`));
  const notes = h("details", {});
  const result = h("div", { class: "panel-part result" }, h("div", { class: "result-actions" }, compare, save, again, goOn), notes);
  const note = h("p", { class: "note" });
  const panel = h("div", { class: "panel" }, opener(), note, sizer.element, h("small", { class: "keys", text: t("paint.keys") }), how, run.model?.channels === 1 && h("small", { class: "note", text: t("paint.grey") }), fill, hint, busy.element, result);
  root.append(h("div", { class: "stage" }, left, panel));

  // Photos
  async function open(blob, name) {
    try {
      const photo = await readPhoto(blob, name);
      busy.cancel();
      Object.assign(kept, { photo, results: [], chosen: 0, fills: 0 });
      problem.hidden = true;
      openKept();
    } catch (error) { fail(error); }
  }
  function fail(error) { clear(problem, app.describe(error)); problem.hidden = false; }
  async function useSample() {
    const seed = Math.floor(Math.random() * 1_000_000);
    const labels = model.classes.length ? [model.classes[seed % model.classes.length]] : [];
    const blob = await busy.run((signal) => postBlob(`/api/runs/${run.id}/sample`, { latents: [{ terms: [[seed, 0, 1]] }], labels }, { signal }));
    if (blob) await open(blob, `seed${seed}`);
  }
  function openKept() {
    note.textContent = kept.photo.scaled ? t("paint.scaled", kept.photo.scaled) : "";
    update();
    easel.open(kept.photo);
    update();
  }

  // Painting
  function choose(erase) { resume(); easel.setBrush({ erase }); }
  function edit(change) {
    if (!kept.photo || working) return;
    resume();
    change(kept.photo.mask);
    easel.redraw();
    update();
  }
  /** From a result back to the hole. */
  function resume() { if (kept.results.length) { kept.results = []; update(); } }
  function drawBrush({ size: wide, erase }) {
    sizer.set(wide);
    brush.setAttribute("aria-pressed", String(!erase));
    eraser.setAttribute("aria-pressed", String(erase));
  }
  function setEffort(name) {
    effort = name;
    app.keep({ effort: name === "quick" ? "" : name });
    efforts.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.name === effort)));
  }

  /** Everything that depends on the photo, the hole, the results, and on whether something is under way. */
  function update() {
    const { photo, results, chosen } = kept;
    const { share } = photo ? photo.mask.measure() : { share: 0 };
    drop.hidden = Boolean(photo);
    easel.element.hidden = toolbar.hidden = panel.hidden = !photo;
    left.parentElement.classList.toggle("alone", !photo);
    if (!photo) return;
    fill.disabled = working || share === 0 || share === 1;
    hint.textContent = share === 0 ? t("paint.hint.empty") : share === 1 ? t("paint.hint.all") : t("paint.hint.share", { share: `${number(100 * share, 2)}%` });
    undo.disabled = working || !photo.mask.past.length;
    invert.disabled = brush.disabled = eraser.disabled = working;
    empty.disabled = working || share === 0;
    result.hidden = !results.length || working;
    const lines = [kept.size && t("paint.worked", { size: kept.size }), ...kept.notes].filter(Boolean);
    clear(notes, h("summary", { text: t("paint.details") }), lines.map((line) => h("p", { class: "note", text: say(line) })));
    notes.hidden = !lines.length;
    easel.lock(working);
    easel.show(results.length && !held ? results[chosen].canvas : photo.canvas, !results.length && !held);
    clear(candidates, results.length > 1 && results.map((one, number) => {
      one.canvas.className = sharpness(one.canvas.width);
      return h("button", { type: "button", class: "candidate", "aria-pressed": String(number === chosen), "aria-label": t("paint.candidate", { n: number + 1 }), title: t("paint.candidate", { n: number + 1 }), on: { click() { kept.chosen = number; update(); candidates.children[number].focus(); } } }, one.canvas);
    }));
  }

  // Filling
  function options() {
    if (!direct) return { ...EFFORTS[effort], seed: kept.fills };
    const { longest } = kept.photo.mask.measure(), { width, height } = kept.photo.canvas;
    if (size === "own" || longest <= model.size) return {};
    return { size: Math.max(8, Math.floor(Math.min(width, height) * model.size / (2 * longest))) }; // a hole half as large as what it was trained on
  }

  async function startFill() {
    const photo = kept.photo, began = performance.now(), wanted = options();
    const key = `${run.id} ${direct ? "" : effort}`, expected = seconds.get(key);
    const bar = h("progress", expected ? { max: 1, value: 0 } : {}), text = h("span", {});
    const tick = () => {
      const passed = (performance.now() - began) / 1000;
      text.textContent = expected ? t("paint.progress.of", { time: duration(passed), total: duration(expected) }) : t("paint.progress", { time: duration(passed) });
      if (expected) bar.value = Math.min(0.98, passed / expected);
    };
    working = true;
    kept.results = [];
    update();
    tick();
    const timer = setInterval(tick, 500);
    const answer = await busy.run(async (signal) => {
      const body = await writeHole(photo);
      const found = await postJson(`/api/runs/${run.id}/restore?${new URLSearchParams(wanted)}`, body, { signal });
      return { notes: found.notes, results: await Promise.all(found.images.map(async ({ name, src }) => ({ name, canvas: await loadCanvas(src) }))) };
    }, h("span", { class: "progress" }, text, bar));
    clearInterval(timer);
    working = false;
    if (answer && photo === kept.photo) {
      seconds.set(key, (performance.now() - began) / 1000);
      Object.assign(kept, { results: answer.results, notes: answer.notes, size: wanted.size, chosen: 0, fills: kept.fills + 1 });
    }
    update();
    if (document.activeElement === document.body || document.activeElement === fill) easel.element.focus({ preventScroll: true }); // so that space compares
  }

  async function continueWith() {
    const blob = await toPng(kept.results[kept.chosen].canvas);
    open(blob, kept.photo.name);
  }

  // Before and after
  function hold(on) { if (held !== on && kept.photo) { held = on; compare.setAttribute("aria-pressed", String(on)); update(); } }
  compare.addEventListener("pointerdown", (event) => { compare.setPointerCapture(event.pointerId); hold(true); });
  for (const name of ["pointerup", "pointercancel", "blur"]) compare.addEventListener(name, () => hold(false));
  compare.addEventListener("keydown", (event) => { if (event.key === "Enter") hold(true); });
  compare.addEventListener("keyup", () => hold(false));

  const isField = (target) => target.closest?.("select, textarea, input:not([type='range'])");
  const isPressed = (target) => target.closest?.("button, a, summary, input") && target !== compare; // the space bar is theirs
  const onKey = (event) => {
    if (!kept.photo || isField(event.target)) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z") { event.preventDefault(); edit((mask) => mask.undo()); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === " ") { if (!isPressed(event.target)) { event.preventDefault(); hold(true); } return; }
    const act = { "[": easel.smaller, "]": easel.larger, e: () => choose(!easel.brush.erase), b: () => choose(false), "+": () => easel.zoomBy(1.5), "=": () => easel.zoomBy(1.5), "-": () => easel.zoomBy(1 / 1.5) }[key];
    if (act && !working) act();
  };
  const onKeyUp = (event) => { if (event.key === " ") hold(false); };
  const onPaste = (event) => { const found = [...event.clipboardData.files].find((one) => one.type.startsWith("image/")); if (found) open(found, found.name); };
  const onDrag = (event) => { event.preventDefault(); drop.classList.toggle("over", event.type === "dragover"); };
  const onDrop = (event) => { onDrag(event); const found = event.dataTransfer.files[0]; if (found) open(found, found.name); };
  const listeners = [["keydown", onKey], ["keyup", onKeyUp], ["paste", onPaste], ["dragover", onDrag], ["dragleave", onDrag], ["drop", onDrop]];
  for (const [name, act] of listeners) document.addEventListener(name, act);

  drawBrush(easel.brush);
  if (!direct) setEffort(effort);
  const handed = app.take(place.path);
  if (handed) open(handed.blob, handed.name); else if (kept.photo) openKept(); else update();
  return () => {
    for (const [name, act] of listeners) document.removeEventListener(name, act);
    busy.cancel();
    easel.stop();
  };
}
