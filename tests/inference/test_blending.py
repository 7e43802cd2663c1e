"""How a hole is filled and blended, and the square window that is cut around it."""

import pytest
import torch
from holes import draw_noise, draw_slope, make_hole
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.inference.crops import (
    Window,
    choose_window,
    crop_window,
    hole_extent,
    paste_window,
)
from ganvas.inference.poisson import blur_fill, poisson


def test_a_slope_is_filled_without_a_trace():
    picture, mask = draw_slope(20, 30), make_hole(20, 30, slice(4, 15), slice(3, 25))
    assert torch.equal(blur_fill(torch.where(mask, 0, picture), mask), picture)


def test_a_piece_that_differs_by_a_constant_fits():
    # it reaches the image's edge
    picture, mask = draw_noise(3, 12, 14) // 2, make_hole(12, 14, slice(0, 7), slice(5, 14))
    assert torch.equal(poisson(picture, picture + 50, mask), picture)
    assert not torch.equal(poisson(picture, draw_noise(3, 12, 14, seed=1), mask), picture)


def test_poisson_by_hand():
    """One unknown pixel among four: its steps to them, f - (f_up + ...) / 4, are those of the
    piece.
    """
    picture, piece = draw_noise(1, 3, 3) // 2, draw_noise(1, 3, 3, seed=1) // 4
    mask = make_hole(3, 3, slice(1, 2), slice(1, 2))
    around = [(0, 1), (1, 0), (1, 2), (2, 1)]
    difference = sum(int(picture[0, y, x]) - int(piece[0, y, x]) for y, x in around) / 4
    assert poisson(picture, piece, mask)[0, 1, 1].item() == pytest.approx(
        int(piece[0, 1, 1]) + difference, abs=0.5
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_outside_the_hole_nothing_changes_and_a_blur_stays_within_the_rim(seed):
    picture, piece = draw_noise(2, 9, 7, seed=seed), draw_noise(2, 9, 7, seed=seed + 1)
    mask = draw_noise(9, 7, seed=seed + 2) < 100
    mask[4, 3] = False
    assert torch.equal(poisson(picture, piece, mask)[:, ~mask], picture[:, ~mask])
    blurred = blur_fill(picture, mask)
    assert torch.equal(blurred[:, ~mask], picture[:, ~mask])
    for channel, values in zip(picture, blurred):
        assert channel[~mask].min() <= values.min()
        assert values.max() <= channel[~mask].max()


# Windows


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 20), st.integers(2, 20), st.data())
def test_the_square_holds_the_hole(height, width, data):
    rows = sorted(data.draw(st.lists(st.integers(0, height), min_size=2, max_size=2, unique=True)))
    columns = sorted(
        data.draw(st.lists(st.integers(0, width), min_size=2, max_size=2, unique=True))
    )
    mask = make_hole(height, width, slice(*rows), slice(*columns))

    assert hole_extent(mask) == (range(*rows), range(*columns))

    window = choose_window(mask)
    kept = crop_window(mask[None].float(), window, outside=0)
    assert kept.shape == (1, window.side, window.side)
    assert kept.sum() == mask.sum()
    assert window.side in (min(height, width), max(height, width))

    picture = draw_noise(3, height, width)
    assert torch.equal(
        paste_window(torch.zeros_like(picture), crop_window(picture, window), window)[:, mask],
        picture[:, mask],
    )


def test_without_a_hole_it_is_the_middle():
    assert choose_window(torch.zeros(10, 21, dtype=torch.bool)) == Window(0, 5, 10)
    assert hole_extent(torch.zeros(3, 4, dtype=torch.bool)) == (range(0), range(0))


def test_beyond_the_image():
    picture = draw_noise(1, 2, 4)
    around = crop_window(picture, Window(-1, 0, 4))
    assert torch.equal(around[:, 1:3], picture)
    assert torch.equal(around[:, 0], picture[:, 0])
    assert not crop_window(picture, Window(-1, 0, 4), outside=0)[:, [0, 3]].any()
