"""Arrays of images of one size as a data set."""

import numpy as np
import torch

from ganvas.data.dataset import Dataset, single
from ganvas.data.report import DataReport
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import count_noun
from ganvas.io.resizing import to_square, with_channels

__all__ = ["as_dataset"]


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
    size = view.size or min(height, width)
    channels = view.channels or own
    if channels not in (1, 3):
        raise UserError(
            f"channels={channels}: {spec} holds images in {'grey' if own == 1 else 'RGB'}: "
            "use --channels 1 or 3"
        )

    steps = []
    notes = []
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

    # 1,024 at a time: resizing works in float32, four times as large
    side = view.model_copy(update={"size": size}).load_size()  # pixels that are kept
    fitted = np.empty((count, channels, side, side), np.uint8)
    for piece in chunk_slices(count, 1024):
        pixels = with_channels(torch.tensor(images[piece]), channels)  # copied: may be read-only
        fitted[piece] = to_square(pixels, side, view.fit, view.background, enlarge=True)

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
        steps=steps,
        notes=notes,
        test=test,
    )

    return single(fitted, labels, classes, report, size)
