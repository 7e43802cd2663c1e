"""The data doctor: what a set holds, what is wrong with it, and how training will see it."""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from pydantic import BaseModel
from rich.table import Table

from ganvas.data import open_dataset
from ganvas.data.builtin.points import mode_discs
from ganvas.data.dataset import PICTURES, DataReport, Dataset, View, describe_pictures
from ganvas.data.folders.sizes import SizeNeededError
from ganvas.data.folders.source import Source
from ganvas.data.pick import choose_rows
from ganvas.io import grids, images
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text
from ganvas.io.scatter import draw_sheet
from ganvas.schema import kind_of_channels

FALLBACK = 64  # the side at which a set is examined whose pictures share none
SHEET = 64  # pictures on a contact sheet
POINTS = 2000  # points in a scatter picture
ROWS = 8  # rows of a set with several columns on a contact sheet
MARK = (255, 0, 80)  # colour of boxes and key points
LISTED = 10  # lines of a list before the rest is only counted


class Examination(BaseModel):
    """What the doctor found.

    Attributes:
        report: files, sizes, modes, classes, what is left out and why, what is done to the rest.
        size: side in pixels at which training would see the pictures.
        channels: 1 or 3; 2 for points.
        fingerprint: digest of the pictures as training sees them, with their labels.
        copies: groups of files whose pictures are equal, pixel by pixel, as training sees them.
    """

    report: DataReport
    size: int
    channels: int
    fingerprint: str
    copies: list[list[str]]


def run_doctor(spec: str, view: View, out: Path | None, strict: bool, json: bool) -> None:
    """Examine a set, print what was found (as JSON if asked), and save a contact sheet at `out`.

    Raises:
        UserError: the set cannot be used at all; with `strict`, not all of it.
    """
    examination, dataset = examine(spec, view, strict=strict, progress=sys.stderr.isatty())
    if out is not None:
        images.save(contact_sheet(dataset), out)
    if json:
        print_json(examination.model_dump())
        return
    console = PlainConsole()
    show(examination, console)
    if out is not None:
        print_text("", f"How training sees them: {out}")


def examine(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> tuple[Examination, Dataset]:
    """Open a set and look for what a person should know. A set without a common size is examined at
    64 pixels or less.

    Raises:
        UserError: as `ganvas.data.open_dataset`.
    """
    notes = []
    try:
        dataset = open_dataset(spec, view, strict=strict, progress=progress)
    except SizeNeededError as needed:
        size = min(FALLBACK, needed.suggestion)
        dataset = open_dataset(
            spec, view.model_copy(update={"size": size}), strict=strict, progress=progress
        )
        notes = [
            f"the pictures share no square size; they are shown at {size}, training needs --size"
        ]
    report = dataset.report.model_copy(update={"notes": notes + dataset.report.notes})
    examination = Examination(
        report=report,
        size=dataset.size,
        channels=dataset.channels,
        fingerprint=dataset.fingerprint,
        copies=find_copies(dataset),
    )
    return examination, dataset


def find_copies(dataset: Dataset) -> list[list[str]]:
    """Groups of equal pictures, each group in the order of the set."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    own = [values for name, values in dataset.columns.items() if name in PICTURES]
    for index, pictures in enumerate(zip(*own)):
        groups[
            hashlib.blake2b(
                b"".join(picture.tobytes() for picture in pictures), digest_size=16
            ).digest()
        ].append(index)
    copies = [group for group in groups.values() if len(group) > 1]
    if not copies:
        return []
    names = file_names(dataset)
    return [[names[index] for index in group] for group in copies]


def file_names(dataset: Dataset) -> list[str]:
    """A name for each picture: its file, or its place in an array."""
    place = Path(dataset.report.spec).expanduser()
    if not place.exists() or "image" not in dataset.columns:
        return [f"number {index}" for index in range(len(dataset))]
    source = Source(place)
    source.close()
    skipped = {item.file for item in dataset.report.skipped}
    return [entry.name for entry in source.pictures if entry.name not in skipped]


def contact_sheet(dataset: Dataset) -> Image.Image:
    """Up to 64 pictures, evenly spread over the set, as training sees them, with labels a row for
    each class; or 2,000 points.
    """
    if dataset.kind == "point":
        chosen = choose_rows(np.arange(len(dataset)), POINTS)
        return draw_sheet(
            torch.from_numpy(dataset.images[chosen]), 1, discs=mode_discs(dataset.report.spec)
        )
    if (len(dataset.columns) > 1 and dataset.labels is None) or "image" not in dataset.columns:
        return rows_sheet(dataset)
    if dataset.labels is None:
        chosen = choose_rows(np.arange(len(dataset)), SHEET)
        return grids.make_grid(torch.from_numpy(dataset.images[chosen]), round(len(chosen) ** 0.5))
    classes = choose_rows(np.arange(len(dataset.classes)), SHEET // 4)
    columns = max(4, min(16, SHEET // len(classes)))
    chosen = [choose_rows(np.flatnonzero(dataset.labels == label), columns) for label in classes]
    pictures = dataset.rows(np.concatenate(chosen))["image"].split([len(rows) for rows in chosen])
    rows = torch.full((len(classes), columns, *dataset.images.shape[1:]), 255, dtype=torch.uint8)
    for row, own in zip(rows, pictures):
        row[: len(own)] = own
    names = [shorten(dataset.classes[label], 24) for label in classes]
    return grids.make_grid(rows.flatten(0, 1), columns, row_names=names)


def rows_sheet(dataset: Dataset) -> Image.Image:
    """A few rows of a set that has more in each than a picture and a label: boxes and key points
    drawn, words beside.
    """
    tables = [dataset, *([dataset.beside] if dataset.beside else [])]
    count = min(ROWS, *(len(table) for table in tables))
    columns: dict[str, torch.Tensor] = {}
    for table in tables:
        rows = table.batch(choose_rows(np.arange(len(table)), count))
        columns |= {name: marked(values, rows) for name, values in rows.items() if name in PICTURES}
    names = [
        shorten(words(dataset, row), 40) for row in choose_rows(np.arange(len(dataset)), count)
    ]
    return grids.table(dict(sorted(columns.items())), names if any(names) else ())


def marked(pictures: torch.Tensor, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Pictures uint8 (N, C, H, W) with the boxes and the key points of their rows."""
    size, found = pictures.shape[-1], []
    for number, picture in enumerate(pictures):
        drawn = (
            images.to_pil(picture).convert("RGB")
            if "box" in rows or "keypoints" in rows
            else images.to_pil(picture)
        )
        pen = ImageDraw.Draw(drawn)
        if "box" in rows:
            left, top, width, height = (rows["box"][number] * size).tolist()
            pen.rectangle(
                [left, top, max(left, left + width - 1), max(top, top + height - 1)], outline=MARK
            )
        for x, y, seen in rows["keypoints"][number].tolist() if "keypoints" in rows else ():
            if seen:
                pen.ellipse([x * size - 1, y * size - 1, x * size + 1, y * size + 1], fill=MARK)
        array = np.array(drawn)
        found.append(images.planes(array))
    return torch.stack(found)


def words(dataset: Dataset, row: int) -> str:
    """What is known of a row in words: its first caption, or the attributes that it has."""
    if "caption" in dataset.columns:
        return bytes(dataset.columns["caption"][row, 0]).rstrip(b"\0").decode(errors="replace")
    if "attributes" in dataset.columns:
        return ", ".join(
            name
            for name, there in zip(dataset.names["attributes"], dataset.columns["attributes"][row])
            if there
        )
    return ""


def show(examination: Examination, console: PlainConsole) -> None:
    """Print an examination for a person."""
    report = examination.report
    points = kind_of_channels(examination.channels) == "point"
    console.print(report.spec, style="bold", soft_wrap=True)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column()
    facts.add_row(
        "found",
        f"{count_noun(report.found, 'point' if points else 'picture')}; {report.used:,} can be used",
    )
    facts.add_row(
        "training sees",
        "points in [-1, 1] x [-1, 1]"
        if points
        else describe_pictures(examination.size, examination.channels),
    )
    if not points:
        facts.add_row("sizes", counts(report.sizes))
        facts.add_row("modes", counts(report.modes))
    facts.add_row(
        "classes", f"{len(report.classes)}: {counts(report.classes)}" if report.classes else "none"
    )
    facts.add_row("copies", describe_copies(examination.copies))
    facts.add_row("fingerprint", examination.fingerprint)
    console.print(facts)
    sections = {
        "What is done to them": report.steps or ["nothing: they are used as they are"],
        f"Left out ({len(report.skipped):,})": [
            f"{item.file}: {item.reason}" for item in report.skipped
        ],
        "Equal pictures": [" = ".join(group) for group in examination.copies],
        "Worth knowing": report.notes,
    }
    for title, lines in sections.items():
        if not lines:
            continue
        console.print()
        console.print(title, style="bold")
        rest = (
            [f"and {len(lines) - LISTED:,} more; --json lists all"] if len(lines) > LISTED else []
        )
        for line in lines[:LISTED] + rest:
            bullet = Table.grid(padding=(0, 1))
            bullet.add_row(" -", shorten(line, 300))
            console.print(bullet)


def counts(numbers: dict[str, int]) -> str:
    """The first kinds with their counts, "RGB (3,100), L (20)"."""
    shown = [f"{name} ({number:,})" for name, number in list(numbers.items())[:LISTED]]
    more = len(numbers) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more else "")


def describe_copies(copies: list[list[str]]) -> str:
    """How many pictures are there more than once."""
    if not copies:
        return "none"
    extra = sum(len(group) - 1 for group in copies)
    return f"{extra:,} of the files {'is a copy' if extra == 1 else 'are copies'} of another"


def shorten(text: str, length: int) -> str:
    """A text cut to a length."""
    return text if len(text) <= length else text[: length - 1] + "…"
