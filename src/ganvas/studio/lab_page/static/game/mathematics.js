// The mathematics of the game on a line, as in ganvas.theory.mathematics. Densities are values at points `step` apart; 0 log 0 is 0.

/** JS(p || q) in nats. */
export function jsDivergence(p, q, step) {
  const half = (one) => one.reduce((sum, value, i) => (value > 0 ? sum + value * (Math.log(value) - Math.log(p[i] + q[i]) + Math.LN2) : sum), 0) * step / 2;
  return Math.min(Math.max(0, half(p) + half(q)), Math.LN2);
}

/** D*(x) = p_data / (p_data + p_g); 1/2 where both are 0. */
export const optimalDiscriminator = (pData, pG) => pData.map((p, i) => (p + pG[i] > 0 ? p / (p + pG[i]) : 0.5));

/** V(D, G), the integral of p_data log D + p_g log(1 - D). */
export const value = (discriminator, pData, pG, step) =>
  discriminator.reduce((sum, d, i) => sum + (pData[i] > 0 ? pData[i] * Math.log(d) : 0) + (pG[i] > 0 ? pG[i] * Math.log1p(-d) : 0), 0) * step;
