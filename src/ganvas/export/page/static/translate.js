// A photo, and what the GAN makes of it, side by side.

import { button, clear, h, sharpness } from "../../../studio/static/dom.js";
import { findPort, joinNoise, latest, rowNoise, spec } from "./engine.js";
import { breathe, makeStatus, savePng } from "./parts.js";
import { askForPhoto, chooseSize, drawExample, fixedSide, seeImage } from "./photos.js";
import { readCanvas, toFloat, toLevels, writeCanvas } from "./pixels.js";
import { t } from "./texts.js";

const PHOTO = { channels: "colour" };

export function showTranslate(root, engine, kept) {
  const port = findPort("picture"), attributes = findPort("attributes");
  const wanted = Object.assign(kept, { photo: null, example: false, size: spec.size, attributes: attributes ? firstAttributes(attributes) : null, ...kept });
  const status = makeStatus(), note = h("p", { class: "note" });
  const before = h("canvas", { role: "img", "aria-label": t("photo.before") }), after = h("canvas", { role: "img", "aria-label": t("photo.after") });
  const save = button(t("page.saveOne"), () => savePng(after, wanted.photo.name), { kind: "primary", disabled: true });

  const translate = latest(async () => {
    const { photo } = wanted;
    const seen = seeImage(readCanvas(photo.canvas, port.shape[1]), wanted.size);
    writeCanvas(before, seen.before, PHOTO);
    note.textContent = describe(photo, seen);
    await breathe();

    const { height, width } = seen.image;
    const values = { ...joinNoise([rowNoise(0, 0)]), [port.name]: toFloat(seen.image).values, ...(attributes ? { [attributes.name]: wanted.attributes } : {}) };
    const result = await status.follow(() => engine.run(1, values, { height, width }));
    if (!result) return;
    writeCanvas(after, seen.restore(toLevels(result[0])), spec.output);
    for (const canvas of [before, after]) canvas.className = sharpness(Math.max(canvas.width, canvas.height));
    save.disabled = false;
  });

  function describe(photo, seen) {
    const { scaled } = photo;
    return [wanted.example && t("photo.example"), scaled && t("photo.scaled", scaled), t("photo.seen", seen.seen), seen.cropped && t("photo.cropped")].filter(Boolean).join(" ");
  }

  function take(photo, example = false) {
    Object.assign(wanted, { photo, example });
    translate();
  }
  const ask = askForPhoto(take, (text) => status.complain(text));

  const frame = (title, canvas) => h("figure", {}, h("figcaption", { text: title }), canvas);
  clear(root, h("div", { class: "stage" },
    h("div", { class: "picture" }, h("div", { class: "pair" }, frame(t("photo.before"), before), frame(spec.domain ? t("photo.to", { name: spec.domain }) : t("photo.after"), after)), note),
    h("div", { class: "panel" }, ask.element,
      attributes && chooseAttributes(attributes, wanted.attributes, translate),
      !fixedSide() && chooseSize(wanted, translate), status.element, save)));
  if (wanted.photo) translate();
  else drawExample().then((photo) => { if (!wanted.photo) take(photo, true); });
  return ask.stop;
}

/** Attributes to begin with: none, and the first of each group of which a picture has one. */
const firstAttributes = ({ names, exclusive }) => Float32Array.from(names, (name) => Number(exclusive.some(([first]) => first === name)));

/** Switches for the attributes; those that exclude each other are one group. */
function chooseAttributes({ names, exclusive }, values, change) {
  const readName = (name) => name.replaceAll("_", " ");
  const grouped = new Set(exclusive.flat());
  const groups = exclusive.map((group, number) => h("div", { class: "checks", role: "radiogroup", "aria-label": group.map(readName).join(", ") }, group.map((name) => {
    const choose = () => { for (const other of group) values[names.indexOf(other)] = Number(other === name); change(); };
    return h("label", { class: "check" }, h("input", { type: "radio", name: `group-${number}`, checked: values[names.indexOf(name)] === 1, on: { change: choose } }), readName(name));
  })));
  const single = names.filter((name) => !grouped.has(name)).map((name) => {
    const place = names.indexOf(name);
    return h("label", { class: "check" }, h("input", { type: "checkbox", checked: values[place] === 1, on: { change: (event) => { values[place] = Number(event.target.checked); change(); } } }), readName(name));
  });
  return h("fieldset", {}, h("legend", { class: "label", text: t("photo.attributes") }), groups, h("div", { class: "checks" }, single), h("small", { text: t("photo.attributesHelp") }));
}
