"""Decoded shards in memory: the latest used ones, and those that a thread of its own reads ahead."""

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from typing import Any
from weakref import WeakSet

import numpy as np

PATIENCE = 10.0  # seconds that the end of the program waits for a shard that is being decoded


class DecodedShards:
    """Shards by number, loaded when they are asked for or told of; of more than `room` the longest
    unused one is forgotten.

    Several threads may ask; each shard is loaded by one of them, and the others wait for it.

    Args:
        load: reads a shard: number to uint8 (n, C, S, S).
        room: how many are kept.
    """

    def __init__(self, load: Callable[[int], np.ndarray], room: int):
        self.load, self.room = load, room
        self.lock = threading.Lock()
        self.kept: OrderedDict[int, Future[np.ndarray]] = OrderedDict()
        self.wanted: list[int] = []
        self.reader: threading.Thread | None = None
        OPEN.add(self)

    def get(self, number: int) -> np.ndarray:
        """The pictures of a shard, uint8 (n, C, S, S).

        Raises:
            UserError: as `load` does.
        """
        while True:
            future, mine = self._claim(number)
            if mine:
                self._fill(number, future)
            # another thread's failure; now it is this one's turn
            with nullcontext() if mine else suppress(Exception):
                return future.result()

    def ahead(self, numbers: Sequence[int]) -> None:
        """Load these in the background, in this order, instead of what was to be loaded before;
        returns at once.

        What goes wrong there is told to whoever asks for the shard, since it is then tried again.
        """
        with self.lock:
            self.wanted = [number for number in numbers if number not in self.kept]
            if self.wanted and self.reader is None:
                self.reader = threading.Thread(target=self._read, name="shards", daemon=True)
                self.reader.start()

    def stop(self) -> None:
        """Load nothing more ahead, and wait for what is being loaded."""
        with self.lock:
            self.wanted, reader = [], self.reader
        if reader is not None:
            reader.join(PATIENCE)

    def _read(self) -> None:
        """What the thread does: load what is wanted, and end."""
        while True:
            with self.lock:
                if not self.wanted:
                    self.reader = None
                    return
                number = self.wanted.pop(0)
            future, mine = self._claim(number)
            if mine:
                self._fill(number, future)

    def _claim(self, number: int) -> tuple[Future[np.ndarray], bool]:
        """Where the shard is or will be, and whether the caller is the one to load it."""
        with self.lock:
            future = self.kept.get(number)
            mine = future is None
            if future is None:
                future = self.kept[number] = Future()
            self.kept.move_to_end(number)
            for old in [old for old, other in self.kept.items() if other.done()][
                : max(0, len(self.kept) - self.room)
            ]:
                del self.kept[old]
            return future, mine

    def _fill(self, number: int, future: Future[np.ndarray]) -> None:
        try:
            future.set_result(self.load(number))
        except BaseException as error:
            with self.lock:
                self.kept.pop(number, None)
            future.set_exception(error)


class ShardColumn:
    """The pictures of a sharded set, read as an array: uint8 (N, C, S, S).

    Args:
        decoded: the shards.
        starts: of the rows of each, int64 (shards + 1,).
        shape: of a picture.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, decoded: DecodedShards, starts: np.ndarray, shape: tuple[int, int, int]):
        self.decoded, self.starts = decoded, starts
        self.shape: tuple[int, ...] = (int(starts[-1]), *shape)

    @property
    def ndim(self) -> int:
        """4."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> np.ndarray:
        """The picture at a row, or those at a slice or at an array of rows; each shard is needed
        once, one after another.
        """
        if isinstance(key, int | np.integer):
            return self[np.array([range(len(self))[int(key)]])][0]
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else np.asarray(key)
        parts = np.searchsorted(self.starts, rows, side="right") - 1
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for part in np.unique(parts):
            here = parts == part
            found[here] = self.decoded.get(int(part))[rows[here] - self.starts[part]]
        return found

    def __iter__(self) -> Iterator[np.ndarray]:
        """All pictures in order, the next shard read while one is looked at."""
        full = np.flatnonzero(np.diff(self.starts)).tolist()
        for part, following in zip(full, [*full[1:], None]):
            pictures = self.decoded.get(part)
            self.decoded.ahead([] if following is None else [following])
            yield from pictures


OPEN: "WeakSet[DecodedShards]" = WeakSet()


@atexit.register
def stop_all() -> None:
    """No thread may be within a decoder when Python ends."""
    with suppress(RuntimeError):  # the set changes
        for decoded in list(OPEN):
            decoded.stop()
