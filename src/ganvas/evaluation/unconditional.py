"""From a case to numbers: one function a metric, each giving values by name and, where it has them,
values by class.
"""

import torch

from ganvas.data.builtin.points import MIXTURES
from ganvas.evaluation.inputs import Case
from ganvas.evaluation.metrics.classifier import Labelled, accuracy, fit
from ganvas.evaluation.metrics.distances import frechet_distance, inception_score, kernel_distance
from ganvas.evaluation.metrics.manifold import compare_distances
from ganvas.evaluation.metrics.modes import modes, point_modes

MANY_CLASSES = 100  # with more, values by class are not listed

Found = tuple[dict[str, float], dict[str, float]]  # values by name; the first of them by class


def by_features(case: Case, published: str, other: str) -> str:
    """The published name for values through Inception, another for those through other features."""
    return published if case.features == "inception" else other


def distance(case: Case) -> Found:
    """Frechet distance."""
    return {by_features(case, "fid", "fd"): frechet_distance(case.real, case.samples.values)}, {}


def kernel(case: Case) -> Found:
    """Kernel distance, with its standard error where subsets were drawn."""
    name = by_features(case, "kid", "kd")
    found = kernel_distance(case.real, case.samples.values, seed=case.seed)
    return {name: found.value} | (
        {} if found.standard_error is None else {f"{name}_error": found.standard_error}
    ), {}


def score(case: Case) -> Found:
    """Inception score, or the same from the classifier's logits."""
    assert case.samples.logits is not None
    found = inception_score(case.samples.logits, seed=case.seed)
    return {by_features(case, "inception_score", "classifier_score"): found.mean}, {}


def precision(case: Case) -> Found:
    return {"precision": case.precision_recall.precision}, {}


def recall(case: Case) -> Found:
    return {"recall": case.precision_recall.recall}, {}


def density(case: Case) -> Found:
    return {"density": case.density_coverage.density}, {}


def coverage(case: Case) -> Found:
    return {"coverage": case.density_coverage.coverage}, {}


def memorisation(case: Case) -> Found:
    """How near the training pictures are, against how near they are to real pictures never trained
    on.
    """
    found = compare_distances(case.training_distances[0], case.unseen_distances[0])
    return {"memorisation": found.ratio, "copies": found.close}, {}


def found_modes(case: Case) -> Found:
    """Modes of points, or classes that the classifier sees; the latter with each class's share."""
    if case.kind == "point":
        source = MIXTURES[case.reference.name]
        points = point_modes(case.samples.values, torch.from_numpy(source.centres), source.std)
        return {"modes": points.found, "high_quality": points.high_quality, "kl": points.kl}, {}
    names = case.reference.dataset.classes
    counted = modes(case.seen, len(names))
    shares = (case.seen.bincount(minlength=len(names)) / len(case.seen)).tolist()
    return {"modes": counted.found, "kl": counted.kl}, dict(zip(names, shares)) if len(
        names
    ) <= MANY_CLASSES else {}


def agreement(case: Case) -> Found:
    """Share of the pictures in which the classifier sees the class wanted."""
    assert case.wanted is not None
    right = case.seen.eq(case.wanted).double()
    names = case.reference.dataset.classes
    by_class = {
        names[number]: right[case.wanted == number].mean().item()
        for number in case.wanted.unique().tolist()
    }
    return {"agreement": right.mean().item()}, by_class if len(names) <= MANY_CLASSES else {}


def class_distance(case: Case) -> Found:
    """Frechet distances of the pictures of each class from the real ones of that class, and their
    mean.
    """
    labels, names = case.reference.labels, case.reference.dataset.classes
    assert case.wanted is not None and labels is not None
    found = {
        names[number]: frechet_distance(
            case.real[labels == number], case.samples.values[case.wanted == number]
        )
        for number in case.wanted.unique().tolist()
    }
    return {by_features(case, "class_fid", "class_fd"): sum(found.values()) / len(found)}, found


def synthetic_training(case: Case) -> Found:
    """Train on synthetic, test on real (tstr), and on as many real ones (trtr);

    Esteban et al. 2017, arXiv 1706.02633.
    """
    train = case.reference.training()
    assert case.wanted is not None
    count = min(case.pictures.count, len(train))
    random = torch.Generator().manual_seed(case.seed)
    made = torch.cat(list(case.pictures.pieces())).numpy()
    synthetic = Labelled(
        made, case.wanted.numpy(), torch.randperm(len(made), generator=random)[:count].numpy()
    )
    chosen = torch.randperm(len(train), generator=random)[:count].numpy()
    real = Labelled(train.images, train.labels, train.rows[chosen])
    classes, test = len(case.reference.dataset.classes), case.reference.testing()
    on_synthetic, on_real = (
        accuracy(fit(pictures, classes, case.progress), test) for pictures in (synthetic, real)
    )
    return {"tstr": on_synthetic, "trtr": on_real}, {}
