// The smoothest values in a hole that fit those around it, as `ganvas restore` fills holes without a seam (Pérez et al. 2003).

const SWEEPS = 60; // at least; larger holes take more

/**
 * Fill one plane (height x width) in the hole, so that each value is the mean of its neighbours; what is outside stays.
 * Where the hole reaches the edge of the image, nothing is demanded.
 */
export function fillSmoothly(plane, hole, height, width) {
  const filled = Float64Array.from(plane), inside = [], around = [];
  for (let place = 0; place < filled.length; place++) {
    if (!hole[place]) continue;
    const x = place % width, y = (place - x) / width;
    inside.push(place);
    around.push([x > 0 && place - 1, x < width - 1 && place + 1, y > 0 && place - width, y < height - 1 && place + width].filter((next) => next !== false));
  }
  spread(filled, hole, inside, around);

  // Successive over-relaxation: sweeps grow with the hole's side.
  const side = Math.sqrt(inside.length) + 1, push = 2 / (1 + Math.sin(Math.PI / side));
  for (let sweep = 0; sweep < SWEEPS + 2 * side; sweep++) {
    for (let number = 0; number < inside.length; number++) {
      let sum = 0;
      for (const next of around[number]) sum += filled[next];
      filled[inside[number]] += push * (sum / around[number].length - filled[inside[number]]);
    }
  }
  return filled;
}

/** Values to begin with: from the rim inwards, each the mean of its neighbours that are known. */
function spread(filled, hole, inside, around) {
  const open = Uint8Array.from(hole);
  let rest = inside.map((_, number) => number);
  while (rest.length) {
    const ready = rest.filter((number) => around[number].some((next) => !open[next]));
    for (const number of ready) {
      const known = around[number].filter((next) => !open[next]);
      filled[inside[number]] = known.reduce((sum, next) => sum + filled[next], 0) / known.length;
    }
    for (const number of ready) open[inside[number]] = 0;
    rest = rest.filter((number) => open[inside[number]]);
  }
}

/** Fit `made` into the hole of an image, both in 0..255 and of one size. */
export function fitInto(image, made, hole) {
  const { channels, height, width } = image, size = height * width;
  const values = Float32Array.from(image.values);
  for (let channel = 0; channel < channels; channel++) {
    const part = (planes) => planes.values.subarray(channel * size, (channel + 1) * size);
    const before = part(image), after = part(made);
    const added = fillSmoothly(before.map((value, place) => value - after[place]), hole, height, width);
    for (let place = 0; place < size; place++) {
      if (hole[place]) values[channel * size + place] = Math.min(255, Math.max(0, Math.round(after[place] + added[place])));
    }
  }
  return { ...image, values };
}
