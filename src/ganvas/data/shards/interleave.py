"""The order in which training sees a sharded set: a function of the position alone."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

__all__ = ["Location", "ShardInterleave", "StreamEpoch"]

# Both decide the order of training: with other values, a resumed run would show other rows.
MAX_STREAMS = 8
MAX_MIXED = 2  # shards in a block


class StreamEpoch(NamedTuple):
    """The rows that one stream shows in one epoch.

    Attributes:
        shards: whose rows it shows, in this order, as places in `ShardInterleave.parts`, (n,).
        begins: first row of each shard that it shows, as a place among the rows shown, (n,).
        ends: where the rows of each shard end within the stream, int64 (n,).
    """

    shards: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


class Location(NamedTuple):
    """Where some positions of a run lie.

    Attributes:
        epochs: of each position, (n,).
        streams: number of the stream, (n,).
        places: rows of the same stream and epoch before it, (n,).
        blocks: number of the block within the stream and epoch, (n,).
    """

    epochs: np.ndarray
    streams: np.ndarray
    places: np.ndarray
    blocks: np.ndarray


class ShardInterleave:
    """Rows of a sharded set by position, such that few shards are needed at a time.

    An epoch's rows lie in a line, shard after shard, the shards in a random order. The line is cut
    into L streams of equal length; where the rows cannot be divided by L, some streams are one row
    longer, in turn from epoch to epoch. A shard that is cut is read by both of its streams.

    A batch takes equally many rows from each stream, and has those of the first stream first.
    Within a stream the shards are grouped into blocks of K, and the rows of a block are shuffled.
    So every epoch shows every row exactly once, and a batch may end one epoch and begin the next.

    L is the largest divisor of the batch that is at most MAX_STREAMS and the number of shards, and
    K is MAX_MIXED, as long as these shards and the next ones fit into memory; else both are
    smaller. Neither depends on the number of processes. A process whose part of the batch consists
    of whole streams reads the shards of these streams alone.

    Attributes:
        count: L.
        together: K.

    Args:
        shown: the rows that training sees, ascending, (N,).
        starts: the rows at which shards begin, (shards + 1,); see `ganvas.data.dataset.Shards`.
        batch: rows in a batch.
        room: shards that fit into memory.
        random: random numbers for a use at a position.
    """

    def __init__(
        self,
        shown: np.ndarray,
        starts: np.ndarray,
        batch: int,
        room: int,
        random: Callable[..., torch.Generator],
    ) -> None:
        self.shown = shown
        self.batch = batch
        self.random = random

        # Held-out rows are not shown, so some shards are shorter or missing in training.
        bounds = np.searchsorted(shown, starts)
        lengths = np.diff(bounds)
        self.parts = np.flatnonzero(lengths)  # the shards that training sees
        self.begins = bounds[self.parts]
        self.lengths = lengths[self.parts]

        # Twice as many must fit as are mixed: while they are shown, the next ones are read.
        most = max(1, min(MAX_STREAMS, len(self.parts), room // 2))
        self.count = max(number for number in range(1, most + 1) if batch % number == 0)
        self.together = max(1, min(MAX_MIXED, room // (2 * self.count)))

        self.epochs: dict[tuple[int, int], StreamEpoch] = {}  # by epoch and stream
        # By stream, the latest block: epoch, block, rows.
        self.latest: dict[int, tuple[int, int, np.ndarray]] = {}

    def rows(self, images: int) -> np.ndarray:
        """Which rows make the whole batch after `images` images, int64 (batch,)."""
        return np.concatenate([self.stream_rows(each) for each in self.positions(images)])

    def positions(self, images: int) -> np.ndarray:
        """Positions of the batch after `images` images, int64 (L, batch / L): a row per stream."""
        return np.arange(images, images + self.batch).reshape(-1, self.count).T

    def stream_rows(self, positions: np.ndarray) -> np.ndarray:
        """The rows at ascending positions, all of one stream, int64 (n,)."""
        rows = np.empty(len(positions), np.int64)
        at = self.locate(positions)
        stream = int(at.streams[0])

        # Few positions follow one another, so they lie in one block, or in two or three.
        for epoch, block in sorted(set(zip(at.epochs.tolist(), at.blocks.tolist()))):
            here = (at.epochs == epoch) & (at.blocks == block)
            ends = self.stream_epoch(epoch, stream).ends
            begin = int(ends[block * self.together - 1]) if block else 0
            rows[here] = self.block_rows(epoch, stream, block)[at.places[here] - begin]
        return rows

    def locate(self, positions: np.ndarray) -> Location:
        """Find epoch, stream, place and block of positions, (n,)."""
        total = len(self.shown)
        epochs = positions // total
        streams = positions % self.count

        # Position g belongs to stream g modulo L. Within the epoch, the stream's first position
        # is at `first`, its next ones at first + L, first + 2 L, ...
        first = (streams - epochs * total) % self.count
        places = (positions % total - first) // self.count

        blocks = np.empty(len(positions), np.int64)
        for epoch, stream in set(zip(epochs.tolist(), streams.tolist())):
            here = (epochs == epoch) & (streams == stream)
            ends = self.stream_epoch(epoch, stream).ends
            blocks[here] = np.searchsorted(ends, places[here], side="right") // self.together
        return Location(epochs, streams, places, blocks)

    def stream_epoch(self, epoch: int, stream: int) -> StreamEpoch:
        """What a stream shows in an epoch; only epochs near the latest one are kept."""
        if (epoch, stream) not in self.epochs:
            for key in [key for key in self.epochs if abs(key[0] - epoch) > 1]:
                del self.epochs[key]
            for number, part in enumerate(self.cut_epoch(epoch)):
                self.epochs[epoch, number] = part
        return self.epochs[epoch, stream]

    def cut_epoch(self, epoch: int) -> list[StreamEpoch]:
        """Lay the shards of an epoch in a line and cut it into streams."""
        order = torch.randperm(len(self.parts), generator=self.random("shards", epoch)).numpy()
        line = np.cumsum(np.concatenate([[0], self.lengths[order]]))  # where each shard begins

        # A stream is as long as there are positions of it in the epoch.
        total = len(self.shown)
        firsts = (np.arange(self.count) - epoch * total) % self.count
        lengths = (total - 1 - firsts) // self.count + 1
        borders = np.cumsum(np.concatenate([[0], lengths]))

        streams = []
        for begin, end in pairwise(borders):
            low = np.searchsorted(line, begin, side="right") - 1
            high = np.searchsorted(line, end)
            shards = order[low:high]
            # The stream before shows the first rows of a shard that is cut.
            skipped = np.maximum(begin - line[low:high], 0)
            ends = np.minimum(line[low + 1 : high + 1], end) - begin
            streams.append(StreamEpoch(shards, self.begins[shards] + skipped, ends))
        return streams

    def block_rows(self, epoch: int, stream: int, block: int) -> np.ndarray:
        """The rows of a block in the order in which they are shown, int64 (n,)."""
        latest = self.latest.get(stream)
        if latest is not None and latest[:2] == (epoch, block):
            return latest[2]

        part = self.stream_epoch(epoch, stream)
        lengths = np.diff(part.ends, prepend=0)
        first = block * self.together
        rows = np.concatenate(
            [
                self.shown[part.begins[place] :][: lengths[place]]
                for place in range(first, min(first + self.together, len(part.ends)))
            ]
        )
        # The key keeps the word "window", since another key would be another order.
        random = self.random("window", epoch, stream, block)
        rows = rows[torch.randperm(len(rows), generator=random).numpy()]
        self.latest[stream] = epoch, block, rows
        return rows

    def shards(self, images: int, mine: slice) -> Sequence[int]:
        """Shards to have in memory: those of the batch's rows, then the next ones of the streams.

        Args:
            images: shown before the batch.
            mine: this process's part of the batch.
        """
        # In a batch the streams follow one another, so a part of it has neighbouring streams.
        streams = np.unique(np.arange(self.batch)[mine] // (self.batch // self.count))
        now: list[int] = []
        later: list[int] = []
        for positions in self.positions(images)[streams]:
            at = self.locate(positions[-1:])
            epoch, stream, block = int(at.epochs[0]), int(at.streams[0]), int(at.blocks[0])
            shards = self.stream_epoch(epoch, stream).shards
            first, following = block * self.together, (block + 1) * self.together
            now += self.parts[shards[first:following]].tolist()

            after = shards[following:]
            if len(after) == 0:  # the stream's epoch ends with this block
                after = self.stream_epoch(epoch + 1, stream).shards
            later += self.parts[after[: self.together]].tolist()
        return list(dict.fromkeys([*now, *later]))
