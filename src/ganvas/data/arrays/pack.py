"""Write arrays of images, and images that a source reads, into the packed store."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ganvas.data.arrays.images import ArrayImages
from ganvas.data.builtin.arrays import fit_squares, plan_squares
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.rows import write_rows
from ganvas.data.folders.sizes import count_sizes, with_common_size
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.report import DataReport, Skipped
from ganvas.data.store import Packed, open_image_file
from ganvas.data.view import View

__all__ = ["pack_array", "pack_source"]


def pack_array(
    folder: Path,
    images: ArrayImages,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    view: View,
) -> Packed:
    """Write images of one size, piece by piece, and their labels if there are any.

    Raises:
        UserError: the values are in no range that is usual for images, or cut off.
    """
    images = replace(images, range=view.range)
    channels, height, width = images.frame
    if view.transpose:
        height, width = width, height
    count = images.shape[0]
    plan = plan_squares(count, (channels, height, width), view)
    assert plan.view.size and plan.view.channels

    side = plan.view.load_size()
    with open_image_file(folder / "image.npy", (plan.view.channels, side, side)) as write:
        for piece in images.squares():
            turned = piece.swapaxes(2, 3) if view.transpose else piece
            write(fit_squares(turned, plan.view))

    counts: dict[str, int] = {}
    if labels is not None:
        np.save(folder / "label.npy", labels)
        counts = dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist()))
    scale = images.scale.step
    report = DataReport(
        spec=images.name,
        found=count,
        used=count,
        sizes={f"{width}x{height}": count},
        modes={"L" if channels == 1 else "RGB": count},
        classes=counts,
        steps=[*([scale] if scale else []), *plan.steps],
        notes=plan.notes,
        ranges={"image": (*view.range, True)} if view.range else {},
    )
    return Packed({"label": classes} if counts else {}, report, plan.view.size)


def pack_source(
    folder: Path,
    source: FileSource,
    labels: Sequence[int | None] | None,
    classes: tuple[str, ...],
    view: View,
    progress: bool,
) -> Packed:
    """Decode the images of a source in its order, and write them and their labels, if any.

    Args:
        folder: where to write.
        source: of the images.
        labels: of each; None: of this one it is not known.
        classes: their names.
        view: how training wants to see them.
        progress: show a progress bar on stderr.

    Raises:
        UserError: fewer than two images can be used.
    """
    numbers: dict[str, int] = {}
    unknown: list[Skipped] = []
    used: list[Entry] = list(source.pictures)
    if labels is not None:
        used = []
        for entry, label in zip(source.pictures, labels):
            if label is None:
                unknown.append(Skipped(file=entry.name, reason="has no label"))
            else:
                numbers[entry.name] = label
                used.append(entry)

    view = with_common_size(view, lambda: {str(source.place): count_sizes(source, used)})
    rows = rows_of_files(source, used)
    kept, report, size = write_rows(folder, ["image"], source.place, rows, view, progress)
    report = report.model_copy(
        update={"found": len(source.pictures), "skipped": unknown + report.skipped}
    )
    if labels is None:
        return Packed({}, report, size)

    chosen = [numbers[fate.name] for (fate,) in kept]
    # only classes that are left: one whose images all are damaged would never be learnt
    counts = Counter(chosen)
    left = sorted(counts)
    np.save(folder / "label.npy", np.array([left.index(one) for one in chosen], np.int64))
    names = tuple(classes[one] for one in left)
    found = {name: counts[one] for name, one in zip(names, left)}
    return Packed({"label": names}, report.model_copy(update={"classes": found}), size)
