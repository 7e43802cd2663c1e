"""CycleGAN and StarGAN: the papers' own numbers and rules."""

import copy
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, make_schema, refused_in_one_line
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.gans import GAN
from ganvas.gans.cyclegan import swap_with_pool
from ganvas.gans.nn.networks import PatchDiscriminator, ResidualGenerator, patch_halvings
from ganvas.gans.options import build_gan
from ganvas.gans.stargan import UNKNOWN
from ganvas.rng import Rng, RowRng, StepRng
from ganvas.schema import Schema

HAIR = ("Black", "Blond", "Brown")
NAMES = (*HAIR, "Male", "Young")


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def updates_by_player(gan: GAN, batch: dict[str, Tensor], steps: int = 0) -> dict:
    """The updates of a training step whose weights all stay as they are, by player."""
    return {
        update.player: update
        for update in gan.step(batch, FixedClock(steps=steps), StepRng(0, steps))
    }


def stargan(size: int = 8, mixed: bool = False, **options) -> GAN:
    """A tiny StarGAN of five attributes, perhaps of two sets."""
    torch.manual_seed(0)
    names = {"attributes": NAMES} | ({"known": NAMES} if mixed else {})
    data = Schema(size=size, channels={"image": 3}, names=names)
    return build_gan("stargan", data, {"width": 2, "blocks": 1, "exclusive": (HAIR,)} | options)


def rows(count: int, size: int = 8, mixed: bool = False) -> dict[str, Tensor]:
    """Random pictures with five attributes; the first half's set knows the hair, the second half's
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


# The papers' networks


def test_cyclegan_has_the_papers_parameters():
    with torch.device("meta"):
        gan = build_gan("cyclegan", make_schema(256, 3), {})
        small = build_gan("cyclegan", make_schema(128, 3), {})
    assert count(gan.generator.a_to_b) == count(gan.generator.b_to_a) == 11_378_179
    assert count(gan.discriminator_a) == count(gan.discriminator_b) == 2_764_737
    block = 2 * (256 * 256 * 3 * 3 + 256)
    assert count(gan.generator.a_to_b) - count(small.generator.a_to_b) == 3 * block
    assert gan.pool_a.shape == (50, 3, 256, 256)


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
        count(gan.generator)
        == ((3 + 5) * 64 * 7 * 7 + 2 * 64) + halved + blocks + doubled + 64 * 3 * 7 * 7
        == 8_430_528
    )
    widths = [3, 64, 128, 256, 512, 1024, 2048]
    trunk = sum(inputs * outputs * 16 + outputs for inputs, outputs in pairwise(widths))
    assert count(gan.discriminator) == trunk + 2048 * 3 * 3 + 2048 * 2 * 2 * 5 == 44_762_048


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


def test_each_score_of_the_patch_discriminator_sees_70_pixels():
    torch.manual_seed(0)
    layers = PatchDiscriminator(3, 4, affine=False)
    # whose mean sees all
    network = nn.Sequential(
        *[layer for layer in layers if not isinstance(layer, nn.InstanceNorm2d)]
    )
    image = torch.randn(1, 3, 128, 128, requires_grad=True)
    scores = network(image)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 7].backward()
    seen = image.grad.abs().sum((0, 1)) > 0
    assert seen.any(0).sum() == seen.any(1).sum() == 70


@pytest.mark.parametrize("size", range(8, 72, 4))
def test_small_pictures_get_smaller_patches(size):
    assert patch_halvings(size) == (1 if size < 12 else 2 if size < 24 else 3)
    network = PatchDiscriminator(3, 2, patch_halvings(size), affine=False)
    scores = network(torch.randn(1, 3, size, size))
    assert scores.isfinite().all()


@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_constant_planes_have_an_effect_only_where_the_border_is_zero(padding):
    torch.manual_seed(0)
    network = ResidualGenerator(5, 3, width=4, blocks=2, padding=padding, affine=True).double()
    image = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    off, on = (
        network(torch.cat([image, torch.full((1, 2, 16, 16), value, dtype=torch.float64)], 1))
        for value in (0.0, 1.0)
    )
    change = (off - on).abs().max().item()
    # what is left is the norm's epsilon
    assert change > 1e-2 if padding == "zeros" else change < 1e-3


# CycleGAN's game


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


def test_cyclegan_translates_each_picture_once_a_round_and_without_identity_never_its_own_domain():
    # a picture, a fake from the other domain, and perhaps one of its own domain
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
    """Pictures of one pixel, all different."""
    return torch.arange(start, start + count, dtype=torch.float32).reshape(-1, 1, 1, 1)


def test_a_pool_fills_first_and_then_gives_on_every_second_picture_old():
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
    # 50 places, each changed every 100 pictures
    assert 100 - 4 * 100 / 31 < sum(ages) / len(ages) < 100 + 4 * 100 / 31
    assert held == 50


def test_a_batch_goes_through_the_pool_one_by_one():
    pools = [(torch.zeros(3, 1, 1, 1), torch.zeros((), dtype=torch.int64)) for _ in range(2)]
    together = swap_with_pool(*pools[0], numbered(1, 40), StepRng(0, 0))
    shares = iter(StepRng(0, 0).rand(40, 2))

    class Told(StepRng):
        def rows(self, count, make):
            return next(shares)[None]

    alone = [swap_with_pool(*pools[1], numbered(1 + row, 1), Told(0, 0)) for row in range(40)]
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


# Several processes


class DoubleDraw(StepRng):
    """The same numbers in float64."""

    def rows(self, count, make):
        return super().rows(count, make).double()


def in_two_processes(play: Callable[[int, Rng], object]) -> list:
    """What two threads find that play as two processes, each with its draw."""
    barrier, shared, found = threading.Barrier(2), {}, {}

    def run(rank: int):
        def collect(rows: Tensor) -> Tensor:
            shared[rank] = rows
            barrier.wait(20)
            whole = torch.cat([shared[0], shared[1]])
            barrier.wait(20)
            return whole

        try:
            found[rank] = play(rank, DoubleDraw(0, 0, rank=rank, world=2, collect=collect))
        finally:
            if rank not in found:
                barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[0], found[1]]


def gradients(gan: GAN, batch: dict[str, Tensor], rng: Rng) -> dict[str, Tensor]:
    """Gradients of all updates of a step whose weights stay as they are, by player and number."""
    found = {}
    for update in gan.step(batch, FixedClock(), rng):
        values = gan.players()[update.player]
        grads = torch.autograd.grad(sum(update.losses.values()), values, retain_graph=True)
        found |= {f"{update.player}/{number}": grad for number, grad in enumerate(grads)}
    return found


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "stargan", "inpaint"])
def test_two_processes_play_the_game_of_one(name):
    gan = make_gan(name, channels=3, classes=3).double()
    batch = {key: value.double() for key, value in make_batch(gan, 6).items()}
    copies = [copy.deepcopy(gan) for _ in range(2)]
    whole = gradients(gan, batch, DoubleDraw(0, 0))

    def play(rank: int, rng: Rng):
        return gradients(
            copies[rank], {key: value[3 * rank : 3 * rank + 3] for key, value in batch.items()}, rng
        )

    halves = in_two_processes(play)
    for key, gradient in whole.items():
        torch.testing.assert_close(
            (halves[0][key] + halves[1][key]) / 2, gradient, rtol=1e-9, atol=1e-12
        )
    for key, value in gan.state_dict().items():
        for copied in copies:
            torch.testing.assert_close(copied.state_dict()[key], value)
    if name == "cyclegan":
        assert gan.pool_a_count == 3  # six pictures went through it


# StarGAN's game


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


def test_stargans_generator_updates_every_fifth_round():
    gan, batch = stargan(), rows(2)
    moved = [steps for steps in range(11) if "generator" in updates_by_player(gan, batch, steps)]
    assert moved == [0, 5, 10]
    assert "generator" in updates_by_player(stargan(n_critic=1), batch, 3)


def test_wanted_attributes_are_those_of_other_pictures():
    gan, batch, asked = stargan(), rows(32), []
    gan.generator.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[1]))
    updates_by_player(gan, batch)
    wanted, own = asked
    assert torch.equal(own, batch["attributes"])
    assert not torch.equal(wanted, own)
    assert sorted(wanted.tolist()) == sorted(own.tolist())


def test_attributes_change_the_picture_and_each_otherwise():
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


def test_a_picture_takes_an_attribute_that_its_set_does_not_know_from_one_that_does():
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


# Refusals


@pytest.mark.parametrize("name", ["cyclegan", "stargan"])
@pytest.mark.parametrize(("size", "better"), [(4, "8"), (10, "8 and 12"), (63, "60 and 64")])
def test_sizes_that_cannot_be_halved_twice_are_refused(name, size, better):
    refused_in_one_line(lambda: make_gan(name, size), rf"^size {size} cannot be made .*: {better}$")


def test_domains_of_different_channels_are_refused():
    data = Schema(size=8, channels={"a": 1, "b": 3}, unpaired=True)
    refused_in_one_line(
        lambda: build_gan("cyclegan", data, {}), "a has 1 and b 3: use --channels 3"
    )


def test_data_of_another_kind_is_refused():
    pictures = Schema(size=8, channels={"image": 3})
    refused_in_one_line(
        lambda: build_gan("cyclegan", pictures, {}),
        "needs images of two domains: .*unpaired:FOLDER",
    )
    refused_in_one_line(
        lambda: build_gan("stargan", pictures, {}),
        "needs images with attributes: --data attributes:FOLDER",
    )


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([["Black", "Blnd"]], "the data has no attribute 'Blnd'; did you mean Blond"),
        ([["Black"]], r"the group \['Black'\] has one attribute"),
        ([["Black", "Black"]], "has one attribute"),
        ("hair", "options.exclusive"),
    ],
)
def test_groups_that_exclude_nothing_are_refused(groups, told):
    refused_in_one_line(lambda: stargan(exclusive=groups), told)


def test_an_attribute_that_is_none_is_refused():
    gan = stargan()
    refused_in_one_line(
        lambda: gan.change(torch.zeros(1, 5), "Yong", True),
        "no attribute 'Yong'; did you mean Young",
    )


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("cyclegan", "blocks", 0),
        ("cyclegan", "pool", -1),
        ("cyclegan", "cycle_weight", -1),
        ("stargan", "n_critic", 0),
    ],
)
def test_options_that_make_no_game_are_refused(name, option, value):
    refused_in_one_line(lambda: make_gan(name, **{option: value}), rf"options\.{option}={value}")
