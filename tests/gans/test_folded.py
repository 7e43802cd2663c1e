"""The quick translators: folded networks, moved images, changes, and their losses by hand."""

from typing import cast

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, refused_in_one_line
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganvas.gans import GAN, Update
from ganvas.gans.base import ImageInput
from ganvas.gans.inpaint.relativistic import RelativisticInpainter, flow_in, soften
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import FoldedPatchDiscriminator, FoldedUNet, folded_sizes
from ganvas.gans.nn.networks import leaky_tanh
from ganvas.gans.pix2pix.relativistic import RelativisticPix2Pix
from ganvas.gans.stargan.relativistic import RelativisticStarGAN
from ganvas.rng import StepRng

TRANSLATORS = ["pix2pix-relativistic", "stargan-relativistic", "inpaint-relativistic"]


def updates(gan: GAN, batch: dict[str, Tensor], steps: int = 1) -> list[Update]:
    """The two updates of a training step, without the optimizer's steps between them."""
    return [cast(Update, each) for each in gan.step(batch, FixedClock(steps=steps), StepRng(0, 0))]


def values(update: Update) -> dict[str, float]:
    return {name: loss.item() for name, loss in update.losses.items()}


# Moved images


def test_images_move_by_whole_pixels_and_edges_repeat():
    image = torch.arange(9.0).view(1, 1, 3, 3)

    # one of 5 moves each: -2 .. 2; the first number is of the rows
    stays = shift_images(image, torch.tensor([[0.5, 0.5]]), 2)
    moved = shift_images(image, torch.tensor([[0.7, 0.3]]), 2)

    assert torch.equal(stays, image)
    assert moved[0, 0].tolist() == [[3, 3, 4], [6, 6, 7], [6, 6, 7]]


def test_each_image_has_its_own_move():
    image = torch.arange(16.0).view(1, 1, 4, 4).expand(2, -1, -1, -1)
    moved = shift_images(image, torch.tensor([[0.0, 0.0], [0.99, 0.99]]), 1)

    assert moved[0, 0, 0].tolist() == [0, 0, 1, 2]
    assert moved[1, 0, 0].tolist() == [5, 6, 7, 7]


def test_moves_have_second_derivatives():
    image = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    numbers = torch.tensor([[0.1, 0.9], [0.5, 0.3]])

    assert torch.autograd.gradgradcheck(lambda x: shift_images(x, numbers, 2).square(), image)


# Networks


@pytest.mark.parametrize(
    ("size", "sizes"), [(8, [4]), (24, [12, 6]), (64, [32, 16, 8, 4]), (128, [64, 32, 16, 8, 4])]
)
def test_maps_are_halved_to_four_pixels_or_a_little_more(size: int, sizes: list[int]):
    assert folded_sizes(size, 4) == sizes


@pytest.mark.parametrize("name", TRANSLATORS)
def test_nothing_is_computed_at_full_size(name: str):
    gan = make_gan(name, size=16, channels=3)
    sides: list[int] = []
    for layer in gan.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, inputs, output: sides.append(output.shape[-1]))

    updates(gan, make_batch(gan, 2))

    assert max(sides) == 8


def test_conditions_reach_every_pixel():
    torch.manual_seed(0)
    network = FoldedUNet(3, 3, [8, 4], width=4, blocks=1, conditions=2)
    image = torch.randn(1, 3, 16, 16)

    one, other = (network(image, torch.tensor([each])) for each in ([0.0, 1.0], [1.0, 0.0]))

    assert (one != other).all()


def test_a_score_sees_56_pixels():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 128, 128, requires_grad=True)
    score = FoldedPatchDiscriminator(1, 2)(image)[0, 0, 8, 8]
    (gradient,) = torch.autograd.grad(score, image)

    seen = gradient[0, 0].nonzero()

    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [56, 56]


@pytest.mark.parametrize("name", TRANSLATORS)
@pytest.mark.parametrize("size", [6, 10, 4])
def test_sizes_that_cannot_be_folded_are_refused(name: str, size: int):
    refused_in_one_line(lambda: make_gan(name, size=size, channels=3), f"size {size}")


# Pairs


@pytest.fixture
def pairs() -> RelativisticPix2Pix:
    return cast(RelativisticPix2Pix, make_gan("pix2pix-relativistic", 16, 3))


def test_losses_of_pairs_are_the_formulas(pairs: RelativisticPix2Pix):
    batch = make_batch(pairs, 4)
    numbers = StepRng(0, 0).rand(4, 2)

    with torch.no_grad():
        fake = leaky_tanh(pairs.generator(batch["a"]))
        moved = {name: shift_images(batch[name], numbers, 2) for name in "ab"}
        joined = torch.cat([moved["a"], moved["b"]], 1)
        real_maps, real_score = pairs.discriminator.compute_features(joined)
        joined = torch.cat([moved["a"], shift_images(fake, numbers, 2)], 1)
        fake_maps, fake_score = pairs.discriminator.compute_features(joined)
    discriminator, generator = updates(pairs, batch)

    assert values(discriminator) == pytest.approx(
        {"adversarial": softplus(fake_score - real_score).mean().item(), "penalty": 0}, rel=1e-5
    )
    apart = [(one - other).abs().mean() for one, other in zip(real_maps, fake_maps)]
    assert values(generator) == pytest.approx(
        {
            "adversarial": softplus(real_score - fake_score).mean().item(),
            "reconstruction": pairs.reconstruction_weight * (fake - batch["b"]).abs().mean().item(),
            "features": pairs.feature_weight * sum(apart).item() / len(apart),
        },
        rel=1e-5,
    )


def test_the_penalty_of_pairs_is_on_the_true_image_alone(pairs: RelativisticPix2Pix):
    batch = make_batch(pairs, 4)
    numbers = StepRng(0, 0).rand(4, 2)
    real = batch["b"].clone().requires_grad_()
    seen = [shift_images(each, numbers, 2) for each in (batch["a"], real)]
    (gradient,) = torch.autograd.grad(pairs.score_pair(*seen).sum(), real)

    found = values(updates(pairs, batch, steps=0)[0])["penalty"]

    squares = gradient.flatten(1).square().sum(1).mean().item()
    assert found == pytest.approx(pairs.penalty_every * pairs.gamma / 2 * squares, rel=1e-5)
    assert not batch["b"].requires_grad


# Attributes


@pytest.fixture
def attributes() -> RelativisticStarGAN:
    return cast(RelativisticStarGAN, make_gan("stargan-relativistic", 16, 3))


def test_a_generator_that_draws_nothing_leaves_the_image(attributes: RelativisticStarGAN):
    batch = make_batch(attributes, 4)
    for parameter in attributes.generator.last.parameters():
        nn.init.zeros_(parameter)

    assert torch.equal(attributes.translate(batch["image"], batch["attributes"]), batch["image"])


def test_results_are_images_however_large_the_change(attributes: RelativisticStarGAN):
    batch = make_batch(attributes, 4)
    for parameter in attributes.generator.last.parameters():
        nn.init.constant_(parameter, 100.0)

    result = attributes.translate(batch["image"], batch["attributes"])

    assert result.amin() >= -1
    assert result.amax() == 1


def test_losses_of_attributes_are_the_formulas(attributes: RelativisticStarGAN):
    batch = make_batch(attributes, 4)
    rng = StepRng(0, 0)
    own = batch["attributes"]
    wanted, numbers = rng.permute(own), rng.rand(4, 2)
    critic = attributes.discriminator

    with torch.no_grad():
        fake = batch["image"] + attributes.compute_change(batch["image"], wanted)
        real_features = critic(shift_images(batch["image"], numbers, 2))
        fake_features = critic(shift_images(fake, numbers, 2))
        real, wrong = critic.score(real_features, own), critic.score(real_features, wanted)
        made, kept = critic.score(fake_features, wanted), critic.score(fake_features, own)
    discriminator, generator = (values(update) for update in updates(attributes, batch))

    assert not torch.equal(own, wanted)
    found = [
        each[name] for each in (discriminator, generator) for name in ("adversarial", "matching")
    ]
    expected = [(made, real), (wrong, real), (real, made), (kept, made)]  # loser, winner
    assert found == pytest.approx(
        [softplus(loser - winner).mean().item() for loser, winner in expected], rel=1e-5
    )
    change = (fake - batch["image"]).abs().mean().item()
    assert generator["reconstruction"] == pytest.approx(
        attributes.reconstruction_weight * change, rel=1e-5
    )


def test_images_come_to_the_size_in_training_before_attributes_change(
    attributes: RelativisticStarGAN,
):
    """Its smallest map sees the whole image; StarGAN's blocks see as far in any image."""
    image = attributes.inputs["image"]

    assert isinstance(image, ImageInput)
    assert not image.own_size


# Holes


def test_a_hole_that_moved_out_of_the_image_counts_nothing():
    gan = cast(
        RelativisticInpainter, make_gan("inpaint-relativistic", 32, 3, least=0.001, most=0.002)
    )
    batch = make_batch(gan, 64)
    random = StepRng(0, 0)  # as the training step draws them
    masks = gan.draw_masks(batch["image"], random)
    seen = shift_images(masks, random.rand(64, 2), gan.reach)
    assert (seen.sum((1, 2, 3)) == 0).any()

    for update in updates(gan, batch):
        assert all(loss.isfinite() for loss in update.losses.values())


def test_the_finest_stripes_cannot_be_drawn():
    stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(1, 1, 8, 8)
    level = torch.full((1, 1, 8, 8), 0.3)

    assert soften(stripes)[:, :, :, 1:-1].abs().max() == 0
    assert soften(stripes.mT + level)[:, :, 1:-1].sub(0.3).abs().max() < 1e-6
    point = torch.zeros(1, 1, 5, 5)
    point[0, 0, 2, 2] = 16
    assert soften(point)[0, 0, 1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_at_first_the_colours_around_a_hole_flow_in():
    gan = cast(RelativisticInpainter, make_gan("inpaint-relativistic", 8, 3))
    image, mask = torch.rand(2, 3, 12, 9), torch.zeros(2, 1, 12, 9)
    mask[:, :, 3:7, 2:6] = 1
    for parameter in gan.generator.network.last.parameters():
        nn.init.zeros_(parameter)

    assert torch.equal(gan.generator(image, mask), flow_in(image, mask))
