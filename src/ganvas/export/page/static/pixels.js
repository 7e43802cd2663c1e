// Images as planes of numbers, and how photos are brought to a GAN: as `ganvas translate` does it.
// An image is {channels, height, width, values}: values is a Float32Array (channels, height, width), in 0..255 or, for the GAN, in [-1, 1].

export const makeImage = (channels, height, width) => ({ channels, height, width, values: new Float32Array(channels * height * width) });

/** Apply a function to each value. */
const map = (image, change) => ({ ...image, values: image.values.map(change) });
export const toFloat = (image) => map(image, (value) => (value * 2) / 255 - 1);
export const toLevels = (image) => map(image, (value) => Math.min(255, Math.max(0, Math.round((value + 1) * 127.5))));

/** The pixels of a canvas, in 0..255, as colours or grey. */
export function readCanvas(canvas, channels) {
  const { width, height } = canvas, size = width * height;
  const { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  const image = makeImage(channels, height, width);
  for (let place = 0; place < size; place++) {
    const [red, green, blue] = [data[4 * place], data[4 * place + 1], data[4 * place + 2]];
    if (channels === 1) image.values[place] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16; // as Pillow
    else [red, green, blue].forEach((value, channel) => { image.values[channel * size + place] = value; });
  }
  return image;
}

/**
 * Draw an image, in 0..255, as people see it: grey, colours, colours multiplied by opacity, bands or categories.
 * `output` describes the channels.
 */
export function writeCanvas(canvas, image, output) {
  const { channels, height, width, values } = image, size = height * width;
  const pixels = new ImageData(width, height), { data } = pixels;
  for (let place = 0; place < size; place++) {
    const at = (channel) => values[channel * size + place];
    let colour = channels >= 3 ? [at(0), at(1), at(2)] : [at(0), at(0), at(0)], alpha = 255;
    if (output.channels === "categories") colour = output.colours[findLargest(channels, at)];
    if (output.channels === "alpha") {
      alpha = at(3);
      colour = colour.map((value) => (alpha ? (value * 255) / alpha : 0));
    }
    data.set([...colour, alpha], 4 * place);
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function findLargest(count, at) {
  let best = 0;
  for (let one = 1; one < count; one++) if (at(one) > at(best)) best = one;
  return best;
}

/** Resize an image in 0..255, bicubic with antialiasing, as PyTorch does. */
export function resize(image, height, width) {
  if (image.height === height && image.width === width) return image;
  const wide = resizeRows(image, width);
  return map(transpose(resizeRows(transpose(wide), height)), (value) => Math.min(255, Math.max(0, Math.round(value))));
}

function transpose({ channels, height, width, values }) {
  const turned = makeImage(channels, width, height);
  for (let channel = 0, place = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) turned.values[(channel * width + x) * height + y] = values[place++];
  }
  return turned;
}

/** Bring every row to another length. */
function resizeRows({ channels, height, width, values }, length) {
  const resized = makeImage(channels, height, length), taps = listTaps(width, length);
  for (let row = 0; row < channels * height; row++) {
    taps.forEach(({ first, weights }, x) => {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap] * values[row * width + first + tap];
      resized.values[row * length + x] = sum;
    });
  }
  return resized;
}

/** For each place of a row, which values make it and with which weights. */
function listTaps(from, to) {
  const scale = from / to, stretch = Math.max(scale, 1), reach = 2 * stretch;
  return Array.from({ length: to }, (_, place) => {
    const centre = scale * (place + 0.5);
    const first = Math.max(0, Math.trunc(centre - reach + 0.5)), end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weights = Array.from({ length: end - first }, (_, tap) => cubic((first + tap - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function cubic(x) {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/** Python's `round`: halves go to the even neighbour. */
export function round(value) {
  const low = Math.floor(value), rest = value - low;
  return rest === 0.5 ? low + (low % 2) : Math.round(value);
}

/** The part of an image that begins at (top, left); what lies outside gets the values of `fill`, one a channel. */
export function cut(image, top, left, height, width, fill = null) {
  const part = makeImage(image.channels, height, width);
  for (let channel = 0, place = 0; channel < image.channels; channel++) {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        const inside = y >= 0 && x >= 0 && y < image.height && x < image.width;
        part.values[place++] = inside ? image.values[(channel * image.height + y) * image.width + x] : fill?.[channel] ?? 0;
      }
    }
  }
  return part;
}

/** Continue an image downwards and to the right by its mirror image. */
export function mirror(image, height, width) {
  const fold = (length, wanted) => Array.from({ length: wanted }, (_, place) => {
    const period = Math.max(1, 2 * length - 2), at = place % period;
    return length > 1 ? Math.min(at, period - at) : 0;
  });
  const rows = fold(image.height, height), columns = fold(image.width, width);
  const whole = makeImage(image.channels, height, width);
  let place = 0;
  for (let channel = 0; channel < image.channels; channel++) {
    for (const y of rows) for (const x of columns) whole.values[place++] = image.values[(channel * image.height + y) * image.width + x];
  }
  return whole;
}
