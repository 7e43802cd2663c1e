"""The search for noise that generates a given image."""

from itertools import pairwise

import pytest
import torch
from tiny import make_gan

from ganvas.inference.inversion import SearchRng, SearchSettings, hole_weights, search_noise
from ganvas.rng import RowRng

CPU = torch.device("cpu")


# Search


@pytest.mark.parametrize(
    "name", ["mlp", "mlp-deep", "dcgan", "avatar-dcgan", "cdcgan", "relativistic"]
)
def test_every_gan_of_noise_finds_its_own_image(name):
    """The image of other noise is approached, and nearer than random images are."""
    gan = make_gan(name, 16, 3).eval()
    with torch.no_grad():
        for parameter in gan.generator.parameters():
            parameter *= 2  # so that noise matters
        inputs = {"label": torch.tensor([1])} if "label" in gan.inputs else {}
        target = gan.sample(1, RowRng(9, [10**6]), **inputs)[0]
    known = torch.ones(1, 16, 16)
    before, after = (
        search_noise(gan, target, known, SearchSettings(2, steps, label=1), CPU)
        for steps in (0, 40)
    )

    assert after.context[0] < before.context.min()
    assert after.images.shape == (2, 3, 16, 16)
    assert after.labels == [1, 1]
    assert all(parameter.requires_grad and parameter.grad is None for parameter in gan.parameters())


def test_a_search_is_repeatable_and_its_noise_makes_its_images():
    gan = make_gan("relativistic", 8, 1, classes=3)
    target, known = torch.rand(1, 8, 8) * 2 - 1, torch.ones(1, 8, 8)
    one, other = (search_noise(gan, target, known, SearchSettings(3, 5, 4), CPU) for _ in range(2))
    assert torch.equal(one.images, other.images)
    assert gan.training
    (found,) = one.noise
    made = gan.generator(found, torch.tensor(one.labels))
    assert torch.allclose(made, one.images, atol=1e-6)
    assert torch.allclose(found.norm(dim=1), torch.tensor(gan.noise_size**0.5))
    total = one.context + 0.03 * one.prior
    assert all(before <= after for before, after in pairwise(total.tolist()))


def test_what_is_unknown_does_not_count():
    gan = make_gan("dcgan", 8, 1)
    known = torch.ones(1, 8, 8)
    known[:, :, :5] = 0
    target = torch.rand(1, 8, 8) * 2 - 1
    changed = torch.where(known > 0, target, -target)
    one, other = (
        search_noise(gan, picture, hole_weights(known), SearchSettings(2, 3), CPU)
        for picture in (target, changed)
    )
    assert torch.equal(one.images, other.images)


def test_search_draws_are_kept_and_stay_where_noise_is():
    rng = SearchRng(0, [5, 6])
    drawn = rng.normal(2, 3), rng.uniform(2, 4), rng.rand(2, 2)
    assert torch.equal(drawn[0], RowRng(0, [5, 6]).normal(2, 3))

    rng.again()
    assert rng.normal(2, 3) is drawn[0]
    assert [values.shape for values in rng.noise] == [(2, 3), (2, 4)]
    assert not drawn[2].requires_grad

    with torch.no_grad():
        drawn[0].mul_(9)
        drawn[1].mul_(9)
    rng.keep_likely()

    assert torch.allclose(drawn[0].norm(dim=1), torch.tensor(3**0.5))
    assert drawn[1].abs().max() == 1


def test_pixels_near_the_hole_count_more():
    known = torch.ones(1, 32, 32)
    known[:, 10:20, 10:20] = 0
    weights = hole_weights(known)
    assert not weights[known == 0].any()
    row = weights[0, 15, 20:].tolist()
    assert row == sorted(row, reverse=True)
    assert row[0] > 2 * row[-1] > 0
