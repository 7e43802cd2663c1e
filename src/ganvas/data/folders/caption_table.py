"""Tables that tell of pictures: JSON lines, or COCO's format."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ganvas.data.dataset import Skipped
from ganvas.data.folders.source import extension
from ganvas.data.text import plain
from ganvas.errors import UserError


@dataclass
class Line:
    """What is told of one picture, in pixels of the original.

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


@dataclass
class Table:
    """All that is told.

    Attributes:
        name: of the file.
        lines: one a picture.
        parts: names of the key points.
        skipped: what cannot be used.
        count: lines, used or not.
    """

    name: str
    lines: list[Line] = field(default_factory=list)
    parts: tuple[str, ...] = ()
    skipped: list[Skipped] = field(default_factory=list)
    count: int = 0


def read_table(name: str, content: bytes) -> Table:
    """The lines of a table, of either format.

    Raises:
        UserError: not UTF-8, not JSON as a whole, or not COCO's format.
    """
    try:
        text = content.decode("utf-8-sig")
        return (
            read_lines(name, text)
            if extension(name) == ".jsonl"
            else read_coco(name, json.loads(text))
        )
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{name} is not JSON: {error}") from error


def read_lines(name: str, text: str) -> Table:
    """A table of JSON lines; one with "parts" alone names the key points that are given as lists."""
    table = Table(name)
    parts: tuple[str, ...] = ()
    for place, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        try:
            values = json.loads(content)
            if not isinstance(values, dict):
                raise ValueError("not an object in braces")
            parts = tuple(map(str, values.get("parts", parts)))
            if values.keys() == {"parts"}:
                continue
            line = line_from(values, table.count, parts)
        except (ValueError, TypeError, AttributeError) as error:
            table.skipped.append(
                Skipped(file=f"{name}, line {place}", reason=f"cannot be used: {error}")
            )
        else:
            table.lines.append(line)
        table.count += 1
    seen = dict.fromkeys(part for line in table.lines for part in line.keypoints or ())
    table.parts = (*parts, *(part for part in seen if part not in parts))
    return table


def line_from(values: dict[str, Any], number: int, parts: Sequence[str]) -> Line:
    """One line of a table.

    Raises:
        ValueError: tells what is wrong.
    """
    if not isinstance(values.get("file"), str):
        raise ValueError('it has no "file"')
    told = values.get("captions", values.get("caption", []))
    captions = [told] if isinstance(told, str) else told
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise ValueError("captions are not texts")
    box = values.get("box", values.get("bbox"))
    points = values.get("keypoints")
    if isinstance(points, list):
        if len(points) != len(parts):
            raise ValueError(f'{len(points)} key points and {len(parts)} names of "parts"')
        points = dict(zip(parts, points))
    return Line(
        file=values["file"],
        number=number,
        captions=[caption for caption in captions if plain(caption)],
        box=None if box is None else rectangle(box),
        keypoints=None
        if points is None
        else {str(part): keypoint(place) for part, place in points.items()},
    )


def rectangle(values: Any) -> tuple[float, float, float, float]:
    """A box of four numbers.

    Raises:
        ValueError: it is not.
    """
    left, top, width, height = numbers(values, 4, "a box")
    return left, top, width, height


def numbers(values: Any, count: int, what: str) -> tuple[float, ...]:
    """So many finite numbers.

    Raises:
        ValueError: they are not.
    """
    if (
        not isinstance(values, list)
        or len(values) != count
        or not all(isinstance(value, int | float) for value in values)
    ):
        raise ValueError(f"{what} is {count} numbers, not {values!r}")
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"{what} of {values!r}")
    return tuple(float(value) for value in values)


def keypoint(place: Any) -> tuple[float, float, float]:
    """x, y and whether it is seen, of [x, y], [x, y, visible] or null."""
    if place is None:
        return 0.0, 0.0, 0.0
    x, y, *seen = numbers(
        place, len(place) if isinstance(place, list) and len(place) == 3 else 2, "a key point"
    )
    return x, y, float(not seen or seen[0] > 0)


def read_coco(name: str, values: Any) -> Table:
    """COCO's format: of several boxes in a picture the largest, with its key points; all captions.

    Raises:
        UserError: it is not that format.
    """
    try:
        about: dict[int, list[dict[str, Any]]] = {}
        for annotation in values["annotations"]:
            about.setdefault(annotation["image_id"], []).append(annotation)
        parts = next(
            (
                tuple(kind["keypoints"])
                for kind in values.get("categories", [])
                if kind.get("keypoints")
            ),
            (),
        )
        table = Table(name, parts=parts, count=len(values["images"]))
        files = [(picture["id"], picture["file_name"]) for picture in values["images"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{name} is not in COCO's format: no list of {error}") from error
    for number, (key, file) in enumerate(files):
        found = about.get(key, [])
        told: dict[str, Any] = {
            "file": file,
            "captions": [item["caption"] for item in found if "caption" in item],
        }
        boxed = [item for item in found if item.get("bbox")]
        if boxed:
            largest = max(boxed, key=lambda item: item["bbox"][2] * item["bbox"][3])
            told["box"] = largest["bbox"]
            if parts and largest.get("keypoints"):
                flat = largest["keypoints"]
                told["keypoints"] = [flat[start : start + 3] for start in range(0, len(flat), 3)]
        try:
            table.lines.append(line_from(told, number, parts))
        except ValueError as error:
            table.skipped.append(Skipped(file=file, reason=f"cannot be used: {error}"))
    return table
