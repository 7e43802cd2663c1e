"""A trained GAN, loaded from a run: `ganvas.load`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.devices import pick_device
from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, ChoiceInput
from ganvas.io.console import count_noun
from ganvas.io.images import to_uint8
from ganvas.rng import Rng, RowRng, WalkRng
from ganvas.runs.checkpoint import find_checkpoints, load_gan
from ganvas.runs.usage import describe_use

__all__ = [
    "CHUNK",
    "POINTS",
    "Run",
    "class_inputs",
    "class_number",
    "evaluation",
    "load",
    "preview_rows",
    "sample_chunks",
    "sample_gan",
    "sample_rows",
    "take_turns",
    "training_grid",
]

# Images generated at once; whole chunks always, so that an image never depends on the count.
CHUNK = 32
MOST_ROWS = 20  # rows of a class grid
CLASS_COLUMNS = 10  # images of each class
GRID_COLUMNS = 8  # of a grid without classes, which is square
POINTS = 1000  # points of a scatter picture
ANCHORS = 6  # rows of noise that a walk passes through


class Run:
    """A trained GAN, ready to use.

    Attributes:
        path: the checkpoint that was loaded.
        gan: in evaluation mode, with the moving average of the weights or the last weights.
        about: the checkpoint's description.
        device: where the GAN is.
    """

    def __init__(self, path: Path, gan: GAN, about: dict[str, Any], device: torch.device):
        self.path = path
        self.gan = gan.to(device)
        self.about = about
        self.device = device

    def __repr__(self) -> str:
        name = self.about["gan"]["name"]
        kind = f"{self.gan.size}x{self.gan.size}x{self.gan.channels}"
        classes = ""
        if self.gan.classes:
            classes = f", {count_noun(len(self.gan.classes), 'class', 'classes')}"
        images = count_noun(self.about["images"], "image")
        return f"<Run of {name}, {kind}{classes}, {images}, {self.path}>"

    @property
    def folder(self) -> Path:
        """The run folder; the checkpoint itself where it lies elsewhere."""
        return self.path.parents[1] if self.path.parent.name == "checkpoints" else self.path

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        return self.gan.channels, self.gan.size, self.gan.size

    def sample(self, count: int, *, seed: int = 0, label: str | int | None = None) -> Tensor:
        """Generate images. The same seed gives the same images, whatever the count.

        Args:
            count: of images.
            seed: of the noise.
            label: a class name or number, for GANs with classes; None: the classes in turn.

        Returns:
            float32 (count, C, H, W) in [-1, 1], on the CPU.

        Raises:
            UserError: the count is negative, the GAN has no such class, or it needs more than noise
                and a class.
        """
        # the empty tensor gives a count of 0 its shape
        return torch.cat([*self.chunks(count, seed=seed, label=label), torch.empty(0, *self.shape)])

    def chunks(
        self, count: int, *, seed: int = 0, label: str | int | None = None
    ) -> Iterator[Tensor]:
        """As `sample`, a few images at a time, for counts that do not fit into memory."""
        if count < 0:
            raise UserError(f"{count} images cannot be generated; ask for 0 or more")
        self.check_free()
        fixed = None if label is None else class_number(self.gan, label)
        yield from sample_chunks(self.gan, range(count), seed, self.device, fixed)

    def check_free(self) -> None:
        """Refuse a GAN that needs more than noise and a class.

        Raises:
            UserError: names the command that fits it.
        """
        if not self.gan.unconditional:
            inputs = ", ".join(self.gan.inputs)
            use = describe_use(self.gan, self.folder)
            raise UserError(f"{self.folder} generates images from {inputs}, not from noise: {use}")

    def make(self, inputs: Mapping[str, Tensor], *, seed: int = 0) -> Tensor:
        """Generate one image for each row of the inputs that the GAN needs; see `GAN.inputs`.

        Returns:
            float32 (N, C, H, W) in [-1, 1], on the CPU.
        """
        count = len(next(iter(inputs.values())))
        on_device = {name: values.to(self.device) for name, values in inputs.items()}
        return sample_gan(self.gan, RowRng(seed, range(count), self.device), count, on_device)

    def walk(self, frames: int, *, seed: int = 0, label: str | int | None = None) -> Tensor:
        """Generate the frames of a closed, smooth walk through the noise of the first six rows,
        float32 (frames, C, H, W) in [-1, 1].
        """
        self.check_free()
        fixed = 0 if label is None else class_number(self.gan, label)
        positions = torch.arange(frames) * ANCHORS / frames  # the last stops short of the first

        parts = []
        for part in positions.split(CHUNK):
            rng = WalkRng(seed, range(ANCHORS), part, self.device)
            inputs = class_inputs(self.gan, [fixed] * len(part), self.device)
            parts.append(sample_gan(self.gan, rng, len(part), inputs))
        return torch.cat(parts)


def load(path: str | Path, *, device: str = "cpu", ema: bool = True) -> Run:
    """Load a run folder (its newest checkpoint) or a checkpoint folder.

    Args:
        path: the folder.
        device: where images will be generated.
        ema: whether to use the moving average of the weights, where there is one.

    Raises:
        UserError: there is nothing to load, or it is damaged.
    """
    path = Path(path)
    if not path.is_dir():
        raise UserError(f"there is no run folder {path}; `ganvas train --out {path}` makes one")

    # a checkpoint has its description in it, a run folder only has checkpoints
    if not (path / "about.json").exists():
        found = find_checkpoints(path / "checkpoints")
        if not found:
            raise UserError(
                f"{path} has no checkpoints: it is not a run folder, or its training has not got"
                " that far"
            )
        path = found[-1]  # the newest

    return Run(path, *load_gan(path, ema), pick_device(device))


def class_number(gan: GAN, label: str | int) -> int:
    """The number of a class given by name or number.

    Raises:
        UserError: the GAN has no classes, or not this one.
    """
    if not isinstance(gan.inputs.get("label"), ChoiceInput):
        raise UserError(f"label {label} has no effect: this GAN was trained without labels")
    # names first: a class may be called 7 and have another number
    if str(label) in gan.classes:
        return gan.classes.index(str(label))
    if str(label).isdecimal() and int(label) < len(gan.classes):
        return int(label)

    hint = nearest(str(label), gan.classes)
    if len(gan.classes) <= MOST_ROWS:
        hint = f"the classes are {', '.join(gan.classes)}"
    raise UserError(f"there is no class {label!r} among {len(gan.classes)}; {hint}")


def take_turns(gan: GAN, rows: Sequence[int], fixed: int | None = None) -> list[int]:
    """The class number of each row: the fixed one, or all classes in turn; 0 without classes."""
    classes = max(1, len(gan.classes))
    return [row % classes if fixed is None else fixed for row in rows]


def sample_chunks(
    gan: GAN, rows: range, seed: int, device: torch.device, label: int | None = None
) -> Iterator[Tensor]:
    """Generate images from rows of a seed's endless table of noise, CHUNK at a time.

    Args:
        gan: unconditional, or with classes.
        rows: they begin at a multiple of CHUNK.
        seed: of the table.
        device: where the GAN is.
        label: class number of all images; None: the classes in turn.

    Yields:
        float32 (n, C, H, W) in [-1, 1], on the CPU.
    """
    for start in range(rows.start, rows.stop, CHUNK):
        # the last chunk is generated whole, too, and cut off
        chunk = range(start, start + CHUNK)
        images = sample_rows(gan, chunk, seed, device, take_turns(gan, chunk, label))
        yield images[: rows.stop - start]


def sample_rows(
    gan: GAN, rows: Sequence[int], seed: int, device: torch.device, labels: Sequence[int]
) -> Tensor:
    """Generate images from given rows of a seed's endless table of noise; see `sample_gan`.

    Args:
        gan: unconditional, or with classes.
        rows: numbers of the rows.
        seed: of the table.
        device: where the GAN is.
        labels: class numbers, one an image; of no effect on GANs without classes.
    """
    inputs = class_inputs(gan, labels, device)
    return sample_gan(gan, RowRng(seed, rows, device), len(rows), inputs)


def class_inputs(gan: GAN, labels: Sequence[int], device: torch.device) -> dict[str, Tensor]:
    """The inputs of an unconditional GAN or one with classes, from class numbers."""
    return {"label": torch.tensor(labels, device=device)} if "label" in gan.inputs else {}


@torch.no_grad()
def sample_gan(gan: GAN, rng: Rng, count: int, inputs: Mapping[str, Tensor]) -> Tensor:
    """Generate images from a source of noise and from inputs, in evaluation mode: float32 (N, C, H,
    W) in [-1, 1], on the CPU.
    """
    with evaluation(gan):
        return gan.sample(count, rng, **inputs).float().cpu()


@torch.no_grad()
def preview_rows(
    gan: GAN, rows: Mapping[str, Tensor], device: torch.device, seed: int = 0
) -> dict[str, Tensor]:
    """What a GAN makes of rows of data, as columns of uint8 images (N, C, H, W) by their heading;
    of an unconditional GAN two samples.

    Args:
        gan: the GAN.
        rows: on the device, as a batch.
        device: where the GAN is.
        seed: of the noise.
    """
    if gan.unconditional:
        return {"made": to_uint8(sample_rows(gan, range(2), seed, device, [0, 0]))}
    count = len(next(iter(rows.values())))
    with evaluation(gan):
        columns = gan.make_preview(rows, RowRng(seed, range(count), device))
    return {name: to_uint8(images.cpu()) for name, images in columns.items()}


@contextmanager
def evaluation(gan: GAN) -> Iterator[None]:
    """Put a GAN into evaluation mode for a while."""
    training = gan.training
    gan.eval()
    try:
        yield
    finally:
        gan.train(training)  # all modules inside, too


def training_grid(gan: GAN, seed: int, device: torch.device) -> tuple[Tensor, int, tuple[str, ...]]:
    """The grid that shows progress, always from the same noise: (images, columns, row names).

    With classes, one class a row, all rows from the same ten noises; without, 8 x 8 images; of
    points, 1,000.
    """
    if "label" in gan.inputs:
        shown = range(min(MOST_ROWS, len(gan.classes)))
        names = tuple(gan.classes[label] for label in shown)
        # row by row: the noise of a column stays, the class of a row stays
        rows = [column for _ in shown for column in range(CLASS_COLUMNS)]
        labels = [label for label in shown for _ in range(CLASS_COLUMNS)]
        return sample_rows(gan, rows, seed, device, labels), CLASS_COLUMNS, names

    rows = range(POINTS if gan.kind == "point" else GRID_COLUMNS**2)
    return sample_rows(gan, rows, seed, device, [0] * len(rows)), GRID_COLUMNS, ()
