"""Augmentations: what they do alone, that they keep what they must, that penalties pass through them."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.augment import (
    AUGMENT_NUMBERS,
    DIFF_NUMBERS,
    Columns,
    adapted,
    augment,
    colour,
    diff_augment,
    geometry,
    pair_signs,
    resample,
    rotation,
    shifted,
)

KINDS = pytest.mark.parametrize(("change", "width"), [(augment, AUGMENT_NUMBERS), (diff_augment, DIFF_NUMBERS)])
# Columns of `geometry`: chosen or not, then the value.
FLIP, QUARTERS, WHOLE, SCALE = 0, 2, 4, 7
NEVER = 0.999  # above every probability of these tests


def made(count: int = 6, channels: int = 3, side: int = 8, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def numbers(count: int, width: int = AUGMENT_NUMBERS, seed: int = 1) -> Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def only(place: int, *values: float) -> Tensor:
    """Numbers by which one change alone is made, to one picture."""
    chosen = torch.full((1, AUGMENT_NUMBERS), NEVER, dtype=torch.float64)
    chosen[0, place] = 0.0
    chosen[0, place + 1 : place + 1 + len(values)] = torch.tensor(values, dtype=torch.float64)
    return chosen


def moved(images: Tensor, chosen: Tensor) -> Tensor:
    return resample(images, geometry(Columns(chosen), 0.5, images.shape[-1]))


def test_columns_are_all_used():
    used = Columns(numbers(2))
    geometry(used, 0.5, 8)
    colour(made(2), used, 0.5)
    used.chosen(0.5)
    assert used.taken + 2 == AUGMENT_NUMBERS  # the middle of the hole


def test_nothing_changes_with_probability_0():
    for images in (made(), made(channels=1), made(side=7)):
        assert torch.allclose(augment(images, numbers(6), 0.0), images, atol=1e-12)
        assert torch.allclose(augment(images, numbers(6), torch.zeros(())), images, atol=1e-12)


@KINDS
def test_every_picture_changes_and_the_same_numbers_do_the_same(change: Callable[..., Tensor], width: int):
    images, chosen = made(32), numbers(32, width)
    rest = (1.0,) if change is augment else ()
    found = change(images, chosen, *rest)
    assert found.shape == images.shape
    assert found.dtype == images.dtype
    assert all((found != images).flatten(1).any(1))
    assert torch.equal(found, change(images, chosen, *rest))
    assert torch.allclose(change(images[5:6], chosen[5:6], *rest), found[5:6])  # whoever else is in the batch


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (only(FLIP, 0.75), lambda images: images.flip(-1)),
        (only(FLIP, 0.25), lambda images: images),
        (only(QUARTERS, 0.3), lambda images: images.rot90(1, (2, 3))),
        (only(QUARTERS, 0.6), lambda images: images.rot90(2, (2, 3))),
        (only(QUARTERS, 0.9), lambda images: images.rot90(3, (2, 3))),
    ],
)
def test_flips_and_quarters_are_exact(chosen: Tensor, expected: Callable[[Tensor], Tensor]):
    for side in (7, 8):
        images = made(1, side=side)
        assert torch.equal(moved(images, chosen), expected(images))


def test_whole_pixels_and_mirrors_at_the_borders():
    images = made(1, side=16)
    found = moved(images, only(WHOLE, 0.999, 0.5))  # two pixels to the right in the old picture
    assert torch.allclose(found[..., :-2], images[..., 2:])
    assert torch.allclose(found[..., -2:], images[..., -2:].flip(-1))


def test_scale_is_bilinear():
    """Twice as near: between two pixels lies their mean."""
    ramp = torch.arange(8.0, dtype=torch.float64).expand(1, 1, 8, 8)
    matrix = torch.tensor([[[0.5, 0, 0], [0, 0.5, 0]]], dtype=torch.float64)
    assert torch.allclose(resample(ramp, matrix)[0, 0, 0], torch.arange(1.75, 5.3, 0.5, dtype=torch.float64))


def test_rotations_turn():
    assert torch.allclose(rotation(torch.tensor([0.125]))[0], torch.tensor([[1.0, -1], [1, 1]]) / math.sqrt(2))
    assert rotation(torch.tensor([1.0]), steps=4)[0].tolist() == [[0, -1], [1, 0]]


def test_geometry_leaves_constant_pictures_and_colour_leaves_equal_pixels():
    flat = torch.full((16, 3, 8, 8), 0.3, dtype=torch.float64)
    assert torch.allclose(resample(flat, geometry(Columns(numbers(16)), 1.0, 8)), flat)
    coloured = colour(flat, Columns(numbers(16)), 1.0)
    assert torch.allclose(coloured, coloured[:, :, :1, :1].expand_as(coloured))
    assert not torch.allclose(coloured, flat)


def test_grey_pictures_get_the_colours_brightness():
    """Brightness, contrast and inversion of grey are those of rgb with equal channels; hue and saturation have no effect there.
    """
    grey = made(16, channels=1)
    both = [colour(images, Columns(numbers(16)), 1.0) for images in (grey, grey.expand(-1, 3, -1, -1))]
    assert torch.allclose(both[0].expand(-1, 3, -1, -1), both[1])


def test_hue_keeps_brightness_and_lengths():
    images, columns = made(4), torch.full((4, 10), NEVER, dtype=torch.float64)
    columns[:, 6], columns[:, 7] = 0.0, 0.3
    found = colour(images, Columns(columns), 0.5)
    assert torch.allclose(found.mean(1), images.mean(1))
    assert torch.allclose(found.square().sum(1), images.square().sum(1))
    assert not torch.allclose(found, images, atol=0.1)


def test_shifts_are_whole_and_leave_zeros():
    images = made(1, side=16) + 5
    found = shifted(images, Columns(torch.tensor([[0.999, 0.5]])))
    assert torch.equal(found[:, :, 2:], images[:, :, :-2])
    assert not found[:, :, :2].any()


def test_half_of_the_pictures_are_chosen():
    found = augment(made(1, side=4).expand(2000, -1, -1, -1), numbers(2000), 0.02)
    unchanged = (found == made(1, side=4)).flatten(1).all(1).double().mean().item()
    # Of 9 changes at 2 % and 5 at 1 %, mirrors, quarters and shifts of less than a pixel often do nothing.
    assert 0.75 < unchanged < 0.92


@KINDS
def test_derivatives(change: Callable[..., Tensor], width: int):
    images = made(2, side=5).requires_grad_()
    rest = (0.7,) if change is augment else ()

    def bent(images: Tensor) -> Tensor:
        return change(images, numbers(2, width), *rest).sin()

    assert gradcheck(bent, images)
    assert gradgradcheck(bent, images)


class NothingIsRead(TorchDispatchMode):
    """Refuses to tell the value of a tensor."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_no_value_is_read():
    images, probability = made(4).float(), torch.tensor(0.3)
    with NothingIsRead():
        augment(images, numbers(4).float(), probability)
        diff_augment(images, numbers(4, DIFF_NUMBERS).float())
        adapted(probability, pair_signs(torch.randn(4), torch.randn(4)), 50)


def test_pair_signs():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert pair_signs(real, fake).item() == 0.5  # three of four pairs
    assert pair_signs(fake - 10, real).item() == -1


def test_the_probability_follows_overfitting():
    half = torch.tensor(0.5)
    assert adapted(half, torch.tensor(0.9), 50_000).item() == pytest.approx(0.6)
    assert adapted(half, torch.tensor(0.1), 50_000).item() == pytest.approx(0.4)
    assert adapted(half, torch.tensor(0.1), 500_000).item() == 0
    assert adapted(half, torch.tensor(0.7), 500_000).item() == 1
    assert adapted(half, torch.tensor(0.7), 50_000, target=0.8).item() == pytest.approx(0.4)
