"""CycleGAN: the paper's networks, losses and pools of images."""

import copy

import pytest
import torch
from tiny import (
    count_parameters,
    make_batch,
    make_gan,
    make_schema,
    refused_in_one_line,
    updates_by_player,
)
from torch import Tensor

from ganvas.gans.cyclegan import swap_with_pool
from ganvas.gans.options import build_gan
from ganvas.rng import RowRng, StepRng
from ganvas.schema import Schema


def test_cyclegan_has_the_papers_parameters():
    with torch.device("meta"):
        gan = build_gan("cyclegan", make_schema(256, 3), {})
        small = build_gan("cyclegan", make_schema(128, 3), {})

    assert (
        count_parameters(gan.generator.a_to_b)
        == count_parameters(gan.generator.b_to_a)
        == 11_378_179
    )
    assert (
        count_parameters(gan.discriminator_a) == count_parameters(gan.discriminator_b) == 2_764_737
    )

    block = 2 * (256 * 256 * 3 * 3 + 256)
    assert (
        count_parameters(gan.generator.a_to_b) - count_parameters(small.generator.a_to_b)
        == 3 * block
    )
    assert gan.pool_a.shape == (50, 3, 256, 256)


# CycleGAN's step


def test_cyclegans_losses_are_the_papers_formulas():
    gan = make_gan("cyclegan", channels=3, pool=0, cycle_weight=7.0, identity_weight=2.0)
    batch = make_batch(gan, 3)
    a, b = batch["a"], batch["b"]
    to_b, to_a = gan.generator.a_to_b, gan.generator.b_to_a
    fake_b, fake_a = to_b(a), to_a(b)
    score_a, score_b = gan.discriminator_a(fake_a), gan.discriminator_b(fake_b)
    cycle = (to_a(fake_b) - a).abs().mean() + (to_b(fake_a) - b).abs().mean()
    identity = (to_b(b) - b).abs().mean() + (to_a(a) - a).abs().mean()
    adversarial = (score_a - 1).square().mean() + (score_b - 1).square().mean()
    updates = updates_by_player(gan, batch)
    found = {term: loss.item() for term, loss in updates["generator"].losses.items()}
    expected = {
        "adversarial": adversarial.item(),
        "cycle": 7 * cycle.item(),
        "identity": 2 * identity.item(),
    }

    assert found == pytest.approx(expected, rel=1e-5)
    assert updates["generator"].stats["cycle_error"].item() == pytest.approx(
        127.5 * cycle.item() / 2, rel=1e-5
    )
    for domain, real, fake in (("a", a, score_a), ("b", b, score_b)):
        score = gan.get_submodule(f"discriminator_{domain}")(real)
        half = ((score - 1).square().mean() + fake.square().mean()) / 2
        assert updates[f"discriminator_{domain}"].losses["adversarial"].item() == pytest.approx(
            half.item(), rel=1e-5
        )
    assert torch.equal(gan.score(batch), updates["discriminator_b"].scores[0])


def test_cyclegan_translates_each_image_once_a_step_and_without_identity_never_its_own_domain():
    # an image, a fake from the other domain, and perhaps one of its own domain
    for weight, calls in ((5.0, 3), (0.0, 2)):
        gan, seen = make_gan("cyclegan", identity_weight=weight), []
        gan.generator.a_to_b.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        updates = updates_by_player(gan, make_batch(gan, 2))
        assert len(seen) == calls
        assert ("identity" in updates["generator"].losses) == bool(weight)


def test_cyclegan_translates_to_the_domain_asked_for():
    gan = make_gan("cyclegan", channels=3).eval()
    image = make_batch(gan, 3)["a"]
    made = gan.sample(3, RowRng(0, range(3)), image=image, to=torch.tensor([0, 1, 0]))

    for row, network in enumerate(
        (gan.generator.b_to_a, gan.generator.a_to_b, gan.generator.b_to_a)
    ):
        torch.testing.assert_close(made[row : row + 1], network(image[row : row + 1]))

    shown = gan.make_preview({"a": image, "b": image}, RowRng(0, range(3)))
    assert list(shown) == ["a", "to b", "back", "b", "to a", "back "]
    torch.testing.assert_close(shown["back"], gan.generator.b_to_a(shown["to b"]))
    torch.testing.assert_close(shown["back "], gan.generator.a_to_b(shown["to a"]))

    asked = gan.make_inputs({"a": image, "b": image}, RowRng(0, range(3)))
    torch.testing.assert_close(gan.sample(3, RowRng(0, range(3)), **asked), shown["to b"])


# Pools


def numbered(start: int, count: int) -> Tensor:
    """Images of one pixel, all different."""
    return torch.arange(start, start + count, dtype=torch.float32).reshape(-1, 1, 1, 1)


def test_a_pool_fills_first_and_then_gives_on_every_second_image_old():
    pool, held = torch.zeros(50, 1, 1, 1), torch.zeros((), dtype=torch.int64)
    assert torch.equal(swap_with_pool(pool, held, numbered(1, 50), StepRng(0, 0)), numbered(1, 50))
    assert held == 50
    assert torch.equal(pool, numbered(1, 50))

    new, kept = 0, set(range(1, 51))
    ages = []
    for number in range(51, 2051):
        (given,) = (
            swap_with_pool(pool, held, numbered(number, 1), StepRng(0, number)).flatten().tolist()
        )
        kept.add(number)
        assert given in kept  # nothing comes twice from the pool
        kept.remove(given)
        new += given == number
        ages += [number - given] if given != number else []
        assert set(pool.flatten().tolist()) == kept
    assert abs(new - 1000) < 4 * (2000 / 4) ** 0.5
    # 50 places, each changed every 100 images
    assert 100 - 4 * 100 / 31 < sum(ages) / len(ages) < 100 + 4 * 100 / 31
    assert held == 50


def test_a_batch_goes_through_the_pool_one_by_one():
    pools = [(torch.zeros(3, 1, 1, 1), torch.zeros((), dtype=torch.int64)) for _ in range(2)]
    together = swap_with_pool(*pools[0], numbered(1, 40), StepRng(0, 0))
    shares = iter(StepRng(0, 0).rand(40, 2))

    class Shared(StepRng):
        def rows(self, count, make):
            return next(shares)[None]

    alone = [swap_with_pool(*pools[1], numbered(1 + row, 1), Shared(0, 0)) for row in range(40)]
    assert torch.equal(together, torch.cat(alone))
    assert torch.equal(pools[0][0], pools[1][0])


def test_pools_are_kept_in_checkpoints_and_change_only_while_training():
    gan = make_gan("cyclegan", pool=3)
    batch = make_batch(gan, 2)
    updates_by_player(gan.eval(), batch)
    assert gan.pool_b_count == 0
    updates_by_player(gan.train(), batch)
    assert gan.state_dict()["pool_b_count"] == gan.state_dict()["pool_a_count"] == 2
    assert torch.equal(gan.state_dict()["pool_b"][:2], gan.generator.a_to_b(batch["a"]))


def test_the_discriminator_judges_what_the_pool_gives():
    gan, batch, judged = make_gan("cyclegan", pool=2), make_batch(make_gan("cyclegan"), 2), []
    updates_by_player(gan, batch)
    old = gan.pool_b.clone()
    gan.discriminator_b.register_forward_pre_hook(lambda _, inputs: judged.append(inputs[0]))
    other = {name: values.flip(3) for name, values in batch.items()}
    given = []

    for steps in range(1, 9):
        updates_by_player(copy.deepcopy(gan), other, steps)
        fake, _, shown = judged[-3:]  # the generator's, the real ones, the pool's
        for picture in shown:
            given.append(any(torch.equal(picture, one) for one in old))
            assert given[-1] or any(torch.equal(picture, one) for one in fake)
    assert 0 < sum(given) < len(given)


def test_domains_of_different_channels_are_refused():
    data = Schema(size=8, channels={"a": 1, "b": 3}, unpaired=True)
    refused_in_one_line(
        lambda: build_gan("cyclegan", data, {}), "a has 1 and b 3: use --channels 3"
    )
