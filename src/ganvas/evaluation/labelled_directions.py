"""Directions in the space of a GAN's noise that stand for classes or attributes of real images.

A classifier learns the labels from real images and judges samples; a linear probe then finds the
direction along which its answers rise fastest, as Shen et al. 2020 ("InterFaceGAN") find the
normal of the plane between two answers. The GAN itself needs no labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganvas.data import open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.split import split
from ganvas.data.view import make_view
from ganvas.errors import UserError, nearest
from ganvas.evaluation.metrics.attributes import balanced_agreement
from ganvas.evaluation.metrics.classifier import Classifier
from ganvas.evaluation.metrics.classifier_training import (
    ClassificationData,
    LabelledImages,
    load_or_train_classifier,
)
from ganvas.evaluation.samples import name_without_place
from ganvas.inference.direction_files import Direction
from ganvas.inference.direction_survey import check_directions
from ganvas.inference.directions import draw_noise
from ganvas.inference.run import Run
from ganvas.inference.sampling import CHUNK
from ganvas.io.images import to_uint8
from ganvas.runs.trust import read_safe_recipe

__all__ = ["find_labelled_directions"]

SAMPLES = 2048  # that are judged
TESTED = 4  # one of so many tests the probe
RAREST = 0.01  # share of samples that must have an attribute, and lack it
MOST_LOGIT = 4.0  # the classifier is sure enough; more would weigh a few samples too much
RIDGE = 0.01  # of the probe, as a share of the samples
JUDGED = 1  # seed of the judged samples; the sheets show others
LEAST_IMAGES = 20  # that the classifier needs
MOST_TESTED = 500  # images that it is tested with


@dataclass(frozen=True)
class _Judge:
    """Sees labels in images.

    Attributes:
        classifier: trained on them.
        exclusive: whether an image has one of them, a class, and not any number of attributes.
    """

    classifier: Classifier
    exclusive: bool

    def __call__(self, images: Tensor) -> Tensor:
        """The log odds of each label in uint8 (N, C, H, W), float32 (N, A): above 0 it is seen."""
        logits = self.classifier(images).logits
        assert logits is not None
        if self.exclusive:
            # log p / (1 - p); clamped, since rounding may leave nothing to the others
            chance = logits.double().softmax(1).clamp(1e-9, 1 - 1e-9)
            logits = torch.logit(chance).float()
        return logits.clamp(-MOST_LOGIT, MOST_LOGIT)


def find_labelled_directions(
    run: Run,
    data: str | Path,
    labels: str | None = None,
    names: Sequence[str] = (),
    progress: bool = False,
) -> tuple[list[Direction], list[str]]:
    """Find the direction of each attribute, or class, of a labelled data set.

    Args:
        run: of an unconditional GAN of grey or RGB images, or one with classes.
        data: such as "attributes:./celeba", or a folder with classes.
        labels: of the data, as `--labels` has them.
        names: of the attributes or classes; empty: all.
        progress: show progress on stderr.

    Returns:
        Directions, and a line for each attribute: how well it is seen in real images and in noise,
        or why it has none.

    Raises:
        UserError: the run has no directions, or the data no labels or no such attribute.
    """
    check_directions(run)
    dataset = _open_labelled(run, data, labels, progress)
    known, table = _find_labels(dataset, data)
    wanted = list(names) or list(known)
    for name in wanted:
        if name not in known:
            raise UserError(f"--attributes {name}: {data} has none; {nearest(name, known)}")

    judge, right = _train_judge(run, dataset, table, known, progress)
    noise, answers = _judge_samples(run, judge)  # (N, size), (N, A)
    directions, notes = [], []
    for name in wanted:
        place = known.index(name)
        answer = answers[:, place]
        shown = float((answer > 0).float().mean())
        if not RAREST <= shown <= 1 - RAREST:
            notes.append(f"{name}: {shown:.0%} of the samples show it, so it has no direction")
            continue
        vector, correlation = _fit_probe(noise, answer)
        directions.append(Direction(vector, "labels", name))
        notes.append(
            f"{name}: seen correctly in {right[place]:.0%} of unseen real images; shown by"
            f" {shown:.0%} of the samples; told by the noise with a correlation of"
            f" {correlation:.2f}"
        )
    return directions, notes


def _open_labelled(run: Run, data: str | Path, labels: str | None, progress: bool) -> Dataset:
    """Open labelled images, in the size and the colours of the GAN's.

    Raises:
        UserError: they cannot be opened, or are too few.
    """
    recipe = read_safe_recipe(run.place, run.path, run.about)
    view = recipe.test_view.model_dump() | {"size": run.gan.size, "channels": run.gan.channels}
    view |= {"labels": labels or "none", "attributes": (), "split": None, "subset": None}
    dataset = open_dataset(str(data), make_view(**view), progress=progress)
    if dataset.shards is not None:
        raise UserError(f"--data {data}: shards cannot be used here; give a folder or zip")
    if len(dataset) < LEAST_IMAGES:
        raise UserError(
            f"--data {data} has {len(dataset)} images; {LEAST_IMAGES} or more are needed"
        )
    return dataset


def _find_labels(dataset: Dataset, data: str | Path) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of attributes, and float32 (M, A) in {0, 1}; or of classes, and int64 (M,).

    Raises:
        UserError: the images have neither.
    """
    if "attributes" in dataset.columns:
        table = np.asarray(dataset.columns["attributes"]).astype(np.float32)
        return dataset.names["attributes"], table
    if dataset.labels is not None and len(dataset.classes) > 1:
        return dataset.classes, dataset.labels
    raise UserError(
        f"--data {data} has neither attributes nor classes; give attributes:PLACE, or --labels"
        " folders or TABLE"
    )


def _train_judge(
    run: Run, dataset: Dataset, table: np.ndarray, names: tuple[str, ...], progress: bool
) -> tuple[_Judge, list[float]]:
    """A judge of the labels of a data set, and how often it is right in images that it was not
    trained on: for each attribute the mean of two shares, of images that have it and that do not.

    Raises:
        UserError: no classifier can see such images.
    """
    kept_back = min(MOST_TESTED, len(dataset) // 5)
    train_rows, test_rows = split(len(dataset), kept_back, None, dataset.report.parts)
    train = LabelledImages(np.asarray(dataset.images), table, train_rows)
    where = name_without_place(dataset.report.spec)
    nothing = replace(train, rows=test_rows[:0])  # it is tested below
    about = ClassificationData(where, dataset.fingerprint, names, train, nothing)
    judge = _Judge(load_or_train_classifier(about, run.device, progress), table.ndim == 1)

    images = torch.from_numpy(train.images[test_rows])
    seen = torch.cat([judge(part) for part in images.split(CHUNK)]) > 0  # (N, A)
    truth = torch.from_numpy(table[test_rows])
    if judge.exclusive:
        truth = one_hot(truth, len(names))
    return judge, balanced_agreement(seen, truth).tolist()


def _judge_samples(run: Run, judge: _Judge) -> tuple[Tensor, Tensor]:
    """Noise of samples in standard deviations, (N, size), and the log odds of labels, (N, A)."""
    noises, answers = [], []
    for start in range(0, SAMPLES, CHUNK):
        drawn = draw_noise(run, range(start, start + CHUNK), JUDGED)
        noises.append(drawn.noise / drawn.stds)
        answers.append(judge(to_uint8(drawn.images)))
    return torch.cat(noises), torch.cat(answers)


def _fit_probe(noise: Tensor, answer: Tensor) -> tuple[Tensor, float]:
    """The direction along which answers rise fastest, by ridge regression.

    Args:
        noise: (N, size), of mean 0 and standard deviation 1.
        answer: (N,).

    Returns:
        a vector of length 1, float32 (size,), and the correlation of the noise along it with the
        answers of samples that it was not fitted to.
    """
    places = torch.arange(len(noise))
    tested = places % TESTED == 0
    known, target = noise[~tested].double(), answer[~tested].double()
    known = known - known.mean(0)
    matrix = known.T @ known + RIDGE * len(known) * torch.eye(noise.shape[1]).double()
    vector = torch.linalg.solve(matrix, known.T @ (target - target.mean()))
    vector = vector / vector.norm()

    along = noise[tested].double() @ vector
    pair = torch.stack([along, answer[tested].double()])
    return vector.float(), float(torch.corrcoef(pair)[0, 1])
