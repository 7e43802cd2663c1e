"""Kernel distance and Inception score: loops, torchmetrics, what may not change them; errors."""

import math

import numpy as np
import pytest
import torch
from feature_sets import Given, draw_features, oracle
from tiny import refused_in_one_line
from torch import Tensor
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from ganvas.evaluation.metrics import distances
from ganvas.evaluation.metrics.distances import (
    frechet_distance,
    inception_score,
    kernel_distance,
    moments,
)


def kernel(x: Tensor, y: Tensor) -> float:
    return ((x @ y).item() / len(x) + 1) ** 3


def discrepancy_in_loops(real: Tensor, fake: Tensor) -> float:
    n, m = len(real), len(fake)
    real_pairs = sum(kernel(real[i], real[j]) for i in range(n) for j in range(n) if i != j) / (
        n * (n - 1)
    )
    fake_pairs = sum(kernel(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j) / (
        m * (m - 1)
    )
    return real_pairs + fake_pairs - 2 * sum(kernel(x, y) for x in real for y in fake) / (n * m)


@pytest.mark.parametrize("chunk", [1, 3, 1024])
def test_kernel_distance_of_few_samples_uses_all_pairs(chunk, monkeypatch):
    monkeypatch.setattr(distances, "CHUNK", chunk)
    real, fake = draw_features(1, 9, 3), draw_features(2, 6, 3)
    value, error = kernel_distance(real, fake)
    assert value == pytest.approx(discrepancy_in_loops(real, fake), rel=1e-11)
    assert error is None
    assert kernel_distance(real.flip(0), fake.flip(0)).value == pytest.approx(value, rel=1e-11)


def test_kernel_distance_by_hand():
    """Kernels of 0 and 1 in one feature: k(0, 0) = k(0, 1) = 1, k(1, 1) = 8."""
    assert kernel_distance(torch.zeros(3, 1), torch.ones(2, 1)).value == 1 + 8 - 2 * 1


@oracle
def test_kernel_distance_is_that_of_torchmetrics():
    real, fake = draw_features(1, 300, 8), draw_features(2, 250, 8)
    theirs = KernelInceptionDistance(feature=Given(8), subsets=20, subset_size=100).set_dtype(
        torch.float64
    )
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    torch.manual_seed(5)  # they draw as we do, from the global generator
    value, deviation = (number.item() for number in theirs.compute())
    ours = kernel_distance(real, fake, subsets=20, subset_size=100, seed=5)
    assert ours.value == pytest.approx(value, rel=1e-10)
    assert ours.standard_error == pytest.approx(deviation / math.sqrt(20 - 1), rel=1e-10)


def test_kernel_distance_from_subsets_agrees_with_all_pairs():
    real, fake = draw_features(1, 400, 8), draw_features(2, 300, 8)
    value, error = kernel_distance(real, fake, subset_size=100)
    assert error is not None
    # all fakes in every subset: no drawing
    assert kernel_distance(real, fake, subset_size=300).standard_error is None

    for other in (
        kernel_distance(real, fake, subset_size=300).value,
        kernel_distance(real, fake, subset_size=100, seed=1).value,
        kernel_distance(real.flip(0), fake.flip(0), subset_size=100).value,
    ):
        assert 1e-12 < abs(value - other) < 5 * error

    assert kernel_distance(real, fake, subset_size=100) == (value, error)


def test_kernel_distance_is_unbiased():
    """Of one distribution: 0 in the mean over many small sets, so below 0 about as often as not."""
    same = draw_features(1, 12_000, 4)
    values = torch.tensor(
        [kernel_distance(*part.chunk(2)).value for part in same.split(40)], dtype=torch.float64
    )
    assert abs(values.mean()) < 4 * values.std() / len(values) ** 0.5
    assert 0.3 < (values < 0).double().mean() < 0.9


@oracle
def test_inception_score_is_that_of_torchmetrics():
    logits = 4 * draw_features(1, 500, 10)
    theirs = InceptionScore(feature=Given(10), splits=5).set_dtype(torch.float64)
    theirs.update(logits)
    torch.manual_seed(3)
    ours = inception_score(logits, splits=5, seed=3)
    assert ours == pytest.approx(theirs.compute()[0].item(), rel=1e-11)


def test_inception_score_in_the_order_given_is_that_of_the_papers_code():
    logits = 4 * draw_features(1, 103, 10)
    p = logits.softmax(1).numpy()
    scores = []
    for split in range(10):
        part = p[split * 103 // 10 : (split + 1) * 103 // 10]
        divergence = part * (np.log(part) - np.log(part.mean(0, keepdims=True)))
        scores.append(np.exp(divergence.sum(1).mean()))
    assert inception_score(logits, seed=None) == pytest.approx(np.mean(scores), rel=1e-12)


def test_inception_score_of_sure_and_of_unsure_samples():
    sure = 1e4 * torch.eye(10).repeat(50, 1)
    assert inception_score(sure, splits=1) == pytest.approx(10, rel=1e-12)
    assert inception_score(sure[:1].repeat(50, 1)) == pytest.approx(1, rel=1e-12)
    assert inception_score(torch.zeros(50, 10)) == pytest.approx(1, abs=1e-12)


def test_classes_made_in_turn_do_not_lower_the_inception_score():
    in_turn = 1e4 * torch.eye(10).repeat_interleave(100, 0)
    assert inception_score(in_turn, seed=None) == pytest.approx(1, rel=1e-12)
    assert inception_score(in_turn) > 9
    assert inception_score(in_turn) == pytest.approx(inception_score(in_turn.flip(0)), rel=0.01)


WRONG = {
    "a list of numbers": (lambda: frechet_distance(torch.zeros(3), torch.zeros(3, 1)), "shape"),
    "one sample": (
        lambda: frechet_distance(torch.zeros(3, 4), torch.zeros(1, 4)),
        "1 fake sample is too few",
    ),
    "one sample, one feature": (lambda: moments(torch.zeros(1, 1)), "at least 2"),
    "NaN": (
        lambda: frechet_distance(torch.full((9, 4), torch.nan), torch.zeros(9, 4)),
        "9 of 9 real samples",
    ),
    "infinite": (
        lambda: kernel_distance(torch.zeros(9, 4), torch.full((9, 4), torch.inf)),
        "NaN or infinite",
    ),
    "infinite, few": (
        lambda: frechet_distance(torch.zeros(2, 4), torch.full((2, 4), torch.inf)),
        "2 of 2 fake samples",
    ),
    "sizes": (
        lambda: frechet_distance(torch.zeros(9, 4), torch.zeros(9, 5)),
        "real have 4, fake have 5",
    ),
    "sizes of moments": (
        lambda: frechet_distance(moments(torch.ones(9, 4)), torch.zeros(3, 5)),
        "same extractor",
    ),
    "sizes of sets": (
        lambda: kernel_distance(torch.zeros(9, 4), torch.zeros(9, 5)),
        "real have 4, fake have 5",
    ),
    "one": (
        lambda: kernel_distance(torch.zeros(1, 4), torch.zeros(9, 4)),
        "1 real sample is too few",
    ),
    "one subset": (
        lambda: kernel_distance(torch.zeros(9, 4), torch.zeros(9, 4), subsets=1),
        "at least 2",
    ),
    "subsets of one": (
        lambda: kernel_distance(torch.zeros(9, 4), torch.zeros(9, 4), subset_size=1),
        "at least 2",
    ),
    "splits": (lambda: inception_score(torch.zeros(9, 4)), "over 10 splits needs at least 10"),
    "no split": (lambda: inception_score(torch.zeros(9, 4), splits=0), "at least 1"),
    "NaN logits": (lambda: inception_score(torch.full((10, 4), torch.nan)), "NaN or infinite"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_errors(wrong):
    refused_in_one_line(*WRONG[wrong])
