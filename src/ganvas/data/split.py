"""Hold images out of training, so that memorising can be distinguished from learning."""

from collections.abc import Sequence

import numpy as np
import torch

from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = ["held_out_count", "split"]

MOST = 500  # images held out by default


def held_out_count(count: int, wanted: int | None, test: str | None) -> int:
    """How many of `count` pictures training shall not see.

    Args:
        count: pictures in the set.
        test: the test set that was published with it, if there is one; then none are held out by
            themselves.
        wanted: the requested number; None: a 50th of the images, at most MOST, but of small sets a
            tenth up to 8.

    Raises:
        UserError: fewer than two pictures would be left to train on.
    """
    if wanted is None:
        # a tenth of small sets: a 50th of 100 pictures says nothing, 8 of 20 would cost too much
        return 0 if test else min(MOST, max(count // 50, min(8, count // 10)))
    if wanted and wanted > count - 2:
        raise UserError(
            f"held_out={wanted}: the data has {count_noun(count, 'image')}; "
            "leave at least two to train on"
        )

    return wanted


def split(
    count: int, held_out: int, starts: np.ndarray | None = None, parts: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (count - held_out,) to train on and (held_out,) to hold out, both ascending.

    Always the same ones, whatever a run's seed, so that an evaluation can compare several runs on
    images that none of them has seen. Of a sharded set they are the first rows of the last shard,
    or of as many last shards as hold enough, so that an evaluation reads no other shards.

    Args:
        count: rows in the set.
        held_out: how many to hold out.
        starts: as in `ganvas.data.dataset.Shards`.
        parts: as in `ganvas.data.report.DataReport`: where files gave several rows, whole files are
            held out, and of one file its last rows. Frames of one film and tiles that overlap are
            nearly equal, so held-out ones beside training ones would say nothing.
    """
    if starts is not None:
        # the last shard that has `held_out` rows from its start to the end of the set
        first = int(starts[starts <= count - held_out][-1])
        chosen = np.arange(first, first + held_out)
    elif sum(parts) == count and held_out:
        chosen = _hold_out_files(parts, held_out)
    else:
        random = torch.Generator().manual_seed(0)  # fixed: no run's seed may enter here
        chosen = torch.randperm(count, generator=random)[:held_out].numpy()

    # a mask puts both parts in ascending order
    mask = np.zeros(count, bool)
    mask[chosen] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _hold_out_files(parts: Sequence[int], held_out: int) -> np.ndarray:
    """Rows of files that are drawn one after another; of the last of them only its last rows."""
    ends = np.cumsum(parts).tolist()
    random = torch.Generator().manual_seed(0)  # as in `split`
    chosen: list[np.ndarray] = []
    for file in torch.randperm(len(parts), generator=random).tolist():
        count = min(parts[file], held_out)
        chosen.append(np.arange(ends[file] - count, ends[file]))
        held_out -= count
        if not held_out:
            break
    return np.concatenate(chosen)
