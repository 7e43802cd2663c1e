"""memorisation.png: the samples nearest to training images, beside these training images."""

from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from ganvas.evaluation.inputs import EvaluationInputs
from ganvas.evaluation.references import Reference, draw_rows
from ganvas.io.grids import make_grid
from ganvas.io.images import save
from ganvas.io.planes import show_planes

__all__ = ["draw_nearest"]

COLUMNS = 12  # images in a row of the figure


def draw_nearest(inputs: EvaluationInputs, path: Path) -> None:
    """Save four rows of images; nothing for points.

    The nearest samples, their training images, the nearest unseen real images, their training
    images. Where samples are copies, the first two rows are equal, and the last two are not.
    """
    if inputs.points:
        return
    reference = inputs.reference

    distances, places = inputs.training_distances  # (N,) each
    closest = _choose_closest(distances, places, reference)
    rows = [inputs.samples.at(closest), _training_images(places[closest], reference)]

    unseen_distances, unseen_places = inputs.unseen_distances
    closest = _choose_closest(unseen_distances, unseen_places, reference)
    # as in `unseen_distances`
    unseen = draw_rows(reference.unseen, reference.unseen_rows, 0)[closest.numpy()]
    rows += [
        reference.unseen.batch(unseen)["image"],
        _training_images(unseen_places[closest], reference),
    ]

    # Small data sets have less than COLUMNS unseen images.
    columns = min(map(len, rows))
    names = (
        f"nearest of {len(distances):,} samples",
        "training images",
        f"nearest of {len(unseen_distances):,} unseen",
        "training images",
    )
    images = torch.cat([row[:columns] for row in rows])
    shown = show_planes(images, *reference.train.schema.planes("image"))
    save(make_grid(shown, columns, names), path)


def _choose_closest(distances: Tensor, places: Tensor, reference: Reference) -> Tensor:
    """Choose the images to show, int64 (n,): the nearest of each class, then the second of each.

    Without classes the nearest. Images of some classes, such as the digit 1, are all near to each
    other and would fill the figure.

    Args:
        distances: to the nearest training image, (N,).
        places: of that image in `train_rows`, (N,).
        reference: has the classes of the training images.
    """
    order = distances.argsort(stable=True)  # ties in the order of the samples
    if reference.train.labels is None:
        return order[:COLUMNS]

    # The rank of each image within its class, from the nearest on.
    seen: Counter[int] = Counter()
    ranks = []
    for label in reference.train.labels[reference.train_rows[places[order].numpy()]].tolist():
        ranks.append(seen[label])
        seen[label] += 1
    # Stable, so that among equal ranks the nearest come first.
    return order[torch.tensor(ranks).argsort(stable=True)][:COLUMNS]


def _training_images(places: Tensor, reference: Reference) -> Tensor:
    """The images at places in `train_rows`, uint8 (n, C, H, W)."""
    return reference.train.batch(reference.train_rows[places.numpy()])["image"]
