"""The contract of a GAN, tested on every one in the table."""

import json
from itertools import pairwise

import pytest
import torch
from tiny import (
    OPTIONS,
    FixedClock,
    copy_weights,
    generate_images,
    list_labelled,
    list_unconditional,
    list_updates,
    make_batch,
    make_context,
    make_engine,
    make_gan,
    take_first_step,
)
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.gans import GAN, GANS
from ganvas.gans.options import build_gan
from ganvas.recipes import get_recipe
from ganvas.rng import StepRng
from ganvas.training.state import describe_gan

NAMES = list(GANS)
LABELLED = list_labelled()
FREE = list_unconditional()
BOTH = ("discriminator", "generator")


def test_every_gan_is_tested():
    assert OPTIONS.keys() == GANS.keys()


# Updates


@pytest.mark.parametrize(
    ("name", "players"),
    {
        "mlp": [BOTH],
        "mlp-deep": ["discriminator", "generator"],
        "mlp-tanh": ["discriminator", "generator", "generator"],
        "dcgan": ["discriminator", "generator"],
        "avatar-dcgan": ["discriminator", "generator", "generator"],
        "cdcgan": ["discriminator", "generator"],
        "relativistic": ["discriminator", "generator"],
        "r3gan": ["discriminator", "generator"],
        "sngan": ["discriminator", "generator"],
        "wgan-gp": ["discriminator", "generator"],
        "points": ["discriminator", "generator"],
        "points-relativistic": ["discriminator", "generator"],
        "cyclegan": ["generator", "discriminator_b", "discriminator_a"],
        "cut": ["discriminator", "generator"],
        "stargan": ["discriminator", "generator"],
        "inpaint": ["discriminator", "generator"],
        "gawwn-box": [("discriminator", "text"), "generator"],
        "gawwn-keypoints": [
            ("discriminator", "text"),
            "generator",
            "keypoint_discriminator",
            "keypoint_generator",
        ],
        "gawwn-relativistic": [("discriminator", "text"), "generator"],
    }.items(),
)
def test_the_order_of_updates(name, players):
    gan = make_gan(name)
    found = [
        tuple(update.player for update in move) if isinstance(move, tuple) else move.player
        for move in list_updates(gan, make_batch(gan, 4))
    ]
    assert found == players


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("size", "channels", "classes"), [(8, 1, 2), (12, 3, 3), (28, 1, 10)])
def test_an_update_changes_its_player_and_no_other(name, size, channels, classes):
    gan = make_gan(name, size, channels, classes)
    context = make_context(gan)
    before, moved = {}, []

    def remember(*_):
        before.update(copy_weights(gan))

    def compare(player: str):
        changed = {
            name.split(".")[0]
            for name, value in gan.named_parameters()
            if not torch.equal(value, before[name])
        }
        moved.append(player)
        assert changed == {player}

    for player, optimizer in context.optimizers.items():
        optimizer.register_step_pre_hook(remember)
        optimizer.register_step_post_hook(lambda *_, player=player: compare(player))
    take_first_step(context, make_batch(gan, 5))
    assert set(moved) == gan.players().keys()


class DoubleDraw(StepRng):
    """The same noise in float64."""

    def rows(self, count, make):
        drawn = super().rows(count, make)
        return drawn.double() if drawn.is_floating_point() else drawn


def biases_before_norms(gan: GAN) -> set[str]:
    """Parameters that have no effect, since the norm after them takes them away; there where a
    paper's count has them.
    """
    return {
        f"{place}.{name}.bias"
        for place, module in gan.named_modules()
        if isinstance(module, nn.Sequential)
        for (name, layer), (_, norm) in pairwise(module.named_children())
        if isinstance(norm, nn.InstanceNorm2d) and layer.bias is not None
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_the_player_gets_a_gradient_and_no_other(name):
    """In float64, where a gradient that is only rounding stays below 1e-12: its parameter has no
    part in the step.

    Layers that begin at zero are moved first, since nothing passes them back to those before.
    """
    gan = make_gan(name, classes=3).double()
    for parameter in gan.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)

    batch = {
        key: value.double() if value.is_floating_point() else value
        for key, value in make_batch(gan, 6).items()
    }
    dead = biases_before_norms(gan)

    for move in gan.step(batch, FixedClock(), DoubleDraw(0, 0)):
        for update in move if isinstance(move, tuple) else (move,):
            assert update.player in gan.players()
            assert all(
                loss.shape == () for loss in [*update.losses.values(), *update.stats.values()]
            )
            sum(update.losses.values()).backward(
                inputs=gan.players()[update.player], retain_graph=True
            )

            for key, parameter in gan.named_parameters():
                if key.startswith(f"{update.player}."):
                    assert parameter.grad is not None, key
                    assert (parameter.grad.abs().max() > 1e-12) == (key not in dead), key
                else:
                    assert parameter.grad is None, key
            gan.zero_grad()


def cross_entropy(scores: Tensor, target: float) -> Tensor:
    return binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


@pytest.mark.parametrize("name", FREE)
def test_losses_are_the_papers_formulas(name):
    """Of the scores that the discriminator gave, with the default targets."""
    gan = make_gan(name)
    scores = []
    gan.discriminator.register_forward_hook(
        lambda module, inputs, output: scores.append(output.detach().flatten())
    )
    updates = [
        update
        for move in list_updates(gan, make_batch(gan, 4))
        for update in (move if isinstance(move, tuple) else (move,))
    ]
    real, fake = (
        scores[0].chunk(2)
        if name in ("mlp-deep", "mlp-tanh", "points-relativistic")
        else scores[:2]
    )
    # those of `mlp-tanh` after its updates are of what it measures
    generator = cross_entropy(scores[-2] if name == "mlp-tanh" else scores[-1], 1)
    discriminator = {
        "mlp-deep": (cross_entropy(real, 0.9) + cross_entropy(fake, 0)) / 2,
        "mlp-tanh": cross_entropy(real, 0.9) + cross_entropy(fake, 0),
    }.get(name, cross_entropy(real, 1) + cross_entropy(fake, 0))
    if name in ("relativistic", "r3gan", "points-relativistic"):
        discriminator, generator = (
            cross_entropy(real - fake, 1),
            cross_entropy(scores[-1] - real, 1),
        )
    if name == "sngan":
        discriminator, generator = (
            (1 - real).clamp(0).mean() + (1 + fake).clamp(0).mean(),
            -scores[-1].mean(),
        )
    if name == "wgan-gp":
        discriminator, generator = fake.mean() - real.mean(), -scores[-1].mean()
    losses = [
        sum(value for term, value in update.losses.items() if term != "penalty").item()
        for update in updates
    ]

    assert losses[0] == pytest.approx(discriminator.item(), rel=1e-5)
    assert losses[-1] == pytest.approx(generator.item(), rel=1e-5)


SIZES = (16, 28, 32, 48, 64, 96, 128)


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str):
    """At every size; in colour and with many classes at one size, which they do not touch."""
    for size in SIZES:
        check_samples(name, size, channels=1, classes=2)
    check_samples(name, SIZES[1], channels=3, classes=2)
    for classes in (10, 37) if name in LABELLED else ():
        check_samples(name, SIZES[1], 1, classes)


def check_samples(name: str, size: int, channels: int, classes: int) -> None:
    """Shape, type, range and determinism of a few samples."""
    gan = make_gan(name, size, channels, classes).eval()
    with torch.no_grad():
        # Strong weights reach the ends of the range; R3GAN's images are cut off there where
        # others bend.
        for parameter in gan.generator.parameters():
            parameter *= 5 if name == "r3gan" else 50

    images = generate_images(gan, label=classes - 1)
    point = GANS[name].kind == "point"
    assert images.shape == ((3, 2, 1, 1) if point else (3, channels, size, size)), (name, size)
    assert images.dtype == torch.float32
    assert -1 <= images.min() < -0.5, (name, size, channels, classes)
    assert 0.5 < images.max() <= 1, (name, size, channels, classes)

    assert torch.equal(images, generate_images(gan, label=classes - 1))
    if gan.unconditional:
        assert not torch.equal(images, generate_images(gan, seed=1, label=classes - 1))


@pytest.mark.parametrize("name", LABELLED)
def test_labels_matter(name):
    gan = make_gan(name, classes=3).eval()
    kinds = [generate_images(gan, label=label) for label in range(3)]
    assert not torch.equal(kinds[0], kinds[1])
    assert not torch.equal(kinds[1], kinds[2])
    scores = [gan.discriminator(kinds[0], torch.full((3,), label)) for label in range(3)]
    assert not torch.equal(scores[0], scores[1])


@pytest.mark.parametrize("name", LABELLED)
def test_shares_of_classes_are_labels_too(name):
    gan = make_gan(name, classes=3).eval()
    labels = torch.tensor([2, 0, 1])
    shares = torch.eye(3)[labels]
    with torch.no_grad():
        by_number = gan.sample(3, StepRng(0, 0), label=labels)
        torch.testing.assert_close(gan.sample(3, StepRng(0, 0), label=shares), by_number)
        between = gan.sample(3, StepRng(0, 0), label=(shares + shares.roll(1, 0)) / 2)
    assert not torch.allclose(between, by_number)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 3, 7])
def test_odd_batches(name, count):
    gan = make_gan(name)
    values = take_first_step(gan, make_batch(gan, count))
    assert gan.players().keys() <= values.keys()
    assert all(value.isfinite() for value in values.values())
    assert all(value.isfinite().all() for value in gan.state_dict().values())
    assert len(generate_images(gan.eval(), 1)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_steps_in_bf16_report_the_losses_of_float32(name):
    """As far as eight bits of a number go."""
    found = []
    for precision in ("bf16", "fp32"):
        gan = make_gan(name)
        context = make_context(gan, engine=make_engine(precision), lr=1e-4)
        found.append(take_first_step(context, make_batch(gan, 4)))
    half, full = found
    assert half.keys() == full.keys()
    for key, value in half.items():
        assert value.item() == pytest.approx(full[key].item(), rel=0.1, abs=0.05), key


@pytest.mark.parametrize("name", NAMES)
def test_a_description_in_json_makes_the_same_gan(name):
    gan = make_gan(name, 12, 3, 4)
    take_first_step(gan, make_batch(gan, 4))
    recipe = get_recipe("digits").model_copy(update={"gan": name, "options": OPTIONS[name]})
    again = build_gan(**json.loads(json.dumps(describe_gan(recipe, gan))))
    again.load_state_dict(gan.state_dict())
    assert again.classes == gan.classes
    assert torch.equal(generate_images(again.eval()), generate_images(gan.eval()))
