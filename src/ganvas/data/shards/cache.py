"""Keep decoded shards in memory, and read the next ones ahead in a thread."""

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from typing import Any
from weakref import WeakSet

import numpy as np

__all__ = ["ShardCache", "ShardColumn"]

PATIENCE = 10.0  # seconds that the end of the program waits for a shard that is being decoded


class ShardCache:
    """Decoded shards by number; of more than `room` the least recently used one is dropped.

    Several threads may use it. Each shard is loaded by one of them, and the others wait for it.

    Args:
        load: reads a shard: number to uint8 (n, C, S, S).
        room: how many shards are kept.
    """

    def __init__(self, load: Callable[[int], np.ndarray], room: int):
        self.load = load
        self.room = room
        self.lock = threading.Lock()  # for the three below
        # By number, the least recently used first; some are still being loaded.
        self.kept: OrderedDict[int, Future[np.ndarray]] = OrderedDict()
        self.wanted: list[int] = []  # numbers to read ahead, in this order
        self.reader: threading.Thread | None = None  # None while nothing is wanted
        CACHES.add(self)

    def get(self, number: int) -> np.ndarray:
        """The pictures of a shard, uint8 (n, C, S, S).

        Raises:
            UserError: as `load` does.
        """
        while True:
            future, is_mine = self._claim(number)
            if is_mine:
                self._fill(number, future)
            # If another thread failed to load it, this one tries itself.
            with nullcontext() if is_mine else suppress(Exception):
                return future.result()

    def read_ahead(self, numbers: Sequence[int]) -> None:
        """Load these shards in the background, in this order, and forget earlier requests.

        Returns at once. An error there is not lost: `get` tries the shard again and raises it.
        """
        with self.lock:
            self.wanted = [number for number in numbers if number not in self.kept]
            if self.wanted and self.reader is None:
                # Daemon: Python waits for other threads before it calls `_stop_readers`.
                self.reader = threading.Thread(target=self._read, name="shards", daemon=True)
                self.reader.start()

    def stop(self) -> None:
        """Stop reading ahead, and wait for the shard that is being loaded."""
        with self.lock:
            self.wanted = []
            reader = self.reader
        if reader is not None:
            reader.join(PATIENCE)

    def _read(self) -> None:
        """Load what is wanted, then end: the work of the thread."""
        while True:
            with self.lock:
                if not self.wanted:
                    self.reader = None  # under the lock: a request just now needs a new thread
                    return
                number = self.wanted.pop(0)

            future, is_mine = self._claim(number)
            if is_mine:
                self._fill(number, future)

    def _claim(self, number: int) -> tuple[Future[np.ndarray], bool]:
        """Where the shard is or will be, and whether the caller is the one to load it."""
        with self.lock:
            future = self.kept.get(number)
            is_mine = future is None
            if future is None:
                future = self.kept[number] = Future()
            self.kept.move_to_end(number)

            # Shards that are being loaded stay, since somebody waits for them.
            excess = max(0, len(self.kept) - self.room)
            loaded = [old for old, other in self.kept.items() if other.done()]
            for old in loaded[:excess]:
                del self.kept[old]
            return future, is_mine

    def _fill(self, number: int, future: Future[np.ndarray]) -> None:
        """Load a claimed shard, or hand the error to whoever waits for it."""
        try:
            future.set_result(self.load(number))
        # Any error: without a result or an error, those who wait would wait for ever.
        except BaseException as error:
            with self.lock:
                self.kept.pop(number, None)  # first: who tries again must not find it
            future.set_exception(error)


class ShardColumn:
    """The pictures of a sharded set, read like an array: uint8 (N, C, S, S).

    Args:
        cache: the decoded shards.
        starts: first row of each shard, and the end, int64 (shards + 1,).
        shape: (C, S, S) of a picture.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, cache: ShardCache, starts: np.ndarray, shape: tuple[int, int, int]):
        self.cache = cache
        self.starts = starts
        self.shape: tuple[int, ...] = (int(starts[-1]), *shape)

    @property
    def ndim(self) -> int:
        """Number of dimensions: 4."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> np.ndarray:
        """The picture at a row, or those at a slice or at an array of rows.

        Each shard is loaded once, one after another.
        """
        if isinstance(key, int | np.integer):
            # A range checks the bounds, and counts negative rows from the end.
            return self[np.array([range(len(self))[int(key)]])][0]

        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else np.asarray(key)
        # int64 (n,). "right": an empty shard begins where the next one does, and is passed over.
        shards = np.searchsorted(self.starts, rows, side="right") - 1
        pictures = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for shard in np.unique(shards):
            here = shards == shard
            pictures[here] = self.cache.get(int(shard))[rows[here] - self.starts[shard]]
        return pictures

    def __iter__(self) -> Iterator[np.ndarray]:
        """All pictures in order; the next shard is read while this one is used."""
        full = np.flatnonzero(np.diff(self.starts)).tolist()  # shards without rows are not read
        for shard, following in zip(full, [*full[1:], None]):
            pictures = self.cache.get(shard)
            self.cache.read_ahead([] if following is None else [following])
            yield from pictures


CACHES: "WeakSet[ShardCache]" = WeakSet()


@atexit.register
def _stop_readers() -> None:
    """Stop all threads: one that is inside a decoder when Python ends would crash it."""
    with suppress(RuntimeError):  # the set changed meanwhile
        for cache in list(CACHES):
            cache.stop()
