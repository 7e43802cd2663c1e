"""Pairs of images: values by hand, torchmetrics as the oracle, borders, and what is refused."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from ganvas.errors import UserError
from ganvas.evaluation.metrics.full_reference import hole_l1, hole_psnr, l1, psnr, ssim

ALL = (l1, psnr, ssim)
shapes = pytest.mark.parametrize("shape", [(3, 3, 32, 24), (2, 1, 11, 11), (35, 1, 12, 17)])


def noise(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def smooth(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Images with large forms, half of a range: SSIM has something to see."""
    small = noise((*shape[:2], 4, 4), seed).double() / 2
    return (
        torch.nn.functional.interpolate(small, shape[2:], mode="bilinear").round().to(torch.uint8)
    )


def constant(value: int) -> Tensor:
    return torch.full((1, 1, 16, 16), value, dtype=torch.uint8)


def test_l1_by_hand():
    a = torch.zeros(2, 1, 1, 2, dtype=torch.uint8)
    b = torch.tensor([255, 0, 3, 4], dtype=torch.uint8).reshape(2, 1, 1, 2)
    assert l1(a, b).tolist() == l1(b, a).tolist() == [127.5, 3.5]


def test_psnr_by_hand():
    assert psnr(constant(100), constant(110)).item() == pytest.approx(
        10 * math.log10(255**2 / 100), rel=1e-14
    )
    assert psnr(constant(0), constant(255)).item() == 0
    assert psnr(constant(7), constant(7)).item() == math.inf


def test_ssim_of_constant_images():
    """Without contrast the luminance term is left; Wang et al. 2004, eq. 6."""
    c1 = 2.55**2
    expected = (2 * 50 * 120 + c1) / (50**2 + 120**2 + c1)
    assert ssim(constant(50), constant(120)).item() == pytest.approx(expected, rel=1e-12)


def test_ssim_of_one_window():
    a, b = noise((1, 1, 11, 11)).double(), noise((1, 1, 11, 11), 1).double()
    offsets = range(-5, 6)
    weights = [[math.exp(-(x * x + y * y) / (2 * 1.5**2)) for x in offsets] for y in offsets]
    window = torch.tensor(weights, dtype=torch.float64)
    window /= window.sum()
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    covariance = (window * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (
        (2 * mean_a * mean_b + c1)
        * (2 * covariance + c2)
        / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    )

    assert ssim(a.to(torch.uint8), b.to(torch.uint8)).item() == pytest.approx(
        expected.item(), rel=1e-9
    )


@shapes
@pytest.mark.parametrize("kind", [noise, smooth])
def test_ssim_is_that_of_torchmetrics_inside(shape, kind):
    """Their map of all windows, reflected ones included; ours are those 5 or more pixels from the
    border.
    """
    a, b = kind(shape), kind(shape, 1)
    _, each = structural_similarity_index_measure(
        a.double(), b.double(), data_range=255.0, reduction="none", return_full_image=True
    )
    inside = each[..., 5:-5, 5:-5].flatten(1).mean(1)
    assert torch.allclose(ssim(a, b), inside, rtol=0, atol=1e-12)
    assert not torch.allclose(ssim(a, b), each.flatten(1).mean(1), rtol=0, atol=1e-4)


@shapes
def test_psnr_is_that_of_torchmetrics(shape):
    a, b = noise(shape), noise(shape, 1)
    theirs = [
        peak_signal_noise_ratio(x.double(), y.double(), data_range=255.0).item()
        for x, y in zip(a, b)
    ]
    assert psnr(a, b).tolist() == pytest.approx(theirs, rel=3e-8)  # they hold log(10) in float32


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 4),
    st.integers(11, 20),
    st.integers(11, 20),
    st.integers(0, 1000),
)
def test_of_each_pair_alone_and_symmetric(count, channels, height, width, seed):
    shape = (count, channels, height, width)
    a, b = smooth(shape, seed), noise(shape, seed + 1)
    for measure in ALL:
        values = measure(a, b)
        assert values.dtype == torch.float64
        assert values.shape == (count,)
        assert torch.allclose(values, measure(b, a), rtol=1e-12)
        assert torch.allclose(values[-1:], measure(a[-1:], b[-1:]), rtol=1e-12)
        assert torch.allclose(values, measure(a.mT, b.mT), rtol=1e-12)

    assert torch.equal(l1(a, a), torch.zeros(count).double())
    assert torch.allclose(ssim(a, a), torch.ones(count).double(), rtol=1e-12)
    assert (ssim(a, b) < 1).all()


def test_a_negative_is_unlike():
    a = noise((2, 3, 32, 32))
    assert (ssim(a, 255 - a) < -0.5).all()


def test_less_noise_is_better():
    clean = smooth((1, 3, 48, 48)).double() + 60
    offsets = noise((1, 3, 48, 48), 5).double() / 127.5 - 1
    noisy = [(clean + strength * offsets).round().to(torch.uint8) for strength in (2, 8, 32)]
    exact = clean.to(torch.uint8)
    for measure, sign in ((l1, -1), (psnr, 1), (ssim, 1)):
        values = [sign * measure(exact, other).item() for other in noisy]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[2]


@pytest.mark.parametrize("measure", ALL)
def test_errors(measure):
    a = noise((2, 3, 16, 16))
    for other, message in (
        (a.float(), "give uint8"),
        (a[:1], "same shape"),
        (a[:, :1], "same shape"),
    ):
        with pytest.raises(UserError, match=message):
            measure(a, other)
    for both in (a[0], a[:0]):
        with pytest.raises(UserError, match="same shape"):
            measure(both, both)


def test_images_smaller_than_the_window():
    with pytest.raises(UserError, match=r"16x10 are too small for SSIM, whose window needs 11x11"):
        ssim(noise((1, 1, 10, 16)), noise((1, 1, 10, 16)))


# Holes


def test_only_the_hole_counts():
    a, b = noise((2, 3, 8, 8)), noise((2, 3, 8, 8), seed=1)
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    mask[0, :, 2:5, 1:4] = mask[1, :, :1] = True

    for hole, whole in ((hole_l1, l1), (hole_psnr, psnr)):
        alone = torch.cat(
            [whole(a[:1, :, 2:5, 1:4], b[:1, :, 2:5, 1:4]), whole(a[1:, :, :1], b[1:, :, :1])]
        )
        assert hole(a, b, mask).tolist() == pytest.approx(alone.tolist(), rel=1e-12)
        assert (
            hole(a, b, mask).tolist()
            == hole(torch.where(mask, a, 0), torch.where(mask, b, 255), mask).tolist()
        )
        assert hole(a, b, torch.ones_like(mask)).tolist() == pytest.approx(
            whole(a, b).tolist(), rel=1e-12
        )


@pytest.mark.parametrize(
    "mask",
    [torch.ones(1, 1, 16, 16), torch.ones(1, 16, 16).bool(), torch.zeros(1, 1, 16, 16).bool()],
)
@pytest.mark.parametrize("function", [hole_l1, hole_psnr])
def test_masks_without_a_hole_or_of_another_form_are_refused(function, mask):
    with pytest.raises(UserError, match="give bool"):
        function(constant(1), constant(2), mask)
