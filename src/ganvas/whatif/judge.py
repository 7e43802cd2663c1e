"""What is measured of a side at its end: many samples compared with real images or known modes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.data.builtin.points import MIXTURES
from ganvas.evaluation.metrics.distances import frechet_distance, moments
from ganvas.evaluation.metrics.manifold import find_nearest
from ganvas.evaluation.metrics.modes import count_point_modes
from ganvas.inference.sampling import sample_chunks
from ganvas.io.images import to_float, to_uint8
from ganvas.runs.checkups import WINDOW, mean_of
from ganvas.whatif.course import Course

__all__ = ["MEASURES", "Measure", "judge"]

SAMPLES = 1_000
SEED = 1  # of the samples: not the noise of the grids
# Of the doctor's measures, the mean of its last checkups.
OF_THE_DOCTOR = ("diversity", "change", "separation", "score_gap", "score_drop")
# A class counts as found if it has so much of a fair share, or so many of its samples look like it.
SHARE, AGREEING = 0.25, 0.5


@dataclass(frozen=True)
class Measure:
    """How a measure is written and read.

    Attributes:
        better: "lower", "higher"; or "": neither, it only describes.
        style: "number", "count" (out of as many as there are) or "percent".
        plain: a difference that is plain to see, as a ratio of the worse to the better value or,
            with style "percent" and "count", as a difference of shares.
        floor: smaller values count as this one in a ratio: what is as good as 0 differs no more.
    """

    better: str
    style: str = "number"
    plain: float = 1.5
    floor: float = 0.1


MEASURES: Mapping[str, Measure] = {
    "distance": Measure("lower"),
    "classes": Measure("higher", "count", 0.1),
    "last_class": Measure("higher", "percent", 0.3),
    "modes": Measure("higher", "count", 0.1),
    "good": Measure("higher", "percent", 0.2),
    "copies": Measure("higher"),
    "brightness": Measure(""),
    "diversity": Measure("higher"),
    "change": Measure("lower"),
    "separation": Measure("lower", "percent", 0.1),
    "score_gap": Measure("lower"),
    "score_drop": Measure("lower"),
}


def judge(course: Course, reference: Course) -> dict[str, float]:
    """Measure a side.

    Args:
        course: of the side.
        reference: of the mended side, whose real images both sides are compared with.

    Returns:
        Values by the names of MEASURES; what does not apply, or is not finite, is missing.
    """
    found = {key: mean_of(course.diagnosis.checkups[-WINDOW:], key) for key in OF_THE_DOCTOR}
    chunks = sample_chunks(course.gan, range(SAMPLES), SEED, torch.device("cpu"))
    fake = torch.cat(list(chunks))  # float (SAMPLES, C, S, S)

    if fake.isfinite().all():
        is_point = course.gan.kind == "point"
        found |= _judge_points(course, fake) if is_point else _judge_images(course, reference, fake)
    return {key: value for key, value in found.items() if math.isfinite(value)}


def _judge_points(course: Course, fake: Tensor) -> dict[str, float]:
    """Modes and good points, of points (N, 2, 1, 1)."""
    mixture = MIXTURES[course.dataset.report.spec]
    centres = torch.from_numpy(mixture.centres)
    measured = count_point_modes(fake.flatten(1), centres, mixture.std)
    return {"modes": _count_modes(fake, centres), "good": measured.high_quality}


def _count_modes(points: Tensor, centres: Tensor) -> int:
    """How many modes are the nearest ones of SHARE of a fair share of the points, or more."""
    nearest = torch.cdist(points.flatten(1).double(), centres).argmin(1)
    counts = torch.bincount(nearest, minlength=len(centres))
    return int((counts >= SHARE * len(points) / len(centres)).sum())


def _judge_images(course: Course, reference: Course, fake: Tensor) -> dict[str, float]:
    """Distance to real images, classes, copies and brightness of samples (N, C, S, S)."""
    checkup = reference.checkup
    images = to_uint8(fake)
    features = checkup.extract(images)
    real = moments(checkup.reference, "real")
    found = {
        "distance": frechet_distance(real, moments(features, "generated")),
        "brightness": images.float().mean().item() / 255,
        "copies": _measure_copying(course, reference, images),
    }
    if checkup.guess is not None:
        looks, clear = checkup.guess(features)
        found |= _count_classes(course, looks, clear)
    return found


def _count_classes(course: Course, looks: Tensor, clear: Tensor) -> dict[str, float]:
    """How many classes there are among the samples.

    Args:
        course: of the side.
        looks: the class that each sample looks like, int64 (N,).
        clear: whether that is clear, bool (N,).
    """
    classes = len(course.dataset.classes)
    if "label" not in course.gan.inputs:
        counts = torch.bincount(looks[clear], minlength=classes)
        return {"classes": int((counts >= SHARE * len(looks) / classes).sum())}

    # Samples are of the classes in turn.
    asked = torch.arange(len(looks)) % classes
    right = [(looks[asked == label] == label).double().mean().item() for label in range(classes)]
    return {"classes": sum(share >= AGREEING for share in right), "last_class": right[-1]}


def _measure_copying(course: Course, reference: Course, images: Tensor) -> float:
    """How far samples are from the nearest training image, as a share of how far new real images
    are: about 1 where nothing is copied, near 0 where all is.
    """
    trained = _flatten(course, course.loader.shown)
    # Images that neither side has seen.
    new = _flatten(course, np.intersect1d(reference.loader.held_out, course.loader.held_out))
    if not len(new):
        return math.nan
    of_fake, _ = find_nearest(to_float(images).flatten(1), trained)
    of_new, _ = find_nearest(new, trained)
    return (of_fake.median() / of_new.median().clamp(min=1e-9)).item()


def _flatten(course: Course, rows: np.ndarray) -> Tensor:
    """Rows of the data as pixels in [-1, 1], (N, F); a few thousand of them."""
    return to_float(course.dataset.batch(rows[:4_000])["image"]).flatten(1)
