"""Rows that are evenly spread."""

import numpy as np

from ganvas.data.pick import choose_rows, spread_evenly


def test_both_ends_are_picked():
    assert spread_evenly(3, 101).tolist() == [0, 50, 100]
    assert choose_rows(np.arange(100, 201), 3).tolist() == [100, 150, 200]


def test_fewer_than_wanted_are_all_picked():
    assert spread_evenly(8, 3).tolist() == [0, 1, 2]
    assert choose_rows(np.array([4, 7, 9]), 8).tolist() == [4, 7, 9]


def test_nothing_to_pick_from():
    assert spread_evenly(8, 0).tolist() == []
