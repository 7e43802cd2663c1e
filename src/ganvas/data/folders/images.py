"""Open any folder, zip or tar of images, with classes or without."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.labels import (
    Labelling,
    describe_unused,
    find_labels,
    list_some,
    sort_classes,
)
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import count_sizes, with_common_size
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.spec import name_images
from ganvas.data.folders.splits import Part, choose_split, find_judges, report_parts
from ganvas.data.hints import describe_layout
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError

__all__ = ["open_images"]


def open_images(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open a folder, zip or tar of images, packed; see `ganvas.data.open_dataset`.

    Args:
        spec: the place, or "images-test:PLACE" for another split of it than "train".
        view: how training wants to see it.
        strict: as in `open_dataset`.
        progress: as in `open_dataset`.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: fewer than two usable images, unknown labels, unknown colour, no such split; with
            `strict`, any unusable image.
    """
    place = name_images(spec)
    with FileSource(place.paths[0], view.every > 0, view.follow_links) as whole:
        part = choose_split(whole, place.split)
        source = part.source
        labelling = find_labels(source, view.labels)
        judge, notes = _find_judge(part, view.labels, labelling)
        # not stored: a table may be mended, and the advice must be right at every start; what looks
        # like pairs has two folders that are no classes
        hints = describe_layout(part, view.labels)
        if not hints and view.labels == "none":
            hints = describe_unused(source)

        # all that decides the store: "labels" by what they say, not by the path of their table
        key = [
            source.identity(),
            view.key(),
            view.labels == "folders",
            _digest_classes(labelling) if part.splits.of else "",
            labelling.digest,
            source.other_kinds({labelling.table}),  # the stored report names them
        ]
        dataset = open_store(
            key, lambda folder: _write_folder(folder, source, labelling, view, progress)
        )

    said = report_parts([part], judge)
    said["notes"] = [*hints, *said["notes"], *notes, *dataset.report.notes]
    test = place.other(judge) if judge else None
    return check_strict(dataset.with_report(spec=spec, test=test, **said), strict)


def _find_judge(part: Part, labels: str, labelling: Labelling) -> tuple[str | None, list[str]]:
    """The split that judges what is trained on another; None: there is none. And notes."""
    notes = []
    for split in find_judges([part]):
        if labelling.classes is None:
            return split, notes

        # with classes, images judge by the classes that training knows
        try:
            there = find_labels(part.other(split), labels).classes or {}
        except UserError:
            there = {}
        known = set(labelling.classes.values())
        strange = sorted(set(there.values()) - known)
        if strange:
            notes.append(f"classes of {split} that {part.split} lacks: {list_some(strange)}")
        if sum(name in known for name in there.values()) > 1:
            return split, notes
        notes.append(
            f"{split} does not judge, since fewer than two of its images have one of the classes"
        )
    return None, notes


def _digest_classes(labelling: Labelling) -> str:
    """What changes when a picture gets another class: where splits are, names do not say it all."""
    classes = sorted((labelling.classes or {}).items())
    return hashlib.blake2b(repr(classes).encode(), digest_size=16).hexdigest()


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
            "notes": report.notes + labelling.notes + describe_ignored(source, {labelling.table}),
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
