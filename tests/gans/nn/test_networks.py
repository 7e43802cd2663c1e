"""Blocks: sizes that doubling can reach, maps that double and halve, first weights."""

import copy
import re
from statistics import NormalDist

import pytest
import torch
from torch import nn

from ganvas.errors import UserError
from ganvas.gans.nn.networks import (
    PatchDiscriminator,
    ResidualGenerator,
    add_spectral_norm,
    downsample,
    initialise_weights,
    pack_images,
    patch_halvings,
    stage_sizes,
    stage_widths,
    upsample,
)

STAGES = {
    8: [4, 8],
    16: [4, 8, 16],
    28: [7, 14, 28],
    32: [4, 8, 16, 32],
    48: [3, 6, 12, 24, 48],
    64: [4, 8, 16, 32, 64],
    96: [3, 6, 12, 24, 48, 96],
    128: [4, 8, 16, 32, 64, 128],
}


@pytest.mark.parametrize("size", STAGES)
def test_stages(size):
    assert stage_sizes(size) == STAGES[size]


def sizes_named(refusal: UserError) -> list[int]:
    """The numbers after the colon of a refusal."""
    return [int(number) for number in re.findall(r"\d+", str(refusal).split(":")[1])]


@pytest.mark.parametrize(
    ("size", "better"), [(13, [12, 14]), (50, [48, 56]), (65, [64, 80]), (100, [96, 112])]
)
def test_refused_sizes_name_the_nearest(size, better):
    with pytest.raises(UserError, match=f"^size {size} ") as refusal:
        stage_sizes(size)
    assert sizes_named(refusal.value) == better


def test_every_size_works_or_names_some_that_do():
    for size in range(1, 300):
        try:
            given = [size]
            stage_sizes(size)
        except UserError as refusal:
            given = sizes_named(refusal)
            assert given, size

        for number in given:
            smallest, *larger = stage_sizes(number)
            assert 3 <= smallest <= 8, number
            assert larger == [smallest * 2**depth for depth in range(1, len(larger) + 1)], number
            assert larger and larger[-1] == number, (
                f"{number} needs no doubling, so there is no map to make it from"
            )


def test_widths_double_towards_the_small_maps_up_to_a_limit():
    assert stage_widths(64, 4) == [512, 256, 128, 64]
    assert stage_widths(16, 6) == [128, 128, 128, 64, 32, 16]
    assert stage_widths(128, 2, most=4) == [256, 128]
    assert stage_widths(10, 4, most=4) == [40, 40, 20, 10]


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("size", [3, 4, 7, 14])
def test_up_doubles_and_down_halves(kernel, size):
    small = torch.zeros(2, 3, size, size)
    assert upsample(3, 5, kernel)(small).shape == (2, 5, 2 * size, 2 * size)
    assert downsample(5, 3, kernel)(torch.zeros(2, 5, 2 * size, 2 * size)).shape == small.shape


@pytest.mark.parametrize("kernel", [4, 5])
def test_up_is_the_transpose_of_down(kernel):
    torch.manual_seed(0)
    shrink, grow = (
        downsample(5, 3, kernel, bias=False).double(),
        upsample(3, 5, kernel, bias=False).double(),
    )
    grow.weight = shrink.weight
    large, small = (
        torch.randn(1, 5, 8, 8, dtype=torch.float64),
        torch.randn(1, 3, 4, 4, dtype=torch.float64),
    )

    assert (shrink(large) * small).sum().item() == pytest.approx(
        (large * grow(small)).sum().item(), rel=1e-12
    )


def test_biases_are_optional():
    assert downsample(2, 2, 4).bias is not None
    assert upsample(2, 2, 4).bias is not None
    assert downsample(2, 2, 4, bias=False).bias is None
    assert upsample(2, 2, 4, bias=False).bias is None


LAYERS = [nn.Conv2d(64, 64, 5), nn.ConvTranspose2d(64, 64, 5), nn.Linear(320, 320)]
NUMBERS = 64 * 64 * 25  # weights of each layer above
# four standard errors of a measured standard deviation, relative
DEVIATION = 4 / (2 * NUMBERS) ** 0.5


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("truncated", [False, True])
def test_first_weights(layer, truncated):
    torch.manual_seed(0)
    initialise_weights(layer, std=0.02, truncated=truncated)
    # Variance of a standard normal cut at two deviations: 1 - 4 density(2) / (2 distribution(2) -
    # 1)
    normal = NormalDist()
    cut = (1 - 4 * normal.pdf(2) / (2 * normal.cdf(2) - 1)) ** 0.5
    expected = 0.02 * cut if truncated else 0.02
    assert layer.weight.std().item() == pytest.approx(expected, rel=DEVIATION)
    assert abs(layer.weight.mean().item()) < 4 * expected / NUMBERS**0.5
    largest = layer.weight.abs().max().item()
    assert 0.0399 < largest <= 0.04 if truncated else largest > 0.06
    assert not layer.bias.any()


def test_first_scales_of_batch_norm():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(NUMBERS))
    initialise_weights(network, std=0.02, scale_std=0.02)
    assert network[1].weight.mean().item() == pytest.approx(1, abs=4 * 0.02 / NUMBERS**0.5)
    assert network[1].weight.std().item() == pytest.approx(0.02, rel=DEVIATION)
    assert not network[1].bias.any()
    initialise_weights(network, std=0.02)
    assert (network[1].weight == 1).all()


def test_packs_are_each_image_and_those_before_it():
    images = torch.arange(4 * 2 * 3.0).view(4, 2, 1, 3)
    found = pack_images(images, 3)
    assert found.shape == (4, 6, 1, 3)
    assert torch.equal(found[0], torch.cat([images[0], images[3], images[2]]))
    assert torch.equal(found[2], torch.cat([images[2], images[1], images[0]]))
    assert torch.equal(pack_images(images, 1), images)


SPECTRAL_LAYERS = [
    nn.Conv2d(3, 8, 4),
    nn.ConvTranspose2d(3, 8, 4),
    nn.Linear(6, 9),
    nn.Embedding(5, 7),
]


def matrix(layer: nn.Module) -> torch.Tensor:
    """The layer's weight, (outputs, all that an output is a sum of)."""
    weight = layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight
    return weight.detach().flatten(1)


@pytest.mark.parametrize("layer", SPECTRAL_LAYERS, ids=lambda layer: type(layer).__name__)
def test_spectral_norm_makes_the_largest_singular_value_one(layer):
    """After 100 steps of the power iteration from anywhere; what it computes can only be too small,
    and the value too large.
    """
    torch.manual_seed(0)
    layer = copy.deepcopy(layer).double()
    nn.init.normal_(layer.weight)
    before = matrix(layer)
    assert add_spectral_norm(layer) is layer
    for _ in range(100):
        layer.weight  # noqa: B018  each look in training mode is a step
    layer.eval()
    values = torch.linalg.svdvals(matrix(layer))
    assert 1 - 1e-12 < values[0] < 1 + 1e-3
    assert torch.allclose(matrix(layer) * torch.linalg.svdvals(before)[0], before, rtol=1e-3)


def spectral_network() -> nn.Module:
    torch.manual_seed(0)
    return add_spectral_norm(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 1))
    )


def spectral_steps(network: nn.Module, count: int) -> None:
    """Updates in training mode, each of which takes steps of the power iteration too."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(count):
        image = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(step))
        # two forwards before one backward
        (network(image) - network(image + 1).square()).mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def test_a_copy_of_a_spectral_network_is_equal_and_independent():
    network = spectral_network()
    spectral_steps(network, 3)
    image = torch.ones(1, 1, 4, 4)
    before = network.eval()(image)
    again = copy.deepcopy(network)
    assert torch.equal(again(image), before)
    spectral_steps(again.train(), 1)
    assert not torch.equal(again.eval()(image), before)
    assert torch.equal(network(image), before)


def test_a_spectral_network_loaded_continues_bit_for_bit():
    network, again = spectral_network(), spectral_network()
    spectral_steps(network, 3)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    vectors = {key.rsplit(".", 1)[1] for key in state} & {"_u", "_v"}

    assert vectors == {"_u", "_v"}

    spectral_steps(network, 2)
    again.load_state_dict(state)
    spectral_steps(again, 2)

    assert all(
        torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items()
    )

    again.load_state_dict(
        {key: value.roll(1) if key.endswith("_v") else value for key, value in state.items()}
    )
    spectral_steps(again, 2)  # the vectors matter

    assert not all(
        torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items()
    )


def test_each_score_of_the_patch_discriminator_sees_70_pixels():
    torch.manual_seed(0)
    layers = PatchDiscriminator(3, 4, affine=False)
    # whose mean sees all
    network = nn.Sequential(
        *[layer for layer in layers if not isinstance(layer, nn.InstanceNorm2d)]
    )
    image = torch.randn(1, 3, 128, 128, requires_grad=True)
    scores = network(image)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 7].backward()
    seen = image.grad.abs().sum((0, 1)) > 0
    assert seen.any(0).sum() == seen.any(1).sum() == 70


@pytest.mark.parametrize("size", range(8, 72, 4))
def test_small_images_get_smaller_patches(size):
    assert patch_halvings(size) == (1 if size < 12 else 2 if size < 24 else 3)
    network = PatchDiscriminator(3, 2, patch_halvings(size), affine=False)
    scores = network(torch.randn(1, 3, size, size))
    assert scores.isfinite().all()


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_constant_planes_have_an_effect_only_where_the_border_is_zero(padding):
    torch.manual_seed(0)
    network = ResidualGenerator(5, 3, width=4, blocks=2, padding=padding, affine=True).double()
    image = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    off, on = (
        network(torch.cat([image, torch.full((1, 2, 16, 16), value, dtype=torch.float64)], 1))
        for value in (0.0, 1.0)
    )
    change = (off - on).abs().max().item()
    # what is left is the norm's epsilon
    assert change > 1e-2 if padding == "zeros" else change < 1e-3
