"""Read tables of captions, boxes and key points: JSON lines, COCO's format, or captions as CSV."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ganvas.data.folders.source import extension
from ganvas.data.folders.tables import FILE_WORDS, Table, read_table
from ganvas.data.report import Skipped
from ganvas.data.text import plain, split_lines
from ganvas.errors import UserError
from ganvas.io.reading import parse_json

__all__ = ["CaptionLine", "CaptionTable", "holds_captions", "read_caption_table"]

CSV = (".csv", ".tsv")
CAPTION_WORDS = {"caption", "captions", "text", "description", "prompt", "说明", "描述"}

# What a value of an unexpected type, or too few of them, raises.
MALFORMED = (ValueError, TypeError, AttributeError, LookupError, OverflowError)


@dataclass
class CaptionLine:
    """What a table says of one image, in pixels of the file.

    Attributes:
        file: as the table names it.
        number: among all lines, which is its row among the features.
        captions: texts.
        box: left, top, width, height.
        keypoints: x, y, visible (1 or 0) by part.
    """

    file: str
    number: int
    captions: list[str] = field(default_factory=list)
    box: tuple[float, float, float, float] | None = None
    keypoints: dict[str, tuple[float, float, float]] | None = None

    @property
    def columns(self) -> list[str]:
        """Those of "captions", "box" and "keypoints" that it has."""
        return [name for name in ("captions", "box", "keypoints") if getattr(self, name)]


@dataclass
class CaptionTable:
    """All lines of a table.

    Attributes:
        name: of the file.
        lines: one for each image.
        parts: names of the key points.
        skipped: lines and images that cannot be used.
        count: of lines, used or not.
    """

    name: str
    lines: list[CaptionLine] = field(default_factory=list)
    parts: tuple[str, ...] = ()
    skipped: list[Skipped] = field(default_factory=list)
    count: int = 0

    def skip(self, file: str, reason: str) -> None:
        """Leave a line or an image out."""
        self.skipped.append(Skipped(file=file, reason=reason))


def read_caption_table(name: str, content: bytes) -> CaptionTable:
    """The lines of a table in any of the formats.

    Raises:
        UserError: not UTF-8, not JSON as a whole, not COCO's format, or a CSV without captions.
    """
    if extension(name) in CSV:
        return _read_csv(read_table(name, content))
    try:
        text = content.decode("utf-8-sig")  # some editors put a mark before the text
        if extension(name) == ".jsonl":
            return _read_json_lines(name, text)
        return _read_coco(name, parse_json(text))
    except UnicodeDecodeError as error:  # before ValueError, of which it is a kind
        raise UserError(f"{name} is not UTF-8 text") from error
    except ValueError as error:
        raise UserError(f"{name} is not JSON: {error}") from error


def holds_captions(table: Table) -> bool:
    """Whether the header of a text table names a file and a caption."""
    return _find_caption_columns(table) is not None


def _find_caption_columns(table: Table) -> tuple[int, int] | None:
    """The columns of the file and of the caption, by the header; None: it does not name them."""
    first = next(table.rows(), None)
    header = [cell.lower() for cell in first.cells] if first else []
    captions = [number for number, name in enumerate(header) if name in CAPTION_WORDS]
    files = [number for number, name in enumerate(header) if name in FILE_WORDS]
    return (files[0], captions[0]) if files and len(captions) == 1 else None


def _read_csv(table: Table) -> CaptionTable:
    """A text table with a header; rows of one file are several captions of it."""
    found = _find_caption_columns(table)
    if found is None:
        raise UserError(
            f"{table.name} has no header with a column file and one column caption (or text)"
        )
    file, caption = found
    lines: dict[str, CaptionLine] = {}
    captions = CaptionTable(table.name)
    rows = table.rows()
    width = len(next(rows).cells)
    for row in rows:
        if len(row.cells) != width or not row.cells[file]:
            captions.skip(f"{table.name}, line {row.line}", f"has not {width} cells and a file")
            continue
        name = row.cells[file]
        line = lines.setdefault(name, CaptionLine(name, len(lines)))
        if plain(row.cells[caption]):
            line.captions.append(row.cells[caption])

    captions.lines = list(lines.values())
    captions.count = len(lines)
    return captions


def _read_json_lines(name: str, text: str) -> CaptionTable:
    """A table of JSON lines; a line with only "parts" names the key points of lists."""
    table = CaptionTable(name)
    parts: tuple[str, ...] = ()

    for place, content in enumerate(split_lines(text), 1):
        if not content.strip():
            continue

        # one bad line does not spoil a table: it is left out and reported
        try:
            values = parse_json(content)
            if not isinstance(values, dict):
                raise ValueError("not an object in braces")
            parts = tuple(map(str, values.get("parts", parts)))
            if values.keys() == {"parts"}:
                continue  # names the parts only: not counted as a line
            line = _read_line(values, table.count, parts)
        except MALFORMED as error:
            table.skip(f"{name}, line {place}", f"cannot be used: {error}")
        else:
            table.lines.append(line)

        # unusable lines count: features are by line of the file
        table.count += 1

    # named parts first, in their order; then those that only occur in lines with names
    seen = dict.fromkeys(part for line in table.lines for part in line.keypoints or ())
    table.parts = (*parts, *(part for part in seen if part not in parts))
    return table


def _read_coco(name: str, values: Any) -> CaptionTable:
    """A table in COCO's format: all captions; the largest box of an image with its key points.

    Raises:
        UserError: it is not that format.
    """
    try:
        # COCO lists annotations apart from images, in any order
        about: dict[int, list[dict[str, Any]]] = {}
        for annotation in values["annotations"]:
            about.setdefault(annotation["image_id"], []).append(annotation)

        # its only category with key points is "person"
        with_parts = [kind for kind in values.get("categories", []) if kind.get("keypoints")]
        parts = tuple(with_parts[0]["keypoints"]) if with_parts else ()

        table = CaptionTable(name, parts=parts, count=len(values["images"]))
        files = [(picture["id"], picture["file_name"]) for picture in values["images"]]
    except KeyError as error:
        raise UserError(f"{name} is not in COCO's format: no list of {error}") from error
    except MALFORMED as error:
        raise UserError(f"{name} is not in COCO's format: {error}") from error

    # an image without annotations has a line too, and is left out with a reason later
    for number, (key, file) in enumerate(files):
        try:
            line = {"file": file} | _merge_annotations(about.get(key, []), bool(parts))
            table.lines.append(_read_line(line, number, parts))
        except MALFORMED as error:
            table.skip(str(file), f"cannot be used: {error}")
    return table


def _merge_annotations(annotations: Sequence[dict[str, Any]], keypoints: bool) -> dict[str, Any]:
    """COCO's annotations of one image as the values of a JSON line."""
    line: dict[str, Any] = {
        "captions": [item["caption"] for item in annotations if "caption" in item]
    }

    with_box = [item for item in annotations if item.get("bbox")]
    if with_box:
        largest = max(with_box, key=lambda item: item["bbox"][2] * item["bbox"][3])
        line["box"] = largest["bbox"]
        if keypoints and largest.get("keypoints"):
            flat = largest["keypoints"]  # x, y, visible, x, y, visible, ...
            line["keypoints"] = [flat[start : start + 3] for start in range(0, len(flat), 3)]
    return line


# Values of a line


def _read_line(values: dict[str, Any], number: int, parts: Sequence[str]) -> CaptionLine:
    """One line of a table.

    Raises:
        ValueError: says what is wrong.
    """
    if not isinstance(values.get("file"), str):
        raise ValueError('it has no "file"')

    captions = values.get("captions", values.get("caption", []))
    if isinstance(captions, str):
        captions = [captions]
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise ValueError("captions are not texts")

    # COCO's name is allowed too
    box = values.get("box", values.get("bbox"))
    points = values.get("keypoints")
    if isinstance(points, list):
        if len(points) != len(parts):
            raise ValueError(f'{len(points)} key points and {len(parts)} names of "parts"')
        points = dict(zip(parts, points))

    line = CaptionLine(file=values["file"], number=number)
    # captions of spaces alone describe nothing
    line.captions = [caption for caption in captions if plain(caption)]
    if box is not None:
        line.box = _read_box(box)
    if points is not None:
        line.keypoints = {str(part): _read_keypoint(place) for part, place in points.items()}
    return line


def _read_box(values: Any) -> tuple[float, float, float, float]:
    """A box of four numbers.

    Raises:
        ValueError: it is not.
    """
    left, top, width, height = _read_numbers(values, 4, "a box")
    return left, top, width, height


def _read_keypoint(place: Any) -> tuple[float, float, float]:
    """x, y and 1 if visible, of [x, y], [x, y, visible] or null.

    Raises:
        ValueError: it is none of these.
    """
    if place is None:
        return 0.0, 0.0, 0.0
    count = 3 if isinstance(place, list) and len(place) == 3 else 2
    x, y, *seen = _read_numbers(place, count, "a key point")
    return x, y, float(not seen or seen[0] > 0)  # COCO: 1 is hidden, 2 visible; both count


def _read_numbers(values: Any, count: int, what: str) -> tuple[float, ...]:
    """`count` finite numbers.

    Raises:
        ValueError: they are not.
    """
    # JSON as Python reads it may hold NaN and Infinity
    numbers = isinstance(values, list) and all(isinstance(value, int | float) for value in values)
    if not numbers or len(values) != count:
        raise ValueError(f"{what} is {count} numbers, not {values!r}")
    if not all(math.isfinite(value) for value in values):  # huge integers: OverflowError
        raise ValueError(f"{what} of {values!r}")
    return tuple(float(value) for value in values)
