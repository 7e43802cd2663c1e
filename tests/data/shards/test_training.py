"""Training on shards and evaluation against them: order, processes, resuming, references."""

from pathlib import Path

import numpy as np
import pytest
import torch
from shard_sets import (
    COUNT,
    EACH,
    VIEW,
    copy_shards,
    image_column,
    make_loader,
    open_shards,
    train_on,
    write_shards,
)
from stopping import contents, interrupted_after
from tiny import refused_in_one_line

from ganvas.data import open_dataset
from ganvas.data.pick import choose_rows
from ganvas.data.split import split
from ganvas.evaluation.metrics.features import Pixels
from ganvas.evaluation.references import (
    draw_rows,
    features_of_rows,
    open_reference,
    open_training_reference,
)
from ganvas.training.signals import InterruptedRun


def test_epochs_and_seeds_have_orders_of_their_own_and_mix_shards(packed: Path):
    first, second = (make_loader(packed, seed=seed, batch=25, held_out=0) for seed in (0, 1))
    orders = [
        tuple(order.indices(images)) for order in (first, second) for images in (0, 25, 50, 75)
    ]
    assert len(set(orders)) == 8
    assert orders[0] == tuple(make_loader(packed, batch=25, held_out=0).indices(0))
    assert len(set(np.array(orders[0]) // EACH)) >= 4


def test_processes_share_the_same_batches_and_read_only_their_own_shards(packed: Path):
    """Also where a batch ends an epoch; each process reads the shards of its own streams."""
    alone = make_loader(packed, batch=8)
    halves = [make_loader(packed, rank, 2, batch=8) for rank in range(2)]
    read: list[set[int]] = [set(), set()]
    for half, seen in zip(halves, read):
        decoded = image_column(half.dataset).cache
        load = decoded.load
        decoded.load = lambda number, load=load, seen=seen: seen.add(number) or load(number)

    for images in range(0, 40, 8):
        whole = alone.at(images)
        parts = [half.at(images) for half in halves]
        for name, values in whole.items():
            assert torch.equal(values, torch.cat([part[name] for part in parts]))

    for half in halves:
        image_column(half.dataset).cache.stop()
    order = alone.main.interleave

    assert order is not None
    assert order.count == 4  # of 7 shards, the largest divisor of 8
    for rank, seen in enumerate(read):
        own = {
            number
            for stream in (2 * rank, 2 * rank + 1)
            for number in order.parts[order.stream_epoch(0, stream).shards]
        }
        following = {
            number
            for stream in (2 * rank, 2 * rank + 1)
            for number in order.parts[order.stream_epoch(1, stream).shards]
        }
        needed = {
            int(row) // EACH
            for images in range(0, 40, 8)
            for row in alone.indices(images)[4 * rank : 4 * rank + 4]
        }
        assert needed == own
        assert own <= seen <= own | following
    assert read[0] != read[1]


def test_drawing_with_replacement_is_refused(packed: Path):
    refused_in_one_line(
        lambda: make_loader(packed, replacement=True),
        "is read shard after shard; use --set replacement=false",
    )


def test_the_first_images_of_the_last_shards_are_held_out(packed: Path):
    starts = np.array([0, 8, 16, 18])
    assert split(18, 1, starts)[1].tolist() == [16]
    assert split(18, 2, starts)[1].tolist() == [16, 17]
    shown, held = split(18, 3, starts)
    assert (shown.tolist(), held.tolist()) == ([*range(8), *range(11, 18)], [8, 9, 10])
    batches = make_loader(packed, held_out=5)
    assert batches.held_out.tolist() == [40, 41, 42, 43, 44]
    seen = np.concatenate([batches.indices(images) for images in range(0, 360, 8)])
    assert set(seen) == set(batches.shown) and len(batches.shown) == 45
    assert (np.bincount(seen, minlength=COUNT)[batches.shown] == 8).all()


@pytest.mark.slow
def test_stopped_and_resumed_equals_uninterrupted(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the middle of shards and of an epoch, with memory for four shards, so that shards are read
    again and again.
    """
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 4 * EACH * 3 * 8 * 8)
    train_on(packed, tmp_path / "whole")
    with interrupted_after(5, tmp_path / "parts"), pytest.raises(InterruptedRun):
        train_on(packed, tmp_path / "parts")
    train_on(packed, tmp_path / "parts")
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_resume_reads_only_the_shards_of_its_place(folder: Path, tmp_path: Path):
    batches = make_loader(write_shards(folder, tmp_path / "many", each=2), batch=4)
    batches.at(20)
    image_column(batches.dataset).cache.stop()
    order = batches.main.interleave
    assert order is not None
    assert (order.count, order.together) == (4, 2)
    assert len(image_column(batches.dataset).cache.kept) <= 16 < 25


def test_features_do_not_depend_on_how_the_set_lies(folder: Path, packed: Path):
    rows = np.array([30, 2, 49, 11])
    sharded = open_shards(packed)
    values = features_of_rows(Pixels(), sharded, rows)
    expected = Pixels()(torch.from_numpy(sharded.images[rows])).values
    assert torch.equal(values, expected)


def test_judges_look_into_few_shards(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganvas.data.dataset.FEW", 3)
    monkeypatch.setattr("ganvas.evaluation.references.MOST", 9)
    dataset = open_shards(write_shards(folder, tmp_path / "many", each=4))
    everything = np.arange(COUNT)
    assert len(set(choose_rows(dataset.near(everything, 6), 6) // 4)) == 3
    assert len(set(dataset.near(everything, 30) // 4)) == 8
    chosen = draw_rows(dataset, everything, 0)
    assert len(chosen) == 9 and len(set(chosen // 4)) == 3
    assert dataset.near(everything, COUNT).tolist() == everything.tolist()
    whole = open_dataset(str(folder), VIEW)
    assert whole.near(everything, 6) is everything


def test_references_and_what_a_classifier_learns_from(
    packed: Path, monkeypatch: pytest.MonkeyPatch
):
    reference = open_training_reference(f"shards:{packed}", VIEW, 5, 10)
    assert reference.about()["name"] == "shards:pets"
    assert set(reference.rows) == set(range(COUNT)) - set(range(40, 45))
    monkeypatch.setattr("ganvas.evaluation.references.MOST_LEARNT", 12)
    learned = reference.training_images()
    assert len(learned) == 12 and isinstance(learned.images, np.ndarray)
    assert len(open_reference(f"shards:{packed}", VIEW, 10).rows) == COUNT


def test_a_set_may_be_named_like_a_test_set(packed: Path, folder: Path, tmp_path: Path):
    place = copy_shards(packed, tmp_path / "pets-test")
    assert len(open_reference(f"shards:{place}", VIEW, 10).rows) == COUNT
    (tmp_path / "pictures-test").symlink_to(folder)
    assert len(open_reference(str(tmp_path / "pictures-test"), VIEW, 10).rows) == COUNT
