"""Whether a search beats a blur: tried where the truth is known."""

import pytest
import torch
from tiny import make_gan
from torch import Tensor, nn

from ganvas.gans import GAN
from ganvas.inference.blur_test import BlurTest, compare_with_blur, place_test_hole
from ganvas.inference.inversion import SearchSettings
from ganvas.io.images import to_float

CPU = torch.device("cpu")


def hole_at(rows: slice, columns: slice, side: int = 16) -> Tensor:
    hole = torch.zeros(side, side, dtype=torch.bool)
    hole[rows, columns] = True
    return hole


def knows(hole: Tensor) -> Tensor:
    return (~hole).float()[None]


def test_a_test_hole_has_the_shape_of_the_hole_and_lies_beside_it():
    hole = hole_at(slice(4, 8), slice(5, 9))
    hole[4, 5] = False  # not a rectangle
    found = place_test_hole(hole, knows(hole))
    assert found is not None
    assert found.sum() == hole.sum()
    assert not (found & hole).any()
    # Four pixels up, down, left or right: nothing nearer is free.
    rows, columns = found.nonzero().T
    assert (rows.max() - rows.min(), columns.max() - columns.min()) == (3, 3)
    assert sorted([abs(int(rows.max()) - 7), abs(int(columns.max()) - 8)]) == [0, 4]


def test_a_large_hole_is_tested_with_a_smaller_one_or_not_at_all():
    large = hole_at(slice(0, 16), slice(3, 13))
    found = place_test_hole(large, knows(large))
    assert found is not None
    assert not (found & large).any()
    everything = hole_at(slice(0, 16), slice(0, 15))
    assert place_test_hole(everything, knows(everything)) is None


class OneImage(nn.Module):
    """A generator of one image, whatever the noise."""

    def __init__(self, image: Tensor):
        super().__init__()
        self.image = image

    def forward(self, noise: Tensor) -> Tensor:
        return self.image + 0 * noise.mean(1)[:, None, None, None]


def gan_of(image: Tensor) -> GAN:
    """A GAN that generates nothing but an image, uint8 (C, S, S)."""
    gan = make_gan("dcgan", 16, 1)
    gan.generator = OneImage(to_float(image[None]))
    return gan


@pytest.mark.parametrize("right", [True, False])
def test_the_truth_beats_a_blur_and_another_image_does_not(right: bool):
    """Stripes, which no blur continues."""
    image = torch.zeros(1, 16, 16, dtype=torch.uint8)
    image[:, ::2] = 200
    other = image.roll(1, 1)  # light where it should be dark
    hole = hole_at(slice(4, 8), slice(4, 8))
    gan = gan_of(image if right else other)
    settings = SearchSettings(candidates=3, steps=1)
    found = compare_with_blur(gan, image, hole, knows(hole), settings, CPU)
    assert found is not None
    assert found.share == 16 / 256
    assert (found.search < found.blur) == right
    assert (found.search == 0) == right
    lines = list(found.describe())
    assert ("beats the blur there" in lines[0]) == right
    assert len(lines) == (1 if right else 2)


def test_why_a_search_may_lose():
    """It cannot generate what it sees, the hole is large, or neither."""
    reasons = [
        list(BlurTest(30.0, 10.0, surroundings, share).describe())[1]
        for surroundings, share in ((20.0, 0.1), (5.0, 0.5), (5.0, 0.1))
    ]
    assert "too weak, or the image is unlike" in reasons[0]
    assert "the hole is large (50% " in reasons[1]
    assert "a plain area is best filled by a blur" in reasons[2]
