"""The GAN that fills holes: what it may see, what it may change, its losses by hand, its
parameters.
"""

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, make_schema
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, logsigmoid

from ganvas.errors import UserError
from ganvas.gans import Update
from ganvas.gans.inpaint.holes import OUTSIDE
from ganvas.gans.inpaint.original import Inpainter
from ganvas.gans.options import build_gan
from ganvas.rng import RowRng, StepRng


def updates(gan: Inpainter, batch: dict[str, Tensor], steps: int = 1) -> list[Update]:
    return [
        move
        for move in gan.step(batch, FixedClock(steps=steps), StepRng(0, 0))
        if isinstance(move, Update)
    ]


def filled(gan: Inpainter, image: Tensor, mask: Tensor) -> Tensor:
    with torch.no_grad():
        return gan.sample(len(image), RowRng(0, range(len(image))), image=image, mask=mask)


@pytest.fixture
def gan() -> Inpainter:
    gan = make_gan("inpaint", 16, 3)
    assert isinstance(gan, Inpainter)
    return gan


@pytest.fixture
def asked(gan: Inpainter) -> dict[str, Tensor]:
    return gan.make_inputs(make_batch(gan, 5), RowRng(0, range(5)))


def test_only_the_hole_changes_and_all_of_it(gan, asked):
    made, (image, mask) = filled(gan, **asked), asked.values()
    hole = (mask > 0).expand_as(image)
    assert torch.equal(made[~hole], image[~hole])
    assert (made != image)[hole].all()


def test_what_is_in_the_hole_has_no_effect(gan, asked):
    other = torch.where(asked["mask"] > 0, torch.nan, asked["image"])
    assert torch.equal(filled(gan, other, asked["mask"]), filled(gan, **asked))


def test_what_is_around_the_hole_has_an_effect(gan, asked):
    image = torch.where(asked["mask"] > 0, asked["image"], -asked["image"])
    assert not torch.equal(filled(gan, image, asked["mask"]), filled(gan, **asked))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 15), (40, 23)])
def test_images_of_any_size(gan, height, width):
    image = torch.rand(1, 3, height, width) * 2 - 1
    mask = torch.zeros(1, 1, height, width)
    mask[:, :, -4:, -3:] = 1
    made = filled(gan, image, mask)
    assert made.shape == image.shape
    assert torch.equal(made[:, :, :-4], image[:, :, :-4])


def test_the_first_score_is_the_plain_one(gan):
    batch = make_batch(gan, 4)
    with torch.no_grad():
        expected = gan.discriminator(batch["image"]).mean((1, 2, 3))
        assert torch.equal(gan.score(batch), expected)
    scores = updates(gan, batch)[0].scores
    assert scores is not None
    assert torch.equal(scores[0].detach(), expected)
    assert scores[1].shape == (4,)


def test_losses_are_the_formulas(gan):
    batch = make_batch(gan, 4)
    real, mask = batch["image"], gan.draw_masks(batch["image"], StepRng(0, 0))
    with torch.no_grad():
        made = gan.generator(real, mask)
        fake = made * mask + real * (1 - mask)
        real_maps, real_score = gan.discriminator.compute_features(real)
        fake_maps, fake_score = gan.discriminator.compute_features(fake)
    share = adaptive_avg_pool2d(mask, 2)

    def of_hole(values: Tensor, weight: Tensor) -> float:
        """Mean over images of each image's weighted mean."""
        weight = weight.expand_as(values)
        return float(
            sum((one * some).sum() / some.sum() for one, some in zip(values, weight)) / len(values)
        )

    error = (made - real).abs()
    discriminator, generator = (update.losses for update in updates(gan, batch))
    expected = {
        "real": float(-logsigmoid(real_score).mean()),
        "fake": of_hole(-logsigmoid(-fake_score), share),
        "penalty": 0.0,
    }
    assert {name: loss.item() for name, loss in discriminator.items()} == pytest.approx(
        expected, rel=1e-5
    )
    expected = {
        "adversarial": of_hole(-logsigmoid(fake_score), share),
        "reconstruction": gan.reconstruction_weight
        * (of_hole(error, mask) + OUTSIDE * of_hole(error, 1 - mask)),
        "features": gan.feature_weight
        * sum(float((a - b).abs().mean()) for a, b in zip(real_maps, fake_maps))
        / 4,
    }
    assert {name: loss.item() for name, loss in generator.items()} == pytest.approx(
        expected, rel=1e-5
    )


def test_penalty_in_every_second_step_and_its_weight(gan):
    batch = make_batch(gan, 4)
    found = [updates(gan, batch, steps)[0].losses["penalty"].item() for steps in range(4)]
    image = batch["image"].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(gan.discriminator(image).sum(), image)
    expected = 2 * gan.gamma / 2 * gradient.flatten(1).square().sum(1).mean().item()
    assert found == [pytest.approx(expected, rel=1e-5), 0, pytest.approx(expected, rel=1e-5), 0]
    assert not batch["image"].requires_grad


def test_blocks_look_no_further_than_they_can_learn():
    for size, expected in (
        (8, [1, 1, 1, 1]),
        (16, [1, 1, 1, 1]),
        (32, [1, 2, 1, 2]),
        (64, [1, 2, 4, 1]),
        (256, [1, 2, 4, 8]),
    ):
        blocks = build_gan("inpaint", make_schema(size, 3), {"width": 2}).generator.blocks
        assert [block.layers[1].dilation[0] for block in blocks] == expected


def test_the_hole_is_shown(gan):
    batch = make_batch(gan, 3)
    with torch.no_grad():
        shown = gan.make_preview(batch, RowRng(0, range(3)))
    assert list(shown) == ["hole", "filled", "real"]
    mask = gan.make_inputs(batch, RowRng(0, range(3)))["mask"]
    assert torch.equal(shown["hole"], batch["image"] * (1 - mask))
    assert torch.equal(shown["filled"], filled(gan, batch["image"], mask))
    assert torch.equal(shown["real"], batch["image"])


def test_parameters_at_64_pixels():
    gan = build_gan("inpaint", make_schema(64, 3), {})
    w = 32
    ways_down = (4 * w + 2 * w * w + 8 * w * w) * 16 + 7 * w
    ways_up = (8 * w * w + 4 * w * w + 2 * w * 3) * 16 + 3 * w + 3
    blocks = 4 * ((4 * w) ** 2 * 9 + 4 * w)
    counts = {
        name: sum(value.numel() for value in values) for name, values in gan.players().items()
    }

    assert counts["generator"] == ways_down + ways_up + blocks == 956_227
    assert (
        counts["discriminator"]
        == (3 * w + 10 * w * w) * 16 + 7 * w + 8 * w * w * 9 + 2 * w + 2 * w * 9 + 1
        == 239_969
    )


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [(7, {}, "size 7"), (16, {"least": 0.5}, "options.least"), (16, {"most": 1.0}, "most")],
)
def test_what_makes_no_holes_is_refused(size, options, message):
    with pytest.raises(UserError, match=message):
        make_gan("inpaint", size, **options)
