"""The picture of memorisation: the samples nearest to training pictures beside these, and real
pictures beside theirs.
"""

from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from ganvas.evaluation.inputs import Case
from ganvas.evaluation.references import Reference, some
from ganvas.io.grids import make_grid
from ganvas.io.images import save

SHOWN = 12  # columns


def draw_lookalikes(case: Case, path: Path) -> None:
    """Save four rows: the nearest samples, their training pictures, the nearest unseen pictures,
    their training pictures.

    Where samples are copies, the first two rows are equal, and the last two are not.
    """
    reference = case.reference
    if case.kind == "point":
        return
    distances, places = case.training_distances
    nearest = closest(distances, places, reference)
    rows = [case.pictures.at(nearest), training_pictures(places[nearest], reference)]
    distances, places = case.unseen_distances
    nearest = closest(distances, places, reference)
    unseen = some(reference.unseen, reference.unseen_rows, 0)[nearest.numpy()]
    rows += [reference.unseen.batch(unseen)["image"], training_pictures(places[nearest], reference)]
    columns = min(map(len, rows))
    samples, others = (
        f"{len(found[0]):,}" for found in (case.training_distances, case.unseen_distances)
    )
    names = (
        f"nearest of {samples} samples",
        "training pictures",
        f"nearest of {others} unseen",
        "training pictures",
    )
    save(make_grid(torch.cat([row[:columns] for row in rows]), columns, names), path)


def closest(distances: Tensor, places: Tensor, reference: Reference) -> Tensor:
    """Rows of the pictures to show: the nearest of each class, then the second of each, and so on;
    without classes the nearest.

    Pictures of some classes, such as the digit 1, are all near to each other and would fill the
    figure.
    """
    order = distances.argsort(stable=True)
    if reference.train.labels is None:
        return order[:SHOWN]
    seen: Counter[int] = Counter()
    ranks = []
    for label in reference.train.labels[reference.shown[places[order].numpy()]].tolist():
        ranks.append(seen[label])
        seen[label] += 1
    return order[torch.tensor(ranks).argsort(stable=True)][:SHOWN]


def training_pictures(places: Tensor, reference: Reference) -> Tensor:
    """The pictures at places among those shown in training."""
    return reference.train.batch(reference.shown[places.numpy()])["image"]
