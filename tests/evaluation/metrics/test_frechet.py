"""Moments and Fréchet distance: closed forms, the paper's formula, torchmetrics."""

import numpy as np
import pytest
import torch
from feature_sets import Given, draw_features, oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor
from torchmetrics.image.fid import FrechetInceptionDistance

from ganvas.evaluation.metrics import distances
from ganvas.evaluation.metrics.distances import (
    Moments,
    frechet_distance,
    inception_score,
    kernel_distance,
    moments,
)

setup = settings(max_examples=25, deadline=None)


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
    features = draw_features(1, 300, 7)
    known = moments(features)
    assert known.mean.dtype == known.covariance.dtype == torch.float64
    assert known.count == 300
    np.testing.assert_allclose(known.mean, features.numpy().mean(0), rtol=1e-13)
    np.testing.assert_allclose(
        known.covariance, np.cov(features.numpy(), rowvar=False), rtol=1e-11, atol=1e-14
    )


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_moments_do_not_depend_on_the_chunks(chunk, monkeypatch):
    features = draw_features(1, 300, 7) + 100
    whole = moments(features)
    monkeypatch.setattr(distances, "CHUNK", chunk)
    parts = moments(features)
    assert torch.allclose(whole.mean, parts.mean, rtol=1e-12, atol=0)
    assert torch.allclose(whole.covariance, parts.covariance, rtol=0, atol=1e-12)


def test_a_common_offset_costs_the_covariance_no_digits():
    features = (
        draw_features(1, 500, 5).mul(2**20).round().div(2**20)
    )  # so that adding 2^20 loses nothing
    far = moments(features + 2**20)
    assert torch.allclose(far.covariance, moments(features).covariance, rtol=0, atol=1e-9)


def test_float32_features_are_summed_in_float64():
    features = draw_features(1, 500, 5).float()
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
    real, shift = draw_features(1, count, 8), torch.arange(8.0)
    assert frechet_distance(real, real + shift) == pytest.approx(140, rel=1e-12)


def test_frechet_of_diagonal_gaussians():
    real, fake = with_moments([0, 1, 2], [1, 4, 9]), with_moments([1, 1, 0], [4, 4, 0.25])
    assert frechet_distance(real, fake) == pytest.approx(5 + 1 + 0 + 2.5**2, rel=1e-13)


def test_frechet_of_one_feature():
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[10.0], [16.0]])
    assert frechet_distance(real, fake) == pytest.approx(12**2 + (18**0.5 - 2**0.5) ** 2, rel=1e-13)


@pytest.mark.parametrize("count", [2, 5, 19, 20, 21, 400])
def test_frechet_of_a_set_with_itself_is_zero(count):
    features = draw_features(1, count, 20)
    features[:, 3] = 0  # a dead feature
    scale = features.var(0).sum().item()
    assert 0 <= frechet_distance(features, features.flip(0)) < 1e-12 * scale
    assert 0 <= frechet_distance(moments(features), features) < 1e-12 * scale
    assert 0 <= frechet_distance(moments(features), moments(features)) < 1e-12 * scale


def test_frechet_sees_a_small_difference():
    features = draw_features(1, 400, 20)
    assert frechet_distance(features, features + 1e-4) == pytest.approx(20 * 1e-8, rel=1e-5)


def test_frechet_of_constant_sets():
    same = torch.full((5, 3), 2.0)
    assert frechet_distance(same, same) == 0
    assert frechet_distance(moments(same), same + 1) == 3


def test_frechet_of_flat_sets_in_different_planes():
    """The root of the product vanishes; rounding in the empty directions may not fill it."""
    real, fake = draw_features(1, 500, 40), draw_features(2, 500, 40)
    turn, _ = torch.linalg.qr(draw_features(3, 40, 40))
    real[:, 20:] = 0
    fake[:, :20] = 0
    expected = (real.mean(0) - fake.mean(0)).square().sum() + real.var(0).sum() + fake.var(0).sum()
    assert frechet_distance(moments(real @ turn), moments(fake @ turn)) == pytest.approx(
        expected.item(), rel=1e-12
    )


@pytest.mark.parametrize("counts", [(500, 400), (15, 400), (500, 15), (10, 15)])
def test_frechet_from_samples_and_from_moments_is_the_same(counts):
    real, fake = draw_features(1, counts[0], 30), draw_features(2, counts[1], 30)
    value = frechet_distance(real, fake)
    assert frechet_distance(moments(real), moments(fake)) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(moments(real), fake) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(fake, real) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("features", [2, 16, 64])
def test_frechet_is_that_of_the_paper(features):
    real, fake = draw_features(1, 1000, features), draw_features(2, 800, features)
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
    real, fake = draw_features(seed, first, features), draw_features(seed + 1, second, features)
    turn, _ = torch.linalg.qr(draw_features(seed + 2, features, features))
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
    real, fake = draw_features(1, 600, features), draw_features(2, 500, features)
    theirs = FrechetInceptionDistance(feature=Given(features)).set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    assert frechet_distance(real, fake) == pytest.approx(theirs.compute().item(), rel=1e-10)
