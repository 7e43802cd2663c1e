"""Decode the pictures of a folder or zip on all cores, piece by piece, in order."""

import itertools
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from ganvas.data.dataset import View
from ganvas.data.folders.source import Entry, Source
from ganvas.io import images
from ganvas.io.console import PlainConsole
from ganvas.io.images import Picture, UnreadableError
from ganvas.io.resizing import to_square

PIECE = 64  # pictures in one task of a thread
BATCH_PIXELS = 2**20  # pictures of one shape are resized together up to this many pixels

Item = TypeVar("Item")
Result = TypeVar("Result")


class Kind(NamedTuple):
    """What pictures may have in common.

    Attributes:
        width: in pixels, upright.
        height: likewise.
        mode: as found.
        transparent: whether transparency was laid over the background.
        turned: whether it was turned as its EXIF orientation says.
    """

    width: int
    height: int
    mode: str
    transparent: bool = False
    turned: bool = False

    @property
    def grey(self) -> bool:
        """Whether there is no colour in it."""
        return self.mode in images.GREY


class Fate(NamedTuple):
    """What became of one file.

    Attributes:
        name: of the file, within its set.
        reason: why it is left out; "" if it is used.
        width: in pixels, upright; 0 if it could not be read.
        height: likewise.
        mode: as found; "" if it could not be read.
        transparent: whether transparency was laid over the background.
        turned: whether it was turned as its EXIF orientation says.
    """

    name: str
    reason: str
    width: int = 0
    height: int = 0
    mode: str = ""
    transparent: bool = False
    turned: bool = False

    @property
    def kind(self) -> Kind:
        """What it may have in common with others."""
        return Kind(self.width, self.height, self.mode, self.transparent, self.turned)


class Reader(Protocol):
    """Where the bytes of files come from: a folder, a zip, a tar."""

    def read(self, entry: Entry) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: they cannot be had.
        """
        ...


def pack(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Result],
    sizes: Sequence[int],
    progress: bool,
) -> Iterator[Result]:
    """Decode pictures on all cores, in order.

    Args:
        items: what to decode.
        work: decodes some of them.
        sizes: of each, in bytes.
        progress: show a bar on stderr.

    Yields:
        what `work` returns of the next items.
    """
    pieces = [items[start : start + PIECE] for start in range(0, len(items), PIECE)]
    with threads(sizes) as pool, bar(len(items), progress) as advance:
        for piece, result in zip(pieces, in_order(pool, work, pieces)):
            advance(len(piece))
            yield result


def measure(source: Source, entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Width and height of every picture whose header can be read."""

    def sizes(piece: Sequence[Entry]) -> list[tuple[int, int]]:
        found = []
        for entry in piece:
            with suppress(UnreadableError), source.open(entry) as file:
                found.append(images.measure(file))
        return found

    pieces = [entries[start : start + PIECE] for start in range(0, len(entries), PIECE)]
    with threads([entry.size for entry in entries]) as pool:
        return [size for found in in_order(pool, sizes, pieces) for size in found]


def load(source: Reader, entries: Sequence[Entry], view: View) -> tuple[list[Fate], np.ndarray]:
    """Decode some files: what became of each, and the pictures of those that are used, uint8 (K, C,
    S, S), S the load size.

    Neighbours of one shape are resized together.

    Args:
        view: with its size resolved; pictures come as RGB unless its channels are 1.
    """
    side = view.load_size()
    fates: list[Fate] = []
    squares = [np.empty((0, view.channels or 3, side, side), np.uint8)]
    used = usable(source, entries, view, fates)
    for shape, alike in itertools.groupby(used, key=lambda picture: picture.pixels.shape):
        together = max(1, BATCH_PIXELS // (shape[1] * shape[2]))
        while batch := list(itertools.islice(alike, together)):
            stacked = torch.stack([picture.pixels for picture in batch])
            squares.append(to_square(stacked, side, view.fit, view.background).numpy())
    return fates, np.concatenate(squares)


def usable(
    source: Reader, entries: Sequence[Entry], view: View, fates: list[Fate]
) -> Iterator[Picture]:
    """Decode pictures one by one, yield those that can be used, and append what became of each to
    `fates`.
    """
    for entry in entries:
        try:
            picture = images.read(
                source.read(entry), 1 if view.channels == 1 else 3, view.background
            )
        except UnreadableError as error:
            fates.append(Fate(entry.name, str(error)))
            continue
        _, height, width = picture.pixels.shape
        reason = too_small(width, height, view)
        fates.append(
            Fate(
                entry.name, reason, width, height, picture.mode, picture.transparent, picture.turned
            )
        )
        if not reason:
            yield picture


def too_small(width: int, height: int, view: View) -> str:
    """Why a picture cannot become a square of the view's size without being enlarged;

    "" if it can.
    """
    assert view.size is not None
    square = f"{view.size}x{view.size}"
    if view.fit != "pad":
        return (
            f"{width}x{height} is smaller than {square}" if min(width, height) < view.size else ""
        )
    # A strip of a few pixels in a square of background teaches nothing.
    shrunk = min(1, view.size / max(width, height)) * min(width, height)
    return (
        f"{width}x{height} would fill less than an eighth of the side of {square}"
        if shrunk * 8 < view.size
        else ""
    )


@contextmanager
def threads(sizes: Sequence[int]) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads, each using torch on its own core; Pillow's complaints about odd files are
    silenced.

    Decoding and resizing release the interpreter, so that threads keep all cores busy with
    photographs. With pictures of a few kilobytes they wait for the interpreter instead: 16 threads
    take twice as long as 2. Processes would not wait, but each would import torch first, which
    takes longer than 20,000 such pictures.
    """
    count = workers(sizes)
    before = torch.get_num_threads()
    try:
        with (
            warnings.catch_warnings(),
            ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            warnings.filterwarnings("ignore", module="PIL")
            try:
                yield pool
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        torch.set_num_threads(before)  # part of the setting is shared by all threads


def workers(sizes: Sequence[int]) -> int:
    """How many threads decode pictures of so many bytes each the fastest."""
    return min(cores(), 1 + sum(sizes) // max(1, len(sizes)) // 2048)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Map over items in threads, a few ahead of the reader only, so that results do not fill the
    memory.
    """
    ahead: deque[Future[Result]] = deque()
    for item in items:
        ahead.append(pool.submit(function, item))
        if len(ahead) > 4 * cores():
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


@contextmanager
def bar(total: int, shown: bool, what: str = "packing pictures") -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; yields the function that advances it by so many things."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = PlainConsole(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
