"""Arrays of images of one size as a data set."""

from typing import NamedTuple

import numpy as np
import torch

from ganvas.data.dataset import Dataset, single
from ganvas.data.report import DataReport
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import count_noun
from ganvas.io.resizing import to_square, with_channels

__all__ = ["SquarePlan", "as_dataset", "fit_squares", "plan_squares"]


class SquarePlan(NamedTuple):
    """How images of one size become squares.

    Attributes:
        view: with its size and channels resolved.
        steps: what is done, one sentence each.
        notes: what a person should know.
    """

    view: View
    steps: list[str]
    notes: list[str]


def plan_squares(count: int, frame: tuple[int, int, int], view: View) -> SquarePlan:
    """How `count` images of the frame (C, H, W) become what `view` wants to see."""
    own, height, width = frame
    size = view.size or min(height, width)
    channels = view.channels or (1 if own == 1 else 3)

    steps = []
    notes = []
    if view.transpose:
        steps.append("rows and columns exchanged")
    if (height, width) != (size, size):
        # padding fits the longer side into the square, cutting the shorter one
        fitted_side = max(height, width) if view.fit == "pad" else min(height, width)
        enlarged = fitted_side < size
        change = "enlarged" if enlarged else "shrunk"
        steps.append(f"{count_noun(count, 'image')} {change} to {size}x{size} ({view.fit})")
        if enlarged:
            notes.append(f"enlarged from {width}x{height} to {size}x{size}, which adds no detail")
    if channels > own:
        steps.append("grey repeated to RGB")
    elif channels < own:
        steps.append("RGB turned to grey")
    return SquarePlan(view.model_copy(update={"size": size, "channels": channels}), steps, notes)


def fit_squares(images: np.ndarray, view: View) -> np.ndarray:
    """Images uint8 (n, C, H, W) as uint8 (n, channels, S, S), S the resolved view's load size."""
    pixels = torch.from_numpy(images.copy())  # it may be read-only, or a reversed view
    pixels = with_channels(pixels, view.channels or 3)
    side = view.load_size()
    return to_square(pixels, side, view.fit, view.background, enlarge=True).numpy()


def as_dataset(
    spec: str,
    images: np.ndarray,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    view: View,
    test: str | None = None,
) -> Dataset:
    """Pictures uint8 (N, C, H, W) as `view` wants to see them, with the name of the set that was
    published for tests.
    """
    count, own, height, width = images.shape
    if view.transpose:
        height, width = width, height
        images = images.swapaxes(2, 3)
    plan = plan_squares(count, (own, height, width), view)
    if plan.view.channels not in (1, 3):
        raise UserError(
            f"channels={plan.view.channels}: {spec} holds images in "
            f"{'grey' if own == 1 else 'RGB'}: use --channels 1 or 3"
        )

    # 1,024 at a time: resizing works in float32, four times as large
    side = plan.view.load_size()  # pixels that are kept
    assert plan.view.channels
    fitted = np.empty((count, plan.view.channels, side, side), np.uint8)
    for piece in chunk_slices(count, 1024):
        fitted[piece] = fit_squares(images[piece], plan.view)

    names = {}
    if labels is not None:
        labels = labels.astype(np.int64)  # uint8 in the files of MNIST and CIFAR
        # minlength: a class without pictures is reported with 0
        names = dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist()))

    report = DataReport(
        spec=spec,
        found=count,
        used=count,
        sizes={f"{width}x{height}": count},
        modes={"L" if own == 1 else "RGB": count},
        classes=names,
        steps=plan.steps,
        notes=plan.notes,
        test=test,
    )

    return single(fitted, labels, classes, report, plan.view.size)
