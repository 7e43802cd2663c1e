"""Each paper's rules for a training step: which weights, which noise, which classes."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny import (
    FixedClock,
    list_updates,
    make_batch,
    make_context,
    make_engine,
    make_gan,
    make_schema,
    take_first_step,
)
from torch import Tensor

from ganvas.gans import Update
from ganvas.gans.mlp import MLP
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.rng import StepRng


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
        name: torch.autograd.grad(losses[name], players[name], retain_graph=True)
        for name in players
    }
    optimizers = {
        player: torch.optim.SGD(values, lr=1.0) for player, values in gan.players().items()
    }
    take_first_step(replace(make_context(gan), optimizers=optimizers), batch)

    for player in players:
        for after, before, gradient in zip(gan.players()[player], players[player], steps[player]):
            assert torch.allclose(after, before - gradient, atol=1e-6)
            assert not torch.allclose(after, before, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_later_updates_use_the_weights_after_earlier_ones(precision):
    """In half precision too, where cast weights are cached: a cache kept for the whole step would
    use the old ones.
    """
    gan = make_gan("mlp-deep", dropout=0.0)
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
    assert abs(new - old) > 0.01  # ten thousand times the tolerance


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


def test_cdcgan_scores_every_image_with_its_class():
    gan = make_gan("cdcgan", classes=10)
    asked, judged = [], []
    gan.generator.register_forward_pre_hook(lambda module, inputs: asked.append(inputs[1]))
    gan.discriminator.register_forward_pre_hook(lambda module, inputs: judged.append(inputs[1]))
    batch = make_batch(gan, 20)
    list_updates(gan, batch)
    # real and fake images of one update under the same labels, then the generator's own
    expected = [batch["label"], *asked]
    assert torch.equal(asked[0], batch["label"]) and not torch.equal(asked[1], batch["label"])
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


def test_cdcgan_draws_random_classes_for_the_generator_only():
    """Those of the discriminator's update are the real images'."""
    gan = make_gan("cdcgan", classes=10)
    rng = NotedDraw()
    list(gan.step(make_batch(gan, 200), FixedClock(), rng))
    noise, label, fresh = rng.noted
    assert noise.shape == fresh.shape == (200, gan.noise_size)
    assert not torch.equal(noise, fresh)
    assert set(label.tolist()) == set(range(10))


def test_relativistic_penalty_in_every_eighth_step():
    gan = make_gan("relativistic")
    batch = make_batch(gan, 4)
    with_penalty = [
        steps for steps in range(20) if list_updates(gan, batch, steps)[0].losses["penalty"] > 0
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


def test_tanh_mlp_reports_what_it_measures_after_the_updates():
    """Both losses, and of one fake the brightest pixel and the discriminator's opinion."""
    gan = make_gan("mlp-tanh")
    batch = make_batch(gan, 4)
    reported = take_first_step(make_context(gan, lr=0.5), batch)
    rng = StepRng(0, 0)
    for _ in range(3):  # the noise of the updates
        rng.normal(4, gan.noise_size)
    with torch.no_grad():
        fake = gan.generator(rng.normal(4, gan.noise_size))
        real_score = gan.discriminator((batch["image"].flatten(1) + 1) / 2)
        fake_score = gan.discriminator(fake)
    expected = {
        "generator": non_saturating_g(fake_score),
        "discriminator": non_saturating_d(real_score, fake_score, 0.9),
        "largest_pixel": 255 * fake[0].max(),
        "fake_probability": fake_score[0].sigmoid(),
    }
    assert list(reported) == ["discriminator", "generator", "largest_pixel", "fake_probability"]
    for name, value in expected.items():
        assert reported[name].item() == pytest.approx(value.item(), rel=1e-5), name
