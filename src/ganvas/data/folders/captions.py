"""Open images with captions, boxes and key points: a folder or zip with a table of them."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.caption_columns import (
    FEATURES,
    make_boxes,
    make_captions,
    make_features,
    make_keypoints,
)
from ganvas.data.folders.caption_rows import choose_caption_columns, match_lines, skip_bad_boxes
from ganvas.data.folders.caption_table import CaptionTable, holds_captions, read_caption_table
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import count_sizes, with_common_size
from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.spec import parse_place
from ganvas.data.folders.splits import choose_split, find_judges, report_parts
from ganvas.data.folders.tables import PictureNames, read_table
from ganvas.data.store import Packed, open_store
from ganvas.data.text import LENGTH
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError

__all__ = ["CaptionFiles", "open_captions"]


class CaptionFiles(NamedTuple):
    """The files beside the images.

    Attributes:
        name: of the table.
        content: of the table.
        features: content of captions.safetensors; empty: there is no such file.
    """

    name: str
    content: bytes
    features: bytes


def open_captions(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open "captions:PLACE", packed; see `ganvas.data.open_dataset`.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: no table or several, no usable lines, features that do not fit; with `strict`,
            any unusable image.
    """
    place = parse_place(spec)
    if len(place.paths) == 2:
        raise UserError(f"{spec}: captions come from one folder or zip; {place.text} are two")

    # all that decides the content: pictures, table, features, and how long a caption may be
    with FileSource(place.paths[0], links=view.follow_links) as whole:
        part = choose_split(whole, place.split)
        source = part.source
        judge = next(iter(find_judges([part])), None)
        files = _read_files(source)
        key = [
            "captions",
            LENGTH,
            source.identity(),
            view.key(),
            files.name,
            [hashlib.sha256(part).hexdigest() for part in (files.content, files.features)],
        ]
        dataset = open_store(
            key, lambda folder: _write_captions(folder, source, files, view, progress)
        )

    said = report_parts([part], judge)
    said["notes"] += dataset.report.notes
    test = place.other(judge) if judge else None
    return check_strict(dataset.with_report(spec=spec, test=test, **said), strict)


def _read_files(source: FileSource) -> CaptionFiles:
    """The table of a source: the .jsonl at the root, else the .json or .csv; and its features.

    Raises:
        UserError: there is no table, or several, or one that cannot be read.
    """
    features = _read_other(source, FEATURES) if FEATURES in source.others else b""

    # .jsonl first: a .json beside it may be anything, for instance a description of the set
    for ending in (".jsonl", ".json", ".csv", ".tsv"):
        found = [name for name in source.others if "/" not in name and extension(name) == ending]
        if ending in (".csv", ".tsv"):  # it may be a table of anything else
            found = [name for name in found if _is_captions(source, name)]
        if len(found) > 1:
            raise UserError(
                f"{source.place} holds {', '.join(found)}; "
                "only one of them may lie beside the images"
            )
        if found:
            return CaptionFiles(found[0], _read_other(source, found[0]), features)

    raise UserError(
        f"{source.place} has no captions: beside the images must lie a .jsonl file with lines "
        'such as {"file": "1.png", "caption": "a red bird", "box": [10, 20, 50, 40]}, '
        "a .json file in COCO's format, or a .csv with the columns file,caption"
    )


def _is_captions(source: FileSource, name: str) -> bool:
    """Whether a text table holds captions."""
    try:
        return holds_captions(read_table(name, _read_other(source, name)))
    except UserError:
        return False


def _read_other(source: FileSource, name: str) -> bytes:
    """The content of a file that is not an image.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return source.read(source.others[name])
    except UnreadableError as error:
        raise UserError(f"{source.place}, {name}: {error}") from error


def _write_captions(
    folder: Path, source: FileSource, files: CaptionFiles, view: View, progress: bool
) -> Packed:
    """Read the table, decode its images, and write all columns into `folder`."""
    table = read_caption_table(files.name, files.content)
    entries = {entry.name: entry for entry in source.pictures}

    lines, notes = match_lines(table, PictureNames(source))
    columns, lines, more = choose_caption_columns(table, lines)
    if not lines:
        raise UserError(
            f"{source.place}: {table.name} describes no image that can be used"
            f"{_first_reason(table, notes)}"
        )
    notes += more

    # boxes are checked in the square that an image becomes, so the size must be known
    described = [entries[name] for name in lines]
    view = with_common_size(view, lambda: {str(source.place): count_sizes(source, described)})
    if "box" in columns:
        lines, more = skip_bad_boxes(table, lines, source, view)
        notes += more

    # files that cannot be decoded drop out here: every other column is made of what is kept
    rows = rows_of_files(source, [entries[name] for name in lines])  # the table's order
    kept, report, size = write_rows(folder, ["image"], source.place, rows, view, progress)
    fates = [fate for (fate,) in kept]
    used = [lines[fate.name] for fate in fates]

    if "captions" in columns:
        captions, more = make_captions(used)
        notes += more
        np.save(folder / "caption.npy", captions)
        # features are by line of the table, of which only some are used
        if files.features:
            numbers = [line.number for line in used]
            features = make_features(files.features, numbers, table.count)
            np.save(folder / "caption_features.npy", features)
    if "box" in columns:
        np.save(folder / "box.npy", make_boxes(used, fates, view))
    if "keypoints" in columns:
        np.save(folder / "keypoints.npy", make_keypoints(used, fates, table.parts, view))

    # what was read must not be reported as ignored
    read = {table.name, FEATURES} if files.features else {table.name}
    report = report.model_copy(
        update={
            "found": len(source.pictures) - len(rows) + report.found,
            "skipped": sorted(table.skipped + report.skipped, key=lambda item: item.file),
            "notes": report.notes + notes + describe_ignored(source, read),
        }
    )
    return Packed({"keypoints": table.parts} if "keypoints" in columns else {}, report, size)


def _first_reason(table: CaptionTable, notes: list[str]) -> str:
    """Why a table cannot be used, as the end of a message."""
    # the first one stands for all: usually they fail for one and the same reason
    reasons = [*notes, *(f"{item.file!r}: {item.reason}" for item in table.skipped)]
    return f"; {reasons[0]}" if reasons else ""
