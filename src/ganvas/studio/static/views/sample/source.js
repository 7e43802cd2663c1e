// Pictures of points, asked of the server and cut into tiles.

import { postBlob } from "../../api.js";
import { h, sharpness } from "../../dom.js";
import { haveTwoWays } from "./points.js";

export const COLUMNS = 6; // of a request's one image

/** A canvas of the GAN's size; small ones are enlarged sharply. */
export const makeCanvas = (size) => h("canvas", { width: size, height: size, class: sharpness(size) });

/** Draw a tile into a canvas. */
export function put(canvas, { sheet, x, y }) {
  canvas.getContext("2d").drawImage(sheet, x, y, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
}

/** Asks for pictures of a run's GAN. */
export function makeSource(run) {
  const { size, classes, films } = run.model;

  function ask(points, rest, options) {
    const latents = points.map(({ terms, truncation, moves }) => ({ terms, truncation, moves }));
    const labels = classes.length ? points.map((point) => classes[point.label] ?? classes[0]) : [];
    const way = points.find((point) => point.moves.length)?.way ?? "layer";
    return postBlob(`/api/runs/${run.id}/sample`, { latents, labels, way, ...rest }, options);
  }

  /** Tiles of points, for `put`; null: a newer wish of the channel has come. */
  async function draw(points, options) {
    if (haveTwoWays(points)) { // a request for each kind of directions
      const tiles = [];
      for (const way of ["layer", "images"]) {
        const numbers = points.map((_, number) => number).filter((number) => (points[number].moves.length ? points[number].way : "layer") === way);
        const found = await draw(numbers.map((number) => points[number]), options);
        if (!found) return null;
        numbers.forEach((number, place) => { tiles[number] = found[place]; });
      }
      return tiles;
    }
    const blob = await ask(points, { columns: COLUMNS }, options);
    if (!blob) return null;
    const sheet = await createImageBitmap(blob);
    return points.map((_, number) => ({ sheet, x: (number % COLUMNS) * size, y: Math.floor(number / COLUMNS) * size }));
  }

  return { run, size, classes, films, draw, file: ask };
}

/** How much small images are enlarged in films: to 256 pixels or a little more. */
export const filmScale = (size) => Math.max(1, Math.min(16, Math.ceil(256 / size)));
