"""Random holes: their shares, forms and places, and that they follow from the numbers."""

import pytest
import torch
from torch import Tensor

from ganvas.gans.nn.masks import draw_box_holes, draw_holes, draw_stroke_holes, squared_distance
from ganvas.rng import RowRng


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shares(masks: Tensor) -> Tensor:
    return masks.mean((1, 2, 3))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 96), (8, 8)])
def test_holes_cover_what_they_should(height, width):
    masks = draw_holes(random(), 400, height, width, 0.1, 0.4)
    assert masks.shape == (400, 1, height, width)
    assert set(masks.unique().tolist()) == {0, 1}
    rounding = 0.5 / height + 0.5 / width  # of a box's sides to whole pixels
    assert shares(masks).min() > 0.1 - rounding
    assert shares(masks).max() < 0.4 + rounding
    assert shares(masks).mean().item() == pytest.approx(
        0.25, abs=4 * 0.3 / 12**0.5 / 400**0.5 + 1 / (height * width)
    )


def is_box(mask: Tensor) -> bool:
    """Whether a hole (1, H, W) fills the rows and columns that it reaches over."""
    return mask.sum() == mask[0].any(0).sum() * mask[0].any(1).sum()


def test_half_are_boxes_and_half_of_these_are_in_the_middle():
    masks = draw_holes(random(), 800, 32, 32, 0.1, 0.3)
    found = [mask for mask in masks if is_box(mask)]
    assert len(found) / 800 == pytest.approx(0.5, abs=4 * 0.5 / 800**0.5)
    offsets = [(mask[0].any(0).nonzero().float().mean() - 15.5).abs() for mask in found]
    central = sum(offset <= 0.5 for offset in offsets) / len(found)
    assert 0.45 < central < 0.7  # some that are anywhere are in the middle too


def test_boxes_are_as_large_as_they_should_be():
    area = torch.tensor([1.0, 1e-9]).repeat_interleave(20)
    found = draw_box_holes(random(), area, 20, 30, central=torch.zeros(40, dtype=torch.bool)).sum(
        (1, 2, 3)
    )
    assert found.tolist() == [600.0] * 20 + [1.0] * 20
    quarter = draw_box_holes(
        random(), torch.full((200,), 0.25), 64, 64, central=torch.zeros(200, dtype=torch.bool)
    )
    heights, widths = (quarter.amax(axis)[:, 0].sum(1) for axis in (3, 2))
    assert heights.min() / 64 == pytest.approx(0.5 / 2**0.5, abs=0.02)
    assert widths.max() / 64 == pytest.approx(0.5 * 2**0.5, abs=0.02)


def test_strokes_have_exactly_the_share_asked_for_and_hang_together():
    area = torch.linspace(0.1, 0.9, 30)
    masks = draw_stroke_holes(random(), area, 48, 40)
    # pixels at the same distance go together
    assert (masks.sum((1, 2, 3)) - area * 48 * 40).abs().max() <= 6
    for mask in masks[:, 0].bool():
        reached = torch.zeros_like(mask)
        reached[tuple(mask.nonzero()[0])] = True
        before = 0
        while reached.sum() > before:
            before = reached.sum()
            reached = (
                torch.nn.functional.max_pool2d(reached[None].float(), 3, 1, 1)[0].bool() & mask
            )

        assert torch.equal(reached, mask)


def test_distance_to_a_piece_of_a_line():
    points = torch.tensor([[0.0, 3.0, 9.0], [2.0, 0.0, 0.0]])  # row, column of three points
    found = squared_distance(points, torch.tensor([[0.0, 0.0]]), torch.tensor([[5.0, 0.0]]))
    assert torch.allclose(found, torch.tensor([[4.0, 0.0, 16.0]]), atol=1e-5)
    at_a_point = squared_distance(points, torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 1.0]]))
    assert torch.allclose(at_a_point, torch.tensor([[2.0, 5.0, 65.0]]), atol=1e-4)


def test_a_hole_follows_from_its_row_alone():
    def rng(rows: list[int]) -> Tensor:
        return RowRng(3, rows).rows(
            len(rows), lambda random, n: draw_holes(random, n, 16, 16, 0.1, 0.4)
        )

    assert torch.equal(rng([4, 5, 6])[1:], rng([5, 6]))
    assert not torch.equal(rng([4]), rng([5]))
