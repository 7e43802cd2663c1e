"""Sets of pictures that can be judged: of a run, of files, or noise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import Dataset, View, describe_pictures
from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import CHUNK
from ganvas.evaluation.trial import Trial
from ganvas.inference.run import Run
from ganvas.io.images import to_square, to_uint8
from ganvas.rng import fold_in
from ganvas.schema import kind_of_channels

NOISE = "noise"  # the name of the set of random pictures


@dataclass(frozen=True)
class Pictures:
    """A set of pictures, or of points, to be judged.

    Attributes:
        name: for people.
        about: what they are, as JSON.
        count: how many.
        size: side in pixels.
        channels: 1 or 3; 2 for points.
        make: gives them from the first on, each time anew: uint8 (n, C, H, W) at a time; points
            float32 (n, 2, 1, 1).
        labels: the class that each was made for or has, int64 (count,) in [0, len(classes)); None:
            not known.
        classes: names.
        trial: where they come from, of a GAN that makes no pictures from noise alone.
    """

    name: str
    about: dict[str, Any]
    count: int
    size: int
    channels: int
    make: Callable[[], Iterator[Tensor]]
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    trial: Trial | None = None

    def pieces(self) -> Iterator[Tensor]:
        """The pictures, CHUNK at a time whatever the pieces they come in, so that features do not
        depend on these.
        """
        waiting: list[Tensor] = []
        for piece in self.make():
            waiting.append(piece)
            while sum(map(len, waiting)) >= CHUNK:
                whole = torch.cat(waiting)
                yield whole[:CHUNK]
                waiting = [whole[CHUNK:]]
        if sum(map(len, waiting)):
            yield torch.cat(waiting)

    def at(self, rows: Tensor) -> Tensor:
        """The pictures at `rows`, int64 (n,), in this order."""
        found, start = {}, 0
        wanted = set(rows.tolist())
        for piece in self.make():
            found |= {
                row: piece[row - start] for row in range(start, start + len(piece)) if row in wanted
            }
            start += len(piece)
        return torch.stack([found[row] for row in rows.tolist()])

    @property
    def kind(self) -> str:
        """What it holds, in words: "28x28 grey"."""
        return describe_pictures(self.size, self.channels)


def of_run(run: Run, count: int, seed: int, view: View) -> Pictures:
    """The first `count` pictures of a seed, classes in turn, rounded to uint8 as `ganvas sample`
    writes them.

    Args:
        view: to which size they are brought, where it is not the GAN's own.

    Raises:
        UserError: the view wants larger pictures than the GAN makes, or other channels.
    """
    gan = run.gan
    size = view.size or gan.size
    if size > gan.size:
        raise UserError(
            f"--size {size}: {run.path} makes {describe_pictures(gan.size, gan.channels)}; choose {gan.size} or less"
        )
    if view.channels not in (None, gan.channels):
        raise UserError(
            f"--channels {view.channels}: {run.path} makes {describe_pictures(gan.size, gan.channels)}"
        )

    def make() -> Iterator[Tensor]:
        made = 0
        for chunk in run.chunks(count, seed=seed):
            if not chunk.isfinite().all():
                first = made + int((~chunk.isfinite().flatten(1).all(1)).nonzero()[0])
                raise UserError(
                    f"the generator of {run.path} is broken: picture {first} of {count:,} holds NaN or infinity"
                )
            made += len(chunk)
            yield (
                chunk
                if gan.kind == "point"
                else to_square(to_uint8(chunk), size, view.fit, view.background)
            )

    about = described(run)
    if size != gan.size:
        about["resized_from"] = gan.size
    labels = torch.tensor(run.labels(range(count))) if "label" in gan.inputs else None
    return Pictures(
        run.folder.name,
        about,
        count,
        size,
        gan.channels,
        make,
        labels,
        gan.classes if labels is not None else (),
    )


def of_trial(run: Run, trial: Trial) -> Pictures:
    """What a run's GAN makes of rows of data."""
    gan = run.gan
    about = {**described(run), "rows": trial.count}
    return Pictures(
        run.folder.name,
        about,
        trial.count,
        gan.size,
        gan.channels,
        lambda: iter([trial.made]),
        trial=trial,
    )


def described(run: Run) -> dict[str, Any]:
    """Which run, and which of its checkpoints."""
    gan = run.about["gan"]["name"]
    return {
        "run": str(run.folder),
        "checkpoint": run.path.name,
        "images": run.about["images"],
        "gan": gan,
    }


def of_dataset(dataset: Dataset, count: int, seed: int) -> Pictures:
    """The pictures of a data set; of more than `count` so many at random, without replacement, of a
    sharded set in few shards.
    """
    rows = dataset.near(np.arange(len(dataset)), count)
    if len(dataset) > count:
        random = torch.Generator().manual_seed(fold_in(seed, "choice of pictures"))
        rows = rows[torch.randperm(len(rows), generator=random)[:count].numpy()]
    if dataset.shards is not None:
        rows = np.sort(rows)  # so that each shard is read once

    def make() -> Iterator[Tensor]:
        for start in range(0, len(rows), CHUNK):
            yield dataset.batch(rows[start : start + CHUNK])["image"]

    about = {"data": place_free(dataset.report.spec), "fingerprint": dataset.fingerprint}
    labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[rows])
    return Pictures(
        about["data"],
        about,
        len(rows),
        dataset.size,
        dataset.channels,
        make,
        labels,
        dataset.classes,
    )


def of_noise(size: int, channels: int, count: int, seed: int) -> Pictures:
    """Uniform random pixels or points: what a generator makes that has learnt nothing."""

    def make() -> Iterator[Tensor]:
        for start in range(0, count, CHUNK):
            random = torch.Generator().manual_seed(fold_in(seed, "noise", start))
            if kind_of_channels(channels) == "point":
                piece = torch.rand(CHUNK, 2, 1, 1, generator=random) * 2 - 1
            else:
                piece = torch.randint(
                    256, (CHUNK, channels, size, size), dtype=torch.uint8, generator=random
                )
            yield piece[: count - start]

    return Pictures(NOISE, {"data": NOISE}, count, size, channels, make)


def place_free(spec: str) -> str:
    """The name of a data set without the folder it lies in:

    "mnist:/data/mnist" is "mnist", "/data/faces" is "faces".
    """
    name, colon, place = spec.partition(":")
    if Path(spec).exists() or len(name) < 2:  # a path; of one letter: a drive
        return Path(spec).expanduser().resolve().name
    return f"{name}:{Path(place).name}" if colon and name in ("idx", "shards") else name
