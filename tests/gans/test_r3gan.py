"""What the paper of R3GAN says: sizes, first weights, filters, losses, and what changes over the
burn-in.
"""

import re

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, make_schema
from torch.nn.functional import softplus

from ganvas.errors import UserError
from ganvas.gans.options import build_gan
from ganvas.gans.r3gan import R3GAN, Block, Double, Halve
from ganvas.recipes import get_recipe
from ganvas.rng import StepRng
from ganvas.training.ema import EMA


@pytest.mark.parametrize(
    ("size", "classes", "millions"),
    [(32, 10, (20.78, 20.73)), (64, 0, (22.43, 22.38)), (256, 0, (23.06, 23.01))],
)
def test_parameters_of_the_papers_networks(size, classes, millions):
    """CIFAR-10, FFHQ-64, FFHQ-256; the paper reports about 20.7 and 23 million a player."""
    with torch.device("meta"):
        gan = R3GAN(make_schema(size, 3, classes or 2), conditional=bool(classes))
    counts = [
        sum(p.numel() for p in gan.players()[player]) / 1e6
        for player in ("generator", "discriminator")
    ]
    assert counts == pytest.approx(millions, abs=0.005)


@pytest.mark.slow
def test_first_weights_keep_the_variance():
    """Blocks begin as identities, so a wide generator makes images whose values have about the
    variance of its starting map.
    """
    torch.manual_seed(0)
    gan = R3GAN(make_schema(8, 3), width=256, conditional=False)
    made = gan.generator(torch.randn(512, 64), None)
    assert 0.5 < made.std() < 1.5  # doubling smooths some of it away
    maps = torch.randn(4, 32, 5, 5)
    assert torch.equal(Block(32, 6)(maps), maps)


def test_filters_keep_what_is_constant_and_are_each_others_transpose():
    maps = torch.ones(2, 3, 6, 6, dtype=torch.float64)
    assert torch.allclose(
        Double()(maps)[:, :, :-1, :-1], torch.ones(2, 3, 11, 11, dtype=torch.float64)
    )
    assert torch.allclose(Halve()(maps)[:, :, 1:, 1:], torch.ones(2, 3, 2, 2, dtype=torch.float64))
    small, large = (
        torch.randn(1, 2, 4, 4, dtype=torch.float64),
        torch.randn(1, 2, 8, 8, dtype=torch.float64),
    )
    assert torch.allclose((Double()(small) * large).sum(), 4 * (small * Halve()(large)).sum())
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    assert Double()(ramp)[0, 0, 2, :6].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]


def test_losses_are_the_papers():
    """Relativistic pairs; gamma / 2 of both squared gradients, R1 on real and R2 on generated
    images.
    """
    gan = make_gan("r3gan", classes=3, gamma=(3.0, 3.0)).double()
    for parameter in gan.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    batch = {
        key: value.double() if value.is_floating_point() else value
        for key, value in make_batch(gan, 5).items()
    }

    class Doubled(StepRng):
        def rows(self, count, make):
            return super().rows(count, make).double()

    updates = list(gan.step(batch, FixedClock(), Doubled(0, 0)))
    noise = Doubled(0, 0)
    first, second = (
        gan.generator(noise.normal(5, gan.noise_size), batch["label"]).detach() for _ in range(2)
    )

    def slopes(images):
        images = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(gan.discriminator(images, batch["label"]).sum(), images)
        return gradient.square().flatten(1).sum(1)

    real, fake, other = (
        gan.discriminator(images, batch["label"]) for images in (batch["image"], first, second)
    )
    expected = softplus(fake - real).mean(), 1.5 * (slopes(batch["image"]) + slopes(first)).mean()
    assert [loss.item() for loss in updates[0].losses.values()] == pytest.approx(
        [value.item() for value in expected], rel=1e-9
    )
    assert updates[1].losses["adversarial"].item() == pytest.approx(
        softplus(real - other).mean().item(), rel=1e-9
    )


def test_the_penalty_falls_over_the_burn_in():
    gan = make_gan("r3gan", gamma=(2.0, 0.5), burn_in=100)
    found = []
    for images in (0, 50, 100, 1000):
        update = next(iter(gan.step(make_batch(gan, 4), FixedClock(images), StepRng(0, 0))))
        found.append(update.losses["penalty"].item())
    assert [value / found[0] for value in found] == pytest.approx(
        [1, 1.25 / 2, 0.25, 0.25], rel=1e-5
    )


def test_classes_are_used_unless_conditional_is_false():
    assert "label" in make_gan("r3gan").inputs
    assert make_gan("r3gan", conditional=False).inputs == {}
    assert make_gan("relativistic", conditional=False).inputs == {}


def test_recipes_have_the_papers_numbers():
    """Table of appendix D: rate, second beta, penalty, EMA and augmentation over the burn-in."""
    recipe = get_recipe("cifar10-r3gan")
    adam = recipe.optimizers["generator"]
    assert (recipe.batch, recipe.images, recipe.ema_halflife) == (512, 250_000_000, 5_000_000)
    assert [
        adam.lr_at(images, recipe.images) for images in (0, 10_000_000, 20_000_000)
    ] == pytest.approx([2e-4, 1.25e-4, 5e-5])
    assert [adam.betas_at(images)[1] for images in (0, 10_000_000, 30_000_000)] == pytest.approx(
        [0.9, 0.945, 0.99]
    )
    assert recipe.options["gamma"] == [0.05, 0.005]
    assert recipe.options["augmentation"] == 0.55

    constant = get_recipe("stacked-mnist-r3gan").optimizers["discriminator"]
    assert constant.lr_at(10_000_000, 10_000_000) == 2e-4


def test_the_average_grows_slower_over_its_burn_in():
    """At half of a burn-in of 100 images the half-life is half of 40: after 20 images half of the
    way is gone.
    """
    gan = make_gan("r3gan")
    average = EMA(gan, halflife=40, burn_in=100)
    before = average.gan.generator.linear.weight.clone()
    with torch.no_grad():
        gan.generator.linear.weight += 1
    average.update(images=50, batch=20)
    assert torch.allclose(
        average.gan.generator.linear.weight - before, torch.full_like(before, 0.5), atol=1e-6
    )


def test_a_width_that_fits_no_groups_is_refused_with_the_nearest_that_do():
    with pytest.raises(UserError, match=r"nearest widths that do: (\d+) and (\d+)$") as error:
        build_gan("r3gan", make_schema(64, 3), {"width": 100})

    for width in re.findall(r"\d+", str(error.value).rpartition(":")[2]):
        build_gan("r3gan", make_schema(64, 3), {"width": int(width)})
