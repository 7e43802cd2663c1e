"""CUT: the contrastive loss by hand, its directions, and the order of what it draws."""

import math

import pytest
import torch
from tiny import (
    make_batch,
    make_context,
    make_gan,
    refused_in_one_line,
    take_first_step,
    updates_by_player,
)
from torch.nn.functional import softplus

from ganvas.gans.cut.networks import patch_nce
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.options import build_gan
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema

# The contrastive loss


def test_the_contrastive_loss_by_hand():
    """Two places with the cosines 1 and 0.6 to their own keys, and 0 and 0.8 to the other."""
    keys = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    queries = torch.tensor([[[1.0, 0.0], [0.8, 0.6]]])
    found = patch_nce(queries, keys, temperature=0.5)
    first = math.log(math.exp(1 / 0.5) + math.exp(0 / 0.5)) - 1 / 0.5
    second = math.log(math.exp(0.8 / 0.5) + math.exp(0.6 / 0.5)) - 0.6 / 0.5
    assert found.item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_places_are_compared_within_their_own_image():
    """Another image's keys are no negatives: each image's loss is what it has alone."""
    random = torch.Generator().manual_seed(0)
    queries, keys = (
        torch.nn.functional.normalize(torch.randn(3, 5, 4, generator=random), dim=2)
        for _ in range(2)
    )
    alone = [patch_nce(queries[row : row + 1], keys[row : row + 1], 0.07) for row in range(3)]
    assert patch_nce(queries, keys, 0.07) == pytest.approx(torch.stack(alone).mean().item())


def test_keys_get_no_gradient():
    queries, keys = (torch.rand(1, 3, 2, requires_grad=True) for _ in range(2))
    patch_nce(queries, keys, 0.07).backward()
    assert queries.grad is not None
    assert keys.grad is None


def test_training_on_the_loss_finds_each_place_again():
    """After a few updates a place resembles its own key more than those of other places."""
    gan = make_gan("cut", size=16, channels=3, features=16, width=8)
    batch = make_batch(gan, 2)
    optimizer = torch.optim.Adam(gan.generator.parameters(), lr=3e-3)

    def share_found() -> tuple[float, float]:
        """The loss, and how many places have their own key as the nearest."""
        given = torch.cat([batch["b"], batch["a"]])
        to = torch.tensor([0, 0, 1, 1])
        fake, maps = gan.generator.translate(given, to)
        loss = gan.compare_places(fake, maps, to, StepRng(0, 0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        places = [torch.arange(each[0, 0].numel()).expand(4, -1) for each in maps]
        keys = gan.generator.project(maps, places)
        queries = gan.generator.project(gan.generator.encode(fake, to), places)
        cosines = queries[0] @ keys[0].transpose(1, 2)  # (4, 64, 64)
        right = cosines.argmax(2) == torch.arange(64)
        return loss.item(), right.float().mean().item()

    before, _ = share_found()
    for _ in range(30):
        after, found = share_found()
    assert after < before / 2
    assert found > 0.9


def test_places_are_different_and_within_their_map():
    gan = make_gan("cut", size=16, places=10)
    places = gan.draw_places(torch.zeros(6, 2, 4, 4), StepRng(0, 0))
    assert places.shape == (6, 10)
    assert places.min() >= 0
    assert places.max() < 16
    assert all(len(set(row)) == 10 for row in places.tolist())
    assert len({tuple(row) for row in places.tolist()}) == 6  # each image has its own
    # a map with fewer places gives all of them
    assert gan.draw_places(torch.zeros(2, 2, 2, 2), StepRng(0, 0)).shape == (2, 4)


# The step


def test_losses_are_the_formulas():
    gan = make_gan("cut", size=16, channels=3, nce_weight=3.0, identity_weight=2.0)
    batch = make_batch(gan, 3)
    a, b = batch["a"], batch["b"]
    generator = gan.generator
    to_a, to_b = torch.zeros(3, dtype=torch.int64), torch.ones(3, dtype=torch.int64)
    fakes = {"a": generator(b, to_a), "b": generator(a, to_b)}
    updates = updates_by_player(gan, batch, steps=1)  # a step without penalty

    rng, margins = StepRng(0, 1), {}  # a step draws the shifts of both domains first
    for domain, real in (("a", a), ("b", b)):
        discriminator, shifts = gan.discriminator[domain], gan.draw_moves(3, rng)
        real_score = discriminator(shift_images(real, shifts[0], gan.reach))
        margins[domain] = real_score - discriminator(
            shift_images(fakes[domain], shifts[1], gan.reach)
        )
    adversarial = sum(softplus(-margin).mean() for margin in margins.values()) / 2
    losses = updates["discriminator"].losses
    assert losses["adversarial"].item() == pytest.approx(adversarial.item(), rel=1e-5)
    assert losses["penalty"] == 0

    losses = updates["generator"].losses
    adversarial = sum(softplus(margin).mean() for margin in margins.values()) / 2
    assert losses["adversarial"].item() == pytest.approx(adversarial.item(), rel=1e-5)
    identity = (generator(a, to_a) - a).abs().mean() + (generator(b, to_b) - b).abs().mean()
    assert losses["identity"].item() == pytest.approx(2 * identity.item() / 2, rel=1e-5)
    change = (fakes["a"] - b).abs().mean() + (fakes["b"] - a).abs().mean()
    stats = updates["generator"].stats
    assert stats["change"].item() == pytest.approx(127.5 * change.item() / 2, rel=1e-5)
    torch.testing.assert_close(real_score, updates["discriminator"].scores[0][3:])
    assert torch.equal(gan.score(batch), gan.discriminator["b"](b))


def test_the_penalty_is_lazy_and_of_real_images():
    gan = make_gan("cut", size=16, penalty_every=4, gamma=5.0, halvings=1)
    batch = make_batch(gan, 2)
    assert updates_by_player(gan, batch, 3)["discriminator"].losses["penalty"] == 0

    found = updates_by_player(gan, batch, 4)["discriminator"].losses["penalty"]
    rng, expected = StepRng(0, 4), []
    for domain in "ab":
        real = batch[domain].clone().requires_grad_()
        moved = shift_images(real, gan.draw_moves(2, rng)[0], gan.reach)
        scores = gan.discriminator[domain](moved)  # (2, 1, 4, 4)
        (gradient,) = torch.autograd.grad(scores.sum(), real)
        expected.append(4 * 5.0 / 2 * gradient.square().sum((1, 2, 3)).mean().item() / 16)
    assert found.item() == pytest.approx(sum(expected) / 2, rel=1e-5)


# Directions


def test_both_directions_translate_to_the_domain_asked_for():
    gan = make_gan("cut", size=16, channels=3).eval()
    image = make_batch(gan, 3)["a"]
    made = gan.sample(3, RowRng(0, range(3)), image=image, to=torch.tensor([0, 1, 0]))
    for row, to in enumerate((0, 1, 0)):
        alone = gan.sample(1, RowRng(0, [row]), image=image[row : row + 1], to=torch.tensor([to]))
        torch.testing.assert_close(made[row : row + 1], alone)
    swapped = gan.sample(3, RowRng(0, range(3)), image=image, to=torch.tensor([1, 0, 1]))
    assert not torch.allclose(made, swapped)
    assert list(gan.ways(image[:1], {})) == ["a", "b"]
    assert gan.ways(image[:1], {})["b"]["to"].tolist() == [1]
    shown = gan.make_preview({"a": image, "b": -image}, RowRng(0, range(3)))
    assert list(shown) == ["a", "to b", "b", "to a"]
    asked = gan.make_inputs({"a": image, "b": -image}, RowRng(0, range(3)))
    torch.testing.assert_close(gan.sample(3, RowRng(0, range(3)), **asked), shown["to b"])


@pytest.mark.parametrize(
    ("direction", "given", "target"), [("a-to-b", "a", "b"), ("b-to-a", "b", "a")]
)
def test_one_direction_has_one_discriminator_and_no_choice(direction, given, target):
    gan = make_gan("cut", size=16, channels=3, direction=direction)
    assert list(gan.discriminator) == [target]
    assert not any("enter" in name for name, _ in gan.named_parameters())
    assert gan.target == target
    assert list(gan.inputs) == ["image"]
    assert list(gan.ways(torch.zeros(1, 3, 16, 16), {})) == [target]

    batch = make_batch(gan, 2)
    values = take_first_step(make_context(gan), batch)
    assert all(value.isfinite() for value in values.values())
    shown = gan.make_preview(batch, RowRng(0, range(2)))
    assert list(shown) == [given, f"to {target}"]
    assert torch.equal(shown[given], batch[given])
    assert torch.equal(gan.score(batch), gan.discriminator[target](batch[target]))


def test_at_first_images_are_nearly_what_was_given():
    gan = make_gan("cut", size=32, channels=3, width=24)
    image = make_batch(gan, 2)["a"]
    made = gan.sample(2, RowRng(0, range(2)), image=image, to=torch.tensor([0, 1]))
    assert 0 < (made - image).abs().mean() < 0.1


# Refusals


def test_domains_of_different_channels_are_refused():
    data = Schema(size=8, channels={"a": 1, "b": 3}, unpaired=True)
    refused_in_one_line(lambda: build_gan("cut", data, {}), "a has 1 and b 3: use --channels 3")


@pytest.mark.parametrize("size", [4, 10, 63])
def test_sizes_that_cannot_be_folded_are_refused(size):
    refused_in_one_line(lambda: make_gan("cut", size), rf"^size {size} cannot be folded")


def test_an_unknown_direction_is_refused():
    refused_in_one_line(lambda: make_gan("cut", direction="up"), r"options\.direction")


def test_more_halvings_than_the_images_allow_are_refused():
    refused_in_one_line(lambda: make_gan("cut", 64, halvings=3), "cut can have 2 at most")
    refused_in_one_line(lambda: make_gan("cut", 8, halvings=2), "cut can have 1 at most")
