"""Random numbers and the order of the data: pure functions of the seed and the position."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data.dataset import Dataset, single
from ganvas.data.loader import Loader
from ganvas.data.report import DataReport
from ganvas.errors import UserError
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Adam, Recipe
from ganvas.rng import Rng, RowRng, StepRng, WalkRng, fold_in
from ganvas.training.engine import Engine

KINDS = {
    "normal": lambda rng, count: rng.normal(count, 3),
    "uniform": lambda rng, count: rng.uniform(count, 3),
    "labels": lambda rng, count: rng.randint(count, 1000),
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
keys = st.integers(0, 2**63) | st.text(max_size=5)


# Draws


@given(st.lists(keys, min_size=1, max_size=4), st.data())
def test_any_key_changes_the_mix(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(
        keys.filter(lambda key: (type(key), key) != (type(values[place]), values[place]))
    )
    changed = [*values[:place], other, *values[place + 1 :]]
    assert fold_in(*values) == fold_in(*values)
    assert fold_in(*values) != fold_in(*changed)
    assert fold_in(*values) != fold_in(*values, other)
    assert 0 <= fold_in(*values) < 2**63


def test_the_mix_is_the_same_in_every_run_and_version():
    """Else old seeds would give other images."""
    assert fold_in(0, "round", 0) == 2_854_335_205_796_064_331


@kinds
def test_row_seven_is_the_same_alone_or_among_many(kind):
    alone = kind(RowRng(0, [7]), 1)
    among = kind(RowRng(0, range(20)), 20)
    assert torch.equal(among[7:8], alone)
    assert torch.equal(kind(RowRng(0, [9, 7, 9]), 3), among[[9, 7, 9]])
    assert len(among.reshape(20, -1).unique(dim=0)) >= 19  # labels may meet by chance
    assert not torch.equal(kind(RowRng(1, range(20)), 20), among)


def test_rows_are_as_many_as_were_named():
    with pytest.raises(ValueError, match="4 rows were requested, but 3 rows are given"):
        RowRng(0, range(3)).normal(4, 2)


@kinds
def test_two_processes_draw_what_one_does(kind):
    whole, halves = StepRng(3, 640), [StepRng(3, 640, rank=rank, world=2) for rank in (0, 1)]
    for count in (8, 4):  # the second draw of a step too
        together = kind(whole, count)
        assert torch.equal(torch.cat([kind(half, count // 2) for half in halves]), together)
        assert not torch.equal(together[: count // 2], together[count // 2 :])


@kinds
def test_every_step_and_seed_draws_anew(kind):
    first = kind(StepRng(0, 0), 8)
    assert torch.equal(kind(StepRng(0, 0), 8), first)
    assert not torch.equal(kind(StepRng(0, 100), 8), first)
    assert not torch.equal(kind(StepRng(1, 0), 8), first)
    rng = StepRng(0, 0)
    assert not torch.equal(kind(rng, 8), kind(rng, 8))


@pytest.mark.parametrize(
    "make_draw", [lambda n: StepRng(0, 0), lambda n: RowRng(0, range(n))], ids=["step", "row"]
)
def test_distributions(make_draw):
    """Within four standard errors of means and variances."""
    count = 3000
    normal, uniform = make_draw(count).normal(count, 2), make_draw(count).uniform(count, 2)
    labels = make_draw(count).randint(count, 10)
    numbers = 2 * count

    assert abs(normal.mean()) < 4 / math.sqrt(numbers)
    assert normal.var().item() == pytest.approx(1, abs=4 * math.sqrt(2 / numbers))
    assert abs(uniform.mean()) < 4 * math.sqrt(1 / 3 / numbers)
    # of a squared uniform number
    assert uniform.var().item() == pytest.approx(1 / 3, abs=4 * math.sqrt(4 / 45 / numbers))
    assert -1 <= uniform.min() < -0.99
    assert 0.99 < uniform.max() < 1
    assert labels.dtype == torch.int64

    counts = labels.bincount(minlength=10)
    assert len(counts) == 10
    assert (counts - count / 10).abs().max() < 4 * math.sqrt(count * 0.1 * 0.9)


def walk(positions: list[float], anchors: int = 3, seed: int = 0) -> Rng:
    """On the closed way through the first rows of a seed; 1.25 is between rows 1 and 2."""
    share, before = torch.tensor(positions) % 1, [int(position) for position in positions]
    after = [(row + 1) % anchors for row in before]
    return WalkRng(RowRng(seed, before), RowRng(seed, after), share)


@kinds
def test_a_walk_passes_through_its_anchors_and_closes(kind):
    anchors = kind(RowRng(0, range(3)), 3)
    assert torch.allclose(kind(walk([0.0, 1.0, 2.0]), 3), anchors, atol=1e-6)
    if anchors.is_floating_point():
        assert torch.allclose(kind(walk([2.9999]), 1), anchors[:1], atol=1e-3)
        assert not torch.allclose(kind(walk([2.5]), 1), anchors[:1], atol=0.1)


def test_a_walk_is_smooth():
    steps = walk([i / 100 for i in range(300)]).normal(300, 50)
    lengths = (steps - steps.roll(1, 0)).norm(dim=1)
    # Two random directions of 50 numbers, each about 7 long, are about a right angle apart: 11 in
    # 100 steps.
    assert lengths.max() < 0.2
    assert lengths.min() > 0.05


def test_normal_walks_keep_their_length_and_uniform_ones_go_straight():
    ends = RowRng(0, range(2)).normal(2, 500).norm(dim=1)
    middle = walk([0.5]).normal(1, 500).norm()
    assert middle.item() == pytest.approx(ends.mean().item(), rel=0.02)
    ends = RowRng(0, range(2)).uniform(2, 5)
    assert torch.allclose(walk([0.25]).uniform(1, 5)[0], 0.75 * ends[0] + 0.25 * ends[1])


def test_a_walk_round_one_anchor_stays_there():
    assert torch.allclose(
        walk([0.0, 0.3], anchors=1).normal(2, 9), RowRng(0, [0, 0]).normal(2, 9), atol=1e-3
    )


# Loader


def dataset(count: int) -> Dataset:
    """Images 0, 1, 2, ...: the number is the label, and the brightness of the left half; the
    right half is white.
    """
    images = np.full((count, 1, 2, 2), 255, np.uint8)
    images[..., 0] = np.arange(count, dtype=np.uint8)[:, None, None]
    names = tuple(str(number) for number in range(count))
    return single(
        images, np.arange(count), names, DataReport(spec="numbers", found=count, used=count)
    )


def batches(count: int, batch: int, rank: int = 0, world: int = 1, **settings) -> Loader:
    adam = Adam(lr=1e-3)
    optimizers = {"generator": adam, "discriminator": adam}
    fixed = {"held_out": 0, "optimizers": optimizers}
    recipe = Recipe(name="numbers", gan="mlp", batch=batch, images=10_000, **fixed, **settings)
    engine = Engine("cpu")
    engine.rank, engine.world = rank, world
    return Loader(dataset(count), recipe.sampling, engine.placement)


@settings(max_examples=50)
@given(st.integers(1, 12), st.integers(1, 30))
def test_every_epoch_shows_every_image_once(count, batch):
    """`count` batches are `batch` epochs, wherever one ends."""
    order = batches(count, batch)
    shown = np.concatenate([order.at(number * batch)["label"].numpy() for number in range(count)])
    for epoch in shown.reshape(batch, count):
        assert sorted(epoch) == list(range(count))


def test_every_epoch_and_seed_has_an_order_of_its_own():
    epochs = {
        tuple(batches(20, 20, seed=seed).at(20 * epoch)["label"].tolist())
        for epoch in range(3)
        for seed in range(3)
    }
    assert len(epochs) == 9


@pytest.mark.parametrize("settings", [{}, {"replacement": True}, {"flip": True}])
def test_a_batch_depends_on_its_position_alone(settings):
    order = batches(20, 8, **settings)
    shown = {images: order.at(images) for images in (0, 8, 16, 24, 80)}
    for images in (80, 16, 0, 24, 8):
        for again in (order.at(images), batches(20, 8, **settings).at(images)):
            assert torch.equal(again["label"], shown[images]["label"])
            assert torch.equal(again["image"], shown[images]["image"])


@pytest.mark.parametrize("settings", [{}, {"replacement": True}, {"flip": True}])
def test_two_processes_share_a_batch(settings):
    whole = batches(20, 8, **settings)
    halves = [batches(20, 8, rank, 2, **settings) for rank in (0, 1)]
    for images in (0, 16, 400):
        parts = [half.at(images) for half in halves]
        for key, values in whole.at(images).items():
            assert torch.equal(torch.cat([part[key] for part in parts]), values)


def test_a_batch_that_processes_cannot_share():
    with pytest.raises(
        UserError, match=r"batch=7 cannot be divided among 2 processes.*--set batch"
    ):
        batches(20, 7, world=2)


def test_images_keep_their_labels_and_their_values():
    batch = batches(200, 64).at(0)
    assert batch["image"].dtype == torch.float32
    pixels = to_uint8(batch["image"])
    assert torch.equal(pixels[:, 0, 0, 0].long(), batch["label"])
    assert (batch["image"][..., 1] == 1).all()


def test_replacement_repeats_and_misses_some():
    shown = batches(200, 200, replacement=True).at(0)["label"].unique()
    # Expected 200 (1 - 1/e) = 126 different ones, standard deviation about 4.
    assert 106 < len(shown) < 146


def test_half_of_the_images_are_flipped():
    batch = batches(200, 2000, flip=True).at(0)
    left, right = to_uint8(batch["image"])[:, 0, 0].long().T
    flipped = left == 255
    number = torch.where(flipped, right, left)
    assert torch.equal(number, batch["label"])
    assert flipped.float().mean().item() == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 2000))
    again = batches(200, 2000, flip=True).at(2000)["image"][:, 0, 0, 0] == 1
    assert not torch.equal(again, flipped)
