"""The small relativistic GAN: how it folds images."""

import pytest
import torch
from tiny import make_gan
from torch import nn

from ganvas.gans.nn.networks import unfold
from ganvas.gans.relativistic import RelativisticGAN
from ganvas.rng import StepRng


def first_layer(gan: RelativisticGAN) -> nn.Module:
    return gan.discriminator.layers[0]


@pytest.mark.parametrize(("size", "folds"), [(8, False), (32, False), (48, True), (64, True)])
def test_large_images_are_folded(size: int, folds: bool):
    gan = make_gan("relativistic", size=size, channels=3)

    assert isinstance(first_layer(gan), nn.PixelUnshuffle) == folds


@pytest.mark.parametrize("fold", [False, True])
def test_folded_or_not_images_have_the_size_of_the_data(fold: bool):
    gan = make_gan("relativistic", size=16, channels=3, fold=fold, conditional=False)
    images = gan.sample(5, StepRng(0, 0, torch.device("cpu")))

    assert images.shape == (5, 3, 16, 16)
    assert gan.score({"image": images}).shape == (5,)


def test_nothing_is_computed_at_full_size_when_images_are_folded():
    gan = make_gan("relativistic", size=16, channels=3, fold=True, conditional=False)
    sides = []
    for layer in gan.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, inputs, output: sides.append(output.shape[-1]))

    gan.score({"image": gan.sample(2, StepRng(0, 0, torch.device("cpu")))})

    assert max(sides) == 8


def test_folded_images_can_leave_pure_white():
    """Where nothing but white is drawn, a tanh would have no gradient left."""
    gan = make_gan("relativistic", size=16, channels=3, fold=True, conditional=False)
    last = gan.generator.layers[-2]  # before the pixel shuffle
    nn.init.constant_(last.bias, 50.0)

    white = gan.generator(torch.randn(2, 5), None)
    white.sum().backward()

    assert gan.sample(2, StepRng(0, 0)).amin() == 1
    assert last.bias.grad.abs().min() > 0.1


def test_the_pixels_of_a_square_begin_equal():
    torch.manual_seed(0)
    layer = nn.Sequential(unfold(5, 3, 2), nn.PixelShuffle(2))
    images = layer(torch.randn(2, 5, 4, 4))  # (2, 3, 8, 8)

    squares = images.unfold(2, 2, 2).unfold(3, 2, 2)  # (2, 3, 4, 4, 2, 2)

    assert torch.equal(squares, squares[..., :1, :1].expand_as(squares))
    assert images.std() > 0.1
