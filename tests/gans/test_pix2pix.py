"""What is pix2pix's own: the paper's numbers, both directions, noise that belongs to the image,
fakes made once.
"""

import pytest
import torch
from tiny import (
    FixedClock,
    count_parameters,
    make_batch,
    make_gan,
    refused_in_one_line,
)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganvas.gans import GAN
from ganvas.gans.nn.networks import PatchDiscriminator
from ganvas.gans.options import build_gan
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema


def test_the_papers_numbers():
    """54.414 M and 2.769 M, as the authors' PyTorch code prints them."""
    with torch.device("meta"):
        gan = build_gan("pix2pix", Schema(size=256, channels={"a": 3, "b": 3}), {})
    assert (count_parameters(gan.generator), count_parameters(gan.discriminator)) == (
        54_413_955,
        2_768_705,
    )
    with torch.device("meta"):
        # CycleGAN's, of one image and without scales
        assert count_parameters(PatchDiscriminator(3, affine=False)) == 2_764_737


@pytest.mark.parametrize(("halvings", "field"), [(3, 70), (2, 34), (1, 16), (0, 1)])
def test_a_score_sees_a_patch(halvings: int, field: int):
    judge = PatchDiscriminator(1, width=2, halvings=halvings)
    # which sees everything
    plain = nn.Sequential(
        *(module for module in judge if not isinstance(module, nn.InstanceNorm2d))
    )
    image = torch.randn(1, 1, 128, 128, requires_grad=True)
    scores = plain(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert image.grad is not None
    rows = image.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == field


@pytest.mark.parametrize(("a", "b"), [(1, 3), (3, 1)])
@pytest.mark.parametrize("direction", ["a-to-b", "b-to-a"])
def test_both_directions_and_other_channels(a: int, b: int, direction: str):
    torch.manual_seed(0)
    gan = build_gan(
        "pix2pix",
        Schema(size=16, channels={"a": a, "b": b}),
        {"width": 2, "halvings": 1, "direction": direction},
    )
    batch = make_batch(gan, 2)
    given, made = (batch["a"], batch["b"]) if direction == "a-to-b" else (batch["b"], batch["a"])

    assert gan.target == direction[-1]

    fake = gan.sample(2, RowRng(0, [0, 1]), **gan.make_inputs(batch, RowRng(0, [0, 1])))
    assert fake.shape == made.shape
    assert torch.equal(gan.make_inputs(batch, RowRng(0, [0, 1]))["image"], given)
    assert list(gan.make_preview(batch, RowRng(0, [0, 1]))) == ["given", "generated", "real"]


def test_dropout_belongs_to_the_image_and_stays_on():
    gan = make_gan("pix2pix", 32, 3, width=8).eval()
    image = make_batch(gan, 3)["a"]
    with torch.no_grad():
        together = gan.sample(3, RowRng(0, [0, 1, 2]), image=image)
        alone = gan.sample(1, RowRng(0, [2]), image=image[2:])
        other = gan.sample(1, RowRng(1, [2]), image=image[2:])
    torch.testing.assert_close(together[2:], alone)
    assert (alone - other).abs().mean() > 1e-4
    gan.train()
    with torch.no_grad():
        torch.testing.assert_close(gan.sample(3, RowRng(0, [0, 1, 2]), image=image), together)


def forwards(gan: GAN, network: nn.Module) -> int:
    """How often a network is used in a training step."""
    calls = []
    handle = network.register_forward_hook(lambda *_: calls.append(1))
    for _ in gan.step(make_batch(gan, 2), FixedClock(), StepRng(0, 0)):
        pass
    handle.remove()
    return len(calls)


def test_fakes_are_generated_once_a_step():
    gan = make_gan("pix2pix", 16, 3)
    assert forwards(gan, gan.generator) == 1
    assert forwards(gan, gan.discriminator) == 3  # real, fake, and fake again after its update
    batch = make_batch(gan, 2)
    with FlopCounterMode(display=False) as alone:
        gan.sample(2, StepRng(0, 0), image=batch["a"])
    with FlopCounterMode(display=False) as whole:
        for _ in gan.step(batch, FixedClock(), StepRng(0, 0)):
            pass
    with FlopCounterMode(display=False) as judged:
        gan.score(batch)
    assert whole.get_total_flops() == alone.get_total_flops() + 3 * judged.get_total_flops()


def test_without_the_adversary_the_distance_alone_is_learned():
    gan = make_gan("pix2pix", 16, 1, adversarial_weight=0.0)
    updates = list(gan.step(make_batch(gan, 2), FixedClock(), StepRng(0, 0)))
    assert list(updates[1].losses) == ["reconstruction"]
    assert updates[1].losses["reconstruction"].item() == pytest.approx(
        100 * updates[1].stats["distance"].item(), rel=1e-5
    )


def test_refusals():
    unpaired = Schema(size=16, channels={"a": 3, "b": 3}, unpaired=True)
    refused_in_one_line(lambda: build_gan("pix2pix", unpaired, {}), "pix2pix needs pairs of images")
    refused_in_one_line(
        lambda: build_gan("pix2pix", Schema(size=16, channels={"image": 3}), {}),
        "needs images of two domains",
    )
    refused_in_one_line(
        lambda: make_gan("pix2pix", 50), "size 50 cannot be halved twice; use a multiple of 4"
    )
    refused_in_one_line(lambda: make_gan("pix2pix", 16, direction="b-to-c"), "direction")
