"""Sample a GAN from rows of noise, always in chunks of one size, for training and for use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, ChoiceInput
from ganvas.io.images import to_uint8
from ganvas.io.planes import show_planes
from ganvas.rng import Rng, RowRng

__all__ = [
    "CHUNK",
    "POINTS",
    "Labels",
    "class_inputs",
    "class_number",
    "class_numbers",
    "evaluation",
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
Labels = str | int | Sequence[str | int] | None  # one class, several, or none in particular
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")  # a class that is called by a number


def class_number(gan: GAN, label: str | int) -> int:
    """The number of a class that is asked for by its name.

    Where no class is called by a number, a number is the place of a class, from 0. Where classes
    are, it would mean another class than the one of that name, so only names count.

    Raises:
        UserError: the GAN has no classes, or not this one.
    """
    if not isinstance(gan.inputs.get("label"), ChoiceInput):
        raise UserError(f"label {label} has no effect: this GAN was trained without labels")
    if str(label) in gan.classes:
        return gan.classes.index(str(label))
    numbered = any(NUMBER.fullmatch(name) for name in gan.classes)
    if not numbered and str(label).isdecimal() and int(label) < len(gan.classes):
        return int(label)

    hint = nearest(str(label), gan.classes)
    if len(gan.classes) <= MOST_ROWS:
        hint = f"the classes are {', '.join(gan.classes)}"
    raise UserError(f"there is no class {label!r} among {len(gan.classes)}; {hint}")


def class_numbers(gan: GAN, labels: Labels) -> list[int]:
    """The numbers of classes that are asked for by name, see `class_number`; [] of None.

    A text may name several with commas between them, unless a class is called so.

    Raises:
        UserError: the GAN has no classes, or not one of these.
    """
    if labels is None:
        return []
    given = [labels] if isinstance(labels, str | int) else list(labels)
    names: list[str | int] = []
    for label in given:
        if isinstance(label, str) and label not in gan.classes:
            names += [name.strip() for name in label.split(",")]
        else:
            names.append(label)
    return [class_number(gan, name) for name in names]


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
    """What a GAN makes of rows of data, as columns of images for people, uint8 (N, 1 or 3, H, W),
    by their heading; of an unconditional GAN two samples.

    Args:
        gan: the GAN.
        rows: on the device, as a batch.
        device: where the GAN is.
        seed: of the noise.
    """
    if gan.unconditional:
        made = to_uint8(sample_rows(gan, range(2), seed, device, [0, 0]))
        return {"made": show_planes(made, *gan.schema.planes(gan.target))}
    count = len(next(iter(rows.values())))
    with evaluation(gan):
        columns = gan.make_preview(rows, RowRng(seed, range(count), device))
    return {
        name: show_planes(to_uint8(images.cpu()), *gan.schema.planes(gan.column_of(name)))
        for name, images in columns.items()
    }


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
