"""The order in which training sees sharded sets."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data.shards.interleave import ShardInterleave
from ganvas.data.split import split
from ganvas.rng import fold_in


def make_order(
    lengths: list[int], batch: int, room: int = 1000, held_out: int = 0
) -> ShardInterleave:
    starts = np.cumsum([0, *lengths])
    shown, _ = split(int(starts[-1]), held_out, starts)

    def random(*keys: object) -> torch.Generator:
        return torch.Generator().manual_seed(fold_in(*map(str, keys)))

    return ShardInterleave(shown, starts, batch, room, random)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(1, 12), st.integers(2, 40))
def test_every_epoch_shows_every_image_once(lengths: list[int], batch: int, room: int):
    """The `count` positions from any multiple of `count` on are all images."""
    count = sum(lengths)
    if not count:
        return
    order = make_order(lengths, batch, room)
    found = np.empty(count * batch, np.int64)
    for images in range(0, count * batch, batch):
        found[order.positions(images).ravel()] = order.rows(images)
    for epoch in found.reshape(batch, count):
        assert sorted(epoch) == list(range(count))


def test_streams_and_blocks_fit_the_batch_the_shards_and_the_memory():
    def sizes(*arguments: int, shards: int = 40) -> tuple[int, int]:
        order = make_order([10] * shards, *arguments)
        return order.count, order.together

    assert sizes(64) == (8, 2)
    assert sizes(6) == (6, 2)
    assert sizes(13) == (1, 2)
    assert sizes(64, shards=5) == (4, 2)
    assert sizes(64, 16) == (8, 1)
    assert sizes(64, 9) == (4, 1)
    assert sizes(64, 2) == (1, 1)
