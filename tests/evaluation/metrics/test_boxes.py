"""Whether things are found where they were drawn."""

import pytest
import torch

from ganvas.evaluation.metrics.boxes import boxes_around, compare_boxes, intersection_over_union

WHITE = torch.tensor([255, 255, 255], dtype=torch.uint8)


def drawn(*boxes: tuple[int, int, int, int], size: int = 64) -> torch.Tensor:
    """White images, each with a red rectangle of left, top, width and height in pixels."""
    images = torch.full((len(boxes), 3, size, size), 255, dtype=torch.uint8)
    for image, (left, top, width, height) in zip(images, boxes):
        image[1:, top : top + height, left : left + width] = 0
    return images


def test_a_rectangle_is_found_where_it_is():
    asked = [(10, 20, 30, 8), (0, 0, 64, 64), (63, 63, 1, 1)]
    boxes = torch.tensor(asked) / 64
    found = compare_boxes(drawn(*asked), boxes, WHITE)
    assert torch.allclose(found.found, boxes)
    assert torch.allclose(found.iou, torch.ones(3))
    assert torch.equal(found.inside, torch.ones(3))


def test_half_beside_the_box():
    """Drawn 20 wide, of which the right half lies in the box asked for: a third of what either
    covers.
    """
    found = compare_boxes(drawn((10, 10, 20, 20)), torch.tensor([[20, 10, 20, 20]]) / 64, WHITE)
    assert found.inside.item() == 0.5
    assert found.iou.item() == pytest.approx(1 / 3)


def test_nothing_drawn_is_nowhere():
    found = compare_boxes(drawn((0, 0, 0, 0)), torch.tensor([[0.2, 0.2, 0.5, 0.5]]), WHITE)
    assert not found.found.any()
    assert found.iou.item() == found.inside.item() == 0


def test_strays_and_faint_shades_do_not_count():
    image = drawn((10, 20, 30, 30))
    image[:, :, 60, 60] = 0  # one pixel of 901
    image[:, :, 0, :] = 240  # nearly white
    box = torch.tensor([[10, 20, 30, 30]]) / 64
    found = compare_boxes(image, box, WHITE)
    assert torch.allclose(found.found, box)
    assert found.inside.item() == pytest.approx(900 / 901)


def test_each_image_may_have_a_ground_of_its_own():
    images = drawn((10, 20, 30, 8), (10, 20, 30, 8))
    images[1] = 255 - images[1]
    box = torch.tensor([[10, 20, 30, 8]] * 2) / 64
    found = compare_boxes(images, box, torch.stack([WHITE, 0 * WHITE]))
    assert torch.allclose(found.iou, torch.ones(2))


def test_the_shared_area_is_that_of_pixels():
    random = torch.Generator().manual_seed(0)
    corner = torch.randint(0, 32, (50, 2), generator=random)
    boxes = torch.cat([corner, torch.randint(1, 32, (50, 2), generator=random)], 1)
    one, other = boxes[:25], boxes[25:]
    masks = [(drawn(*map(tuple, part.tolist()))[:, 1] == 0) for part in (one, other)]
    shared, either = (masks[0] & masks[1]).sum((1, 2)), (masks[0] | masks[1]).sum((1, 2))
    assert torch.allclose(intersection_over_union(one / 64, other / 64), shared / either, atol=1e-5)
    assert torch.allclose(boxes_around(masks[0]), one / 64)
