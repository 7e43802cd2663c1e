// The game in the plane, as in ganvas.theory.plane: the same draws and the same updates.

import { Twister } from "../../../../export/page/static/noise.js";
import { Network, Optimizer } from "./players.js";
import { SPREAD } from "./targets.js";
import { trainDiscriminator, trainGenerator } from "./updates.js";

const BATCH = 256, SHOWN = 256; // points of each kind: of an update, and seen
const RATES = { generator: 2e-3, discriminator: 4e-3 };
const CELLS = 40; // of the map of the discriminator, across and down
const NET = 17; // lines of the generator's net, across and down
const REACH = 1.5; // the plane is seen from -REACH to REACH

const { fround } = Math;
const MIDDLES = Float64Array.from({ length: CELLS }, (_, i) => fround(fround(fround(fround((i + 0.5) / CELLS) * 2) * REACH) - REACH));
const LINES = Float64Array.from({ length: NET }, (_, i) => i / ((NET - 1) / 2) - 1);

/** All pairs of numbers, row by row: the second one stays the same in a row. */
const pairs = (numbers) => Float64Array.from({ length: 2 * numbers.length ** 2 }, (_, at) => {
  const place = at >> 1;
  return numbers[at % 2 ? Math.floor(place / numbers.length) : place % numbers.length];
});
const rowsOf = (flat, width) => Array.from({ length: flat.length / width }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]);

export class PlaneGame {
  /** start: as of LineGame; draw: a function of `targets.js` that draws data. */
  constructor(start, draw, loss, kind, penalty) {
    Object.assign(this, { draw, loss, kind, penalty, random: new Twister(start.seed), steps: { d: 0, g: 0 } });
    this.players = { generator: new Network(start.generator, 2, 2, false), discriminator: new Network(start.discriminator, 2, 1, false) };
    this.optimizers = Object.fromEntries(Object.entries(RATES).map(([name, rate]) => [name, new Optimizer(this.players[name], rate)]));
  }

  real(count = BATCH) { return this.draw(count, this.random); }

  noise(count = BATCH) { return Float64Array.from(this.random.uniform(2 * count)); }

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
    const { generator, discriminator } = this.players, before = this.random.copy();
    const real = this.real(SHOWN), fake = generator.forward(this.noise(SHOWN), SHOWN).out;
    this.random = before; // what is seen must not change what comes

    let scores = discriminator.forward(pairs(MIDDLES), CELLS ** 2).out;
    if (this.kind === "shift" || this.kind === "slope") {
      // Such scores are known up to a constant: 1/2 is where real and fake are as likely.
      const both = new Float64Array([...real, ...fake]), judged = discriminator.forward(both, 2 * SHOWN).out;
      const mean = judged.reduce((sum, score) => sum + score, 0) / judged.length;
      scores = scores.map((score) => score - mean);
    }
    const chance = scores.map((score) => (this.kind === "probability" ? Math.min(Math.max(score, 0), 1) : 1 / (1 + Math.exp(-score))));
    const net = generator.forward(pairs(LINES), NET ** 2).out;
    if (![...chance, ...net].every(Number.isFinite)) return null;

    const points = { real: rowsOf(real, 2), fake: rowsOf(fake, 2) };
    const near = points.real.filter(([x, y]) => points.fake.some(([a, b]) => Math.hypot(a - x, b - y) < 3 * SPREAD));
    return {
      discriminator: rowsOf(chance, CELLS), net: rowsOf(net, 2 * NET).map((row) => rowsOf(Float64Array.from(row), 2)),
      ...points, covered: near.length / SHOWN, steps: [this.steps.d, this.steps.g],
    };
  }
}
