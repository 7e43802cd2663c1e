"""The data doctor: what a data set holds, what is wrong with it, and how training will see it."""

import hashlib
import io
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image
from pydantic import PrivateAttr
from rich.table import Table

from ganvas.data.arrays.memory import Images, Labels, name_data
from ganvas.data.arrays.open import describe_arrays
from ganvas.data.contact_sheet import cut_text, draw_contact_sheet
from ganvas.data.dataset import PICTURES, Dataset, describe_pictures
from ganvas.data.folders.sizes import SizeNeededError
from ganvas.data.kinds import find_kind
from ganvas.data.open import open_dataset
from ganvas.data.report import DataReport
from ganvas.data.view import View, collect_look, make_view
from ganvas.io import images
from ganvas.io.cache import cache_entry
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text
from ganvas.io.html import fact_table, figure, html_list
from ganvas.io.reading import expand_home
from ganvas.schema import Planes, kind_of_images

__all__ = ["Examination", "data", "examine_data", "print_examination", "run_doctor"]

FALLBACK = 64  # the side in pixels at which a set is examined whose images share none
LISTED = 10  # lines of a list before the rest is only counted
LONGEST = 300  # characters of a line
WIDTH = 100  # characters of a report as a text
SHEET = "contact-sheet.png"  # its name in a folder


class Examination(DataReport):
    """What the doctor found. It prints as a text, and a notebook shows it with the images.

    Attributes:
        size: side in pixels at which training would see the images. channels: 1 (grey), 3 (RGB), 4
        (RGB with transparency, or bands), or another number of bands. fingerprint: digest of the
        images as training sees them, with their labels.
    """

    size: int
    channels: int
    fingerprint: str
    _sheet: Image.Image | None = PrivateAttr(None)  # for notebooks

    def __repr__(self) -> str:
        file = io.StringIO()
        print_examination(self, PlainConsole(file=file, width=WIDTH, force_jupyter=False))
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines())

    def _repr_html_(self) -> str:
        facts = fact_table({"data": self.spec} | _list_facts(self))
        sheet = figure(self._sheet, "as training sees them") if self._sheet else ""
        lists = [html_list(title, lines) for title, lines in _list_sections(self).items()]
        return f"<div>{facts}{sheet}{''.join(lists)}</div>"


def data(
    spec: str | Path | Images,
    *,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    labels: str | Path | Labels | None = None,
    background: str | None = None,
    split: str | None = None,
    subset: str | None = None,
    transpose: bool = False,
    range: tuple[float, float] | str | None = None,
    categories: str | None = None,
    frames: str | int | None = None,
    overlap: float | None = None,
    tiles: int | None = None,
    ignore_alpha: bool = False,
    follow_links: bool = False,
    out: str | Path | None = None,
    strict: bool = False,
) -> Examination:
    """Examine a folder, zip or data set: what it holds, what is broken, what training will see.

    Args:
        spec: a folder or zip of images, or a name as `ganvas data --help` lists them; or images in
            memory: an array or a tensor (N, H, W), (N, H, W, C) or (N, C, H, W), or a list of
            images.
        size: side in pixels to which images are resized; None: their own, where they share one.
        channels: 1 to 16: 1 for grey, 3 for RGB, 4 for RGB with transparency or four bands.
        fit: how images become square: "crop", "pad", "stretch", or "tiles": squares cut from
            large images.
        labels: classes of a folder or zip: "none", "folders", or a table, as "TABLE" or
            "TABLE:COLUMN"; of images in memory, a number or a text for each.
        background: colour behind transparent pixels and around padded images.
        split: part of a set that comes in parts: "train" (the usual one), "test", "val" or "all".
        subset: which rows to use, "START:STOP", counted from 0 and without STOP itself; None: all.
        transpose: whether to exchange the rows and columns of idx files and arrays, as EMNIST's
            files need it.
        range: (LOW, HIGH), the values of the files that become black and white; None: found for
            the whole set.
        categories: column of images that are label maps ("image", "a" or "b"): a plane for each
            category.
        frames: frames or pages of files that hold several: "first", "all", or a number N for every
            Nth. With "all" or N, films are read, too.
        overlap: share of its side by which a tile reaches over the next one; None: 0.
        tiles: limit of the tiles of one image, evenly spread over it; None: all.
        ignore_alpha: whether transparency that files declare is a band like all others: 3 channels
            are the colours alone, 4 are four bands.
        follow_links: whether links to folders are followed wherever they lead, also out of the
            data set.
        out: folder for contact-sheet.png, or a file: images as training will see them. Nothing is
            written without it.
        strict: whether a broken image is an error.

    Returns:
        A data report with sizes, classes, files that are left out, and copies.

    Raises:
        UserError: the set cannot be used at all; with `strict`, not all of it.
    """
    name, labels = name_data(spec, labels)
    look = collect_look(
        size=size,
        channels=channels,
        fit=fit,
        labels=labels,
        background=background,
        split=split,
        subset=subset,
        transpose=transpose,
        range=range,
        categories=categories,
        frames=frames,
        overlap=overlap,
        tiles=tiles,
        ignore_alpha=ignore_alpha,
        follow_links=follow_links,
    )
    view = make_view(**look)
    progress = sys.stderr.isatty()
    examination, dataset = examine_data(name, view, strict=strict, progress=progress)
    sheet = draw_contact_sheet(dataset)
    if out is not None:
        images.save(sheet, _choose_file(Path(out)))
    examination._sheet = sheet
    return examination


def run_doctor(spec: str, view: View, out: Path | None, strict: bool, json: bool) -> None:
    """Examine a set, print what was found (as JSON if asked), and save a contact sheet.

    Args:
        spec: of the set.
        view: how training would see it.
        out: folder or file of the contact sheet; None: the cache.
        strict: whether a broken image is an error.
        json: whether to print JSON; the sheet is then only written where `out` says.

    Raises:
        UserError: the set cannot be used at all; with `strict`, not all of it.
    """
    examination, dataset = examine_data(spec, view, strict=strict, progress=sys.stderr.isatty())
    if out is None:
        file = cache_entry("contact-sheets", [1, dataset.fingerprint], ".png")
    else:
        file = _choose_file(out)
    if out is not None or not json:
        images.save(draw_contact_sheet(dataset), file)

    if json:
        print_json(examination.model_dump())
        return
    print_examination(examination, PlainConsole())
    print_text("", f"How training sees them: {file}", wrap=False)


def _choose_file(out: Path) -> Path:
    """The file of a contact sheet: `out`, or in the folder `out`."""
    return out if out.suffix and not out.is_dir() else out / SHEET


def examine_data(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> tuple[Examination, Dataset]:
    """Open a set and look for what a person should know.

    A set without a common size is examined at 64 pixels or less.

    Raises:
        UserError: as `ganvas.data.open_dataset`.
    """
    notes = []
    try:
        dataset = open_dataset(spec, view, strict=strict, progress=progress)
    except SizeNeededError as needed:
        # the images can be shown anyway: a person wants to see them before choosing a size
        size = min(FALLBACK, needed.suggestion)  # at a larger size, images would be enlarged
        sized = view.model_copy(update={"size": size})
        dataset = open_dataset(spec, sized, strict=strict, progress=progress)
        notes = [f"{needed.reason}; they are shown at {size}, training needs --size"]

    report = dataset.report.model_copy(update={"notes": notes + dataset.report.notes})
    # files were compared when they were decoded, whole; other sets are compared as they are kept
    copies = _find_copies(dataset) if report.copies is None else report.copies
    report = report.model_copy(update={"copies": copies})
    examination = Examination(
        **report.model_dump(),
        size=dataset.size,
        channels=dataset.channels,
        fingerprint=dataset.fingerprint,
    )
    return examination, dataset


# Equal images


def _find_copies(dataset: Dataset) -> list[list[str]]:
    """Groups of equal rows of arrays or shards, by their numbers, each in the order of the set."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    columns = [values for name, values in dataset.columns.items() if name in PICTURES]

    # a digest of 16 bytes a row stands for the pixels, so memory is enough for any set
    for index, pictures in enumerate(zip(*columns)):
        content = b"".join(picture.tobytes() for picture in pictures)
        groups[hashlib.blake2b(content, digest_size=16).digest()].append(index)

    copies = [group for group in groups.values() if len(group) > 1]
    return [[f"number {index}" for index in group] for group in copies]


# Printing


def print_examination(examination: Examination, console: PlainConsole) -> None:
    """Print an examination for a person."""
    # not wrapped: paths are copied
    console.print(examination.spec, style="bold", soft_wrap=True)

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column()
    for name, value in _list_facts(examination).items():
        facts.add_row(console.localise(name), console.localise(value))
    console.print(facts)

    # a section without lines would only make a person search for what is missing
    for title, lines in _list_sections(examination).items():
        if lines:
            _print_section(title, lines, console)


def _list_sections(examination: Examination) -> dict[str, list[str]]:
    """Lists of lines by their title, some of them empty."""
    skipped = examination.skipped
    return {
        "What is done to them": examination.steps or ["nothing: they are used as they are"],
        f"Left out ({len(skipped):,})": [f"{item.file}: {item.reason}" for item in skipped],
        "Equal images": [" = ".join(group) for group in examination.copies or []],
        "Worth knowing": examination.notes,
    }


def _list_facts(examination: Examination) -> dict[str, str]:
    """What a person should know first, by name."""
    points = kind_of_images(examination.channels, examination.size) == "point"
    kind = find_kind(examination.spec)
    arrays = "" if kind else describe_arrays(expand_home(examination.spec))
    found = count_noun(examination.found, "point" if points else "image")

    facts = {
        "kind": kind.help if kind else arrays or "a folder or zip of images",
        "found": f"{found}; {examination.used:,} can be used",
    }
    if points:
        facts["training sees"] = "points in [-1, 1] x [-1, 1]"
    else:
        planes = Planes("alpha") if examination.alpha else None
        facts["training sees"] = describe_pictures(examination.size, examination.channels, planes)
        facts["sizes"] = _list_counts(examination.sizes)
        facts["modes"] = _list_counts(examination.modes)
        for column, (low, high, _) in examination.ranges.items():
            facts[f"range of {column}"] = f"{low:g} to {high:g}"
        for column, names in examination.categories.items():
            facts[f"categories of {column}"] = f"{len(names)}: {', '.join(names)}"

    if examination.splits:
        facts["splits"] = _list_counts(examination.splits)
    facts["classes"] = "none"
    if classes := examination.classes:
        facts["classes"] = f"{len(classes)}: {_list_counts(classes)}"
    facts["copies"] = _describe_copies(examination.copies or [])
    facts["fingerprint"] = examination.fingerprint
    return facts


def _print_section(title: str, lines: list[str], console: PlainConsole) -> None:
    """Print a title and the first lines of a list."""
    console.print()
    console.print(console.localise(title), style="bold")

    shown = lines[:LISTED]
    if len(lines) > LISTED:
        shown = [*shown, f"and {len(lines) - LISTED:,} more; --json lists all"]
    for line in shown:
        # a table of one row, so that long lines are indented where they wrap
        bullet = Table.grid(padding=(0, 1))
        bullet.add_row(" -", cut_text(console.localise(line), LONGEST))
        console.print(bullet)


def _list_counts(numbers: dict[str, int]) -> str:
    """The first names with their counts, "RGB (3,100), L (20)"."""
    shown = [f"{name} ({number:,})" for name, number in list(numbers.items())[:LISTED]]
    more = len(numbers) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more else "")


def _describe_copies(copies: list[list[str]]) -> str:
    """How many images are there more than once."""
    if not copies:
        return "none"

    extra = sum(len(group) - 1 for group in copies)  # one of each group is the original
    return f"{extra:,} of the files {'is a copy' if extra == 1 else 'are copies'} of another"
