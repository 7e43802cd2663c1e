"""Work through files on all CPU cores, piece by piece, in order."""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from ganvas.io.chunks import chunk_slices
from ganvas.io.console import PlainConsole

__all__ = [
    "PIECE",
    "count_cores",
    "count_workers",
    "map_in_order",
    "map_pieces",
    "progress_bar",
    "stream_pieces",
]

PIECE = 64  # files in one task of a thread
AHEAD = 2  # results of one task that wait for the reader
PATIENCE = 0.1  # seconds after which a waiting thread looks whether it is still needed

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_pieces(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Result],
    sizes: Sequence[int],
    progress: bool,
) -> Generator[Result, None, None]:
    """Work on items in pieces of PIECE, in threads, and yield the results in order.

    Args:
        items: what to work on, for instance files to decode.
        work: is called with a piece of the items.
        sizes: of each item's files, in bytes; they decide how many threads work.
        progress: show a progress bar on stderr.

    Yields:
        what `work` returns for the next piece.
    """
    pieces = [items[rows] for rows in chunk_slices(len(items), PIECE)]
    with _start_threads(sizes) as pool, progress_bar(len(items), progress) as advance:
        for piece, result in zip(pieces, map_in_order(pool, work, pieces)):
            advance(len(piece))
            yield result


def stream_pieces(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Iterable[Result]],
    sizes: Sequence[int],
    progress: bool,
    together: int = PIECE,
) -> Generator[Result, None, None]:
    """As `map_pieces`, for work that gives several results for a piece, one after another.

    A thread waits where its results are not fetched, so that they do not fill the memory.

    Args:
        items: what to work on.
        work: is called with a piece of the items.
        sizes: of each item's files, in bytes.
        progress: show a progress bar on stderr.
        together: how many items make a piece.

    Yields:
        what `work` gives, in the order of the items.
    """
    pieces = [items[rows] for rows in chunk_slices(len(items), together)]
    stopped = threading.Event()

    def run(piece: Sequence[Item], results: "queue.Queue[Result | _End]") -> None:
        try:
            for result in work(piece):
                _put(results, result, stopped)
            _put(results, _End(), stopped)
        except BaseException as error:
            _put(results, _End(error), stopped)

    with _start_threads(sizes) as pool, progress_bar(len(items), progress) as advance:
        ahead: deque[tuple[int, queue.Queue[Result | _End]]] = deque()
        waiting = iter(pieces)
        try:
            while True:
                # the first of those at work is always one that a thread has begun: none blocks it
                while len(ahead) <= 2 * count_cores() and (piece := next(waiting, None)):
                    results: queue.Queue[Result | _End] = queue.Queue(AHEAD)
                    pool.submit(run, piece, results)
                    ahead.append((len(piece), results))
                if not ahead:
                    return

                count, results = ahead.popleft()
                while not isinstance(result := results.get(), _End):
                    yield result
                if result.error is not None:
                    raise result.error
                advance(count)
        finally:
            stopped.set()


class _End:
    """The end of the results of a piece, and what was raised there."""

    def __init__(self, error: BaseException | None = None):
        self.error = error


def _put(results: "queue.Queue[Any]", result: Any, stopped: threading.Event) -> None:
    """Hand a result on; wait until there is room, or nobody wants it any more."""
    while True:
        with suppress(queue.Full):
            results.put(result, timeout=PATIENCE)
            return
        if stopped.is_set():
            raise _Unwanted


class _Unwanted(Exception):
    """The reader has stopped."""


@contextmanager
def _start_threads(sizes: Sequence[int]) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads for files of so many bytes each.

    Decoding and resizing release the interpreter, so threads keep all cores busy with photographs.
    With files of a few kilobytes they wait for the interpreter: 16 threads take twice as long as 2.
    Processes would not wait, but each would have to import torch first, which takes longer than
    20,000 such files.
    """
    count = count_workers(sizes)
    before = torch.get_num_threads()

    try:
        # each thread uses torch on its own core only
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                yield pool
            finally:
                pool.shutdown(cancel_futures=True)  # a reader that stops early drops the rest
    finally:
        torch.set_num_threads(before)  # part of the setting is shared by all threads


def count_workers(sizes: Sequence[int]) -> int:
    """The number of threads that decode files of so many bytes each the fastest."""
    # one more for every 2 KiB of the mean file; `_start_threads` has the reason
    return min(count_cores(), 1 + sum(sizes) // max(1, len(sizes)) // 2048)


def count_cores() -> int:
    """The number of CPU cores that this process may use."""
    # a container or a job scheduler may allow fewer than the machine has
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Map over items in threads, only a few ahead of the reader, so that results do not fill the
    memory.
    """
    ahead: deque[Future[Result]] = deque()

    for item in items:
        ahead.append(pool.submit(function, item))
        if len(ahead) > 4 * count_cores():  # enough that no core waits for the reader
            yield ahead.popleft().result()  # raises here what failed in the thread

    while ahead:
        yield ahead.popleft().result()


@contextmanager
def progress_bar(
    total: int, shown: bool, what: str = "packing images"
) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; yields the function that advances it by a number of items."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = PlainConsole(stderr=True)
    hidden = not (shown and console.is_terminal)

    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(console.localise(what), total=total)
        yield lambda count: progress.advance(task, count)
