// Paint a hole into a photo, and let the GAN fill it.

import { button, clear, h, slider } from "../../../studio/static/dom.js";
import { makeEasel } from "../../../studio/static/views/paint/easel.js";
import { findPort, joinNoise, rowNoise, spec } from "./engine.js";
import { fitInto } from "./harmonic.js";
import { breathe, makeStatus, savePng } from "./parts.js";
import { askForPhoto, chooseSize, drawExample, shrinkHole } from "./photos.js";
import { makeImage, readCanvas, resize, round, toFloat, toLevels, writeCanvas } from "./pixels.js";
import { percent, t } from "./texts.js";

const COLOUR = { channels: "colour" };

export function showPaint(root, engine, kept) {
  const port = findPort("picture");
  const wanted = Object.assign(kept, { photo: null, example: false, size: spec.size, result: null, ...kept });
  const status = makeStatus(), note = h("p", { class: "note" }), hint = h("p", { class: "note" });
  let showsBefore = false;

  const easel = makeEasel({ begins() {}, painted: tell, brush: () => brush.set(easel.brush.size), zoomed() {} });
  const brush = slider(t("paint.size"), { min: 4, max: 300, step: 1, value: easel.brush.size, on: (size) => easel.setBrush({ size }) });
  const eraser = button(t("paint.eraser"), () => { easel.setBrush({ erase: !easel.brush.erase }); tell(); }, { title: t("paint.eraser.key"), "aria-pressed": "false" });
  const change = (act) => () => { act(wanted.photo.mask); easel.redraw(); tell(); };
  const undo = button(t("paint.undo"), change((mask) => mask.undo()), { title: t("paint.undo.key") });
  const invert = button(t("paint.invert"), change((mask) => mask.invert()), { title: t("paint.invert.key") });
  const empty = button(t("paint.clear"), change((mask) => mask.clear()), { title: t("paint.clear.key") });
  const tools = h("div", { class: "row toolbar", role: "toolbar", "aria-label": t("paint.tools") }, eraser, undo, invert, empty);

  const fill = button(t("hole.fill"), fillHole, { kind: "primary" });
  const compare = button(t("hole.before"), () => { showsBefore = !showsBefore; show(); }, { "aria-pressed": "false" });
  const again = button(t("hole.again"), () => { wanted.result = null; show(); });
  const save = button(t("hole.saved"), () => savePng(wanted.result, `${wanted.photo.name}-filled`), { kind: "primary" });

  const keys = h("small", { class: "keys", text: t("paint.keys") });

  function tell() {
    const { mask } = wanted.photo, { share } = mask.measure();
    fill.disabled = !share || share === 1;
    undo.disabled = !mask.past.length;
    eraser.setAttribute("aria-pressed", String(easel.brush.erase));
    hint.textContent = share === 0 ? t("paint.hint.empty") : share === 1 ? t("paint.hint.all") : t("paint.hint.share", { share: percent(share) });
  }

  /** Show the photo with its hole, or the result. */
  function show() {
    const done = wanted.result !== null;
    for (const part of [fill, tools, brush.element, keys, hint]) part.hidden = done;
    for (const part of [compare, again, save]) part.hidden = !done;
    if (!done) showsBefore = false;
    compare.setAttribute("aria-pressed", String(showsBefore));
    easel.show(done && !showsBefore ? wanted.result : wanted.photo.canvas, !done);
    easel.lock(done);
    note.textContent = [wanted.example && t("photo.example"), wanted.photo.scaled && t("photo.scaled", wanted.photo.scaled)].filter(Boolean).join(" ");
    tell();
  }

  async function fillHole() {
    const { canvas, mask } = wanted.photo, hole = mask.values, { width, height } = canvas;
    fill.disabled = true;
    status.say(t("page.working"));
    await breathe();

    const image = readCanvas(canvas, port.shape[1]);
    // Before resizing, which mixes what lies in the hole into the pixels around it.
    const blurred = fitInto(image, makeImage(image.channels, height, width), hole);
    const scale = (wanted.size ?? Math.min(height, width)) / Math.min(height, width);
    const sides = { height: round(height * scale), width: round(width * scale) };
    const values = { ...joinNoise([rowNoise(0, 0)]), [port.name]: toFloat(resize(blurred, sides.height, sides.width)).values, [findPort("mask").name]: shrinkHole(hole, height, width, sides.height, sides.width).values };
    const made = await status.follow(() => engine.run(1, values, sides));
    fill.disabled = false;
    if (!made) return;

    const levels = toLevels(made[0]);
    // A result of another size has other pixels at the rim, so it must be fitted in.
    const filled = scale === 1 ? paste(image, levels, hole) : fitInto(image, resize(levels, height, width), hole);
    wanted.result = h("canvas");
    writeCanvas(wanted.result, filled, COLOUR);
    show();
    compare.focus();
  }

  function take(photo, example = false) {
    Object.assign(wanted, { photo, example, result: null });
    easel.open(photo);
    show();
  }
  const ask = askForPhoto(take, (text) => status.complain(text));

  // Keys of the easel, wherever the focus is, but for fields.
  const stop = new AbortController();
  document.addEventListener("keydown", (event) => {
    if (!wanted.photo || wanted.result || event.target.matches("input:not([type=range]), select, textarea")) return;
    const act = { "[": easel.smaller, "]": easel.larger, e: () => eraser.click(), b: () => easel.setBrush({ erase: false }) }[event.key.toLowerCase()];
    const undoes = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (undoes) undo.click();
    else if (act && !event.ctrlKey && !event.metaKey && !event.altKey) act();
    else return;
    event.preventDefault();
    tell();
  }, { signal: stop.signal });

  clear(root, h("div", { class: "stage" },
    h("div", { class: "picture paint-picture" }, tools, easel.element, note),
    h("div", { class: "panel" }, h("p", { class: "note", text: t("hole.drop") }), ask.element, brush.element, keys,
      chooseSize(wanted), hint, status.element, h("div", { class: "row actions" }, fill, compare, again, save))));
  if (wanted.photo) { easel.open(wanted.photo); show(); }
  else drawExample().then((photo) => { if (!wanted.photo) take(photo, true); });
  return () => { ask.stop(); stop.abort(); easel.stop(); };
}

/** An image with the pixels of another one in the hole. */
const paste = (image, made, hole) => ({ ...image, values: image.values.map((value, place) => (hole[place % hole.length] ? made.values[place] : value)) });
