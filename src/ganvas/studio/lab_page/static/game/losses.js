// The losses of both players: only their gradients by the scores are needed. As in ganvas.theory.losses.

const THRESHOLD = 20; // above it PyTorch takes softplus for a straight line

/** The derivative of softplus, which is the sigmoid. */
function slope(x) {
  if (x > THRESHOLD) return 1;
  const power = Math.exp(x);
  return power / (power + 1);
}

// By each loss, of one score of data and one of a generated point: [by D's loss: real, fake; by G's loss: fake].
const OTHERS = {
  minimax: { real: (r) => slope(r) - 1, fake: (r, f) => slope(f), g: (r, f) => -slope(f) },
  "non-saturating": { real: (r) => slope(r) - 1, fake: (r, f) => slope(f), g: (r, f) => -slope(-f) },
  "least-squares": { real: (r) => r - 1, fake: (r, f) => f, g: (r, f) => f - 1 },
  wasserstein: { real: () => -1, fake: () => 1, g: () => -1 },
  relativistic: { real: (r, f) => -slope(f - r), fake: (r, f) => slope(f - r), g: (r, f) => -slope(r - f) },
};

/** The gradient of D's loss by its scores: those of data, then as many of generated points. */
export function gradientOfD(loss, scores) {
  const count = scores.length / 2, { real, fake } = OTHERS[loss];
  return scores.map((score, i) => (i < count ? real(score, scores[i + count]) : fake(scores[i - count], score)) / count);
}

/** The gradient of G's loss by the scores of generated points. */
export const gradientOfG = (loss, real, fake) => fake.map((score, i) => OTHERS[loss].g(real[i], score) / fake.length);

// What a score means: as_probability in Python

const sigmoid = (score) => Math.min(Math.max(1 / (1 + Math.exp(-Math.min(Math.max(score, -500), 500))), 1e-12), 1 - 1e-12);

/** D at the bins' centres. Scores that are known up to a constant are shifted so that D has the mean 1/2 over `weights`, as D* has. */
export function toProbability(scores, kind, weights) {
  if (kind === "probability") return scores.map((score) => Math.min(Math.max(score, 0.001), 0.999));
  if (kind === "logit") return scores.map(sigmoid);

  let low = Math.min(...scores), high = Math.max(...scores), shift = 0;
  for (let halving = 0; halving < 60; halving++) {
    shift = (low + high) / 2;
    let mean = 0;
    for (let i = 0; i < scores.length; i++) mean += weights[i] * sigmoid(scores[i] - shift);
    if (mean > 0.5) low = shift; else high = shift;
  }
  return scores.map((score) => sigmoid(score - shift));
}
