"""From a trained GAN to pictures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.devices import pick_device
from ganvas.errors import UserError, nearest
from ganvas.gans.base import (
    GAN,
    ChoiceInput,
)
from ganvas.io.console import count_noun
from ganvas.io.images import to_uint8
from ganvas.rng import Rng, RowRng, WalkRng
from ganvas.runs.checkpoint import find_checkpoints, load_gan
from ganvas.runs.usage import describe_use

# pictures made at once; whole chunks always, so that a picture never depends on how many are asked
# for
CHUNK = 32
MOST_ROWS = 20  # rows of a class grid
POINTS = 1000  # points of a run's scatter pictures


class Run:
    """A trained GAN, ready to use.

    Attributes:
        path: the checkpoint that was loaded.
        gan: the GAN in evaluation mode; its averaged players hold the moving average, unless told
            otherwise.
        about: the checkpoint's description.
    """

    def __init__(self, path: Path, gan: GAN, about: dict[str, Any], device: torch.device):
        self.path, self.gan, self.about, self.device = path, gan.to(device), about, device

    def __repr__(self) -> str:
        classes = (
            f", {count_noun(len(self.gan.classes), 'class', 'classes')}" if self.gan.classes else ""
        )
        kind = f"{self.gan.size}x{self.gan.size}x{self.gan.channels}"
        return f"<Run of {self.about['gan']['name']}, {kind}{classes}, {count_noun(self.about['images'], 'image')}, {self.path}>"

    @property
    def folder(self) -> Path:
        """The run's folder; of a checkpoint that lies elsewhere its own."""
        return self.path.parents[1] if self.path.parent.name == "checkpoints" else self.path

    def sample(self, count: int, *, seed: int = 0, label: str | int | None = None) -> Tensor:
        """Make pictures. The same seed gives the same pictures, whatever the count.

        Args:
            count: how many.
            seed: which pictures.
            label: a class name or number, for GANs with classes; None takes the classes in turn.

        Returns:
            float32 (count, C, H, W) in [-1, 1], on the CPU.

        Raises:
            UserError: the count is negative, the GAN has no such class, or it needs more than a
                class to make a picture.
        """
        return torch.cat([*self.chunks(count, seed=seed, label=label), torch.empty(0, *self.shape)])

    def chunks(
        self, count: int, *, seed: int = 0, label: str | int | None = None
    ) -> Iterator[Tensor]:
        """As `sample`, a few pictures at a time, for counts that do not fit into memory."""
        if count < 0:
            raise UserError(f"{count} pictures cannot be made; ask for 0 or more")
        self.check_free()
        fixed = None if label is None else class_number(self.gan, label)
        for start in range(0, count, CHUNK):
            rows = range(start, start + CHUNK)
            yield generate(self.gan, rows, seed, self.device, self.labels(rows, fixed))[
                : count - start
            ]

    def check_free(self) -> None:
        """Refuse a GAN that makes no pictures from noise alone.

        Raises:
            UserError: names the command that fits it.
        """
        if not self.gan.unconditional:
            needs, use = ", ".join(self.gan.inputs), describe_use(self.gan, self.path)
            raise UserError(f"{self.path} makes pictures from {needs}, not from noise: {use}")

    def labels(self, rows: Sequence[int], fixed: int | None = None) -> list[int]:
        """The class of every row: the one asked for, else all in turn."""
        return [row % max(1, len(self.gan.classes)) if fixed is None else fixed for row in rows]

    def make(self, inputs: Mapping[str, Tensor], *, seed: int = 0) -> Tensor:
        """Make one picture for each row of the inputs that the GAN wants; see `GAN.inputs`.

        Returns:
            float32 (N, C, H, W) in [-1, 1], on the CPU.
        """
        count = len(next(iter(inputs.values())))
        on_device = {name: values.to(self.device) for name, values in inputs.items()}
        return make(self.gan, RowRng(seed, range(count), self.device), count, on_device)

    def walk(
        self, frames: int, *, anchors: int = 6, seed: int = 0, label: str | int | None = None
    ) -> Tensor:
        """A closed, smooth walk through the noise of the first `anchors` rows, float32 (frames, C,
        H, W) in [-1, 1].
        """
        self.check_free()
        fixed = 0 if label is None else class_number(self.gan, label)
        positions = torch.arange(frames) * anchors / frames
        parts = []
        for part in positions.split(CHUNK):
            rng = WalkRng(seed, range(anchors), part, self.device)
            parts.append(
                make(
                    self.gan, rng, len(part), as_inputs(self.gan, [fixed] * len(part), self.device)
                )
            )
        return torch.cat(parts)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""
        return self.gan.channels, self.gan.size, self.gan.size


def load(path: str | Path, *, device: str = "cpu", ema: bool = True) -> Run:
    """Load a run folder (its newest checkpoint) or a checkpoint folder.

    Args:
        path: the folder.
        device: where pictures will be made.
        average: whether to use the moving average of the weights, where the run has one.

    Raises:
        UserError: there is nothing to load, or it is damaged.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"there is no run folder {path}; `ganvas train --out {path}` makes one")
    if not (path / "about.json").exists():
        found = find_checkpoints(path / "checkpoints")
        if not found:
            raise UserError(
                f"{path} has no checkpoints: it is not a run folder, or its training has not got that far"
            )
        path = found[-1]
    return Run(path, *load_gan(path, ema), pick_device(device))


def class_number(gan: GAN, label: str | int) -> int:
    """The number of a class given by name or number.

    Raises:
        UserError: the GAN has no classes, or not this one.
    """
    if not isinstance(gan.inputs.get("label"), ChoiceInput):
        raise UserError(f"label {label} cannot be asked for: this GAN was trained without labels")
    if str(label) in gan.classes:
        return gan.classes.index(str(label))
    if str(label).isdecimal() and int(label) < len(gan.classes):
        return int(label)
    names = gan.classes if len(gan.classes) <= MOST_ROWS else ()
    hint = f"the classes are {', '.join(names)}" if names else nearest(str(label), gan.classes)
    raise UserError(f"there is no class {label!r} among {len(gan.classes)}; {hint}")


def generate(
    gan: GAN, rows: Sequence[int], seed: int, device: torch.device, labels: Sequence[int]
) -> Tensor:
    """Pictures of given rows of a seed's endless table of noise; see `make`.

    Args:
        labels: class numbers, one a picture; of no effect on GANs without classes.
    """
    return make(gan, RowRng(seed, rows, device), len(rows), as_inputs(gan, labels, device))


def as_inputs(gan: GAN, labels: Sequence[int], device: torch.device) -> dict[str, Tensor]:
    """The inputs of a free GAN, from class numbers."""
    return {"label": torch.tensor(labels, device=device)} if "label" in gan.inputs else {}


@torch.no_grad()
def make(gan: GAN, rng: Rng, count: int, inputs: Mapping[str, Tensor]) -> Tensor:
    """Pictures from a source of noise and from inputs, in evaluation mode: float32 (N, C, H, W) in
    [-1, 1], on the CPU.
    """
    with evaluation(gan):
        return gan.sample(count, rng, **inputs).float().cpu()


@torch.no_grad()
def look(
    gan: GAN, rows: Mapping[str, Tensor], device: torch.device, seed: int = 0
) -> dict[str, Tensor]:
    """What a GAN makes of rows of data, as columns of uint8 pictures by their heading; of a free
    GAN two samples.

    Args:
        rows: on the device, as a batch.
    """
    if gan.unconditional:
        return {"made": to_uint8(generate(gan, range(2), seed, device, [0, 0]))}
    count = len(next(iter(rows.values())))
    with evaluation(gan):
        return {
            name: to_uint8(made.cpu())
            for name, made in gan.make_preview(rows, RowRng(seed, range(count), device)).items()
        }


@contextmanager
def evaluation(gan: GAN) -> Iterator[None]:
    """Evaluation mode for a while."""
    training = gan.training
    gan.eval()
    try:
        yield
    finally:
        gan.train(training)


def training_grid(gan: GAN, seed: int, device: torch.device) -> tuple[Tensor, int, tuple[str, ...]]:
    """The grid that shows a run's progress, always from the same noise: (pictures, columns, row
    names).

    With classes, one class a row, all rows from the same ten noises; else 8 x 8 pictures; of
    points, 1,000.
    """
    if "label" in gan.inputs:
        shown = range(min(MOST_ROWS, len(gan.classes)))
        columns, names = 10, tuple(gan.classes[label] for label in shown)
        rows = [column for _ in shown for column in range(columns)]
        labels = [label for label in shown for _ in range(columns)]
    else:
        columns, names, rows = 8, (), list(range(POINTS if gan.kind == "point" else 64))
        labels = [0] * len(rows)
    return generate(gan, rows, seed, device, labels), columns, names
