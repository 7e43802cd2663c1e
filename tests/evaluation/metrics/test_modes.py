"""Modes: histograms by hand, the protocols' edges, and what is refused."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import refused_in_one_line

from ganvas.evaluation.metrics.modes import count_modes, count_point_modes

RING = torch.tensor(
    [[math.cos(math.pi * i / 4), math.sin(math.pi * i / 4)] for i in range(8)], dtype=torch.float64
)
GRID = torch.cartesian_prod(torch.arange(-4.0, 5, 2), torch.arange(-4.0, 5, 2))


def test_modes_by_hand():
    found, kl = count_modes(torch.tensor([0, 0, 0, 2]), 4)
    assert found == 2
    assert kl == pytest.approx(0.75 * math.log(3) + 0.25 * math.log(1), rel=1e-12)


def test_all_modes_alike_and_one_alone():
    assert count_modes(torch.arange(1000).repeat(3), 1000) == (1000, 0)
    assert count_modes(torch.full((50,), 7), 1000) == (1, pytest.approx(math.log(1000), rel=1e-12))


def test_even_a_perfect_generator_has_a_divergence():
    """26,000 samples of 1000 classes, as in the papers:

    999 / 52,000, and a deviation of sqrt(2 x 999) / 52,000.
    """
    labels = torch.randint(0, 1000, (26_000,), generator=torch.Generator().manual_seed(0))
    found, kl = count_modes(labels, 1000)
    assert found == 1000
    assert kl == pytest.approx(999 / 52_000, abs=4 * 1998**0.5 / 52_000)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_order_and_names_of_classes_do_not_matter(labels):
    given_labels = torch.tensor(labels)
    found, kl = count_modes(given_labels, 7)
    assert found == len(set(labels))
    assert 0 <= kl <= math.log(7) + 1e-12
    assert count_modes(6 - given_labels.flip(0), 7) == (found, pytest.approx(kl, abs=1e-12))
    entropy = -sum(
        labels.count(i) / len(labels) * math.log(labels.count(i) / len(labels)) for i in set(labels)
    )
    assert kl == pytest.approx(math.log(7) - entropy, abs=1e-12)


def test_point_modes_by_hand():
    """Two good samples of mode 0, one of mode 2, one of mode 3 that is too far off, one in the
    middle.
    """
    points = torch.tensor([[1.0, 0.0], [1.02, 0.0], [0.0, 1.05], [-0.5, 0.75], [0.0, 0.0]])
    found, high_quality, kl = count_point_modes(points, RING, 0.02)
    assert found == 2
    assert high_quality == 3 / 5
    assert kl == pytest.approx(2 / 3 * math.log(8 * 2 / 3) + 1 / 3 * math.log(8 / 3), rel=1e-12)


def test_three_standard_deviations():
    for distance, good in ((0.749, 1), (0.75, 0), (0.751, 0)):
        assert (
            count_point_modes(torch.tensor([[distance, 0.0]]), torch.zeros(1, 2), 0.25).high_quality
            == good
        )


@pytest.mark.parametrize("centres, std", [(RING, 0.01), (GRID, 0.05)])
def test_samples_of_the_mixture(centres, std):
    random = torch.Generator().manual_seed(0)
    points = centres.repeat(400, 1) + std * torch.randn(400 * len(centres), 2, generator=random)
    found, high_quality, kl = count_point_modes(points, centres, std)
    share = 1 - math.exp(-4.5)  # of a round Gaussian within three standard deviations
    assert found == len(centres)
    assert high_quality == pytest.approx(share, abs=4 * (share * (1 - share) / len(points)) ** 0.5)
    assert kl < 1e-4
    assert count_point_modes(points.flip(0).float(), centres.flip(0).float(), std) == pytest.approx(
        (found, high_quality, kl), abs=1e-9
    )


def test_a_generator_between_the_modes():
    found, high_quality, kl = count_point_modes(torch.zeros(10, 2), RING, 0.01)
    assert (found, high_quality) == (0, 0)
    assert math.isnan(kl)


def test_a_generator_of_one_mode():
    assert count_point_modes(RING[:1].repeat(10, 1), RING, 0.01) == (
        1,
        1,
        pytest.approx(math.log(8), rel=1e-12),
    )


LABELS, POINTS = torch.tensor([0, 1, 5]), torch.zeros(3, 2)
WRONG = {
    "label too large": (
        lambda: count_modes(LABELS, 5),
        "labels go from 0 to 5; 5 classes are numbered from 0 to 4",
    ),
    "negative label": (lambda: count_modes(LABELS - 1, 5), "labels go from -1 to 4"),
    "labels as floats": (lambda: count_modes(LABELS.float(), 6), "give int64"),
    "a table of labels": (lambda: count_modes(LABELS[None], 6), "give int64"),
    "no labels": (lambda: count_modes(LABELS[:0], 6), "no samples"),
    "no classes": (lambda: count_modes(LABELS, 0), "at least 1"),
    "no points": (lambda: count_point_modes(POINTS[:0], RING, 1), "0 generated samples"),
    "no centres": (lambda: count_point_modes(POINTS, RING[:0], 1), "0 centre samples"),
    "NaN": (lambda: count_point_modes(POINTS / 0, RING, 1), "3 of 3 generated samples are NaN"),
    "sizes": (
        lambda: count_point_modes(torch.zeros(3, 3), RING, 1),
        "points have 3, centres have 2",
    ),
    "std": (lambda: count_point_modes(POINTS, RING, 0), "must be above 0"),
    "std not a number": (lambda: count_point_modes(POINTS, RING, math.nan), "must be above 0"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_errors(wrong):
    refused_in_one_line(*WRONG[wrong])
