"""Distances of features: closed forms, torchmetrics and scipy as oracles, and what may not change
the result.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from tiny import refused_in_one_line
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from ganvas.evaluation.metrics import distances
from ganvas.evaluation.metrics.distances import (
    Moments,
    frechet_distance,
    inception_score,
    kernel_distance,
    moments,
)

oracle = pytest.mark.filterwarnings("ignore:Metric `:UserWarning")  # theirs, about memory
setup = settings(max_examples=25, deadline=None)


class Given(nn.Module):
    """The features themselves, for torchmetrics."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def normal(seed: int, count: int, features: int) -> Tensor:
    """Correlated features, float64 (count, features), with another mean and covariance for each
    seed.
    """
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(features, features, generator=random, dtype=torch.float64) / features**0.5
    return torch.randn(count, features, generator=random, dtype=torch.float64) @ mixing + mixing[0]


def frechet_by_root(real: Tensor, fake: Tensor) -> float:
    """As Heusel et al. compute it."""
    a, b = real.numpy(), fake.numpy()
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(first @ second)
    return float(
        np.square(a.mean(0) - b.mean(0)).sum()
        + np.trace(first)
        + np.trace(second)
        - 2 * np.trace(root).real
    )


def with_moments(mean: list[float], variances: list[float]) -> Moments:
    return Moments(torch.tensor(mean).double(), torch.tensor(variances).double().diag(), 100)


def test_moments_are_numpys():
    features = normal(1, 300, 7)
    known = moments(features)
    assert known.mean.dtype == known.covariance.dtype == torch.float64
    assert known.count == 300
    np.testing.assert_allclose(known.mean, features.numpy().mean(0), rtol=1e-13)
    np.testing.assert_allclose(
        known.covariance, np.cov(features.numpy(), rowvar=False), rtol=1e-11, atol=1e-14
    )


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_moments_do_not_depend_on_the_chunks(chunk, monkeypatch):
    features = normal(1, 300, 7) + 100
    whole = moments(features)
    monkeypatch.setattr(distances, "CHUNK", chunk)
    parts = moments(features)
    assert torch.allclose(whole.mean, parts.mean, rtol=1e-12, atol=0)
    assert torch.allclose(whole.covariance, parts.covariance, rtol=0, atol=1e-12)


def test_a_common_offset_costs_the_covariance_no_digits():
    features = normal(1, 500, 5).mul(2**20).round().div(2**20)  # so that adding 2^20 loses nothing
    far = moments(features + 2**20)
    assert torch.allclose(far.covariance, moments(features).covariance, rtol=0, atol=1e-9)


def test_float32_features_are_summed_in_float64():
    features = normal(1, 500, 5).float()
    assert torch.equal(moments(features).covariance, moments(features.double()).covariance)
    assert frechet_distance(features, features + 1) == frechet_distance(
        features.double(), (features + 1).double()
    )
    assert kernel_distance(features, -features) == kernel_distance(
        features.double(), -features.double()
    )
    assert inception_score(features) == inception_score(features.double())


@pytest.mark.parametrize("count", [400, 5])
def test_frechet_of_a_shifted_set(count):
    real, shift = normal(1, count, 8), torch.arange(8.0)
    assert frechet_distance(real, real + shift) == pytest.approx(140, rel=1e-12)


def test_frechet_of_diagonal_gaussians():
    real, fake = with_moments([0, 1, 2], [1, 4, 9]), with_moments([1, 1, 0], [4, 4, 0.25])
    assert frechet_distance(real, fake) == pytest.approx(5 + 1 + 0 + 2.5**2, rel=1e-13)


def test_frechet_of_one_feature():
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[10.0], [16.0]])
    assert frechet_distance(real, fake) == pytest.approx(12**2 + (18**0.5 - 2**0.5) ** 2, rel=1e-13)


@pytest.mark.parametrize("count", [2, 5, 19, 20, 21, 400])
def test_frechet_of_a_set_with_itself_is_zero(count):
    features = normal(1, count, 20)
    features[:, 3] = 0  # a dead feature
    scale = features.var(0).sum().item()
    assert 0 <= frechet_distance(features, features.flip(0)) < 1e-12 * scale
    assert 0 <= frechet_distance(moments(features), features) < 1e-12 * scale
    assert 0 <= frechet_distance(moments(features), moments(features)) < 1e-12 * scale


def test_frechet_sees_a_small_difference():
    features = normal(1, 400, 20)
    assert frechet_distance(features, features + 1e-4) == pytest.approx(20 * 1e-8, rel=1e-5)


def test_frechet_of_constant_sets():
    same = torch.full((5, 3), 2.0)
    assert frechet_distance(same, same) == 0
    assert frechet_distance(moments(same), same + 1) == 3


def test_frechet_of_flat_sets_in_different_planes():
    """The root of the product vanishes; rounding in the empty directions may not fill it."""
    real, fake = normal(1, 500, 40), normal(2, 500, 40)
    turn, _ = torch.linalg.qr(normal(3, 40, 40))
    real[:, 20:] = 0
    fake[:, :20] = 0
    expected = (real.mean(0) - fake.mean(0)).square().sum() + real.var(0).sum() + fake.var(0).sum()
    assert frechet_distance(moments(real @ turn), moments(fake @ turn)) == pytest.approx(
        expected.item(), rel=1e-12
    )


@pytest.mark.parametrize("counts", [(500, 400), (15, 400), (500, 15), (10, 15)])
def test_frechet_from_samples_and_from_moments_is_the_same(counts):
    real, fake = normal(1, counts[0], 30), normal(2, counts[1], 30)
    value = frechet_distance(real, fake)
    assert frechet_distance(moments(real), moments(fake)) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(moments(real), fake) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(fake, real) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("features", [2, 16, 64])
def test_frechet_is_that_of_the_paper(features):
    real, fake = normal(1, 1000, features), normal(2, 800, features)
    assert frechet_distance(real, fake) == pytest.approx(frechet_by_root(real, fake), rel=1e-9)


@setup
@given(
    st.integers(0, 2**31),
    st.integers(2, 40),
    st.integers(2, 40),
    st.integers(1, 20),
    st.floats(0.01, 100),
)
def test_frechet_is_a_squared_distance(seed, first, second, features, scale):
    real, fake = normal(seed, first, features), normal(seed + 1, second, features)
    turn, _ = torch.linalg.qr(normal(seed + 2, features, features))
    value = frechet_distance(real, fake)
    size = value + (real.var(0) + fake.var(0)).sum().item()

    assert value >= (real.mean(0) - fake.mean(0)).square().sum().item() - 1e-9 * size
    assert frechet_distance(fake, real) == pytest.approx(value, abs=1e-9 * size)
    assert frechet_distance(real @ turn + 3, fake @ turn + 3) == pytest.approx(
        value, abs=1e-9 * size
    )
    assert frechet_distance(scale * real, scale * fake) == pytest.approx(
        scale**2 * value, abs=1e-9 * scale**2 * size
    )


@oracle
@pytest.mark.parametrize("features", [4, 32])
def test_frechet_is_that_of_torchmetrics(features):
    real, fake = normal(1, 600, features), normal(2, 500, features)
    theirs = FrechetInceptionDistance(feature=Given(features)).set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    assert frechet_distance(real, fake) == pytest.approx(theirs.compute().item(), rel=1e-10)


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
    real, fake = normal(1, 9, 3), normal(2, 6, 3)
    value, error = kernel_distance(real, fake)
    assert value == pytest.approx(discrepancy_in_loops(real, fake), rel=1e-11)
    assert error is None
    assert kernel_distance(real.flip(0), fake.flip(0)).value == pytest.approx(value, rel=1e-11)


def test_kernel_distance_by_hand():
    """Kernels of 0 and 1 in one feature: k(0, 0) = k(0, 1) = 1, k(1, 1) = 8."""
    assert kernel_distance(torch.zeros(3, 1), torch.ones(2, 1)).value == 1 + 8 - 2 * 1


@oracle
def test_kernel_distance_is_that_of_torchmetrics():
    real, fake = normal(1, 300, 8), normal(2, 250, 8)
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
    real, fake = normal(1, 400, 8), normal(2, 300, 8)
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
    same = normal(1, 12_000, 4)
    values = torch.tensor(
        [kernel_distance(*part.chunk(2)).value for part in same.split(40)], dtype=torch.float64
    )
    assert abs(values.mean()) < 4 * values.std() / len(values) ** 0.5
    assert 0.3 < (values < 0).double().mean() < 0.9


@oracle
def test_inception_score_is_that_of_torchmetrics():
    logits = 4 * normal(1, 500, 10)
    theirs = InceptionScore(feature=Given(10), splits=5).set_dtype(torch.float64)
    theirs.update(logits)
    torch.manual_seed(3)
    ours = inception_score(logits, splits=5, seed=3)
    assert ours == pytest.approx(theirs.compute()[0].item(), rel=1e-11)


def test_inception_score_in_the_order_given_is_that_of_the_papers_code():
    logits = 4 * normal(1, 103, 10)
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
