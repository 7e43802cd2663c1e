"""Decoded shards in memory: how many stay, reading ahead, several threads."""

import threading

import numpy as np

from ganvas.data.shards.cache import ShardCache, ShardColumn
from ganvas.errors import UserError


def test_memory_is_bounded_and_each_shard_loaded_once():
    loads: list[int] = []
    cache = ShardCache(
        lambda number: loads.append(number) or np.full((2, 1, 1, 1), number, np.uint8), 3
    )
    images = ShardColumn(cache, np.arange(0, 22, 2), (1, 1, 1))

    assert images[np.arange(20)].ravel().tolist() == [
        number for number in range(10) for _ in range(2)
    ]
    assert loads == list(range(10))
    assert list(cache.kept) == [7, 8, 9]

    images[np.array([14])]
    images[np.array([0])]
    assert list(cache.kept) == [9, 7, 0]


def test_a_shard_read_ahead_is_there_and_a_failure_is_tried_again():
    failing, allowed, threads = threading.Event(), threading.Event(), []

    def load(number: int) -> np.ndarray:
        threads.append((number, threading.current_thread().name))
        if threads[-1] == (1, "shards"):
            failing.set()
            assert allowed.wait(10)
            raise UserError("not yet")
        return np.full((1, 1, 1, 1), number, np.uint8)

    cache = ShardCache(load, 4)
    cache.read_ahead([0, 1])
    assert failing.wait(10)
    threading.Timer(0.05, allowed.set).start()
    assert (cache.get(0).item(), cache.get(1).item()) == (0, 1)
    cache.stop()
    assert threads == [(0, "shards"), (1, "shards"), (1, "MainThread")]
    assert cache.reader is None


def test_threads_that_want_one_shard_load_it_once():
    loads: list[int] = []
    barrier = threading.Barrier(4)

    def load(number: int) -> np.ndarray:
        loads.append(number)
        threading.Event().wait(0.02)
        return np.full((1, 1, 1, 1), number, np.uint8)

    cache = ShardCache(load, 2)

    def ask() -> None:
        barrier.wait()
        cache.get(5)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert loads == [5]
