// The updates of both games: gradients of the losses, and one step of the optimizer.

import { gradientOfD, gradientOfG } from "./losses.js";

/** One update of D on real and generated points, `rows` of each. */
export function trainDiscriminator(game, real, fake, rows) {
  const { discriminator } = game.players, both = new Float64Array(real.length + fake.length);
  both.set(real);
  both.set(fake, real.length);
  const way = discriminator.forward(both, 2 * rows);
  const extra = game.penalty ? discriminator.addPenalty(way, game.penalty) : null;
  discriminator.backward(way, gradientOfD(game.loss, way.out), { extra });
  game.optimizers.discriminator.step();
}

/** One update of G; data is drawn after the noise, and used by the relativistic loss alone. */
export function trainGenerator(game, noise, drawReal, rows) {
  const { generator, discriminator } = game.players;
  const made = generator.forward(noise, rows), judged = discriminator.forward(made.out, rows), data = drawReal();
  const real = game.loss === "relativistic" ? discriminator.forward(data, rows).out : judged.out;
  const byFake = discriminator.backward(judged, gradientOfG(game.loss, real, judged.out), { weights: false });
  generator.backward(made, byFake);
  game.optimizers.generator.step();
}
