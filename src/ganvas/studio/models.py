"""Trained GANs in memory: loaded once, used by one request at a time, outdated ones dropped."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from ganvas.inference.directions import Way, find_directions
from ganvas.inference.run import Run, load

__all__ = ["Models", "OutdatedError"]

MOST_LOADED = 3  # GANs in memory
MOST_CHANNELS = 1000  # a page has a few
LONGEST_NUMBER = 16  # digits
Answer = TypeVar("Answer")


class OutdatedError(Exception):
    """While a request waited, the page has asked for something newer in its place."""


class _Loaded:
    """A loaded run, and the directions that were found in its noise."""

    def __init__(self, run: Run):
        self.run = run
        self.directions: dict[Way, Tensor] = {}


class Models:
    """The GANs that the page uses.

    Args:
        device: where they generate.
    """

    def __init__(self, device: str = "cpu"):
        self.device = device
        self.lock = threading.Lock()  # one GAN works at a time: they share the processor
        self.loaded: OrderedDict[Path, _Loaded] = OrderedDict()
        self.noting = threading.Lock()  # of wishes, which come while a GAN works
        self.newest: dict[str, int] = {}  # the number of the newest wish by channel

    def use(self, checkpoint: Path, work: Callable[[Run], Answer], wish: str = "") -> Answer:
        """Do some work with a GAN when its turn comes.

        Args:
            checkpoint: folder of the checkpoint.
            work: what to do.
            wish: "CHANNEL:NUMBER" of the page: of the wishes of one channel only the one with the
                highest number matters; empty: it always matters.

        Raises:
            OutdatedError: a newer wish of the same channel has come.
            UserError: the checkpoint is damaged, or what the work raises.
        """
        channel, _, digits = wish.rpartition(":")
        number = int(digits) if digits.isdecimal() and len(digits) < LONGEST_NUMBER else 0
        if channel:
            with self.noting:
                # put last: channels of pages that are long closed are forgotten first
                self.newest[channel] = max(number, self.newest.pop(channel, 0))
                while len(self.newest) > MOST_CHANNELS:
                    del self.newest[next(iter(self.newest))]

        with self.lock:
            # asked here, after the wait
            if channel and number < self.newest.get(channel, 0):
                raise OutdatedError
            return work(self._find(checkpoint).run)

    def directions(self, checkpoint: Path, way: Way) -> Tensor:
        """The directions in the noise of a GAN, found once; see `find_directions`."""
        with self.lock:
            loaded = self._find(checkpoint)
            if way not in loaded.directions:
                loaded.directions[way] = find_directions(loaded.run, way)
            return loaded.directions[way]

    def forget(self, folder: Path) -> None:
        """Drop the GANs of a run, whose folder is about to be moved."""
        with self.lock:
            for checkpoint in [path for path in self.loaded if path.is_relative_to(folder)]:
                del self.loaded[checkpoint]

    def _find(self, checkpoint: Path) -> _Loaded:
        """Load a checkpoint, or take it from memory; the lock is held."""
        if checkpoint not in self.loaded:
            self.loaded[checkpoint] = _Loaded(load(checkpoint, device=self.device))
            while len(self.loaded) > MOST_LOADED:
                self.loaded.popitem(last=False)
        self.loaded.move_to_end(checkpoint)
        return self.loaded[checkpoint]
