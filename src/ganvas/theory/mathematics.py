"""The mathematics of GANs in float64: divergences, the best discriminator, V(D, G), a saddle.

Densities are arrays of their values at points `step` apart; discrete distributions are arrays of
probabilities, `step` 1. All logarithms are natural, and 0 log 0 is 0. Equations and their numbers
are those of Goodfellow et al. 2014.
"""

import math
from collections.abc import Callable

import numpy as np

__all__ = [
    "Point",
    "Rule",
    "alternating",
    "best_answer",
    "js_divergence",
    "kl_divergence",
    "optimal_discriminator",
    "penalised",
    "simultaneous",
    "trajectory",
    "value",
]

Array = np.ndarray
Point = tuple[float, float]
Rule = Callable[[Point], Point]  # of an update of both players


def kl_divergence(p: Array, q: Array, step: float = 1.0) -> float:
    """KL(p || q), the sum of p log(p / q) x step, in nats.

    At least 0, and infinite if p has mass where q has none.

    Raises:
        ValueError: not two distributions: different shapes, a negative value, or a sum that
            differs from 1 by more than 1e-4.
    """
    p, q = _check_distributions(p, q, step)
    some = p > 0  # 0 log 0 is 0
    if (q[some] == 0).any():
        return math.inf

    # A difference of logarithms, since the quotient of a large and a tiny number may overflow.
    return max(0.0, float(np.sum(p[some] * (np.log(p[some]) - np.log(q[some]))) * step))


def js_divergence(p: Array, q: Array, step: float = 1.0) -> float:
    """JS(p || q), the mean of KL(p || m) and KL(q || m) with m = (p + q) / 2, in nats.

    0 if p = q, and log 2 if they do not overlap.

    Raises:
        ValueError: as in `kl_divergence`.
    """
    p, q = _check_distributions(p, q, step)
    total = 0.0
    for one in (p, q):
        some = one > 0
        # log(p + q) - log 2 is log m, even where p + q is the smallest float and m would be 0.
        log_ratio = np.log(one[some]) - np.log((p + q)[some]) + math.log(2)
        total += float(np.sum(one[some] * log_ratio)) * step / 2

    # Rounding may leave the range by a little.
    return min(max(0.0, total), math.log(2))


def _check_distributions(p: Array, q: Array, step: float) -> tuple[Array, Array]:
    """Convert two distributions to float64, or raise a ValueError that says what is wrong."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if p.shape != q.shape:
        raise ValueError(f"two distributions must have one shape, not {p.shape} and {q.shape}")
    for one in (p, q):
        if not (one >= 0).all():  # NaN fails this too
            raise ValueError("a density must not be negative or NaN")
        if abs(float(one.sum()) * step - 1) > 1e-4:
            total = one.sum() * step
            raise ValueError(
                f"a distribution has the sum 1, not {total:.6g}; "
                "is the grid too narrow, or the step wrong?"
            )
    return p, q


def optimal_discriminator(p_data: Array, p_g: Array) -> Array:
    """D*(x) = p_data / (p_data + p_g), the optimal discriminator for p_g (equation 2).

    1/2 where both are 0: there D is never trained or used.
    """
    p_data, p_g = np.asarray(p_data, np.float64), np.asarray(p_g, np.float64)
    total = p_data + p_g
    return np.divide(p_data, total, out=np.full_like(total, 0.5), where=total > 0)


def value(discriminator: Array, p_data: Array, p_g: Array, step: float = 1.0) -> float:
    """V(D, G) = integral of p_data log D + p_g log(1 - D) (equation 3).

    It is -inf where D is certain and wrong. A D so near to 1 that float64 rounds it up counts as
    certain.

    Raises:
        ValueError: D is outside [0, 1], or a density is not one.
    """
    discriminator = np.asarray(discriminator, np.float64)
    if not ((discriminator >= 0) & (discriminator <= 1)).all():
        raise ValueError("D is a probability, from 0 to 1")

    p_data, p_g = _check_distributions(p_data, p_g, step)
    real, fake = p_data > 0, p_g > 0  # elsewhere 0 times infinity is 0
    with np.errstate(divide="ignore"):
        of_real = np.sum(p_data[real] * np.log(discriminator[real]))
        of_fake = np.sum(p_g[fake] * np.log1p(-discriminator[fake]))  # exact for tiny D
    return float(of_real + of_fake) * step


def best_answer(a: float, b: float) -> tuple[float, float]:
    """Maximise a log y + b log(1 - y) over y in [0, 1], for a, b >= 0, not both 0.

    The derivative a / y - b / (1 - y) decreases, and is 0 at y = a / (a + b). With a = p_data(x)
    and b = p_g(x) this is D*, point by point.

    Returns:
        y, and the maximum.

    Raises:
        ValueError: a or b is negative or not finite, or both are 0.
    """
    if not (a >= 0 and b >= 0 and 0 < a + b < math.inf):
        raise ValueError(f"a and b must be finite, at least 0 and not both 0, not {a} and {b}")
    y = a / (a + b)
    # A difference of logarithms, since a / (a + b) may be rounded to 0.
    first = a * (math.log(a) - math.log(a + b)) if a else 0.0
    second = b * (math.log(b) - math.log(a + b)) if b else 0.0
    return y, first + second


# The game f(x, y) = x y: x minimises it, y maximises it. Its only equilibrium is (0, 0), a saddle.


def simultaneous(point: Point, lr: float) -> Point:
    """Update both players at once: they spiral out.

    The distance from the saddle grows by the factor sqrt(1 + lr²) each time, for every rate.
    """
    x, y = point
    return x - lr * y, y + lr * x


def alternating(point: Point, lr: float) -> Point:
    """Update x, then y, which sees the new x: they circle for ever if lr < 2.

    They stay on the ellipse x² + y² - lr x y = constant.
    """
    x, y = point
    x -= lr * y  # changed before y is
    return x, y + lr * x


def penalised(point: Point, lr: float, gamma: float) -> Point:
    """Update both at once, with the penalty gamma / 2 y² on y: they spiral in if gamma > lr.

    Both must be small. The penalty is R1: for a discriminator with score y x, gamma / 2 times its
    squared gradient with respect to x is gamma / 2 y² (the Dirac-GAN of Mescheder et al. 2018). The
    saddle does not move.
    """
    x, y = point
    return x - lr * y, y + lr * (x - gamma * y)  # the old x and y


def trajectory(update: Rule, start: Point, steps: int) -> Array:
    """The points that repeated updates pass through, (steps + 1, 2)."""
    points = [start]
    for _ in range(steps):
        points.append(update(points[-1]))
    return np.array(points)
