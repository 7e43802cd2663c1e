"""GAWWN's own rules: key points that are filled in, captions, the players' updates."""

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, make_schema

from ganvas.errors import UserError
from ganvas.gans.gawwn.blocks import grid_stages
from ganvas.gans.nn.losses import matching_d, non_saturating_d, non_saturating_g
from ganvas.gans.nn.networks import VectorNorm
from ganvas.gans.options import build_gan
from ganvas.rng import RowRng, StepRng

NAMES = ["gawwn-box", "gawwn-keypoints"]


def test_given_parts_stay_and_others_are_made_up():
    gan = make_gan("gawwn-keypoints").eval()
    keypoints = torch.rand(5, 3, 3)
    keypoints[..., 2] = torch.tensor([1.0, 0.0, 1.0])
    text = torch.randn(5, 6)
    filled = gan.complete_keypoints(keypoints, text, RowRng(0, range(5)))

    assert torch.equal(filled[:, [0, 2]], keypoints[:, [0, 2]])
    assert ((filled[:, 1] > 0) & (filled[:, 1] < 1)).all()

    other = gan.complete_keypoints(
        keypoints + torch.tensor([0.0, 0.0, 0.0]), text, RowRng(1, range(5))
    )

    assert not torch.equal(filled[:, 1], other[:, 1])

    keypoints[:, 1, :2] = 0.9  # what stands where nothing is given must not matter
    assert torch.equal(gan.complete_keypoints(keypoints, text, RowRng(0, range(5))), filled)


def test_while_filling_in_is_learned_a_part_is_kept_with_its_chance():
    gan = make_gan("gawwn-keypoints", kept=0.1)
    given = []
    gan.keypoint_generator.register_forward_pre_hook(lambda _, inputs: given.append(inputs[2]))
    list(gan.step(make_batch(gan, 400), FixedClock(), StepRng(0, 0)))
    assert given[0][..., 2].mean().item() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_reads_at_most_the_captions_requested(name):
    gan = make_gan(name, captions=1)
    read = []
    gan.text.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].shape))
    list(gan.step(make_batch(gan, 4), FixedClock(), StepRng(0, 0)))
    assert read == [(4, 1, 16)]


@pytest.mark.parametrize("name", NAMES)
def test_features_instead_of_captions(name):
    gan = make_gan(name, text="features")
    batch = make_batch(gan, 4)
    assert "caption_features" in batch
    assert "caption" not in batch
    assert "caption_features" in gan.inputs
    assert gan.players().keys() == make_gan(name).players().keys()

    made = gan.eval().sample(4, RowRng(0, range(4)), **gan.make_inputs(batch, RowRng(0, range(4))))
    assert made.shape == (4, 1, 8, 8)
    with pytest.raises(UserError, match=r"captions\.safetensors"):
        build_gan(
            name,
            make_schema(8, 1).model_copy(update={"widths": {"caption": 16}}),
            {"width": 2, "text": "features"},
        )


# The step


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_the_papers_formulas(name):
    gan = make_gan(name)
    batch = make_batch(gan, 6)
    scores, texts, read = [], [], []
    gan.discriminator.head.register_forward_hook(
        lambda module, inputs, output: scores.append(output)
    )
    gan.discriminator.text.register_forward_pre_hook(lambda module, inputs: texts.append(inputs[0]))
    gan.text.register_forward_hook(lambda module, inputs, output: read.append(output))
    (first, second), generator, *_ = gan.step(batch, FixedClock(), StepRng(0, 0))
    right, wrong, fake, judged = scores

    assert first.losses["adversarial"].item() == pytest.approx(
        matching_d(right, wrong, fake).item(), rel=1e-6
    )
    assert second.losses == first.losses
    assert generator.losses["adversarial"].item() == pytest.approx(
        non_saturating_g(judged).item(), rel=1e-6
    )
    assert torch.equal(first.scores[0], right)
    assert torch.equal(first.scores[1], fake)

    own, others, of_fake, of_judged = texts
    assert torch.equal(own, read[0])
    assert torch.equal(others, own.roll(1, 0))
    assert torch.equal(of_fake, own)
    assert torch.equal(of_judged, own)
    assert not of_judged.requires_grad


def test_matching_loss_is_the_sum_of_its_halves():
    right, wrong, fake = torch.randn(3, 50)
    expected = (non_saturating_d(right, wrong) + non_saturating_d(right, fake)) / 2
    assert matching_d(right, wrong, fake).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_scores_of_a_batch_are_those_of_the_first_turn(name):
    gan = make_gan(name)
    batch = make_batch(gan, 5)
    (first, _), *_ = gan.step(batch, FixedClock(), StepRng(0, 0))
    assert torch.allclose(gan.score(batch), first.scores[0], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changed", ["caption", "place"])
def test_caption_and_place_matter_to_both_players(name, changed):
    # in training mode: the norms have not seen enough to bring first weights to scale
    gan = make_gan(name, 32, 3, width=4)
    batch = make_batch(gan, 8)
    key = (
        "caption"
        if changed == "caption"
        else {"gawwn-box": "box", "gawwn-keypoints": "keypoints"}[name]
    )
    other = batch | {key: batch[key].roll(1, 0)}
    with torch.no_grad():
        made = [
            gan.sample(8, RowRng(0, range(8)), **gan.make_inputs(rows, RowRng(0, range(8))))
            for rows in (batch, other)
        ]
        scores = [gan.score(rows) for rows in (batch, other)]

    assert (made[0] - made[1]).abs().max() > 1e-6
    assert (scores[0] - scores[1]).abs().max() > 1e-6


def test_smaller_images_are_judged_in_their_boxes():
    gan = make_gan("gawwn-box", smallest=0.5)
    boxes = []
    gan.generator.register_forward_pre_hook(lambda _, inputs: boxes.append(inputs[2]))
    batch = make_batch(gan, 50)
    list(gan.step(batch, FixedClock(), StepRng(0, 0)))
    share = boxes[0][:, 2] / batch["box"][:, 2]
    assert 0.5 <= share.min() < 0.6
    assert 0.9 < share.max() <= 1
    assert torch.allclose(share, boxes[0][:, 3] / batch["box"][:, 3])


@pytest.mark.parametrize(
    ("size", "sizes", "cells"),
    [
        (32, [4, 8, 16, 32], 16),
        (64, [4, 8, 16, 32, 64], 16),
        (128, [4, 8, 16, 32, 64, 128], 16),
        (8, [4, 8], 4),
        (28, [7, 14, 28], 14),
    ],
)
def test_the_grid_is_the_papers_where_the_image_is_large_enough(size, sizes, cells):
    found, grid = grid_stages(size)
    assert found == sizes
    assert found[grid] == cells
    for name in NAMES:
        assert make_gan(name, size).generator.cells == cells


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_papers(name):
    with torch.device("meta"):
        gan = build_gan(name, make_schema(128, 3), {})
    generator, discriminator = gan.generator, gan.discriminator

    assert gan.noise_size == 100
    assert gan.captions == 4
    assert discriminator.encoder[0].out_channels == 128
    assert [
        module.out_channels for module in discriminator.encoder if hasattr(module, "out_channels")
    ] == [128, 128, 256, 256]

    outward = {"gawwn-box": [256, 128, 32, 3], "gawwn-keypoints": [512, 512, 256, 128, 3]}[name]
    assert [
        module.out_channels for module in generator.merge if hasattr(module, "out_channels")
    ] == outward

    whole = {"gawwn-box": [1024, 512, 256], "gawwn-keypoints": [512, 256, 128]}[name]
    assert [
        module.out_channels for module in generator.whole if hasattr(module, "out_channels")
    ] == whole


def test_the_norm_of_one_vector_is_by_running_statistics():
    norm = VectorNorm(3)
    one, many = torch.randn(1, 3), torch.randn(8, 3)
    assert torch.allclose(norm(one), one, atol=1e-4)
    assert torch.allclose(norm(many).mean(0), torch.zeros(3), atol=1e-6)
    norm.eval()
    assert torch.allclose(norm(many)[:1], norm(many[:1]))


# What people see


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheet_shows_real_and_generated_images_and_another_caption(name, channels):
    gan = make_gan(name, 16, channels).eval()
    batch = make_batch(gan, 3)
    with torch.no_grad():
        columns = gan.make_preview(batch, RowRng(0, range(3)))
    assert list(columns)[:2] == ["real", "generated"]
    assert list(columns)[-1] == "another caption"
    assert len(columns) == 6
    assert all(pictures.shape == (3, channels, 16, 16) for pictures in columns.values())
