// Photos from files, dropped or pasted; and how a GAN sees them.

import { button, field, h } from "../../../studio/static/dom.js";
import { readPhoto } from "../../../studio/static/views/paint/photo.js";
import { findPort, spec } from "./engine.js";
import { cut, makeImage, mirror, resize, round } from "./pixels.js";
import { t } from "./texts.js";

const SMALLEST = 8; // pixels of a side: networks that halve twice and then look around need two of them
const DRAWING = 256; // pixels of a side

/**
 * A line that asks for a photo; photos may be dropped and pasted anywhere.
 * `take(photo)` gets what `readPhoto` returns, `complain(text)` why one cannot be read. Returns {element, stop}.
 */
export function askForPhoto(take, complain) {
  const input = h("input", { type: "file", accept: "image/*", hidden: true, on: { change: () => { open(input.files); input.value = ""; } } });
  const element = h("div", { class: "row drop-line" }, h("span", { class: "note", text: t("photo.drop") }), button(t("photo.choose"), () => input.click()), input);

  async function open(files) {
    const [file] = files;
    if (!file) return;
    try {
      take(await readPhoto(file, file.name));
      complain("");
    } catch (error) {
      complain(error.message);
    }
  }

  const stop = new AbortController();
  const listen = (name, act) => document.addEventListener(name, act, { signal: stop.signal });
  listen("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
  listen("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
  listen("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    open(event.dataTransfer.files);
  });
  listen("paste", (event) => open(event.clipboardData.files));
  return { element, stop: () => stop.abort() };
}

/** A drawing that stands in for a photo: sky, sun, hills and a path. */
export async function drawExample() {
  const canvas = h("canvas", { width: DRAWING, height: DRAWING }), context = canvas.getContext("2d");
  const fill = (colour, draw) => { context.fillStyle = colour; context.beginPath(); draw(); context.fill(); };
  fill("#a9d3ee", () => context.rect(0, 0, DRAWING, DRAWING));
  fill("#f7d774", () => context.arc(190, 60, 28, 0, 2 * Math.PI));
  fill("#7fa66b", () => context.ellipse(60, 260, 170, 120, 0, 0, 2 * Math.PI));
  fill("#5f8a55", () => context.ellipse(230, 270, 150, 100, 0, 0, 2 * Math.PI));
  fill("#d9c3a0", () => { context.moveTo(110, 256); context.quadraticCurveTo(150, 200, 118, 146); context.quadraticCurveTo(170, 205, 160, 256); });
  return readPhoto(await new Promise((resolve) => { canvas.toBlob(resolve); }), "drawing");
}

/** A field for the size at which the GAN sees photos, kept as `wanted.size`; null is the photo's own. */
export function chooseSize(wanted, change = () => {}) {
  const sizes = [[spec.size, t("photo.trained", { n: spec.size })], [2 * spec.size, t("photo.double", { n: 2 * spec.size })], [null, t("photo.own")]];
  const choose = () => { [wanted.size] = sizes[select.selectedIndex]; change(); };
  const select = h("select", { on: { change: choose } }, sizes.map(([value, text]) => h("option", { text, selected: value === wanted.size })));
  return field(t("photo.size"), select, t("photo.sizeHelp"));
}

/** The sides that pictures of the GAN have, or null if they may have any. */
export const fixedSide = () => (typeof findPort("picture").shape[2] === "number" ? findPort("picture").shape[2] : null);

/**
 * An image as the GAN sees it: {image (in 0..255), before (what of the photo that is), restore (brings a result back to its size)}.
 * `side`: to which the shorter side is brought, where it may have any; null: its own.
 */
export function seeImage(own, side) {
  return fixedSide() ? seeSquare(own, fixedSide()) : seeAny(own, side ?? Math.min(own.height, own.width));
}

function seeAny(own, side) {
  const scale = side / Math.min(own.height, own.width), { multiple } = findPort("picture");
  const small = resize(own, Math.max(1, round(own.height * scale)), Math.max(1, round(own.width * scale)));
  const fit = (length) => Math.max(length + ((multiple - (length % multiple)) % multiple), SMALLEST);
  const image = mirror(small, fit(small.height), fit(small.width));
  const restore = (result) => resize(cut(result, 0, 0, small.height, small.width), own.height, own.width);
  return { image, before: own, seen: small, restore };
}

function seeSquare(own, side) {
  if (spec.fit === "stretch") {
    const image = resize(own, side, side);
    return { image, before: own, seen: image, restore: (result) => resize(result, own.height, own.width) };
  }
  if (spec.fit === "pad") {
    const scale = Math.min(1, side / Math.max(own.height, own.width));
    const small = resize(own, Math.max(1, round(own.height * scale)), Math.max(1, round(own.width * scale)));
    const top = Math.floor((side - small.height) / 2), left = Math.floor((side - small.width) / 2);
    const image = cut(small, -top, -left, side, side, spec.background);
    const restore = (result) => resize(cut(result, top, left, small.height, small.width), own.height, own.width);
    return { image, before: own, seen: image, restore };
  }
  // a square out of the middle
  const length = Math.min(own.height, own.width);
  const before = cut(own, Math.floor((own.height - length) / 2), Math.floor((own.width - length) / 2), length, length);
  const image = resize(before, side, side);
  return { image, before, seen: image, cropped: own.height !== own.width, restore: (result) => resize(result, length, length) };
}

/** The hole of a photo, 1 in it, at another size: a small pixel is hole if any of its large ones is. */
export function shrinkHole(hole, height, width, high, wide) {
  const small = makeImage(1, high, wide);
  const span = (place, from, to) => [Math.floor((place * from) / to), Math.ceil(((place + 1) * from) / to)];
  for (let y = 0; y < high; y++) {
    const [top, bottom] = span(y, height, high);
    for (let x = 0; x < wide; x++) {
      const [left, right] = span(x, width, wide);
      for (let row = top; row < bottom; row++) {
        if (hole.subarray(row * width + left, row * width + right).includes(1)) small.values[y * wide + x] = 1;
      }
    }
  }
  return small;
}
