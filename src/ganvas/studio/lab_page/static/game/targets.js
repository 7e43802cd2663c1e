// What G has to learn: densities on the line, by their masses in bins, and clouds of points in the plane. As in ganvas.theory.targets and .plane.

export const BINS = 512; // of the line from -8 to 8
export const STEP = 16 / BINS;
export const SPREAD = 0.05; // of the points of the plane
const FOUND = 0.5; // share of a mode's mass from which it counts as found
const LEAST_MASS = 1e-9; // of a drawn density

const centre = (i) => -8 + (i + 0.5) * STEP;

/** The function from a share of the mass to the x with that share to its left. */
export function makeQuantile(masses) {
  const bins = [...masses.keys()].filter((i) => masses[i] > 0), below = [0];
  for (const i of bins) below.push(below.at(-1) + masses[i]);
  return (share) => {
    let low = 0, high = below.length; // the number of entries that are at most the share
    while (low < high) { const middle = (low + high) >> 1; if (below[middle] <= share) low = middle + 1; else high = middle; }
    const index = Math.min(Math.max(low - 1, 0), bins.length - 1), bin = bins[index];
    return -8 + bin * STEP + STEP * Math.min(Math.max((share - below[index]) / masses[bin], 0), 1);
  };
}

const massBetween = (masses, [low, high]) => masses.reduce((sum, mass, i) => (low <= centre(i) && centre(i) <= high ? sum + mass : sum), 0);

/** The number of modes in which the masses have at least half of the target's. */
export const countModes = (target, masses) => target.modes.filter((mode) => massBetween(masses, mode) >= FOUND * massBetween(target.masses, mode)).length;

/** A density that was drawn, as a target; null: nothing was drawn. */
export function readDensity(values) {
  const top = Math.max(...values);
  if (top < LEAST_MASS) return null;
  const shares = Float64Array.from(values, (value) => value / top), sum = shares.reduce((all, share) => all + share, 0);
  const masses = shares.map((share) => share / sum);
  return { masses, modes: findHills(masses) };
}

/** Where hills of a density begin and end: above a twentieth of its highest point. */
function findHills(masses) {
  const limit = Math.max(...masses) / 20, hills = [];
  let begin = -1;
  for (let i = 0; i <= masses.length; i++) {
    const high = masses[i] > limit; // false at the end
    if (high && begin < 0) begin = i;
    if (!high && begin >= 0) { hills.push([centre(begin), centre(i - 1)]); begin = -1; }
  }
  return hills;
}

// Points in the plane: a function from (count, random) to count rows of two numbers. The order of the draws is Python's.

const shaped = (count, random, spread, place) => {
  const noise = random.normal(2 * count), points = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) place(i).forEach((value, axis) => { points[2 * i + axis] = Math.fround(value + spread * noise[2 * i + axis]); });
  return points;
};
const integers = (count, random, below) => Array.from({ length: count }, () => random.bits() % below);
const floats = (count, random) => Array.from({ length: count }, () => random.float());

export const PLANE = {
  ring(count, random) {
    const parts = integers(count, random, 8);
    return shaped(count, random, SPREAD, (i) => [Math.cos(parts[i] * Math.PI / 4), Math.sin(parts[i] * Math.PI / 4)]);
  },
  grid(count, random) {
    const places = integers(2 * count, random, 5);
    return shaped(count, random, SPREAD, (i) => [places[2 * i] / 2 - 1, places[2 * i + 1] / 2 - 1]);
  },
  moons(count, random) {
    const shares = floats(count, random), upper = floats(count, random);
    return shaped(count, random, SPREAD, (i) => {
      const angle = shares[i] * Math.PI, side = upper[i] < 0.5 ? 0.8 : -0.8;
      return [side * (Math.cos(angle) - 0.4), side * (Math.sin(angle) - 0.25)];
    });
  },
  spiral(count, random) {
    const turns = floats(count, random).map(Math.sqrt);
    return shaped(count, random, SPREAD / 2, (i) => {
      const angle = turns[i] * 3.5 * Math.PI;
      return [1.2 * turns[i] * Math.cos(angle), 1.2 * turns[i] * Math.sin(angle)];
    });
  },
};

/** Data around points that a person has drawn. */
export const drawAround = (points) => (count, random) => {
  const chosen = integers(count, random, points.length);
  return shaped(count, random, SPREAD, (i) => points[chosen[i]]);
};
