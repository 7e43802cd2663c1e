// Points in the space of a GAN's noise as plain values, and arithmetic with them. No requests, no elements.
//
// A point is {terms: [[seed, row, weight], ...], truncation, moves: [[direction, amount], ...], way, label}:
// a weighted sum of rows of noise, moved along directions that were found by `way`; `label` is the number of its class.

export const MOST_TERMS = 32; // of a request

/** Sample number `row` of a seed. */
export const samplePoint = (seed, row, label, truncation = 1) => ({ terms: [[seed, row, 1]], truncation, moves: [], way: "layer", label });

/** The terms with weights whose squares sum up to 1, so that a mix counts as much as a sample. */
function unitTerms(point) {
  const length = Math.hypot(...point.terms.map(([, , weight]) => weight)) || 1;
  return point.terms.map(([seed, row, weight]) => [seed, row, weight / length]);
}

/** A weighted sum of points, [[point, weight], ...], with a class. */
export function mix(parts, label) {
  const weights = new Map(), moves = new Map();
  let truncation = 0, total = 0;
  for (const [point, share] of parts) {
    for (const [seed, row, weight] of unitTerms(point)) weights.set(`${seed} ${row}`, (weights.get(`${seed} ${row}`) ?? 0) + share * weight);
    for (const [direction, amount] of point.moves) moves.set(direction, (moves.get(direction) ?? 0) + share * amount);
    truncation += Math.abs(share) * point.truncation;
    total += Math.abs(share);
  }

  // A request holds so many terms: the smallest are left out.
  const terms = [...weights].map(([key, weight]) => [...key.split(" ").map(Number), weight]).filter(([, , weight]) => Math.abs(weight) > 1e-6);
  terms.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
  const moved = parts.find(([point, share]) => share && point.moves.length);
  return {
    terms: terms.slice(0, MOST_TERMS), truncation: truncation / total, label,
    moves: [...moves].filter(([, amount]) => amount), way: moved ? moved[0].way : parts[0][0].way,
  };
}

/** The point at share t of the way from a to b; the class changes half-way. */
export const between = (a, b, t) => mix([[a, 1 - t], [b, t]], t < 0.5 ? a.label : b.label);

/** a − b + c; the class follows the same rule. */
export const combine = (a, b, c) => mix([[a, 1], [b, -1], [c, 1]], b.label === c.label ? a.label : c.label);

/** Neighbour number k of a point: the share `spread` of its variance is replaced by another row of noise. */
export function near(point, spread, seed, k) {
  const kept = unitTerms(point).map(([seed_, row, weight]) => [seed_, row, weight * Math.sqrt(1 - spread)]);
  return { ...point, terms: [...kept.slice(0, MOST_TERMS - 1), [seed, k, Math.sqrt(spread)]] };
}

/** Whether points have moves along directions of different kinds, which one request cannot draw. */
export function haveTwoWays(points) {
  return new Set(points.filter((point) => point.moves.length).map((point) => point.way)).size > 1;
}

/** `count` points on a walk through stops; `round`: back to the first at its end, for a film without a jump. */
export function walk(stops, count, round) {
  const legs = round ? stops.length : stops.length - 1;
  return Array.from({ length: count }, (_, frame) => {
    const place = (frame / (round ? count : count - 1)) * legs;
    const leg = Math.min(Math.floor(place), legs - 1);
    return between(stops[leg], stops[(leg + 1) % stops.length], place - leg);
  });
}

// As text for the address: terms, truncation, moves, way and label, parted by "**".
const short = (value) => String(Number(value.toFixed(5)));
export function encode({ terms, truncation, moves, way, label }) {
  const join = (rows) => rows.map((row) => row.map(short).join("_")).join("*");
  return [join(terms), short(truncation), join(moves), way, label].join("**");
}

/** The point of a text; null: it is none. */
export function decode(text) {
  const [terms, truncation, moves, way, label] = (text ?? "").split("**");
  const split = (rows) => (rows ? rows.split("*").map((row) => row.split("_").map(Number)) : []);
  const point = { terms: split(terms), truncation: Number(truncation), moves: split(moves), way, label: Number(label) };
  const numbers = [...point.terms.flat(), point.truncation, ...point.moves.flat(), point.label];
  const whole = point.terms.every((row) => row.length === 3) && point.moves.every((row) => row.length === 2);
  return numbers.every(Number.isFinite) && point.terms.length && whole && ["layer", "images"].includes(way) ? point : null;
}
