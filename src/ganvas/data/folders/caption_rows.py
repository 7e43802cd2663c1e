"""Choose the images of a caption table that can be used, and their columns."""

from collections import Counter
from contextlib import suppress

import torch

from ganvas.data.folders.caption_columns import place_box
from ganvas.data.folders.caption_table import CaptionLine, CaptionTable
from ganvas.data.folders.labels import describe_absent
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.tables import PictureNames
from ganvas.data.transforms import clip_boxes
from ganvas.data.view import View
from ganvas.io import image_files
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError

__all__ = ["choose_caption_columns", "match_lines", "skip_bad_boxes"]

# the columns of a table, and their names for people
COLUMNS = {"captions": "caption", "box": "box", "keypoints": "key points"}
PIXELS = 1.5  # a box may reach so far over the edge without a note: annotators round

Lines = dict[str, CaptionLine]  # by the name of their image


def match_lines(table: CaptionTable, pictures: PictureNames) -> tuple[Lines, list[str]]:
    """The lines by the name of their image, and notes; images that are named twice, or not at all,
    are skipped.

    Args:
        table: its list `skipped` is extended.
        pictures: of the source.
    """
    lines: Lines = {}
    absent = []

    for line in table.lines:
        entry = pictures.find(line.file)
        if entry is None:
            if not pictures.is_elsewhere(line.file):
                absent.append(line.file)
        elif entry.name in lines:
            table.skip(entry.name, f"named again in {table.name}; the first line counts")
        else:
            lines[entry.name] = line

    for name in pictures.paths:
        if name not in lines:
            table.skip(name, f"not named in {table.name}")
    return lines, describe_absent(table.name, absent)


def choose_caption_columns(table: CaptionTable, lines: Lines) -> tuple[set[str], Lines, list[str]]:
    """The columns that most lines have, the lines that have all of these, and notes.

    Other lines are skipped.
    """
    # Columns have no gaps: where more than half of the lines have one, the other lines go.
    counts = Counter(column for line in lines.values() for column in line.columns)
    columns = {column for column in COLUMNS if 2 * counts[column] > len(lines)}

    notes = []
    for column, name in COLUMNS.items():
        count = counts[column]
        if count and column not in columns:
            what = name if name.endswith("s") else f"a {name}"
            verb = "has" if count == 1 else "have"
            notes.append(f"{count:,} of {len(lines):,} images {verb} {what}: too few to be used")

    full: Lines = {}
    for name, line in lines.items():
        lacking = [
            COLUMNS[column]
            for column in COLUMNS
            if column in columns and column not in line.columns
        ]
        if lacking:
            table.skip(name, f"has no {' and no '.join(lacking)}, as the others have")
        else:
            full[name] = line
    return columns, full if columns else {}, notes  # without columns, lines say nothing


def skip_bad_boxes(
    table: CaptionTable, lines: Lines, source: FileSource, view: View
) -> tuple[Lines, list[str]]:
    """The lines whose box is in the image and stays in its square, and notes.

    Other lines are skipped.
    """
    entries = {entry.name: entry for entry in source.pictures}
    good: Lines = {}
    reaching = 0

    for name, line in lines.items():
        # a file that cannot be read is reported when it is decoded
        fault = ""
        with suppress(UnreadableError), source.open(entries[name]) as file:
            width, height = image_files.measure(file)  # header only, upright as decoding turns it
            fault = _find_box_fault(line, width, height, view)
            reaching += not fault and _overhang(line, width, height) > PIXELS
        if fault:
            table.skip(name, fault)
        else:
            good[name] = line

    boxes = count_noun(reaching, "box reaches", "boxes reach")
    return good, [f"{boxes} over the edge of the image, where it is cut"] if reaching else []


def _find_box_fault(line: CaptionLine, image_width: int, image_height: int, view: View) -> str:
    """Why a box is of no use in an image of that size, "" if it is of use."""
    assert line.box is not None
    left, top, width, height = line.box
    box = f"its box [{left:g}, {top:g}, {width:g}, {height:g}]"

    if width <= 0 or height <= 0:
        return f"{box} has no area"
    if left >= image_width or top >= image_height or left + width <= 0 or top + height <= 0:
        return f"{box} lies outside of its {image_width}x{image_height}"

    # (1, 4) in shares of the square; cropping may leave nothing of a box at the edge
    placed = torch.tensor([place_box(line.box, image_width, image_height, view)])
    if min(clip_boxes(placed)[0, 2:].tolist()) <= 0:
        return f"{box} is cut away with fit={view.fit}"
    return ""


def _overhang(line: CaptionLine, image_width: int, image_height: int) -> float:
    """How many pixels a box reaches over the edge of its image; negative if it does not."""
    assert line.box is not None
    left, top, width, height = line.box
    return max(-left, -top, left + width - image_width, top + height - image_height)
