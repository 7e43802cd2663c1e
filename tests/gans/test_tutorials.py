"""The tutorials' and papers' numbers: layers, noise, initial weights, widths, kernels, updates."""

import math

import pytest
import torch
from tiny import (
    count_parameters,
    generate_images,
    list_unconditional,
    list_updates,
    make_batch,
    make_gan,
    make_schema,
    take_first_step,
)
from torch import nn

from ganvas.gans import GANS
from ganvas.gans.options import build_gan
from ganvas.rng import StepRng

FREE = list_unconditional()
CONVOLUTIONAL = [name for name in FREE if not name.startswith("mlp") and GANS[name].kind == "image"]
UNIFORM = ["mlp", "dcgan", "avatar-dcgan"]  # uniform noise; the others' is normal


@pytest.mark.parametrize(
    ("name", "size", "channels", "generator", "discriminator"),
    [
        ("mlp", 28, 1, 100 * 256 + 256 + 256 * 784 + 784, 784 * 256 + 256 + 256 + 1),
        (
            "mlp-deep",
            28,
            1,
            (100 * 256 + 256) + (256 * 512 + 512) + (512 * 1024 + 1024) + (1024 * 784 + 784),
            (784 * 1024 + 1024) + (1024 * 512 + 512) + (512 * 256 + 256) + (256 + 1),
        ),
        ("mlp-tanh", 28, 1, 100 * 400 + 400 + 400 * 784 + 784, 784 * 400 + 400 + 400 + 1),
        # A layer before a batch norm has no biases; the norm has two numbers a channel.
        (
            "cdcgan",
            28,
            1,
            (110 * 256 * 7 * 7 + 2 * 256) + (256 * 128 * 5 * 5 + 2 * 128) + (128 * 5 * 5 + 1),
            (11 * 128 * 5 * 5 + 128) + (128 * 256 * 5 * 5 + 2 * 256) + (256 * 7 * 7 + 1),
        ),
        (
            "avatar-dcgan",
            48,
            3,
            (100 * 512 * 3 * 3 + 2 * 512)
            + (512 * 256 * 5 * 5 + 2 * 256)
            + (256 * 128 * 5 * 5 + 2 * 128)
            + (128 * 64 * 5 * 5 + 64)
            + (64 * 3 * 5 * 5 + 3),
            (3 * 64 * 5 * 5 + 64)
            + (64 * 128 * 5 * 5 + 2 * 128)
            + (128 * 256 * 5 * 5 + 2 * 256)
            + (256 * 512 * 5 * 5 + 2 * 512)
            + (512 * 3 * 3 + 1),
        ),
        # 3,576,704 and 2,765,568 in the well-known PyTorch example, which has no biases at the
        # image and at the score.
        ("dcgan", 64, 3, 3_576_704 + 3, 2_765_568 + 64 + 1),
    ],
)
def test_defaults_have_the_documents_layers(name, size, channels, generator, discriminator):
    with torch.device("meta"):
        gan = build_gan(name, make_schema(size, channels, 10), {})
    assert (count_parameters(gan.generator), count_parameters(gan.discriminator)) == (
        generator,
        discriminator,
    )
    assert gan.noise_size == 100


@pytest.mark.parametrize("name", FREE)
def test_noise(name):
    gan = make_gan(name)
    seen = []
    gan.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = make_batch(gan, 200)
    list_updates(gan, batch)
    inputs = {"label": batch["label"]} if "label" in gan.inputs else {}
    gan.sample(200, StepRng(1, 0), **inputs)
    assert len(seen) >= 2
    for noise in seen:
        assert noise.shape == (200, gan.noise_size)
        largest = noise.abs().max()
        assert 0.95 < largest <= 1 if name in UNIFORM else 2.5 < largest < 6


@pytest.mark.parametrize("name", GANS)
def test_layers_behave_as_the_documents_say(name):
    with torch.device("meta"):
        gan = build_gan(name, make_schema(*((1, 2) if GANS[name].kind == "point" else (28, 1))), {})
    for module in gan.modules():
        if isinstance(module, nn.LeakyReLU):
            assert module.negative_slope == {"stargan": 0.01, "sngan": 0.1}.get(name, 0.2)
        if isinstance(module, nn.BatchNorm2d):
            # the cDCGAN tutorial's are TensorFlow's, whose momentum is 1 - PyTorch's
            expected = (1e-3, 0.01) if name == "cdcgan" else (1e-5, 0.1)
            assert (module.eps, module.momentum) == expected
    for player, network in gan.named_children():
        dropouts = [module.p for module in network.modules() if isinstance(module, nn.Dropout)]
        assert dropouts == ([0.3] * 3 if (name, player) == ("mlp-deep", "discriminator") else [])
        norms = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        assert norms == BATCH_NORMS.get(name, {}).get(player, 0)


BATCH_NORMS = {
    "dcgan": {"discriminator": 1, "generator": 2},
    "avatar-dcgan": {"discriminator": 1, "generator": 1},
    "cdcgan": {"discriminator": 1, "generator": 2},
    "sngan": {"generator": 2},
    "wgan-gp": {"generator": 2},
    "gawwn-box": {"discriminator": 6, "generator": 9},
    "gawwn-keypoints": {"discriminator": 5, "generator": 9},
}


def check_std(layer: nn.Module, expected: float) -> None:
    """The weights' standard deviation within four standard errors."""
    assert layer.weight.std().item() == pytest.approx(
        expected, rel=4 / math.sqrt(2 * layer.weight.numel())
    )
    assert not layer.bias.any()


def test_first_weights_of_the_mlps():
    """Each document's rule; the layers have 784, 256 or 400 inputs."""
    torch.manual_seed(0)
    gan = build_gan("mlp", make_schema(28, 1), {})
    check_std(gan.generator[0], 1 / math.sqrt(100 / 2))
    check_std(gan.generator[2], 1 / math.sqrt(256 / 2))
    check_std(gan.discriminator[0], 1 / math.sqrt(784 / 2))
    gan = build_gan("mlp-tanh", make_schema(28, 1), {})
    check_std(gan.generator[0], 1 / 100)
    check_std(gan.generator[2], 1 / 400)
    check_std(gan.discriminator[0], 1 / 784)
    gan = build_gan("mlp-deep", make_schema(28, 1), {})
    check_std(gan.generator[0], 0.02)
    check_std(gan.discriminator[0], 0.02)
    for layer in (gan.generator[2], gan.discriminator[3]):
        bound = math.sqrt(6 / sum(layer.weight.shape))
        assert 0.999 * bound < layer.weight.abs().max() <= bound

        check_std(layer, bound / math.sqrt(3))


@pytest.mark.parametrize(
    ("name", "truncated"), [("dcgan", False), ("avatar-dcgan", False), ("cdcgan", True)]
)
def test_first_weights_of_the_convolutional_gans(name, truncated):
    torch.manual_seed(0)
    gan = build_gan(name, make_schema(28, 1), {"width": 16})
    for module in gan.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            numbers = module.weight.numel()
            std = 0.02 * (0.8796 if truncated else 1)  # of a normal cut at two deviations
            assert module.weight.std().item() == pytest.approx(std, rel=4 / math.sqrt(2 * numbers))
            assert module.bias is None or not module.bias.any()
            if truncated:
                assert module.weight.abs().max() <= 0.04


@pytest.mark.parametrize("name", [name for name in CONVOLUTIONAL if name != "r3gan"])
@pytest.mark.parametrize("width", [2, 6])
def test_width(name, width):
    gan = make_gan(name, 32, width=width)
    if name == "relativistic":  # whose width is that of the map before the first halving
        gan = make_gan(name, 32, width=width // 2, most=8)
    maps = [
        module
        for module in gan.discriminator.modules()
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2)
    ]
    assert [module.out_channels for module in maps] == [width, 2 * width, 4 * width]


@pytest.mark.parametrize("name", ["dcgan", "avatar-dcgan", "cdcgan"])
@pytest.mark.parametrize("kernel", [3, 4, 5, 6])
def test_kernel(name, kernel):
    gan = make_gan(name, 12, kernel=kernel)
    assert generate_images(gan.eval()).shape == (3, 1, 12, 12)
    assert take_first_step(gan, make_batch(gan, 2))["generator"].isfinite()


@pytest.mark.parametrize(("name", "updates"), [("mlp-tanh", 3), ("avatar-dcgan", 4)])
def test_generator_updates(name, updates):
    gan = make_gan(name, generator_updates=updates)
    assert len(list_updates(gan, make_batch(gan, 2))) == 1 + updates
