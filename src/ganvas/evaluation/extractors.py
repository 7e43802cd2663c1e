"""Which extractor a judge looks through, and where its weights come from."""

from pathlib import Path

import torch

from ganvas.data.builtin.stacked_mnist import STACKED
from ganvas.data.dataset import View
from ganvas.errors import UserError, nearest
from ganvas.evaluation.metrics.classifier import (
    SMALLEST,
    Classifier,
    StackedClassifier,
    read_classifier,
    trained_classifier,
)
from ganvas.evaluation.metrics.features import Extractor, Pixels, RandomEmbedding
from ganvas.evaluation.metrics.inception import FILE, Inception
from ganvas.evaluation.references import Reference, of_training
from ganvas.evaluation.samples import place_free
from ganvas.io.cache import cache_folder

FEATURES = ("inception", "inception-legacy", "classifier", "random", "pixels")
PHOTOGRAPHS = 32  # pixels from which Inception is the usual choice for colour pictures


def usual_features(reference: Reference, weights: Path | None) -> tuple[str, str]:
    """The features for those who name none, and a note, or "".

    Points: their coordinates. Where weights are named: Inception. Labelled grey pictures and
    Stacked-MNIST: the classifier. Colour pictures of 32 pixels or more: Inception, if its weights
    are in the cache. All others: the random embedding.
    """
    data = reference.dataset
    if data.kind == "point":
        return "pixels", ""
    if weights:
        return "inception", ""
    if reference.name == STACKED or (
        data.labels is not None and data.channels == 1 and data.size >= SMALLEST
    ):
        return "classifier", ""
    note = "features by a network with random weights, which sees texture more than content"
    if data.channels == 1 or data.size < PHOTOGRAPHS:
        return "random", note
    if (cache_folder() / "weights" / FILE).is_file():
        return "inception", ""
    return (
        "random",
        f"{note}; --features inception fetches Inception's weights, --weights FILE names a file of them",
    )


def check_features(name: str) -> None:
    """Refuse features that there are none of."""
    if name not in FEATURES:
        raise UserError(
            f"--features {name}: there are none of that name; {nearest(name, FEATURES)}"
        )


def make_extractor(
    name: str,
    reference: Reference,
    weights: Path | None,
    device: torch.device,
    progress: bool = False,
) -> Extractor:
    """The extractor of that name, for the pictures of a reference.

    Raises:
        UserError: there is none of that name, it does not fit the pictures, or its weights cannot
            be had.
    """
    data = reference.dataset
    check_features(name)
    if data.kind == "point" and name != "pixels":
        raise UserError(
            f"--features {name} looks at pictures, and {reference.name} holds points; leave --features away"
        )
    if weights and name in ("random", "pixels"):
        raise UserError(
            f"--weights {weights}: {name} features have no weights; use --features inception or classifier"
        )
    if weights and not weights.is_file():
        raise UserError(f"--weights {weights}: there is no such file")
    if name.startswith("inception"):
        return Inception(
            weights, "legacy" if name.endswith("legacy") else "clean", device, progress
        )
    if name == "classifier":
        return class_extractor(reference, weights, device, progress)
    if name == "pixels":
        return Pixels()
    return RandomEmbedding(data.size, data.channels, device=device)


def class_extractor(
    reference: Reference, weights: Path | None, device: torch.device, progress: bool = False
) -> Classifier | StackedClassifier:
    """The classifier of a reference's classes, read from a file, found in the cache, or trained.

    Raises:
        UserError: the data has no labels, or the file holds the classifier of other classes or
            sizes.
    """
    data, stacked = reference.dataset, reference.name == STACKED
    if weights:
        found = read_classifier(weights, device)
        classes = tuple(map(str, range(10))) if stacked else data.classes
        wanted = (data.size, 1 if stacked else data.channels, classes)
        if (found.protocol["size"], found.protocol["channels"], found.classes) != wanted:
            raise UserError(
                f"{weights} tells the classes of {found.protocol['trained_on']} apart, not those of {reference.name}"
            )
    elif stacked:
        view = View(size=data.size, channels=1)
        digits = of_training(
            reference.train.report.spec.removeprefix("stacked-"), view, None, 0, progress=progress
        )
        found = trained(digits, device, progress)
    else:
        found = trained(reference, device, progress)
    return StackedClassifier(found) if stacked else found


def trained(reference: Reference, device: torch.device, progress: bool) -> Classifier:
    """The classifier of a reference's training pictures."""
    train = reference.train
    name = place_free(train.report.spec)
    if train.labels is None or reference.unseen.labels is None:
        raise UserError(
            f"{name} has no labels, so no classifier can be trained; use --labels, or --features random"
        )
    return trained_classifier(
        reference.training(),
        reference.testing(),
        train.classes,
        name,
        train.fingerprint,
        device,
        progress,
    )
