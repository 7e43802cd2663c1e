"""What boxes and key points mean on a map of features."""

import math

import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from ganvas.gans.nn.boxes import (
    box_mask,
    box_planes,
    crop_boxes,
    draw_boxes,
    draw_keypoints,
    heat_maps,
    location_maps,
    paste_into_boxes,
    shrink_images,
)


def random_boxes(count: int, least: float = 0.2) -> torch.Tensor:
    """Boxes inside the image, with sides of `least` or more."""
    random = torch.Generator().manual_seed(3)
    sides = least + (0.95 - least) * torch.rand(count, 2, generator=random)
    return torch.cat([(1 - sides) * torch.rand(count, 2, generator=random), sides], 1)


# Boxes


def test_out_of_a_box_is_the_spatial_transformers_sampling():
    """Jaderberg et al.'s affine grid and bilinear sampler, with zeros beyond the map."""
    boxes = torch.cat([random_boxes(6), torch.tensor([[-0.2, 0.5, 0.6, 0.9]])])
    maps = torch.randn(7, 3, 16, 16)
    left, top, width, height = boxes.unbind(1)
    zero = torch.zeros_like(left)
    theta = torch.stack(
        [width, zero, 2 * left + width - 1, zero, height, 2 * top + height - 1], 1
    ).view(7, 2, 3)
    expected = grid_sample(
        maps, affine_grid(theta, [7, 3, 16, 16], align_corners=False), align_corners=False
    )
    assert torch.allclose(crop_boxes(maps, boxes), expected, atol=1e-5)


def test_the_whole_image_as_a_box_changes_nothing():
    maps, box = torch.randn(2, 3, 16, 16), torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(2, -1)
    assert torch.allclose(paste_into_boxes(maps, box), maps, atol=1e-6)
    assert torch.allclose(crop_boxes(maps, box), maps, atol=1e-6)
    assert torch.allclose(box_mask(box, 16), torch.ones(2, 1, 16, 16))


def test_into_a_box_of_whole_cells_is_shrinking_there_and_zero_outside():
    maps = torch.rand(1, 1, 16, 16) + 1
    laid = paste_into_boxes(maps, torch.tensor([[0.25, 0.5, 0.5, 0.25]]))[0, 0]
    assert laid[8:12, 4:12].min() > 0.6
    outside = laid.clone()
    outside[7:13, 3:13] = 0
    assert not outside.any()
    inner = laid[9:11, 5:11].mean()
    assert inner.item() == pytest.approx(maps.mean().item(), rel=0.05)


def test_out_of_a_box_undoes_into_a_box():
    row = torch.linspace(-1, 1, 16)
    # smooth, so that little is lost
    maps = (row[:, None] + 2 * row[None])[None, None].expand(8, -1, -1, -1)
    boxes = random_boxes(8, least=0.5)
    found = crop_boxes(paste_into_boxes(maps, boxes), boxes)
    assert (found - maps)[:, :, 4:-4, 4:-4].abs().max() < 0.05


def test_a_box_smaller_than_a_cell_is_not_lost():
    mask = box_mask(torch.tensor([[0.501, 0.501, 0.001, 0.001]]), 16)
    assert mask.sum().item() == pytest.approx(1.0, abs=0.01)


def test_the_mask_has_the_area_of_the_box():
    boxes = random_boxes(20)
    assert torch.allclose(box_mask(boxes, 16).mean((1, 2, 3)), boxes[:, 2] * boxes[:, 3], atol=0.02)


def test_shrunk_images_keep_their_things_in_their_boxes():
    image = torch.ones(4, 3, 64, 64)
    image[:, 1:, 16:48, 8:40] = -1
    box = torch.tensor([[8, 16, 32, 32]]).expand(4, -1) / 64
    shares = torch.tensor([[0, 0, 0], [0, 0.99, 0.99], [0.5, 0.3, 0.8], [0.999, 0.5, 0.5]])
    small, boxes = shrink_images(image, box, 0.5, shares)

    assert torch.allclose(boxes[0], box[0] / 2)
    assert torch.allclose(small[:, 0], torch.ones(4, 64, 64), atol=1e-5)
    for picture, place in zip(small, boxes):
        dark = (picture[1] < 0).nonzero()
        found = (
            torch.cat(
                [dark.min(0).values.flip(0), (dark.max(0).values + 1 - dark.min(0).values).flip(0)]
            )
            / 64
        )
        assert (found - place).abs().max() < 1.5 / 64

    same, boxes = shrink_images(image, box, 1.0, shares)
    assert torch.allclose(same, image, atol=1e-5)
    assert torch.allclose(boxes, box)


def test_the_planes_of_a_box_are_the_mask_and_two_rulers():
    boxes = random_boxes(5)
    inside, across, down = box_planes(boxes, 16).unbind(1)

    assert torch.equal(inside, box_mask(boxes, 16)[:, 0])
    assert torch.equal(across, across[:, :1].expand(-1, 16, -1))
    assert torch.equal(down, down[:, :, :1].expand(-1, -1, 16))
    middle = (torch.arange(16) + 0.5) / 16
    expected = 2 * (middle - boxes[:, :1]) / boxes[:, 2:3] - 1
    assert torch.allclose(across[:, 0], expected.clamp(-1, 1), atol=1e-6)
    expected = 2 * (middle - boxes[:, 1:2]) / boxes[:, 3:] - 1
    assert torch.allclose(down[:, :, 0], expected.clamp(-1, 1), atol=1e-6)


# Key points


def test_a_bell_stands_where_its_part_is():
    keypoints = torch.tensor([[[0.28125, 0.65625, 1.0], [0.5, 0.5, 0.0]]])
    maps = heat_maps(keypoints, 16)[0]

    assert maps[0, 10, 4] == 1  # the middle of column 4 and row 10
    assert maps[0].argmax() == 10 * 16 + 4
    # one cell, 1/16, beside it
    assert maps[0, 10, 5].item() == pytest.approx(math.exp(-((1 / 16 / 0.08) ** 2) / 2))
    assert not maps[1].any()


def test_a_part_is_one_cell_and_an_unseen_one_is_none():
    keypoints = torch.tensor([[[0.0, 0.0, 1.0], [0.99, 0.5, 1.0], [0.5, 0.5, 0.0]]])
    maps = location_maps(keypoints, 16)
    assert maps.shape == (1, 3, 16, 16)
    assert maps.sum((2, 3)).tolist() == [[1, 1, 0]]
    assert maps[0, 0, 0, 0] == maps[0, 1, 8, 15] == 1


def test_frames_and_points_are_drawn_where_they_are():
    framed = draw_boxes(
        torch.zeros(2, 3, 16, 16), torch.tensor([[0.25, 0.5, 0.5, 0.25], [0, 0, 1, 1]])
    )
    red = (framed[:, 0] == 1) & (framed[:, 1] == -1)
    assert red[0].sum() == 2 * 8 + 2 * 4 - 4
    assert red[0, 8, 4:12].all()
    assert red[0, 11, 4:12].all()
    assert red[1].sum() == 4 * 15
    dots = draw_keypoints(
        torch.zeros(1, 1, 16, 16), torch.tensor([[[0.5, 0.25, 1.0], [0.1, 0.1, 0.0]]])
    )
    assert (dots != 0).nonzero()[:, 2:].float().mean(0).tolist() == [3.5, 7.5]
