// Photos: read from files, brought to a sensible size, and written with a transparent hole.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { Mask } from "./mask.js";

const LONGEST = 1024; // side in pixels to which larger photos are scaled down
const SHORTEST = 8;

/**
 * Read a file; what is transparent in it already is the hole to begin with.
 * Returns {canvas, mask, name, scaled}, where `scaled` has the sizes of a photo that was too large, else null; throws Error with a sentence.
 */
export async function readPhoto(blob, name = "photo") {
  let bitmap;
  try { bitmap = await createImageBitmap(blob); } catch { throw new Error(t("paint.unreadable", { name })); }
  const { width, height } = bitmap;
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (Math.min(wide, high) < SHORTEST) throw new Error(t("paint.small", { width, height, least: SHORTEST }));
  if (scale < 1) bitmap = await createImageBitmap(bitmap, { resizeWidth: wide, resizeHeight: high, resizeQuality: "high" });

  const canvas = h("canvas", { width: wide, height: high });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const alpha = context.getImageData(0, 0, wide, high).data;
  const mask = new Mask(wide, high, Uint8Array.from({ length: wide * high }, (_, place) => (alpha[4 * place + 3] < 128 ? 1 : 0)));
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, wide, high);
  return { canvas, mask, name: name.replace(/\.\w+$/, ""), scaled: scale < 1 ? { width, height, wide, high } : null };
}

/** The photo as a PNG that is transparent in the hole. */
export function writeHole({ canvas, mask }) {
  const { width, height } = canvas;
  const copy = h("canvas", { width, height }), context = copy.getContext("2d");
  const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  mask.values.forEach((hole, place) => { if (hole) pixels.data[4 * place + 3] = 0; });
  context.putImageData(pixels, 0, 0);
  return toPng(copy);
}

export const toPng = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));

/** An image of an address as a canvas. */
export async function loadCanvas(source) {
  const image = h("img", { src: source, alt: "" });
  await image.decode();
  const canvas = h("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}
