"""The picture of memorisation: the samples nearest to training pictures beside these, and real pictures beside theirs."""

from pathlib import Path

import torch

from ganvas.evaluation.case import Case
from ganvas.evaluation.references import some
from ganvas.images import make_grid, save

SHOWN = 12  # columns


def draw_lookalikes(case: Case, path: Path) -> None:
    """Save four rows: the nearest samples, their training pictures, the nearest unseen pictures, their training pictures.

    Where samples are copies, the first two rows are equal, and the last two are not.
    """
    reference = case.reference
    if case.points:
        return
    rows = []
    distances, places = case.training_distances
    nearest = distances.argsort(stable=True)[:SHOWN]
    rows += [case.pictures.at(nearest), reference.train.batch(reference.shown[places[nearest].numpy()])["image"]]
    distances, places = case.unseen_distances
    nearest = distances.argsort(stable=True)[:SHOWN]
    others = some(reference.unseen_rows, 0)[nearest.numpy()]
    rows += [reference.unseen.batch(others)["image"], reference.train.batch(reference.shown[places[nearest].numpy()])["image"]]
    columns = min(map(len, rows))
    samples, unseen = (f"{len(found[0]):,}" for found in (case.training_distances, case.unseen_distances))
    names = (f"nearest of {samples} samples", "training pictures", f"nearest of {unseen} unseen", "training pictures")
    save(make_grid(torch.cat([row[:columns] for row in rows]), columns, names), path)
