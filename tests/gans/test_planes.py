"""Every GAN of images learns from any number of channels."""

import pytest
import torch
from tiny import GANS, generate_images, make_batch, make_gan, take_first_step

from ganvas.gans.nn.augment import AUGMENT_NUMBERS, augment

IMAGES = [name for name, gan in GANS.items() if gan.kind == "image"]


@pytest.mark.parametrize("channels", [2, 5])
@pytest.mark.parametrize("name", IMAGES)
def test_a_step_with_any_number_of_channels(name: str, channels: int):
    gan = make_gan(name, channels=channels)
    take_first_step(gan, make_batch(gan, 2))
    if gan.unconditional:
        assert generate_images(gan).shape == (3, channels, gan.size, gan.size)


def test_augmentation_recolours_three_channels_and_moves_all():
    images = torch.rand(64, 5, 8, 8) * 2 - 1
    numbers = torch.rand(64, AUGMENT_NUMBERS)
    changed = augment(images, numbers, 1.0)
    assert torch.equal(changed[:, :3], augment(images[:, :3], numbers, 1.0))
    # opacity beside the colours is moved and cut as they are, and not recoloured
    plain = augment(torch.cat([images[:, 4:], images[:, 4:]], 1), numbers, 0.0)
    assert torch.equal(plain[:, :1], images[:, 4:])
    assert changed[:, 3:].abs().max() <= 1 + 1e-6
