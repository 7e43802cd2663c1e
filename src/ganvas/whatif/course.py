"""Train one side of an experiment in memory, and keep what it looks like on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader
from ganvas.gans.base import GAN
from ganvas.inference.sampling import POINTS, sample_rows
from ganvas.io.images import to_uint8
from ganvas.recipes.recipe import Recipe
from ganvas.runs.curves import Curves
from ganvas.runs.diagnosis import Diagnosis, schedule_of
from ganvas.training.checkup import Checkup
from ganvas.training.clock import RunClock
from ganvas.training.engine import Engine
from ganvas.training.guard import NotFiniteError
from ganvas.training.probe import StepProbe
from ganvas.training.setup import copy_state
from ganvas.training.state import TrainingState
from ganvas.training.step import TrainingStep
from ganvas.whatif.experiment import Side

__all__ = ["Course", "Moment", "train_side"]

MOMENTS = 5  # grids of samples along the training
REPORTS = 100  # values of a loss
# The doctor decides whether a generator still learns after 20.
CHECKUPS = 24
COLUMNS = 6  # samples in a row of a grid
MOST_CLASSES = 10  # rows of a grid with classes


@dataclass(frozen=True)
class Moment:
    """Samples at one time of a training, always from the same noise.

    Attributes:
        images: shown so far.
        samples: uint8 (N, C, S, S), or points, float (N, 2, 1, 1).
        columns: samples in a row.
        rows: names of the rows, if they are classes.
    """

    images: int
    samples: Tensor
    columns: int
    rows: tuple[str, ...]


@dataclass
class Course:
    """A training, as far as it came.

    Attributes:
        side: what was trained.
        dataset: what it was trained on.
        gan: as it is at the end.
        checkup: the doctor's, with the real images that samples are compared with.
        loader: knows which images the training saw.
        diagnosis: of the doctor.
        moments: samples along the training.
        losses: by player, against images shown.
        stopped: why it ended early, in words; empty: it did not.
        seconds: that it took, all in all.
    """

    side: Side
    dataset: Dataset
    gan: GAN
    checkup: Checkup
    loader: Loader
    diagnosis: Diagnosis
    moments: list[Moment] = field(default_factory=list)
    losses: Curves = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0

    @property
    def images(self) -> int:
        """Images shown until the last moment."""
        return self.moments[-1].images

    def curves(self, keys: tuple[str, ...]) -> Curves:
        """What the doctor measured, by its name, against images shown."""
        found = {}
        for key in keys:
            points = [
                (checkup["images"], checkup[key])
                for checkup in self.diagnosis.checkups
                if isinstance(checkup.get(key), int | float)
            ]
            if points:
                found[key] = np.array(points, np.float64)
        return found


def train_side(side: Side, dataset: Dataset, report: Callable[[int], None]) -> Course:
    """Train one side on the CPU, where nets this small are as fast as anywhere; write nothing.

    Args:
        side: what to train.
        dataset: on what.
        report: called after each step with the images shown.

    Raises:
        UserError: the data lacks what the GAN needs, or the GAN cannot generate this size.
    """
    began = time.monotonic()
    recipe, engine = side.recipe, Engine("cpu")
    gan = side.build_gan(dataset)
    # The weights are copied: what this returns also has the optimizers of the recipe.
    first = TrainingState(gan, None, {}, RunClock(recipe.batch, recipe.images))
    state = copy_state(recipe, first)
    loader = Loader(dataset, recipe.sampling, engine.placement)
    checkup = Checkup(recipe, state.gan, dataset, loader, engine.device)
    shown = state.ema.gan if state.ema else state.gan
    diagnosis = Diagnosis(schedule=schedule_of(recipe))
    course = Course(side, dataset, shown, checkup, loader, diagnosis)

    try:
        _run(course, state, TrainingStep(recipe, state, loader, engine), engine, report)
    except NotFiniteError as error:
        course.stopped = str(error)
    # The last moment of a training that broke off is where it broke off.
    if not course.moments or course.moments[-1].images < state.clock.images:
        course.moments.append(_look(shown, recipe, state.clock.images))
    course.seconds = time.monotonic() - began
    return course


def _run(
    course: Course,
    state: TrainingState,
    step: TrainingStep,
    engine: Engine,
    report: Callable[[int], None],
) -> None:
    """The loop: take steps, and look on at the periods of an experiment.

    Raises:
        NotFiniteError: a loss is NaN or infinite.
    """
    recipe, clock = course.side.recipe, state.clock
    losses_every, health_every, moment_every = (
        max(recipe.batch, recipe.images // count) for count in (REPORTS, CHECKUPS, MOMENTS)
    )
    points: dict[str, list[tuple[int, float]]] = {player: [] for player in recipe.optimizers}

    while not clock.finished:
        watched = clock.coming(health_every)
        probe = StepProbe(state.gan.decision_threshold) if watched else None
        step(probe)
        report(clock.images)

        if clock.due(losses_every):
            means = state.means.read(engine)
            state.means.reset()
            for player, values in points.items():
                values.append((clock.images, means.get(player, np.nan)))
                course.losses[player] = np.array(values, np.float64)
        if probe:
            measured, state.seen = course.checkup.measure(state.gan, course.gan, state.seen)
            course.diagnosis.add({"images": clock.images} | probe.read() | measured)
        if clock.due(moment_every):
            course.moments.append(_look(course.gan, recipe, clock.images))


def _look(gan: GAN, recipe: Recipe, images: int) -> Moment:
    """Samples as they are now: of points a cloud, of classes a row each, else a square."""
    if gan.kind == "point":
        count, columns, names, labels = POINTS, COLUMNS, (), [0] * POINTS
    elif "label" in gan.inputs:
        names, columns = gan.classes[:MOST_CLASSES], COLUMNS
        count = columns * len(names)
        labels = [row // columns for row in range(count)]
    else:
        count, columns, names, labels = COLUMNS**2, COLUMNS, (), [0] * COLUMNS**2

    # The noise of a column stays in all rows of classes.
    rows = [row % columns for row in range(count)] if names else range(count)
    samples = sample_rows(gan, rows, recipe.seed, torch.device("cpu"), labels)
    return Moment(images, to_uint8(samples), columns, names)
