// Targets drawn by hand: how they fit into the address, and what is sent to the server.

const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LEVELS = SIGNS.length; // 64 heights of a column, and 64 places on each axis of the plane
export const COLUMNS = 128; // of a density drawn on the line
const MOST_POINTS = 160; // of a drawing in the plane

/** A drawing as text for the address; "" if nothing was drawn. */
export function encode(drawing) {
  const numbers = drawing.flat();
  return numbers.some((number) => number > 0) ? numbers.map((number) => SIGNS[number]).join("") : "";
}

/** Heights of the columns on the line, integers 0 to 63; all 0 if the text is none. */
export function decodeLine(text) {
  const heights = [...text].map((sign) => SIGNS.indexOf(sign));
  return heights.length === COLUMNS && !heights.includes(-1) ? heights : new Array(COLUMNS).fill(0);
}

/** Points in the plane, pairs of integers 0 to 63; none if the text is none. */
export function decodePlane(text) {
  const numbers = [...text].map((sign) => SIGNS.indexOf(sign));
  if (numbers.length % 2 || numbers.includes(-1)) return [];
  return numbers.slice(0, 2 * MOST_POINTS).flatMap((number, i) => (i % 2 ? [] : [[number, numbers[i + 1]]]));
}

/** The density at `count` points of the line, linear between the columns. */
export function toDensity(heights, count) {
  return Array.from({ length: count }, (_, i) => {
    const at = Math.min(Math.max((i + 0.5) / count * COLUMNS - 0.5, 0), COLUMNS - 1);
    const left = Math.floor(at), right = Math.min(left + 1, COLUMNS - 1);
    return heights[left] + (heights[right] - heights[left]) * (at - left);
  });
}

/** Coordinates of drawn points, in a plane from -reach to reach. */
export const toPoints = (points, reach) => points.map((point) => point.map((number) => ((number + 0.5) / LEVELS * 2 - 1) * reach));

/** Set the heights between two places of a stroke; places are shares of the panel, from the left and from below. */
export function stroke(heights, from, to) {
  const first = Math.floor(from.x * COLUMNS), last = Math.floor(to.x * COLUMNS);
  const steps = Math.max(Math.abs(last - first), 1);
  for (let step = 0; step <= steps; step++) {
    const column = Math.round(first + (last - first) * step / steps);
    if (column < 0 || column >= COLUMNS) continue;
    const height = from.y + (to.y - from.y) * step / steps;
    heights[column] = Math.round(Math.min(Math.max(height, 0), 1) * (LEVELS - 1));
  }
}

/** Raise (or lower) a small hill around a place, for the keyboard. */
export function heap(heights, x, amount) {
  for (let column = 0; column < COLUMNS; column++) {
    const distance = (column + 0.5) / COLUMNS - x;
    const change = amount * Math.exp(-0.5 * (distance / 0.03) ** 2) * (LEVELS - 1);
    heights[column] = Math.round(Math.min(Math.max(heights[column] + change, 0), LEVELS - 1));
  }
}

/** Add a point at a place, if it is not there and there is room; places as in `stroke`. */
export function dot(points, { x, y }) {
  const point = [x, y].map((share) => Math.min(Math.max(Math.floor(share * LEVELS), 0), LEVELS - 1));
  const known = points.some(([a, b]) => a === point[0] && b === point[1]);
  if (!known && points.length < MOST_POINTS) points.push(point);
}
