// Place: a caption, and a box or key points; the picture follows each move.

import { latest, nextWish, postBlob } from "../api.js";
import { app } from "../app.js";
import { button, clear, field, h, saveAs, sharpness } from "../dom.js";
import { t } from "../texts.js";
import { GRID, makeBoxBoard, makePointBoard, readBox, readPoints, writePoints } from "./place/boards.js";

const FOUR = 4; // images at once, in two columns
const TYPING = 200; // ms after the last letter
const KEEPING = 300; // ms after the last move: browsers limit how often the address may change
const BUSY = 100; // ms after which it is said that a picture is on its way
const SLOW = 1000; // ms after which there is a way to cancel
const SEEDS = 1_000_000; // of the dice

export async function show(root, { run, query }) {
  if (!run.model?.views.includes("place")) { root.append(h("p", { class: "note", text: t("place.unfit") })); return null; }
  const { inputs, size } = run.model;
  const textInput = Object.values(inputs).find((kind) => kind.kind === "text"), parts = inputs.keypoints?.parts;
  const wanted = {
    caption: query.caption ?? "", seed: /^\d{1,15}$/.test(query.seed) ? Number(query.seed) : 0, four: query.four === "1", marks: query.marks !== "0",
    box: inputs.box ? readBox(query.box) : null, points: parts ? readPoints(query.points, parts) : new Map(),
  };
  let blob = null, address = null, abort = null, asked = 0, closed = false;
  const timers = {};
  const later = (name, wait, act) => { clearTimeout(timers[name]); timers[name] = setTimeout(act, wait); };

  // The picture, with what was placed drawn faintly over it.

  const image = h("img", { class: sharpness(size), alt: "", hidden: true });
  const overlay = h("div", { class: "marks", "aria-hidden": "true" });
  const first = h("p", { class: "first", text: t("place.first") });
  const frame = h("div", { class: "place-frame" }, image, overlay, first);
  const status = h("div", { class: "place-status", role: "status" }), problem = h("p", { class: "problem", role: "alert", hidden: true });
  const save = button(t("place.save"), () => saveAs(blob, `${run.name.replaceAll("/", "-")}-${wanted.seed}.png`), { kind: "primary", disabled: true });

  function drawMarks() {
    const cells = wanted.four ? FOUR : 1;
    overlay.classList.toggle("four", wanted.four);
    overlay.hidden = !wanted.marks || image.hidden;
    clear(overlay, Array.from({ length: cells }, () => h("div", { class: "mark-cell" }, drawPlaces())));
  }
  function drawPlaces() {
    const at = (value) => `${(value / GRID) * 100}%`;
    if (!wanted.box) return [...wanted.points].map(([part, [x, y]]) => h("span", { class: "mark-point", style: { left: at(x), top: at(y) }, text: String(parts.indexOf(part) + 1) }));
    const [left, top, width, height] = wanted.box;
    return h("span", { class: "mark-box", style: { left: at(left), top: at(top), width: at(width), height: at(height) } });
  }

  // Requests: one is on its way, the newest wish follows it.

  const ask = latest(async () => {
    if (closed || !wanted.caption.trim()) return;
    const mine = ++asked;
    abort = new AbortController();
    const body = { caption: wanted.caption, seed: wanted.seed, count: wanted.four ? FOUR : 1, box: wanted.box?.map((value) => value / GRID) ?? null, keypoints: Object.fromEntries([...wanted.points].map(([part, place]) => [part, place.map((value) => value / GRID)])) };
    later("busy", BUSY, () => clear(status, h("span", { text: t("word.working") })));
    later("slow", SLOW, () => { if (mine === asked) clear(status, h("progress", { "aria-label": t("word.working") }), button(t("word.cancel"), () => abort?.abort(), { kind: "link" })); });
    try {
      const answer = await postBlob(`/api/runs/${run.id}/place`, body, { signal: abort.signal, wish: nextWish("place") });
      if (closed) return;
      if (answer) await showPicture(answer);
      tell("");
      clear(status);
    } catch (error) {
      clear(status, error.name === "AbortError" && h("span", { text: t("place.stopped") }));
      if (error.name !== "AbortError") tell(app.describe(error));
    } finally {
      for (const name of ["busy", "slow"]) clearTimeout(timers[name]);
      abort = null;
    }
  });

  async function showPicture(answer) {
    const old = address;
    blob = answer;
    address = URL.createObjectURL(blob);
    image.src = address;
    await image.decode().catch(() => {});
    if (old) URL.revokeObjectURL(old);
    image.alt = t("place.alt", { caption: wanted.caption });
    image.hidden = !wanted.caption.trim();
    first.hidden = !image.hidden;
    save.disabled = image.hidden;
    drawMarks();
  }

  function tell(text) { problem.textContent = text; problem.hidden = !text; }

  function change() {
    drawMarks();
    later("keep", KEEPING, () => app.keep({
      caption: wanted.caption, seed: wanted.seed || null, four: wanted.four ? 1 : null, marks: wanted.marks ? null : 0,
      box: wanted.box?.join(",") ?? null, points: writePoints(wanted.points) }));
    ask();
  }

  // The controls.

  const cut = h("small", { hidden: true, role: "status", text: t("place.noBytes", { n: textInput.length }) });
  const caption = h("textarea", { rows: 2, maxlength: 2000, value: wanted.caption, placeholder: t("place.placeholder", { data: run.data }), spellcheck: "false" });
  const readCaption = () => {
    wanted.caption = caption.value.replace(/\s+/g, " ");
    cut.hidden = new TextEncoder().encode(wanted.caption.trim()).length <= textInput.length;
    const empty = !wanted.caption.trim();
    if (empty) { image.hidden = true; first.hidden = false; save.disabled = true; tell(""); }
    later("typing", empty ? 0 : TYPING, change);
  };
  caption.addEventListener("input", readCaption);

  const seed = h("input", { type: "number", min: 0, max: 999999999999999, step: 1, value: String(wanted.seed), inputmode: "numeric" });
  const seedProblem = h("small", { class: "problem", role: "alert", hidden: true, text: t("place.badSeed") });
  seed.addEventListener("input", () => {
    const good = /^\d{1,15}$/.test(seed.value);
    seedProblem.hidden = good;
    if (good) { wanted.seed = Number(seed.value); later("typing", TYPING, change); }
  });
  const roll = () => { wanted.seed = Math.floor(Math.random() * SEEDS); seed.value = String(wanted.seed); seedProblem.hidden = true; change(); };
  const dice = h("button", { type: "button", class: "dice", title: t("place.dice"), "aria-label": t("place.dice"), on: { click: roll } }, drawDice());
  const check = (text, name) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: wanted[name], on: { change: (event) => { wanted[name] = event.target.checked; if (name === "marks") { drawMarks(); app.keep({ marks: wanted.marks ? null : 0 }); } else change(); } } }), text);

  const board = wanted.box ? makeBoxBoard(wanted.box, change) : makePointBoard(wanted.points, parts, change);
  const seedField = field(t("word.seed"), seed);
  seedField.append(h("div", { class: "place-seed" }, seed, dice), seedProblem);
  root.append(h("div", { class: "stage" },
    h("div", { class: "picture" }, h("div", { class: "place-holder" }, frame), h("div", { class: "row between place-under" }, status, save), problem),
    h("div", { class: "panel" },
      h("div", { class: "field" }, field(t("place.caption"), caption), cut),
      h("div", { class: "field" }, h("div", { class: "row between" }, h("span", { class: "label", text: t(wanted.box ? "place.box" : "place.parts") }), board.tools), board.element, board.list ?? false, h("small", { id: "place-help", text: board.help })),
      seedField, check(t("place.four"), "four"), check(t(wanted.box ? "place.marksBox" : "place.marksParts"), "marks"))));

  // on a phone the picture sticks below the bar, which has one row or two
  root.style.setProperty("--bar", `${document.getElementById("bar").offsetHeight}px`);
  drawMarks();
  if (wanted.caption) ask();
  else caption.focus({ preventScroll: true });
  return () => {
    closed = true;
    abort?.abort();
    for (const timer of Object.values(timers)) clearTimeout(timer);
    if (address) URL.revokeObjectURL(address);
  };
}

function drawDice() {
  const dot = (cx, cy) => h("circle", { cx, cy, r: 1.6, fill: "currentColor" });
  return h("svg", { viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true" },
    h("rect", { x: 2, y: 2, width: 16, height: 16, rx: 4, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }), dot(6.5, 6.5), dot(13.5, 6.5), dot(10, 10), dot(6.5, 13.5), dot(13.5, 13.5));
}
