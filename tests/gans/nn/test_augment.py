"""Augmentations: each alone compared with NumPy, all together, their derivatives, and the
probability that follows overfitting.
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
    COLOUR_SHARE,
    adapt_probability,
    augment,
    colour_matrices,
    cutout_masks,
    pair_signs,
    recolour,
)
from ganvas.gans.nn.geometry import (
    GEOMETRY,
    geometry_matrices,
    resample,
    to_normal,
    to_whole_pixels,
)

ALWAYS, NEVER = 0.0, 0.9  # of the numbers that decide, with a probability of 0.5
# Where in the numbers of the geometry stands whether; how comes after it.
MIRROR, QUARTERS, JUMP, SCALE, STRETCH, DRIFT = 0, 2, 4, 7, 11, 15
BRIGHTNESS, CONTRAST, INVERSION, HUE, SATURATION = range(0, COLOUR, 2)


def random_images(
    count: int = 4, channels: int = 3, side: int = 8, dtype: torch.dtype = torch.float64
) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return (
        torch.rand(count, channels, side, side, generator=random, dtype=torch.float64) * 2 - 1
    ).to(dtype)


def change(images: Tensor, numbers: Tensor) -> Tensor:
    """Every change of every image."""
    chosen = numbers.clone()
    chosen[:, GEOMETRY : GEOMETRY + COLOUR : 2] *= COLOUR_SHARE  # the chances of other colours
    return augment(images, chosen, 1.0)


def numbers(count: int = 4, width: int = AUGMENT_NUMBERS) -> Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def alone(width: int, place: int, *how: float) -> Tensor:
    """Numbers (1, width) with which one change happens, in this way, and no other."""
    chosen = torch.full((1, width), NEVER, dtype=torch.float64)
    chosen[0, place : place + 1 + len(how)] = torch.tensor([ALWAYS, *how], dtype=torch.float64)
    return chosen


def move(images: Tensor, place: int, *how: float) -> Tensor:
    matrices = geometry_matrices(alone(GEOMETRY, place, *how), 0.5, *images.shape[2:])
    return resample(images, matrices.expand(len(images), -1, -1))


def change_colour(images: Tensor, place: int, how: float) -> Tensor:
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
    images = random_images(side=16)
    assert np.abs(move(images, place, *how).numpy() - expected(images.numpy())).max() < 1e-9


def test_turns_are_of_pixels_also_where_sides_differ():
    """A quarter turn about the middle of an image 8 high and 6 wide: its inner square turns,
    whatever the sides.
    """
    images = random_images(side=8)[..., :6]
    assert torch.allclose(
        move(images, QUARTERS, 0.3)[:, :, 1:-1], images[:, :, 1:-1].rot90(1, (2, 3))
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
    """Of 20,000 images; four standard deviations are 0.014."""
    matrices = geometry_matrices(numbers(20_000, GEOMETRY), 0.4, 8, 8)
    aslant = matrices[:, 0, 1].abs() > 1e-9
    quarters = 0.6 * 0.4 / 2  # not turned, but by one quarter or three
    assert aslant.double().mean().item() == pytest.approx(0.4 + quarters, abs=0.014)


def test_geometry_keeps_constant_images():
    flat = torch.full((64, 3, 9, 7), 0.3, dtype=torch.float64)
    assert torch.allclose(resample(flat, geometry_matrices(numbers(64, GEOMETRY), 1.0, 9, 7)), flat)


def test_normal_numbers():
    found = to_normal(torch.tensor([0.5, 0.8413447, 0.0, 1.0]))
    assert found.tolist() == pytest.approx([0, 1, -3.89, 3.89], abs=5e-3)
    # four standard deviations
    assert to_normal(numbers(10_000, 1)).std().item() == pytest.approx(1, abs=0.03)


def test_cutouts_are_half_as_wide_and_high():
    found = cutout_masks(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.25]), 8, 4)
    expected = np.zeros((2, 8, 4), bool)
    expected[0, 2:6, 1:3], expected[1, :4, :1] = True, True
    assert np.array_equal(found.numpy(), expected)


# Colours


def test_brightness_contrast_and_inversion():
    images, one = random_images(), 0.5 + math.erf(1 / math.sqrt(2)) / 2
    assert torch.allclose(change_colour(images, BRIGHTNESS, one), images + 0.2)
    assert torch.allclose(change_colour(images, CONTRAST, one), images * 2**0.5)
    inverted = change_colour(images, INVERSION, 0.4)
    assert torch.allclose(inverted.mean(1), -images.mean(1))
    assert torch.allclose(
        inverted - inverted.mean(1, keepdim=True), images - images.mean(1, keepdim=True)
    )
    assert torch.equal(change_colour(images, INVERSION, 0.6), images)


def test_saturation_and_hue_keep_the_grey():
    images, one = random_images(), 0.5 + math.erf(1 / math.sqrt(2)) / 2
    grey = images.mean(1, keepdim=True)
    assert torch.allclose(change_colour(images, SATURATION, one), grey + 2 * (images - grey))
    third = change_colour(images, HUE, 0.5 + 1 / 3)  # red becomes green, green blue, blue red
    assert torch.allclose(third, images.roll(1, 1))


def test_grey_images_are_changed_like_three_equal_channels():
    images, matrices = random_images(channels=1), colour_matrices(numbers(4, COLOUR), 1.0)
    assert torch.allclose(
        recolour(images, matrices).expand(-1, 3, -1, -1),
        recolour(images.expand(-1, 3, -1, -1), matrices),
    )


def test_equal_pixels_stay_equal():
    flat = random_images(16, side=1).expand(-1, -1, 5, 5)
    found = recolour(flat, colour_matrices(numbers(16, COLOUR), 1.0))
    assert torch.equal(found, found[:, :, :1, :1].expand_as(found))
    assert (found - flat).abs().amax((1, 2, 3)).min() > 1e-3


# All together


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.0, torch.zeros(())])
def test_without_probability_images_come_back_as_they_are(
    channels: int, dtype: torch.dtype, probability: float | Tensor
):
    images = random_images(16, channels, 48, dtype)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(images, numbers(16).float(), probability), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_with_probability_1_every_image_changes(channels: int):
    images = random_images(256, channels, 12)
    found = change(images, numbers(256))
    assert found.shape == images.shape
    assert (found - images).abs().amax((1, 2, 3)).min() > 0.05


@pytest.mark.parametrize("width", [8, 5])
def test_equal_numbers_give_equal_changes_in_any_batch(width: int):
    images, chosen = random_images(side=8)[..., :width], numbers()
    found = change(images, chosen)
    assert torch.equal(found, change(images, chosen))
    assert torch.allclose(found[2:3], change(images[2:3], chosen[2:3]))
    assert not torch.allclose(found, change(images, chosen.roll(1, 0)))


def test_autocast_changes_nothing():
    images, chosen = random_images(dtype=torch.float32), numbers().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = augment(images, chosen, 1.0)
    assert torch.equal(found, augment(images, chosen, 1.0))


def test_derivatives_of_first_and_double_backward():
    images, chosen = random_images(1, side=6).requires_grad_(), numbers(1)

    def bent(images: Tensor) -> Tensor:
        return change(images, chosen).pow(3)

    assert gradcheck(bent, images)
    assert gradgradcheck(bent, images)


class NothingRead(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a value was read"
        return func(*args, **(kwargs or {}))


def test_no_value_is_read():
    images, chosen, probability = random_images().requires_grad_(), numbers(), torch.tensor(0.3)
    with NothingRead():
        changed = augment(images, chosen, probability)
        (gradient,) = torch.autograd.grad(changed.square().sum(), images, create_graph=True)
        gradient.square().sum().backward()
        adapt_probability(probability, pair_signs(images, images), 4)
        with pytest.raises(AssertionError, match="a value was read"):
            float(probability)


def test_whole_pixels_are_at_most_an_eighth():
    assert to_whole_pixels(torch.tensor([0.0, 0.5, 0.75, 0.999]), 48).tolist() == [-6, 0, 3, 6]


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
    assert adapt_probability(half, torch.tensor(0.6), 5_000).item() == pytest.approx(0.49)
    assert adapt_probability(
        half, torch.tensor(-1.0), 5_000, images_to_one=50_000
    ).item() == pytest.approx(0.4)
    assert adapt_probability(torch.tensor(0.999), torch.tensor(1.0), 5_000).item() == 1
    assert adapt_probability(torch.tensor(0.001), torch.tensor(0.0), 5_000).item() == 0
