"""The guard: no player moves by a loss that is not finite."""

import math

import pytest
import torch
from tiny import copy_weights, make_batch, make_context, make_gan, make_schema, take_first_step

from ganvas.gans import GANS, Update
from ganvas.gans.mlp import MLP
from ganvas.gans.nn.losses import non_saturating_d
from ganvas.training.guard import NotFiniteError


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("deferred", [False, True])
def test_no_player_is_updated_on_nan(name, deferred):
    gan = make_gan(name)
    batch = make_batch(gan, 4)
    batch[gan.target][2, 0, gan.size // 2, gan.size // 2] = math.nan  # in every crop and move
    context = make_context(gan, deferred)
    before = copy_weights(gan)
    term = "real" if name in ("dcgan", "avatar-dcgan", "inpaint") else "adversarial"
    first = "generator" if name == "cyclegan" else "discriminator"

    if deferred:
        take_first_step(context, batch)
        take_first_step(
            context, make_batch(gan, 4)
        )  # what follows until someone looks changes nothing either
        with pytest.raises(NotFiniteError, match=rf"\(.*{first}/{term}\b"):
            context.guard.stop_if_tripped()
    else:
        with pytest.raises(
            NotFiniteError, match=rf"the {first}'s loss is not finite \({term} = nan"
        ):
            take_first_step(context, batch)
    assert all(torch.equal(value, before[key]) for key, value in gan.named_parameters())
    assert all(
        state["step"] == 0
        for optimizer in context.optimizers.values()
        for state in optimizer.state.values()
    )


class Careless(MLP):
    """Its generator's second term is infinite; its discriminator moves before."""

    def step(self, batch, clock, rng):
        score = self.discriminator((batch["image"].flatten(1) + 1) / 2)
        yield Update("discriminator", {"adversarial": non_saturating_d(score, score - 1)})
        fake = self.generator(rng.uniform(len(score), self.noise_size))
        yield Update("generator", {"adversarial": fake.mean(), "extra": fake.mean() / 0})


@pytest.mark.parametrize("deferred", [False, True])
def test_the_first_wrong_player_and_all_after_stay(deferred):
    torch.manual_seed(0)
    gan = Careless(make_schema(8, 1), hidden=8, noise_size=5)
    context = make_context(gan, deferred)
    before = copy_weights(gan)

    with pytest.raises(NotFiniteError) as error:
        take_first_step(context, make_batch(gan, 4))
        context.guard.stop_if_tripped()
    assert "generator/extra" in str(error.value) if deferred else "generator's" in str(error.value)
    assert "extra" in str(error.value)
    assert "discriminator" not in str(error.value)

    changed = {
        key.split(".")[0]
        for key, value in gan.named_parameters()
        if not torch.equal(value, before[key])
    }

    assert changed == {"discriminator"}


def test_a_quiet_guard_changes_nothing():
    for deferred in (False, True):
        gan, plain = make_gan("dcgan"), make_gan("dcgan")
        before = copy_weights(gan)
        context = make_context(gan, deferred, lr=1e-2)
        take_first_step(context, make_batch(gan, 4))
        context.guard.stop_if_tripped()

        unguarded = make_context(plain, lr=1e-2)
        unguarded.guard.check = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
        take_first_step(unguarded, make_batch(plain, 4))
        assert not any(torch.equal(value, before[key]) for key, value in gan.named_parameters())
        assert all(
            torch.equal(value, plain.state_dict()[key]) for key, value in gan.state_dict().items()
        )
