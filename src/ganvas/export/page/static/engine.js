// The GAN: unpacked from the page and run by onnxruntime-web, on one thread, without any request.

import { drawRow } from "./noise.js";

export const spec = JSON.parse(document.getElementById("spec").textContent);
export const ports = Object.entries(spec.inputs).map(([name, port]) => ({ name, ...port }));
export const findPort = (kind) => ports.find((port) => port.kind === kind);

/** The noise that the GAN draws, in order. */
export const draws = ports.filter(({ kind }) => kind === "normal" || kind === "uniform").map(({ name, kind, shape }) => ({ name, kind, size: shape[1] }));
export const rowNoise = (seed, row) => drawRow(seed, row, draws);

/** Why the GAN cannot run: the key of a text. */
export class EngineError extends Error {}

/** The bytes of a packed part of the page. */
async function unpack(id) {
  const text = atob(document.getElementById(id).textContent.trim()), bytes = new Uint8Array(text.length);
  for (let place = 0; place < bytes.length; place++) bytes[place] = text.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The GAN, ready to run. Throws EngineError. */
export async function openEngine() {
  if (typeof WebAssembly !== "object") throw new EngineError("page.noWasm");
  if (typeof DecompressionStream !== "function") throw new EngineError("page.oldBrowser");

  let script, wasm, model;
  try {
    [script, wasm, model] = await Promise.all(["runtime", "wasm", "model"].map(unpack));
  } catch {
    throw new EngineError("page.damaged"); // each part ends with a checksum
  }

  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    const ort = await import(address);
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm.buffer });
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    return new Engine(ort, session);
  } catch (error) {
    throw new EngineError("page.noStart", { cause: error });
  } finally {
    URL.revokeObjectURL(address);
  }
}

const ARRAYS = { float32: Float32Array, int64: BigInt64Array, uint8: Uint8Array };

class Engine {
  constructor(ort, session) {
    this.ort = ort;
    this.session = session;
    this.tail = Promise.resolve(); // a session runs one thing at a time
  }

  /**
   * Generate images. `values`: for each input its numbers for all images, one after another; `sides`: {height, width} of pictures of any size.
   * Returns the images one by one, in [-1, 1], as in pixels.js; the list has the `milliseconds` that they took.
   */
  run(count, values, sides = {}) {
    const result = this.tail.then(() => this.runNow(count, values, sides));
    this.tail = result.catch(() => {});
    return result;
  }

  async runNow(count, values, sides) {
    const known = { batch: count, ...sides };
    const feeds = Object.fromEntries(ports.map(({ name, type, shape }) => {
      const list = type === "int64" ? Array.from(values[name], BigInt) : values[name];
      return [name, new this.ort.Tensor(type, ARRAYS[type].from(list), shape.map((side) => known[side] ?? side))];
    }));
    const start = performance.now();
    const { image } = await this.session.run(feeds);
    const milliseconds = performance.now() - start;

    const [, channels, height, width] = image.dims, size = channels * height * width;
    const images = Array.from({ length: count }, (_, place) => ({ channels, height, width, values: image.data.slice(place * size, (place + 1) * size) }));
    return Object.assign(images, { milliseconds });
  }
}

/** The numbers of several rows of noise, one after another, by input. `points`: for each image an array for each draw. */
export function joinNoise(points) {
  return Object.fromEntries(draws.map(({ name, size }, draw) => {
    const all = new Float32Array(points.length * size);
    points.forEach((point, place) => all.set(point[draw], place * size));
    return [name, all];
  }));
}

/** Run only the newest wish while others are on their way; one run at a time. */
export function latest(act) {
  let running = false, wanted = false;
  return async function ask() {
    wanted = true;
    if (running) return;
    running = true;
    try {
      while (wanted) {
        wanted = false;
        await act();
      }
    } finally {
      running = false;
    }
  };
}
