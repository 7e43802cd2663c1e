// The game on a line. As in ganvas.theory.game: the same draws, the same updates, the same numbers.

import { Twister } from "../../../../export/page/static/noise.js";
import { toProbability } from "./losses.js";
import { jsDivergence, optimalDiscriminator, value } from "./mathematics.js";
import { Network, Optimizer } from "./players.js";
import { BINS, STEP, countModes, makeQuantile } from "./targets.js";
import { trainDiscriminator, trainGenerator } from "./updates.js";

const BATCH = 256; // data, and as many generated points
const RATES = { generator: 1e-3, discriminator: 1e-2 };
const CELLS = 4096; // into which the noise is divided to compute p_g
const ARROWS = 21;

export class LineGame {
  /** start: {seed, generator, discriminator}: of the random numbers, and the first weights; target: {masses, modes}. */
  constructor(start, target, loss, kind, penalty) {
    Object.assign(this, { target, loss, kind, penalty, quantile: makeQuantile(target.masses), random: new Twister(start.seed) });
    this.players = { generator: new Network(start.generator, 1, 1, true), discriminator: new Network(start.discriminator, 1, 1, true) };
    this.optimizers = Object.fromEntries(Object.entries(RATES).map(([name, rate]) => [name, new Optimizer(this.players[name], rate)]));
    this.steps = { d: 0, g: 0 };
  }

  /** One uniform number in each of 256 equal parts of [0, 1], in order. */
  stratified() { return Float64Array.from({ length: BATCH }, (_, i) => (i + this.random.double()) / BATCH); }

  /** A batch of data in random order, rounded to float32 as Python's. */
  real() {
    const ordered = this.stratified().map((share) => Math.fround(this.quantile(share))), order = this.random.permute(BATCH);
    return ordered.map((_, i) => ordered[order[i]]);
  }

  noise() { return this.stratified().map((share) => Math.fround(share * 2 - 1)); }

  setRate(player, rate) { this.optimizers[player].rate = RATES[player] * rate; }

  updateDiscriminator() {
    const real = this.real(), fake = this.players.generator.forward(this.noise(), BATCH).out;
    trainDiscriminator(this, real, fake, BATCH);
    this.steps.d++;
  }

  updateGenerator() {
    const noise = this.noise();
    trainGenerator(this, noise, () => this.real(), BATCH);
    this.steps.g++;
  }

  /** The game as it stands; null: a number is not finite. */
  look() {
    const ends = Float64Array.from({ length: CELLS + 1 }, (_, i) => i / (CELLS / 2) - 1), x = this.players.generator.forward(ends, CELLS + 1).out;
    const centres = Float64Array.from({ length: BINS }, (_, i) => -8 + (i + 0.5) * STEP), scores = this.players.discriminator.forward(centres, BINS).out;
    if (![...x, ...scores].every(Number.isFinite)) return null;

    const data = this.target.masses, generated = massesOfImage(x);
    const both = data.map((mass, i) => (mass + generated[i]) / 2), [pData, pG] = [data, generated].map((masses) => masses.map((mass) => mass / STEP));
    const discriminator = toProbability(scores, this.kind, both), best = optimalDiscriminator(pData, pG);
    const mean = (weights, f) => weights.reduce((sum, weight, i) => sum + weight * f(i), 0), plain = this.kind === "slope";
    return {
      p_data: [...pData], p_g: [...pG], discriminator: [...discriminator], best: [...best],
      arrows: Array.from({ length: ARROWS }, (_, i) => x[Math.floor(CELLS / (ARROWS - 1)) * i]),
      value: plain ? null : value(discriminator, pData, pG, STEP), js: jsDivergence(pData, pG, STEP),
      distance: plain ? null : mean(both, (i) => Math.abs(discriminator[i] - best[i])),
      unsure: mean(data, (i) => Math.abs(discriminator[i] - 0.5)),
      modes: [countModes(this.target, generated), this.target.modes.length],
    };
  }
}

/** Masses of the generator's density in the bins: each cell of noise spreads its mass evenly between the images of its ends. */
function massesOfImage(x) {
  // below[i]: the mass below the inner edge i; whole[i]: cells that lie wholly below it, but not below the edge before.
  const below = new Float64Array(BINS - 1), whole = new Float64Array(BINS);
  const edge = (i) => -8 + (i + 1) * STEP;
  for (let cell = 0; cell < CELLS; cell++) {
    const low = Math.min(x[cell], x[cell + 1]), high = Math.max(x[cell], x[cell + 1]), width = Math.max(high - low, 1e-9);
    let i = Math.min(Math.max(Math.floor((low + 8) / STEP) - 1, 0), BINS - 1);
    for (; i < BINS - 1; i++) {
      const share = (edge(i) - low) / width;
      if (share >= 1) break;
      if (share > 0) below[i] += share;
    }
    whole[i]++;
  }
  let sum = 0, last = 0;
  return Float64Array.from({ length: BINS }, (_, i) => {
    sum += whole[i];
    const now = i < BINS - 1 ? (sum + below[i]) / CELLS : 1, mass = Math.max(now - last, 0);
    last = now;
    return mass;
  });
}
