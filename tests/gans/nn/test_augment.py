"""Augmentations: each alone against NumPy, all together, twice differentiable, and the probability
that follows overfitting.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.gans.nn.augment import (
    AUGMENT_NUMBERS,
    COLOUR,
    GEOMETRY,
    adapt_probability,
    augment,
    colour_matrices,
    cutout_masks,
    diff_augment,
    geometry_matrices,
    pair_signs,
    recolour,
    resample,
    shifted,
    to_normal,
    whole_pixels,
)

Change = Callable[[Tensor, Tensor], Tensor]

ALWAYS, NEVER = 0.0, 0.9  # of the numbers that decide, with a probability of 0.5
# Where in the numbers of the geometry stands whether; how comes after it.
MIRROR, QUARTERS, JUMP, SCALE, STRETCH, DRIFT = 0, 2, 4, 7, 11, 15
BRIGHTNESS, CONTRAST, INVERSION, HUE, SATURATION = range(0, COLOUR, 2)
CHANGES = pytest.mark.parametrize(
    "change", [lambda images, numbers: augment(images, numbers, 1.0, 1.0), diff_augment]
)


def pictures(
    count: int = 4, channels: int = 3, side: int = 8, dtype: torch.dtype = torch.float64
) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return (
        torch.rand(count, channels, side, side, generator=random, dtype=torch.float64) * 2 - 1
    ).to(dtype)


def numbers(count: int = 4, width: int = AUGMENT_NUMBERS) -> Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def alone(width: int, place: int, *how: float) -> Tensor:
    """Numbers (1, width) with which one change happens, in this way, and no other."""
    chosen = torch.full((1, width), NEVER, dtype=torch.float64)
    chosen[0, place : place + 1 + len(how)] = torch.tensor([ALWAYS, *how], dtype=torch.float64)
    return chosen


def moved(images: Tensor, place: int, *how: float) -> Tensor:
    matrices = geometry_matrices(alone(GEOMETRY, place, *how), 0.5, *images.shape[2:])
    return resample(images, matrices.expand(len(images), -1, -1))


def coloured(images: Tensor, place: int, how: float) -> Tensor:
    return recolour(
        images, colour_matrices(alone(COLOUR, place, how), 0.5).expand(len(images), -1, -1)
    )


# Geometry


@pytest.mark.parametrize(
    ("place", "how", "expected"),
    [
        (MIRROR, [0.4], lambda images: images[..., ::-1]),
        (MIRROR, [0.6], lambda images: images),
        (QUARTERS, [0.1], lambda images: images),
        (QUARTERS, [0.3], lambda images: np.rot90(images, 1, (2, 3))),
        (QUARTERS, [0.6], lambda images: np.rot90(images, 2, (2, 3))),
        (QUARTERS, [0.8], lambda images: np.rot90(images, 3, (2, 3))),
        # An eighth of 16 are two pixels; what comes in is the mirror image of the border.
        (
            JUMP,
            [0.999, 0.5],
            lambda images: np.pad(images, [(0, 0)] * 3 + [(2, 0)], "symmetric")[..., :-2],
        ),
        (
            JUMP,
            [0.5, 0.001],
            lambda images: np.pad(images, [(0, 0)] * 2 + [(0, 2), (0, 0)], "symmetric")[:, :, 2:],
        ),
    ],
)
def test_mirrors_quarters_and_whole_shifts_are_those_of_numpy(
    place: int, how: list[float], expected: Callable
):
    images = pictures(side=16)
    assert np.abs(moved(images, place, *how).numpy() - expected(images.numpy())).max() < 1e-9


def test_turns_are_of_pixels_also_where_sides_differ():
    """A quarter turn about the middle of a picture 8 high and 6 wide: its inner square turns,
    whatever the sides.
    """
    images = pictures(side=8)[..., :6]
    assert torch.allclose(
        moved(images, QUARTERS, 0.3)[:, :, 1:-1], images[:, :, 1:-1].rot90(1, (2, 3))
    )


def test_scales_stretches_and_drifts_are_as_strong_as_they_should():
    """Of a number one standard deviation from the middle: 2^0.2, or an eighth of the side."""
    one = 0.5 + math.erf(1 / math.sqrt(2)) / 2
    factor = 2**0.2
    scale, stretch, drift = (
        geometry_matrices(alone(GEOMETRY, place, one), 0.5, 40, 24)[0]
        for place in (SCALE, STRETCH, DRIFT)
    )
    assert torch.allclose(
        scale, torch.tensor([[factor, 0, 0], [0, factor, 0]], dtype=torch.float64)
    )
    assert torch.allclose(
        stretch, torch.tensor([[factor, 0, 0], [0, 1 / factor, 0]], dtype=torch.float64)
    )
    assert drift[0].tolist() == pytest.approx([1, 0, -3])


def test_both_turns_together_have_the_probability():
    """Of 20,000 pictures; four standard deviations are 0.014."""
    matrices = geometry_matrices(numbers(20_000, GEOMETRY), 0.4, 8, 8)
    aslant = matrices[:, 0, 1].abs() > 1e-9
    quarters = 0.6 * 0.4 / 2  # not turned, but by one quarter or three
    assert aslant.double().mean().item() == pytest.approx(0.4 + quarters, abs=0.014)


def test_geometry_keeps_constant_pictures():
    flat = torch.full((64, 3, 9, 7), 0.3, dtype=torch.float64)
    assert torch.allclose(resample(flat, geometry_matrices(numbers(64, GEOMETRY), 1.0, 9, 7)), flat)


def test_normal_numbers():
    found = to_normal(torch.tensor([0.5, 0.8413447, 0.0, 1.0]))
    assert found.tolist() == pytest.approx([0, 1, -3.89, 3.89], abs=5e-3)
    # four standard deviations
    assert to_normal(numbers(10_000, 1)).std().item() == pytest.approx(1, abs=0.03)


def test_shifts_leave_zeros():
    images = pictures(2, side=6)
    expected = np.zeros((2, 3, 6, 6))
    expected[0, :, :, 1:], expected[1, :, :-2] = images[0, :, :, :-1], images[1, :, 2:]
    assert np.array_equal(
        shifted(images, torch.tensor([1.0, 0]), torch.tensor([0.0, -2])).numpy(), expected
    )


def test_cutouts_are_half_as_wide_and_high():
    found = cutout_masks(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.25]), 8, 4)
    expected = np.zeros((2, 8, 4), bool)
    expected[0, 2:6, 1:3], expected[1, :4, :1] = True, True
    assert np.array_equal(found.numpy(), expected)


# Colours


def test_brightness_contrast_and_inversion():
    images, one = pictures(), 0.5 + math.erf(1 / math.sqrt(2)) / 2
    assert torch.allclose(coloured(images, BRIGHTNESS, one), images + 0.2)
    assert torch.allclose(coloured(images, CONTRAST, one), images * 2**0.5)
    inverted = coloured(images, INVERSION, 0.4)
    assert torch.allclose(inverted.mean(1), -images.mean(1))
    assert torch.allclose(
        inverted - inverted.mean(1, keepdim=True), images - images.mean(1, keepdim=True)
    )
    assert torch.equal(coloured(images, INVERSION, 0.6), images)


def test_saturation_and_hue_keep_the_grey():
    images, one = pictures(), 0.5 + math.erf(1 / math.sqrt(2)) / 2
    grey = images.mean(1, keepdim=True)
    assert torch.allclose(coloured(images, SATURATION, one), grey + 2 * (images - grey))
    third = coloured(images, HUE, 0.5 + 1 / 3)  # red becomes green, green blue, blue red
    assert torch.allclose(third, images.roll(1, 1))


def test_grey_pictures_are_changed_as_grey_ones_of_three_channels():
    images, matrices = pictures(channels=1), colour_matrices(numbers(4, COLOUR), 1.0)
    assert torch.allclose(
        recolour(images, matrices).expand(-1, 3, -1, -1),
        recolour(images.expand(-1, 3, -1, -1), matrices),
    )


def test_equal_pixels_stay_equal():
    flat = pictures(16, side=1).expand(-1, -1, 5, 5)
    found = recolour(flat, colour_matrices(numbers(16, COLOUR), 1.0))
    assert torch.equal(found, found[:, :, :1, :1].expand_as(found))
    assert (found - flat).abs().amax((1, 2, 3)).min() > 1e-3


# All together


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.0, torch.zeros(())])
def test_without_probability_the_same_pictures_come_back(
    channels: int, dtype: torch.dtype, probability: float | Tensor
):
    images = pictures(16, channels, 48, dtype)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(images, numbers(16).float(), probability), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_with_probability_1_every_picture_changes(channels: int):
    images = pictures(256, channels, 12)
    found = augment(images, numbers(256), 1.0, 1.0)
    assert found.shape == images.shape
    assert (found - images).abs().amax((1, 2, 3)).min() > 0.05


@pytest.mark.parametrize("width", [8, 5])
@CHANGES
def test_equal_numbers_equal_changes_whoever_else_is_there(change: Change, width: int):
    images, chosen = pictures(side=8)[..., :width], numbers()
    found = change(images, chosen)
    assert torch.equal(found, change(images, chosen))
    assert torch.allclose(found[2:3], change(images[2:3], chosen[2:3]))
    assert not torch.allclose(found, change(images, chosen.roll(1, 0)))


def test_autocast_changes_nothing():
    images, chosen = pictures(dtype=torch.float32), numbers().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(images, chosen, 1.0)
    assert torch.equal(found, augment(images, chosen, 1.0))


@CHANGES
def test_derivatives_of_first_and_double_backward(change: Change):
    images, chosen = pictures(1, side=6).requires_grad_(), numbers(1)

    def bent(images: Tensor) -> Tensor:
        return change(images, chosen).pow(3)

    assert gradcheck(bent, images)
    assert gradgradcheck(bent, images)


class NothingRead(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a value was read"
        return func(*args, **(kwargs or {}))


def test_no_value_is_read():
    images, chosen, probability = pictures().requires_grad_(), numbers(), torch.tensor(0.3)
    with NothingRead():
        for change in (augment(images, chosen, probability), diff_augment(images, chosen)):
            (gradient,) = torch.autograd.grad(change.square().sum(), images, create_graph=True)
            gradient.square().sum().backward()
        adapt_probability(probability, pair_signs(images, images), 4)
        with pytest.raises(AssertionError, match="a value was read"):
            float(probability)


def test_diff_augment_changes_as_the_paper_says():
    """In the middle of all numbers but those of the cutout, nothing changes; then each alone."""
    images, neutral = (
        pictures(1, side=16),
        torch.full((1, AUGMENT_NUMBERS), 0.5, dtype=torch.float64),
    )
    neutral[0, 5:7] = -1  # the cutout is outside
    assert torch.allclose(diff_augment(images, neutral), images)
    grey, mean = images.mean(1, keepdim=True), images.mean()
    brighter, paler, stronger, right = (neutral.clone() for _ in range(4))
    brighter[0, 0], paler[0, 1], stronger[0, 2], right[0, 3] = 0.75, 0.25, 0.75, 0.999
    assert torch.allclose(diff_augment(images, brighter), images + 0.25)
    assert torch.allclose(diff_augment(images, paler), (images + grey) / 2)
    assert torch.allclose(diff_augment(images, stronger), mean + 1.25 * (images - mean))
    assert torch.allclose(diff_augment(images, right)[..., 2:], images[..., :-2])
    assert (diff_augment(images, numbers(1)) == 0).double().mean() > 0.1


def test_whole_pixels_are_at_most_an_eighth():
    assert whole_pixels(torch.tensor([0.0, 0.5, 0.75, 0.999]), 48).tolist() == [-6, 0, 3, 6]


# The probability


def test_pair_signs():
    assert pair_signs(
        torch.tensor([2.0, 0.0]), torch.tensor([1.0, -1.0, 0.0])
    ).item() == pytest.approx((5 - 1 - 0) / 6 - 1 / 6)
    assert pair_signs(torch.tensor([2.0, 3.0]), torch.tensor([1.0])).item() == 1
    assert pair_signs(torch.tensor([0.0]), torch.tensor([1.0, 5.0])).item() == -1
    assert pair_signs(torch.zeros(3), torch.zeros(2)).item() == 0


def test_the_probability_follows_overfitting():
    half = torch.tensor(0.5)
    assert adapt_probability(half, torch.tensor(0.7), 5_000).item() == pytest.approx(0.51)
    assert adapt_probability(half, torch.tensor(0.6), 5_000, target=0.6).item() == pytest.approx(
        0.49
    )
    assert adapt_probability(
        half, torch.tensor(-1.0), 5_000, images_to_one=50_000
    ).item() == pytest.approx(0.4)
    assert adapt_probability(torch.tensor(0.999), torch.tensor(1.0), 5_000).item() == 1
    assert adapt_probability(torch.tensor(0.001), torch.tensor(0.0), 5_000).item() == 0
