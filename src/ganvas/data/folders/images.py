"""Open any folder or zip of images, with classes or without."""

from collections import Counter
from pathlib import Path

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.labels import Labelling, find_labels, sort_classes
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import count_sizes, with_common_size
from ganvas.data.folders.source import FileSource
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View

__all__ = ["open_images"]


def open_images(
    place: Path, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open a folder or zip of images, packed; see `ganvas.data.open_dataset`.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: fewer than two usable images, unknown labels, unknown colour; with `strict`, any
            unusable image.
    """
    with FileSource(place, films=view.every > 0) as source:
        labelling = find_labels(source, view.labels)

        # all that decides the store: "labels" by what they say, not by the path of their table
        key = [
            source.identity(),
            view.key(),
            view.labels == "folders",
            labelling.digest,
            source.other_kinds({labelling.table}),  # the stored report names them
        ]
        dataset = open_store(
            key, lambda folder: _write_folder(folder, source, labelling, view, progress)
        )

    return check_strict(dataset.with_report(spec=str(place)), strict)


def _write_folder(
    folder: Path, source: FileSource, labelling: Labelling, view: View, progress: bool
) -> Packed:
    """Decode a source and write its images, and labels if there are any, into `folder`."""
    entries = source.pictures
    if labelling.classes is not None:
        entries = [entry for entry in entries if entry.name in labelling.classes]
    view = with_common_size(view, lambda: {str(source.place): count_sizes(source, entries)})
    rows = rows_of_files(source, entries)
    kept, report, size = write_rows(folder, ["image"], source.place, rows, view, progress)

    # files without a class are missing from `entries`, but they were found
    skipped = labelling.skipped + report.skipped
    report = report.model_copy(
        update={
            "found": len(source.pictures) - len(rows) + report.found,
            "skipped": sorted(skipped, key=lambda item: item.file),
            "notes": [
                *report.notes,
                *labelling.notes,
                *describe_ignored(source, {labelling.table}),
            ],
        }
    )
    if labelling.classes is None:
        return Packed({}, report, size)

    # only classes that are left: one whose images all are damaged would never be learnt
    names = [labelling.classes[fate.name] for (fate,) in kept]
    counts = Counter(names)
    classes = tuple(sort_classes(counts))
    np.save(folder / "label.npy", np.array([classes.index(name) for name in names], np.int64))

    report = report.model_copy(update={"classes": {name: counts[name] for name in classes}})
    return Packed({"label": classes}, report, size)
