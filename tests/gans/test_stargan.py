"""StarGAN: the paper's networks and losses, attributes, and sets that know different ones."""

from itertools import pairwise

import pytest
import torch
from tiny import count_parameters, refused_in_one_line, updates_by_player
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.gans import GAN
from ganvas.gans.options import build_gan
from ganvas.gans.stargan.attributes import UNKNOWN
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema

HAIR = ("Black", "Blond", "Brown")
NAMES = (*HAIR, "Male", "Young")


def stargan(size: int = 8, mixed: bool = False, **options) -> GAN:
    """A tiny StarGAN of five attributes, perhaps of two sets."""
    torch.manual_seed(0)
    names = {"attributes": NAMES} | ({"known": NAMES} if mixed else {})
    data = Schema(size=size, channels={"image": 3}, names=names)
    return build_gan("stargan", data, {"width": 2, "blocks": 1, "exclusive": (HAIR,)} | options)


def rows(count: int, size: int = 8, mixed: bool = False) -> dict[str, Tensor]:
    """Random images with five attributes; the first half's set knows the hair, the second half's
    the rest.
    """
    random = torch.Generator().manual_seed(0)
    batch = {"image": torch.rand(count, 3, size, size, generator=random) * 2 - 1}
    batch["attributes"] = torch.randint(2, (count, 5), generator=random).float()
    if mixed:
        batch["known"] = torch.tensor(
            [[1.0, 1, 1, 0, 0]] * (count // 2) + [[0.0, 0, 0, 1, 1]] * (count - count // 2)
        )
        batch["attributes"] *= batch["known"]
    return batch


def test_stargan_has_the_papers_parameters():
    """Choi et al., tables 4 and 5, at 128 pixels with five attributes."""
    with torch.device("meta"):
        gan = build_gan(
            "stargan", Schema(size=128, channels={"image": 3}, names={"attributes": NAMES}), {}
        )
    blocks = 6 * 2 * (256 * 256 * 3 * 3 + 2 * 256)
    halved = (64 * 128 * 4 * 4 + 2 * 128) + (128 * 256 * 4 * 4 + 2 * 256)
    doubled = (256 * 128 * 4 * 4 + 2 * 128) + (128 * 64 * 4 * 4 + 2 * 64)

    assert (
        count_parameters(gan.generator)
        == ((3 + 5) * 64 * 7 * 7 + 2 * 64) + halved + blocks + doubled + 64 * 3 * 7 * 7
        == 8_430_528
    )

    widths = [3, 64, 128, 256, 512, 1024, 2048]
    trunk = sum(inputs * outputs * 16 + outputs for inputs, outputs in pairwise(widths))
    assert (
        count_parameters(gan.discriminator) == trunk + 2048 * 3 * 3 + 2048 * 2 * 2 * 5 == 44_762_048
    )


@pytest.mark.parametrize(
    ("size", "halvings", "last"),
    [(8, 2, 2), (12, 2, 3), (16, 3, 2), (64, 5, 2), (96, 5, 3), (256, 6, 4)],
)
def test_stargans_discriminator_halves_as_often_as_the_size_allows(size, halvings, last):
    gan = stargan(size)
    steps = [
        layer
        for layer in gan.discriminator.modules()
        if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)
    ]
    assert [layer.out_channels for layer in steps] == [2 * 2**depth for depth in range(halvings)]
    scores, logits = gan.discriminator(torch.zeros(2, 3, size, size))
    assert scores.shape == (2, 1, last, last)
    assert logits.shape == (2, 5)


# StarGAN's step


def test_stargans_losses_are_the_papers_formulas():
    options = {"classification_weight": 3.0, "reconstruction_weight": 7.0, "penalty_weight": 5.0}
    gan, batch = stargan(**options), rows(4)
    rng = StepRng(0, 0)
    image, own = batch["image"], batch["attributes"]
    wanted, share = rng.permute(own), rng.rand(4)
    fake = gan.generator(image, wanted)
    score, logits = gan.discriminator(image)
    fake_score, fake_logits = gan.discriminator(fake)
    between = torch.lerp(fake.detach(), image, share[:, None, None, None]).requires_grad_()
    (gradient,) = torch.autograd.grad(gan.discriminator(between)[0].sum(), between)
    back = gan.generator(fake, own)
    updates = updates_by_player(gan, batch)
    expected = {
        "discriminator": {
            "adversarial": fake_score.mean() - score.mean(),
            "penalty": 5 * (gradient.flatten(1).norm(dim=1) - 1).square().mean(),
            "attributes": 3 * binary_cross_entropy_with_logits(logits, own, reduction="sum") / 4,
        },
        "generator": {
            "adversarial": -fake_score.mean(),
            "attributes": 3
            * binary_cross_entropy_with_logits(fake_logits, wanted, reduction="sum")
            / 4,
            "reconstruction": 7 * (image - back).abs().mean(),
        },
    }

    for player, terms in expected.items():
        found = {term: loss.item() for term, loss in updates[player].losses.items()}
        assert found == pytest.approx(
            {term: value.item() for term, value in terms.items()}, rel=1e-4, abs=1e-6
        )

    right = ((logits > 0).float() == own).float().mean().item()
    assert updates["discriminator"].stats["attributes_right"].item() == pytest.approx(right)
    assert torch.equal(gan.score(batch), updates["discriminator"].scores[0])


def test_stargans_generator_updates_every_fifth_step():
    gan, batch = stargan(), rows(2)
    moved = [steps for steps in range(11) if "generator" in updates_by_player(gan, batch, steps)]
    assert moved == [0, 5, 10]
    assert "generator" in updates_by_player(stargan(n_critic=1), batch, 3)


def test_wanted_attributes_are_those_of_other_images():
    gan, batch, asked = stargan(), rows(32), []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    updates_by_player(gan, batch)
    wanted, own = asked
    assert torch.equal(own, batch["attributes"])
    assert not torch.equal(wanted, own)
    assert sorted(wanted.tolist()) == sorted(own.tolist())


def test_attributes_change_the_image_and_each_otherwise():
    gan, image = stargan(16).eval(), rows(1, 16)["image"]
    made = [
        gan.sample(1, RowRng(0, [0]), image=image, attributes=values[None])
        for values in torch.eye(5)
    ]
    assert all(
        (one - other).abs().max() > 1e-5
        for number, one in enumerate(made)
        for other in made[:number]
    )


def test_an_attribute_that_is_set_takes_away_its_group():
    gan = stargan()
    start = torch.tensor([[1.0, 0, 0, 1, 0], [0, 0, 1, 0, 0]])
    assert gan.change(start, "Blond", True).tolist() == [[0, 1, 0, 1, 0], [0, 1, 0, 0, 0]]
    assert gan.change(start, "Black", False).tolist() == [[0, 0, 0, 1, 0], [0, 0, 1, 0, 0]]
    assert gan.change(start, "Young", True).tolist() == [[1, 0, 0, 1, 1], [0, 0, 1, 0, 1]]
    assert start.tolist() == [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]]


def test_stargans_sheet_shows_every_attribute():
    gan, batch, asked = stargan().eval(), rows(3), []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    shown = gan.make_preview(batch, RowRng(0, range(3)))

    assert list(shown) == ["real", "+ Black", "+ Blond", "+ Brown", "± Male", "± Young", "back"]

    own = batch["attributes"]
    for number in range(3):
        assert torch.equal(asked[number][:, :3], torch.eye(3)[[number] * 3])
        assert torch.equal(asked[number][:, 3:], own[:, 3:])
    assert torch.equal(asked[3], torch.cat([own[:, :3], 1 - own[:, 3:4], own[:, 4:]], 1))
    assert torch.equal(asked[-1], own)
    assert torch.equal(
        gan.guess(batch["image"]), (gan.discriminator(batch["image"])[1] > 0).float()
    )


# Two sets that know different attributes


def test_what_a_set_does_not_know_is_no_plane_and_no_loss():
    gan, batch, asked = stargan(mixed=True), rows(8, mixed=True), []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    updates = updates_by_player(gan, batch)
    assert torch.equal(asked[1], torch.cat([batch["attributes"], batch["known"]], 1))
    lies = batch | {"attributes": torch.where(batch["known"] > 0, batch["attributes"], 1.0)}
    for player, update in updates_by_player(gan, lies).items():
        for term, loss in update.losses.items():
            assert torch.equal(loss, updates[player].losses[term]), term
    _, logits = gan.discriminator(batch["image"])
    each = binary_cross_entropy_with_logits(logits, batch["attributes"], reduction="none")
    expected = (each * batch["known"]).sum().item() / 8
    assert updates["discriminator"].losses["attributes"].item() == pytest.approx(expected, rel=1e-5)


def test_an_image_takes_an_attribute_that_its_set_does_not_know_from_one_that_does():
    gan, batch, asked = stargan(mixed=True).eval(), rows(4, mixed=True), []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    gan.make_preview(batch, RowRng(0, range(4)))
    male = asked[3]
    # marked as known to the second set
    assert torch.equal(male[:, 5:], torch.tensor([[0.0, 0, 0, 1, 1]] * 4))
    assert torch.equal(male[:2, 3], 1 - batch["attributes"][2:3, 3].expand(2))
    open_ = torch.tensor([[UNKNOWN] * 3 + [1.0, 0.0]])
    gan.sample(1, RowRng(0, [0]), image=batch["image"][:1], attributes=open_)
    assert asked[-1].tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["Black", "Blnd"]], "the data has no attribute 'Blnd'; did you mean Blond"),
        ([["Black"]], r"the group \['Black'\] has one attribute"),
        ([["Black", "Black"]], "has one attribute"),
        ("hair", "options.exclusive"),
    ],
)
def test_groups_that_exclude_nothing_are_refused(groups, message):
    refused_in_one_line(lambda: stargan(exclusive=groups), message)


def test_an_attribute_that_is_none_is_refused():
    gan = stargan()
    refused_in_one_line(
        lambda: gan.change(torch.zeros(1, 5), "Yong", True),
        "no attribute 'Yong'; did you mean Young",
    )
