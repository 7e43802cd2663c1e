"""Drawn images for trainings on machines without data: strokes like digits, objects in colour."""

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganvas.data.dataset import Dataset, single
from ganvas.data.report import DataReport

CLASSES = tuple("0123456789")
PIECE = 1_000  # images drawn at a time


def write_drawn_digits(folder: Path, count: int) -> str:
    """Write grey images of 28 pixels and their classes as idx files; the `--data` to name them."""
    labels = torch.arange(count) % len(CLASSES)
    images = torch.cat([draw_strokes(piece) for piece in labels.split(PIECE)])
    path = folder / "train-images-idx3-ubyte"
    _write_idx(path, images.numpy())
    _write_idx(folder / "train-labels-idx1-ubyte", labels.numpy())
    return f"idx:{path}"


def draw_strokes(labels: Tensor) -> Tensor:
    """One bright stroke an image, uint8 (N, 28, 28); the class is its direction, in 18 degrees."""
    random = torch.Generator().manual_seed(int(labels[0]) + len(labels))
    angle = labels * (torch.pi / 10) + 0.1 * torch.randn(len(labels), generator=random)
    offset, length, width = torch.rand(3, len(labels), generator=random)

    axis = torch.arange(28) - 13.5
    along = _rotate(axis, angle)  # pixels along the stroke, (N, 28, 28)
    across = _rotate(axis, angle + torch.pi / 2) + _column(6 * offset - 3)
    distance = (across.abs() - _column(1 + width)).clamp(min=0)
    distance += (along.abs() - _column(7 + 4 * length)).clamp(min=0)
    return (255 * (1 - distance).clamp(0, 1)).to(torch.uint8)


def draw_objects(count: int) -> Dataset:
    """Colour images of 32 pixels in ten classes: an ellipse before a soft background.

    The class decides the ellipse's shape and the range of its colour.
    """
    labels = torch.arange(count) % len(CLASSES)
    images = torch.cat([_draw_ellipses(piece, n) for n, piece in enumerate(labels.split(PIECE))])
    report = DataReport(spec="drawn", found=count, used=count)
    return single(images.numpy(), labels.numpy().astype(np.int64), CLASSES, report)


def _draw_ellipses(labels: Tensor, seed: int) -> Tensor:
    """uint8 (N, 3, 32, 32)."""
    random = torch.Generator().manual_seed(seed)
    count = len(labels)
    coarse = torch.rand(count, 3, 4, 4, generator=random)
    background = functional.interpolate(coarse, (32, 32), mode="bicubic").clamp(0, 1)

    axis = torch.arange(32) - 15.5
    angle = labels * (torch.pi / 5) + 0.2 * torch.randn(count, generator=random)
    place = 8 * torch.rand(2, count, generator=random) - 4
    along = _rotate(axis, angle) + _column(place[0])
    across = _rotate(axis, angle + torch.pi / 2) + _column(place[1])
    radius = (along / 11).square() + (across / _column(4.0 + labels % 3)).square()
    inside = (4 * (1 - radius)).clamp(0, 1)[:, None]  # (N, 1, 32, 32)

    hue = torch.stack([(labels * step) % 10 / 9 for step in (1, 3, 7)], 1)
    colour = (hue + 0.1 * torch.randn(count, 3, generator=random)).clamp(0, 1)
    images = inside * colour[:, :, None, None] + (1 - inside) * background
    return (255 * images).round().to(torch.uint8)


def _rotate(axis: Tensor, angle: Tensor) -> Tensor:
    """The coordinate of each pixel along a direction: (N, S, S) from the axis (S,), (N,) angles."""
    return _column(angle.cos()) * axis + _column(angle.sin()) * axis[:, None]


def _column(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1)."""
    return values[:, None, None]


def _write_idx(path: Path, values: np.ndarray) -> None:
    """Write values in [0, 255] as an idx file."""
    head = bytes([0, 0, 0x08, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(head + values.astype(np.uint8).tobytes())
