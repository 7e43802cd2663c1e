"""The contract of a GAN, tested on every one in the table, and each paper's rules for a step."""

import copy
import json
from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch
from tiny import (
    OPTIONS,
    FixedClock,
    copy_weights,
    generate_images,
    list_labelled,
    list_updates,
    make_batch,
    make_context,
    make_engine,
    make_gan,
    make_schema,
    take_first_step,
)
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.errors import UserError
from ganvas.gans import GAN, GANS, Update
from ganvas.gans.mlp import MLP
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.options import build_gan
from ganvas.recipes import get_recipe
from ganvas.rng import StepRng
from ganvas.training.state import describe_gan

NAMES = list(GANS)
LABELLED = list_labelled()
FREE = [name for name in OPTIONS if make_gan(name).unconditional]
CONVOLUTIONAL = [name for name in FREE if not name.startswith("mlp") and GANS[name].kind == "image"]
BOTH = ("discriminator", "generator")
CPU = torch.device("cpu")


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
        "stargan": ["discriminator", "generator"],
        "inpaint": ["discriminator", "generator"],
        "gawwn-box": [("discriminator", "text"), "generator"],
        "gawwn-keypoints": [
            ("discriminator", "text"),
            "generator",
            "keypoint_discriminator",
            "keypoint_generator",
        ],
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
    part in the game.

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


def test_simultaneous_updates_use_the_weights_before_both():
    gan = make_gan("mlp")
    batch = make_batch(gan, 4)
    expected = copy.deepcopy(gan)
    real = (batch["image"].flatten(1) + 1) / 2
    fake = expected.generator(StepRng(0, 0).uniform(4, expected.noise_size))
    scores = expected.discriminator(real), expected.discriminator(fake)
    losses = {"discriminator": non_saturating_d(*scores), "generator": non_saturating_g(scores[1])}
    players = expected.players()
    steps = {
        name: torch.autograd.grad(losses[name], players[name], retain_graph=True) for name in BOTH
    }
    optimizers = {
        player: torch.optim.SGD(values, lr=1.0) for player, values in gan.players().items()
    }
    take_first_step(replace(make_context(gan), optimizers=optimizers), batch)
    for player in BOTH:
        for after, before, gradient in zip(gan.players()[player], players[player], steps[player]):
            assert torch.allclose(after, before - gradient, atol=1e-6)
            assert not torch.allclose(after, before, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_later_updates_use_the_weights_after_earlier_ones(precision):
    """In half precision too, where cast weights are cached: a cache kept for the whole step would
    use the old ones.
    """
    gan = make_gan("mlp-tanh", generator_updates=1)
    before = copy.deepcopy(gan)
    context = make_context(gan, engine=make_engine(precision), lr=0.5)
    reported = take_first_step(context, make_batch(gan, 4))["generator"].item()
    rng = StepRng(0, 0)
    rng.normal(4, gan.noise_size)  # the discriminator's update
    noise = rng.normal(4, gan.noise_size)
    with torch.no_grad(), make_engine(precision).autocast():
        fake = before.generator(noise)
        old, new = (non_saturating_g(judge.discriminator(fake)).item() for judge in (before, gan))
    assert reported == pytest.approx(new, rel=1e-6)
    assert abs(new - old) > 0.1


def test_a_graph_from_before_an_update_is_refused():
    class Stale(MLP):
        def step(self, batch, clock, rng):
            fake = self.generator(rng.uniform(len(batch["image"]), self.noise_size))
            old = non_saturating_g(self.discriminator(fake))
            score = self.discriminator(fake.detach())
            yield Update("discriminator", {"adversarial": non_saturating_d(score, score)})
            yield Update("generator", {"adversarial": old})

    gan = Stale(make_schema(8, 1), hidden=8, noise_size=5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        take_first_step(gan, make_batch(gan, 4))


def test_avatar_generator_updates_twice_on_the_same_noise_and_tanh_on_fresh():
    for name, same in {"avatar-dcgan": True, "mlp-tanh": False}.items():
        gan = make_gan(name)
        first, second = (
            update.losses["adversarial"].item()
            for update in list_updates(gan, make_batch(gan, 4))[1:]
        )
        assert (first == second) is same, name


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
    generator = cross_entropy(scores[-1], 1)
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


def test_cdcgan_scores_every_image_with_its_class():
    gan = make_gan("cdcgan", classes=10)
    asked, judged = [], []
    gan.generator.register_forward_pre_hook(lambda module, inputs: asked.append(inputs[1]))
    gan.discriminator.register_forward_pre_hook(lambda module, inputs: judged.append(inputs[1]))
    batch = make_batch(gan, 20)
    list_updates(gan, batch)
    expected = [batch["label"], *asked]
    assert len(judged) == len(expected) == 3
    assert all(torch.equal(label, wanted) for label, wanted in zip(judged, expected))


class NotedDraw(StepRng):
    """Notes what was drawn."""

    def __init__(self):
        super().__init__(0, 0)
        self.noted: list[Tensor] = []

    def rows(self, count, make):
        self.noted.append(super().rows(count, make))
        return self.noted[-1]


def test_cdcgan_draws_new_random_classes_for_every_update():
    gan = make_gan("cdcgan", classes=10)
    rng = NotedDraw()
    list(gan.step(make_batch(gan, 200), FixedClock(), rng))
    first, _, second, _ = rng.noted
    assert not torch.equal(first, second)
    assert set(first.tolist()) == set(second.tolist()) == set(range(10))


def test_relativistic_penalty_in_every_eighth_step():
    gan = make_gan("relativistic")
    batch = make_batch(gan, 4)
    with_penalty = [
        rounds for rounds in range(20) if list_updates(gan, batch, rounds)[0].losses["penalty"] > 0
    ]
    assert with_penalty == [0, 8, 16]
    assert not batch["image"].requires_grad


def test_relativistic_penalty_weight():
    gan = make_gan("relativistic", gamma=3.0, penalty_every=5)
    batch = make_batch(gan, 4)
    image = batch["image"].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(gan.discriminator(image, batch["label"]).sum(), image)
    expected = 5 * 3 / 2 * gradient.flatten(1).norm(dim=1).square().mean()
    assert list_updates(gan, batch)[0].losses["penalty"].item() == pytest.approx(
        expected.item(), rel=1e-5
    )


def test_relativistic_fakes_have_the_classes_of_the_real_images():
    gan = make_gan("relativistic", classes=5)
    batch = make_batch(gan, 8)
    asked = []
    for player in (gan.generator, gan.discriminator):
        player.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    list_updates(gan, batch)
    assert len(asked) == 5
    assert all(torch.equal(label, batch["label"]) for label in asked)


def test_deep_mlp_scores_real_and_fake_as_one_batch():
    gan = make_gan("mlp-deep")
    counts = []
    gan.discriminator.register_forward_pre_hook(lambda _, inputs: counts.append(len(inputs[0])))
    list_updates(gan, make_batch(gan, 4))
    assert counts == [8, 4]


def test_tanh_mlp_reports_the_brightest_pixel_and_the_opinion():
    gan = make_gan("mlp-tanh")
    stats = list_updates(gan, make_batch(gan, 4))[1].stats
    rng = StepRng(0, 0)
    rng.normal(4, gan.noise_size)
    fake = gan.generator(rng.normal(4, gan.noise_size))
    assert stats["largest_pixel"].item() == pytest.approx(255 * fake.max().item(), rel=1e-6)
    opinion = 1 / (1 + (-gan.discriminator(fake)).exp())
    assert stats["fake_probability"].item() == pytest.approx(opinion.mean().item(), rel=1e-6)


# Pictures


SIZES = (16, 28, 32, 48, 64, 96, 128)


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str):
    """At every size, grey and in colour; with many classes at one size, which they do not touch."""
    for size, channels in product(SIZES, (1, 3)):
        check_samples(name, size, channels, classes=2)
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
def test_a_description_in_json_makes_the_same_gan(name):
    gan = make_gan(name, 12, 3, 4)
    take_first_step(gan, make_batch(gan, 4))
    recipe = get_recipe("digits").model_copy(update={"gan": name, "options": OPTIONS[name]})
    again = build_gan(**json.loads(json.dumps(describe_gan(recipe, gan))))
    again.load_state_dict(gan.state_dict())
    assert again.classes == gan.classes
    assert torch.equal(generate_images(again.eval()), generate_images(gan.eval()))


# Refusals


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("size", [1, 7, 50, 100])
def test_sizes_that_cannot_be_doubled_to_are_refused(name, size):
    with pytest.raises(UserError, match=rf"^size {size} cannot be made .*: \d+"):
        make_gan(name, size)


@pytest.mark.parametrize("name", ["mlp", "mlp-deep", "mlp-tanh"])
def test_flat_pictures_may_have_any_size(name):
    assert generate_images(make_gan(name, 7).eval()).shape == (3, 1, 7, 7)


@pytest.mark.parametrize("name", [name for name in NAMES if "label" in GANS[name].requires])
def test_labels_are_needed(name):
    with pytest.raises(UserError, match="needs classes: sub-folders as classes"):
        make_gan(name, classes=0)


@pytest.mark.parametrize(
    "options", [{"width": "wide"}, {"width": -2}, {"widht": 3}, {"kernel": 4.5}]
)
def test_options_that_make_no_network_are_refused_in_one_line(options):
    with pytest.raises(UserError, match=r"options\.wid(th|ht)|options\.kernel") as refusal:
        build_gan("dcgan", make_schema(8, 1), options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("relativistic", "penalty_every", 0),
        ("relativistic", "gamma", "strong"),
        ("mlp-tanh", "generator_updates", 0),
        ("avatar-dcgan", "generator_updates", 1.5),
        ("dcgan", "width", 0),
        ("mlp", "noise_size", 0),
    ],
)
def test_options_that_make_no_game_are_refused(name, option, value):
    with pytest.raises(UserError, match=option):
        make_gan(name, **{option: value})
