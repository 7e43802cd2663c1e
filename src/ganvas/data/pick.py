"""Pick rows that are evenly spread over a set."""

import numpy as np

__all__ = ["choose_rows", "spread_evenly"]


def spread_evenly(count: int, total: int) -> np.ndarray:
    """At most `count` numbers of [0, total), evenly spread, both ends included: int64 (K,)."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def choose_rows(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the rows (N,), evenly spread, in their order."""
    # spread, not drawn: the choice is the same in every run, and sorted classes are all in it
    return rows[spread_evenly(count, len(rows))]
