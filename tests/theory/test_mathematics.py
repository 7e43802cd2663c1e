"""The theory's mathematics against closed forms, its conventions, and its theorems on random
densities.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganvas.theory.mathematics import (
    Point,
    alternating,
    best_answer,
    js_divergence,
    kl_divergence,
    optimal_discriminator,
    optimal_score,
    penalised,
    simultaneous,
    trajectory,
    value,
    value_of_score,
)

LOG_2 = math.log(2)
GRID = np.linspace(-30, 30, 6001)
STEP = float(GRID[1] - GRID[0])

means = st.floats(-6, 6)
deviations = st.floats(0.3, 3)
rates = st.floats(1e-3, 0.9)
coordinates = st.floats(0.01, 5)


def bell(mean: float, deviation: float) -> np.ndarray:
    return np.exp(-0.5 * ((GRID - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))


def normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum()


distributions = (
    arrays(np.float64, 7, elements=st.sampled_from([0.0, 1e-300, 1e-9, 0.1, 1.0, 3.0]))
    .filter(np.any)
    .map(normalised)
)

# Divergences


@given(means, deviations, means, deviations)
def test_kl_of_two_bells(a: float, s: float, b: float, t: float):
    # a narrower one underflows to 0 within the grid, where KL is infinite, and rightly so
    t = max(t, 1.2)
    expected = math.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - 0.5
    assert kl_divergence(bell(a, s), bell(b, t), STEP) == pytest.approx(
        expected, rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("p", "q", "kl", "js"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0, 0),
        ([1, 0], [0.5, 0.5], LOG_2, 0.75 * math.log(4 / 3)),
        ([0.5, 0.5], [1, 0], math.inf, None),
        ([1, 0], [0, 1], math.inf, LOG_2),
        ([0.25, 0.75], [0.75, 0.25], 0.5 * math.log(3), None),
        ([0.5, 0.5, 0], [0.5, 0.5, 0], 0, 0),
    ],
)
def test_by_hand(p: list[float], q: list[float], kl: float, js: float | None):
    assert kl_divergence(np.array(p), np.array(q)) == pytest.approx(kl)
    if js is not None:
        assert js_divergence(np.array(p), np.array(q)) == pytest.approx(js, abs=1e-15)


@given(distributions, distributions)
def test_divergences_keep_their_bounds(p: np.ndarray, q: np.ndarray):
    js = js_divergence(p, q)
    assert 0 <= js <= LOG_2
    assert js == pytest.approx(js_divergence(q, p), abs=1e-15)
    assert js_divergence(p, p) <= 1e-15
    assert kl_divergence(p, p) == 0
    missing = bool(((p > 0) & (q == 0)).any())
    assert math.isinf(kl_divergence(p, q)) == missing
    if not ((p > 0) & (q > 0)).any():
        assert js == pytest.approx(LOG_2)
    middle = (p + q) / 2
    assert js == pytest.approx((kl_divergence(p, middle) + kl_divergence(q, middle)) / 2, abs=1e-12)


def test_tiny_probabilities_are_no_trouble():
    tiny = np.array([5e-324, 1.0])
    assert js_divergence(tiny, np.array([0.0, 1.0])) == 0
    assert kl_divergence(np.array([1.0, 0.0]), tiny) == pytest.approx(-math.log(5e-324))


@pytest.mark.parametrize(
    ("p", "q", "complaint"),
    [
        ([0.5, 0.5], [1.0], "one shape"),
        ([1.5, -0.5], [0.5, 0.5], "negative"),
        ([math.nan, 1], [0.5, 0.5], "NaN"),
        ([0.5, 0.4], [0.5, 0.5], "sum 1, not 0.9"),
    ],
)
def test_what_is_no_distribution_is_refused(p: list[float], q: list[float], complaint: str):
    for function in (kl_divergence, js_divergence):
        with pytest.raises(ValueError, match=complaint):
            function(np.array(p), np.array(q))


# The best discriminator


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_the_best_answer_is_the_largest_of_a_fine_grid(a: float, b: float):
    if a + b < 1e-6:
        return
    y, best = best_answer(a, b)
    assert y == pytest.approx(a / (a + b))
    grid = np.linspace(0, 1, 2001)[1:-1]
    values = a * np.log(grid) + b * np.log1p(-grid)
    assert best >= values.max() - 1e-12 * (a + b)
    # The curve is flat at its top: the nearest point of the grid is hardly worse, unless y lies at
    # an end.
    if 0.01 < y < 0.99:
        assert abs(grid[values.argmax()] - y) <= 1 / 2000
        assert values.max() == pytest.approx(best, abs=1e-4 * (a + b))


@pytest.mark.parametrize(
    ("a", "b", "y", "top"),
    [(1, 1, 0.5, -2 * LOG_2), (1, 0, 1, 0), (0, 2, 0, 0), (3, 1, 0.75, None)],
)
def test_best_answers_by_hand(a: float, b: float, y: float, top: float | None):
    assert best_answer(a, b)[0] == y
    if top is not None:
        assert best_answer(a, b)[1] == pytest.approx(top)


@pytest.mark.parametrize("pair", [(0, 0), (-1, 2), (math.nan, 1), (math.inf, 1)])
def test_no_best_answer(pair: tuple[float, float]):
    with pytest.raises(ValueError, match="not both 0"):
        best_answer(*pair)


def test_the_optimal_discriminator_is_the_best_answer_everywhere():
    p, q = bell(0, 1), bell(1, 2)
    best = optimal_discriminator(p, q)
    for index in range(2500, 3500, 97):
        assert best[index] == pytest.approx(best_answer(p[index], q[index])[0])

    assert optimal_discriminator(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])).tolist() == [
        0.5,
        1,
        0,
    ]
    assert optimal_score(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])).tolist() == [
        0,
        math.inf,
        -math.inf,
    ]


# V(D, G)


@given(means, deviations, means, deviations)
def test_v_of_the_optimal_discriminator_is_js(a: float, s: float, b: float, t: float):
    """V(D*, G) = -log 4 + 2 JS, the paper's theorem 1."""
    p, q = bell(a, s), bell(b, t)
    expected = -math.log(4) + 2 * js_divergence(p, q, STEP)
    assert value_of_score(optimal_score(p, q), p, q, STEP) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "pair", [((0, 1), (0, 1)), ((0, 1), (1, 1)), ((0, 1), (0, 3)), ((-2, 0.8), (2, 1.5))]
)
def test_v_of_a_probability(pair: tuple[tuple[float, float], tuple[float, float]]):
    p, q = bell(*pair[0]) + 1e-9, bell(*pair[1]) + 1e-9  # so that nowhere D* is rounded to 0 or 1
    p, q = p / (p.sum() * STEP), q / (q.sum() * STEP)
    expected = -math.log(4) + 2 * js_divergence(p, q, STEP)
    assert value(optimal_discriminator(p, q), p, q, STEP) == pytest.approx(expected, abs=1e-6)


@given(distributions, distributions)
def test_v_of_discrete_distributions(p: np.ndarray, q: np.ndarray):
    assert value_of_score(optimal_score(p, q), p, q) == pytest.approx(
        -math.log(4) + 2 * js_divergence(p, q), abs=1e-12
    )


@given(distributions, distributions, arrays(np.float64, 7, elements=st.floats(-20, 20)))
def test_no_discriminator_is_better_than_the_optimal_one(
    p: np.ndarray, q: np.ndarray, score: np.ndarray
):
    assert value_of_score(score, p, q) <= value_of_score(optimal_score(p, q), p, q) + 1e-12
    assert value(1 / (1 + np.exp(-score)), p, q) == pytest.approx(
        value_of_score(score, p, q), rel=1e-6
    )


def test_the_minimum_is_where_both_are_equal():
    p = bell(1, 1)
    half = np.full_like(p, 0.5)
    assert value(half, p, p, STEP) == pytest.approx(-math.log(4), abs=1e-12)
    assert value_of_score(optimal_score(p, p), p, p, STEP) == pytest.approx(-math.log(4), abs=1e-12)
    # a D of 1/2 cannot decide
    assert value(half, p, bell(3, 2), STEP) == pytest.approx(-math.log(4), abs=1e-12)


def test_a_sure_and_wrong_discriminator_costs_everything():
    p, q = np.array([0.5, 0.5]), np.array([0.5, 0.5])
    assert value(np.array([1.0, 0.5]), p, q) == -math.inf
    assert value(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0
    with pytest.raises(ValueError, match="from 0 to 1"):
        value(np.array([1.1, 0.5]), p, q)


# The saddle


def radii(move: Callable[[Point], Point], start: Point, steps: int) -> np.ndarray:
    return np.hypot(*trajectory(move, start, steps).T)


@given(rates, coordinates, coordinates)
def test_simultaneous_steps_spiral_out(lr: float, x: float, y: float):
    found = radii(lambda point: simultaneous(point, lr), (x, y), 50)
    np.testing.assert_allclose(found, found[0] * math.sqrt(1 + lr**2) ** np.arange(51), rtol=1e-12)


@given(rates, coordinates, coordinates)
def test_alternating_steps_circle(lr: float, x: float, y: float):
    path = trajectory(lambda point: alternating(point, lr), (x, y), 500)
    invariant = (path**2).sum(1) - lr * path.prod(1)
    np.testing.assert_allclose(invariant, invariant[0], rtol=1e-9, atol=1e-12)
    # Between the ellipse's half axes: neither out nor in.
    r, shape = np.hypot(*path.T), math.sqrt((1 + lr / 2) / (1 - lr / 2))
    assert r.max() <= r[0] * shape * (1 + 1e-9)
    assert r.min() >= r[0] / shape * (1 - 1e-9)


@given(st.floats(0.01, 0.3), coordinates, coordinates)
def test_a_penalty_brings_them_in(lr: float, x: float, y: float):
    """The product of the update's eigenvalues is 1 - lr (gamma - lr), below 1 if gamma > lr."""
    gamma = lr + 0.5
    steps = math.ceil(40 / (lr * (gamma - lr)))
    assert radii(lambda point: penalised(point, lr, gamma), (x, y), steps)[-1] <= 1e-6


def test_too_small_a_penalty_does_not():
    assert radii(lambda point: penalised(point, 0.1, 0.05), (1, 0), 2000)[-1] > 10
    assert radii(lambda point: penalised(point, 0.1, 0), (1, 0), 200)[-1] == pytest.approx(
        1.01**100
    )
