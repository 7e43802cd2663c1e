"""The order in which training sees a sharded set: a pure function of the position, for which few
shards need be in memory.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

MOST_LANES = 8
MOST_SHARDS = 2  # whose rows a lane mixes


class Cut(NamedTuple):
    """A lane's part of an epoch.

    Attributes:
        shards: whose rows it shows, in this order, (n,).
        begins: the first row of each that it shows, as a place among the rows shown in training,
            (n,).
        ends: where the rows of each end in the lane, int64 (n,).
    """

    shards: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


class ShardInterleave:
    """Rows of a sharded set by position.

    An epoch's rows lie one after another, shard by shard, the shards in a random order. Each of L
    lanes shows one stretch of that line, all equally long; where the rows cannot be divided by L,
    some are one row longer, in turn from epoch to epoch. A shard in which a stretch ends is read by
    both its lanes. Every batch takes equally many rows from each lane, and has those of the first
    lane first. Within a lane the rows of each K shards are mixed. So every epoch shows every row
    exactly once; a batch may end one and begin the next.

    L is the largest divisor of the batch that is at most 8, and at most the number of shards, and K
    is 2, as long as those shards and the ones after them fit into memory; both less where they do
    not. Neither depends on the number of processes. A process whose part of the batch is whole
    lanes reads their shards alone.

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
        self.shown, self.batch, self.random = shown, batch, random
        bounds = np.searchsorted(shown, starts)
        self.parts = np.flatnonzero(np.diff(bounds))  # the shards that training sees
        self.begins, self.lengths = bounds[self.parts], np.diff(bounds)[self.parts]
        # Twice as many must fit as are mixed: while they are shown, the next ones are read.
        most = max(1, min(MOST_LANES, len(self.parts), room // 2))
        self.count = max(lanes for lanes in range(1, most + 1) if batch % lanes == 0)
        self.together = max(1, min(MOST_SHARDS, room // (2 * self.count)))
        self.cuts: dict[tuple[int, int], Cut] = {}  # by epoch and lane
        # by lane the latest: epoch, window, rows
        self.mixed: dict[int, tuple[int, int, np.ndarray]] = {}

    def rows(self, images: int) -> np.ndarray:
        """Which rows make the whole batch after `images` images, int64 (batch,)."""
        return np.concatenate([self.of_lane(positions) for positions in self.positions(images)])

    def positions(self, images: int) -> np.ndarray:
        """The positions of the batch after `images` images in the run, a row for each lane: int64
        (L, batch / L).
        """
        return np.arange(images, images + self.batch).reshape(-1, self.count).T

    def of_lane(self, positions: np.ndarray) -> np.ndarray:
        """The rows at ascending positions, all of one lane."""
        found = np.empty(len(positions), np.int64)
        epochs, lanes, places, windows = self.windows(positions)
        for epoch, window in sorted(set(zip(epochs.tolist(), windows.tolist()))):
            here = (epochs == epoch) & (windows == window)
            lane = int(lanes[0])
            cut = self.cut(epoch, lane)
            begin = 0 if window == 0 else int(cut.ends[window * self.together - 1])
            found[here] = self.window(epoch, lane, window)[places[here] - begin]
        return found

    def windows(
        self, positions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of positions (n,): epochs, lanes, places in the lane's part of the epoch, windows that
        are mixed; (n,) each.
        """
        total = len(self.shown)
        epochs, lanes = positions // total, positions % self.count
        # Places before it in the epoch and in its lane: those at the lane's first, at L after it,
        # ...
        places = (positions % total - (lanes - epochs * total) % self.count) // self.count
        windows = np.empty(len(positions), np.int64)
        for epoch, lane in set(zip(epochs.tolist(), lanes.tolist())):
            here = (epochs == epoch) & (lanes == lane)
            windows[here] = (
                np.searchsorted(self.cut(epoch, lane).ends, places[here], side="right")
                // self.together
            )
        return epochs, lanes, places, windows

    def cut(self, epoch: int, lane: int) -> Cut:
        """A lane's part of an epoch."""
        if (epoch, lane) not in self.cuts:
            for old in [key for key in self.cuts if abs(key[0] - epoch) > 1]:
                del self.cuts[old]
            order = torch.randperm(len(self.parts), generator=self.random("shards", epoch)).numpy()
            line = np.cumsum(np.concatenate([[0], self.lengths[order]]))  # where each shard begins
            # each lane's first position in the epoch
            firsts = (np.arange(self.count) - epoch * len(self.shown)) % self.count
            borders = np.cumsum(
                np.concatenate([[0], (len(self.shown) - 1 - firsts) // self.count + 1])
            )
            for number, (begin, end) in enumerate(pairwise(borders)):
                low, high = (
                    np.searchsorted(line, begin, side="right") - 1,
                    np.searchsorted(line, end),
                )
                shards = order[low:high]
                # of the first shard: shown by the lane before
                skipped = np.maximum(begin - line[low:high], 0)
                ends = np.minimum(line[low + 1 : high + 1], end) - begin
                self.cuts[epoch, number] = Cut(shards, self.begins[shards] + skipped, ends)
        return self.cuts[epoch, lane]

    def window(self, epoch: int, lane: int, window: int) -> np.ndarray:
        """The rows of a window in the order in which they are shown, int64 (n,)."""
        known = self.mixed.get(lane)
        if known is None or known[:2] != (epoch, window):
            cut, first = self.cut(epoch, lane), window * self.together
            lengths = np.diff(cut.ends, prepend=0)
            span = range(first, min(first + self.together, len(cut.ends)))
            rows = np.concatenate(
                [self.shown[cut.begins[part] :][: lengths[part]] for part in span]
            )
            mixed = torch.randperm(
                len(rows), generator=self.random("window", epoch, lane, window)
            ).numpy()
            known = self.mixed[lane] = epoch, window, rows[mixed]
        return known[2]

    def shards(self, images: int, mine: slice) -> Sequence[int]:
        """The shards that some rows of the batch after `images` images are of, then those that
        follow in their lanes.
        """
        lanes = np.arange(self.batch)[mine] // (self.batch // self.count)
        now: list[int] = []
        later: list[int] = []
        for positions in self.positions(images)[np.unique(lanes)]:
            epochs, numbers, _, windows = self.windows(positions[-1:])
            epoch, lane, window = int(epochs[0]), int(numbers[0]), int(windows[0])
            shards = self.cut(epoch, lane).shards
            first, following = window * self.together, (window + 1) * self.together
            now += self.parts[shards[first:following]].tolist()
            shards = (
                shards[following:] if following < len(shards) else self.cut(epoch + 1, lane).shards
            )
            later += self.parts[shards[: self.together]].tolist()
        return list(dict.fromkeys([*now, *later]))
