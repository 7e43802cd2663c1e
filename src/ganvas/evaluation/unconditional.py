"""The metrics of samples as a set: one function each, from inputs to a measurement."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ganvas.data.builtin.points import MIXTURES
from ganvas.evaluation.inputs import (
    DENSITY_NEIGHBOURS,
    ENOUGH,
    PRECISION_NEIGHBOURS,
    EvaluationInputs,
    Measurement,
)
from ganvas.evaluation.metrics.classifier_training import (
    LabelledImages,
    classification_accuracy,
    fit_classifier,
)
from ganvas.evaluation.metrics.distances import frechet_distance, inception_score, kernel_distance
from ganvas.evaluation.metrics.manifold import copies_by_chance, memorisation
from ganvas.evaluation.metrics.modes import count_modes, count_point_modes
from ganvas.evaluation.references import digest_rows

__all__ = [
    "FEW_COPIES",
    "FEW_NEIGHBOURS",
    "HOLD_OUT",
    "MANY_CLASSES",
    "measure_agreement",
    "measure_class_frechet",
    "measure_class_score",
    "measure_coverage",
    "measure_density",
    "measure_frechet",
    "measure_kernel",
    "measure_memorisation",
    "measure_modes",
    "measure_precision",
    "measure_recall",
    "measure_synthetic_training",
]

MANY_CLASSES = 100  # with more, values by class are not listed
# Why a value is missing. Without names and counts, so that rows of a table have one note in common.
FEW_NEIGHBOURS = (
    f"precision, recall, density and coverage need {ENOUGH} samples and {ENOUGH} real images; "
    "of fewer they are mostly chance, so there is no value"
)
FEW_COPIES = (
    f"copies need {ENOUGH} samples and {ENOUGH} real images that were held out from training; "
    "of fewer their share is mostly chance, so there is no value"
)
HOLD_OUT = f"too few were held out: train with --set held_out={ENOUGH}"


def _name_by_features(inputs: EvaluationInputs, published: str, other: str) -> str:
    """The published name for values of Inception features, other names for all others."""
    if inputs.features == "inception":
        return published
    return f"{other}_lite0" if inputs.features == "lite0" else other


def measure_frechet(inputs: EvaluationInputs) -> Measurement:
    """Frechet distance."""
    name = _name_by_features(inputs, "fid", "fd")
    return inputs.measurement({name: frechet_distance(inputs.real, inputs.fake.values)})


def measure_kernel(inputs: EvaluationInputs) -> Measurement:
    """Kernel distance, with its standard error where subsets were drawn."""
    name = _name_by_features(inputs, "kid", "kd")
    found = kernel_distance(inputs.real, inputs.fake.values, seed=inputs.seed)
    values = {name: found.value}
    if found.standard_error is not None:
        values[f"{name}_error"] = found.standard_error
    return inputs.measurement(values)


def measure_class_score(inputs: EvaluationInputs) -> Measurement:
    """Inception score, or its formula with the classifier's logits."""
    assert inputs.fake.logits is not None
    name = _name_by_features(inputs, "inception_score", "classifier_score")
    return inputs.measurement({name: inception_score(inputs.fake.logits, seed=inputs.seed)})


def measure_precision(inputs: EvaluationInputs) -> Measurement:
    """Precision of Kynkaanniemi et al. 2019."""
    return _of_neighbours(inputs, "precision", lambda: inputs.precision_recall.precision)


def measure_recall(inputs: EvaluationInputs) -> Measurement:
    """Recall of Kynkaanniemi et al. 2019."""
    return _of_neighbours(inputs, "recall", lambda: inputs.precision_recall.recall)


def measure_density(inputs: EvaluationInputs) -> Measurement:
    """Density of Naeem et al. 2020."""
    return _of_neighbours(inputs, "density", lambda: inputs.density_coverage.density)


def measure_coverage(inputs: EvaluationInputs) -> Measurement:
    """Coverage of Naeem et al. 2020."""
    return _of_neighbours(inputs, "coverage", lambda: inputs.density_coverage.coverage)


def _of_neighbours(
    inputs: EvaluationInputs, name: str, measure: Callable[[], float]
) -> Measurement:
    """The measurement of a metric that searches neighbours, if there are enough images."""
    if inputs.are_few:
        return inputs.missing(name, FEW_NEIGHBOURS)
    neighbours = {
        "precision and recall": PRECISION_NEIGHBOURS,
        "density and coverage": DENSITY_NEIGHBOURS,
        "images": len(inputs.neighbourhood[0]),
    }
    return inputs.measurement({name: measure()}, neighbours=neighbours)


def measure_memorisation(inputs: EvaluationInputs) -> Measurement:
    """How near samples are to training images, compared with unseen real images."""
    from_samples, from_unseen = inputs.training_distances[0], inputs.unseen_distances[0]
    found = memorisation(from_samples, from_unseen)
    samples, unseen = len(from_samples), len(from_unseen)
    counts: dict[str, float] = {"training": len(inputs.reference.train_rows), "unseen": unseen}
    held_out = digest_rows(inputs.reference.unseen_rows)
    if min(samples, unseen) < ENOUGH:
        values = {"memorisation": found.ratio, "copies": math.nan}
        measured = inputs.measurement(values, memorisation=counts, held_out=held_out)
        advice = f"; {HOLD_OUT}" if unseen < ENOUGH else ""
        return replace(measured, reason=FEW_COPIES + advice)

    values = {
        "memorisation": found.ratio,
        "copies": found.close,
        "copies_chance": found.chance,
    }
    counts["copies_by_chance"] = copies_by_chance(samples, unseen)
    return inputs.measurement(values, memorisation=counts, held_out=held_out)


def measure_modes(inputs: EvaluationInputs) -> Measurement:
    """Modes of points, or classes that the classifier sees, with the share of each class."""
    if inputs.points:
        mixture = MIXTURES[inputs.reference.name]
        centres = torch.from_numpy(mixture.centres)
        # The features of points are their coordinates, (N, 2).
        points = count_point_modes(inputs.fake.values, centres, mixture.std)
        return inputs.measurement(
            {"modes": points.found, "high_quality": points.high_quality, "kl": points.kl}
        )

    names = inputs.reference.dataset.classes
    counted = count_modes(inputs.predicted, len(names))
    by_class = {}
    if len(names) <= MANY_CLASSES:
        counts = inputs.predicted.bincount(minlength=len(names))  # (classes,)
        by_class = dict(zip(names, (counts / len(inputs.predicted)).tolist()))
    values = {"modes": counted.found, "kl": counted.kl}
    return inputs.measurement(values, by_class, **inputs.classifier_protocol())


def measure_agreement(inputs: EvaluationInputs) -> Measurement:
    """The share of samples in which the classifier sees the requested class."""
    assert inputs.requested is not None
    right = inputs.predicted.eq(inputs.requested).double()  # (N,) of 0 and 1
    names = inputs.reference.dataset.classes

    by_class = {}
    if len(names) <= MANY_CLASSES:
        for number in inputs.requested.unique().tolist():
            by_class[names[number]] = right[inputs.requested == number].mean().item()

    return inputs.measurement(
        {"agreement": right.mean().item()},
        by_class,
        **inputs.classifier_protocol(),
        **inputs.class_protocol(),
    )


def measure_class_frechet(inputs: EvaluationInputs) -> Measurement:
    """The mean over classes of the Frechet distance to the real images of that class."""
    labels, names = inputs.reference.labels, inputs.reference.dataset.classes
    assert inputs.requested is not None and labels is not None

    # Over the classes that were generated, so that a set with few classes has a value too.
    by_class = {}
    # Few images a class: each distance is biased upwards more than that of the whole set.
    for number in inputs.requested.unique().tolist():
        real = inputs.real[labels == number]
        fake = inputs.fake.values[inputs.requested == number]
        by_class[names[number]] = frechet_distance(real, fake)

    name = _name_by_features(inputs, "class_fid", "class_fd")
    values = {name: sum(by_class.values()) / len(by_class)}  # each class weighs the same
    return inputs.measurement(values, by_class, **inputs.class_protocol())


def measure_synthetic_training(inputs: EvaluationInputs) -> Measurement:
    """Train a classifier on samples, test it on real images (tstr); beside it on real ones (trtr).

    Esteban et al. 2017, arXiv 1706.02633. Both classifiers are trained on equally many images; a
    third one is trained on both together, real images with samples added to them (augmented).
    """
    assert inputs.requested is not None
    train, test = inputs.reference.training_images(), inputs.reference.test_images()
    count = min(inputs.samples.count, len(train))

    # The order of the two draws decides the choice of real images.
    random = torch.Generator().manual_seed(inputs.seed)
    images = torch.cat(list(inputs.samples.chunks())).numpy()  # uint8 (N, C, H, W), all in memory
    fake_rows = torch.randperm(len(images), generator=random)[:count].numpy()
    real_rows = train.rows[torch.randperm(len(train), generator=random)[:count].numpy()]
    fake = LabelledImages(images, inputs.requested.numpy(), fake_rows)
    real = LabelledImages(train.images, train.labels, real_rows)
    both = LabelledImages(
        np.concatenate([fake.images[fake.rows], real.images[real.rows]]),
        np.concatenate([fake.labels[fake.rows], real.labels[real.rows]]),
        np.arange(2 * count),
    )

    values = {}
    for name, labelled in (("tstr", fake), ("trtr", real), ("augmented", both)):
        classes = len(inputs.reference.dataset.classes)
        network = fit_classifier(labelled, classes, inputs.progress)
        values[name] = classification_accuracy(network, test)
    return inputs.measurement(
        values,
        synthetic_training={"trained_on": count, "tested": len(test)},
        held_out=digest_rows(inputs.reference.unseen_rows),
        **inputs.class_protocol(),
    )
