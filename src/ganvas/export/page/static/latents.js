// Points in the space of noise: mixed, shortened and moved. A point is an array for each draw of the GAN.

import { draws, spec } from "./engine.js";

/** The point on the way from one to another, t in [0, 1]: normal noise on the sphere (Shoemake 1985), uniform noise on a straight line. */
export const mix = (from, to, t) => draws.map(({ kind }, draw) => (kind === "normal" ? mixOnSphere : mixStraight)(from[draw], to[draw], t));

const mixStraight = (from, to, t) => from.map((value, place) => value + t * (to[place] - value));

function mixOnSphere(from, to, t) {
  const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
  const lengths = Math.sqrt(dot(from, from) * dot(to, to));
  // the clamp keeps the sine from 0 where both agree
  const angle = Math.acos(Math.min(1 - 1e-6, Math.max(1e-6 - 1, dot(from, to) / Math.max(lengths, 1e-8))));
  const [before, after] = [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  return from.map((value, place) => before * value + after * to[place]);
}

/** A point nearer to the mean of all noise, moved along directions. `moves`: the amount of each direction. */
export function move(point, truncation, moves = []) {
  return point.map((values, draw) => values.map((value, place) => {
    let moved = truncation * value;
    // directions are those of the first draw
    if (draw === 0) moves.forEach((amount, number) => { moved += amount * spec.directions[number][place]; });
    return draws[draw].kind === "uniform" ? Math.min(1, Math.max(-1, moved)) : moved;
  }));
}
