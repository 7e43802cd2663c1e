"""Open any folder or zip of pictures."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from ganvas.data.dataset import DataReport, Dataset, Skipped, View
from ganvas.data.decode import Fate, Kind, load, measure, pack
from ganvas.data.folders.labels import Labelling, find_labels, in_order
from ganvas.data.folders.source import Entry, Source
from ganvas.data.store import Packed, open_store, write_images
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.images import GREY, colour

SIDES = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


class SizeNeededError(UserError):
    """The pictures differ in size or are not square, and the view does not say how large they
    should be.

    Attributes:
        suggestion: a side in pixels that keeps four fifths of the pictures or more.
    """

    def __init__(self, message: str, suggestion: int) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def open_pictures(
    place: Path, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open a folder or zip of pictures, packed; see `ganvas.data.open_dataset`.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: fewer than two usable pictures, no such labels, no such colour; with `strict`,
            any unusable picture.
    """
    with Source(place) as source:
        labelling = find_labels(source, view.labels)
        others = source.other_kinds({labelling.table})
        key = [
            source.identity(),
            view.model_dump(exclude={"labels"}),
            view.labels == "folders",
            labelling.digest,
            others,
        ]
        dataset = open_store(key, lambda folder: build(folder, source, labelling, view, progress))
    # The store is found by content, so the same pictures may have been packed from another place.
    return checked(
        replace(dataset, report=dataset.report.model_copy(update={"spec": str(place)})), strict
    )


def checked(dataset: Dataset, strict: bool) -> Dataset:
    """The set; with `strict` only if all of it can be used.

    Raises:
        UserError: names the first file that cannot.
    """
    report = dataset.report
    if strict and report.skipped:
        first = report.skipped[0]
        raise UserError(
            f"{report.spec}: {len(report.skipped):,} of {count_noun(report.found, 'file')} cannot be used, "
            f"the first is {first.file!r}: {first.reason}; mend or remove them, or go without --strict"
        )
    return dataset


def build(folder: Path, source: Source, labelling: Labelling, view: View, progress: bool) -> Packed:
    """Decode a source and write its pictures, and labels if there are, into `folder`."""
    entries = [
        entry
        for entry in source.pictures
        if labelling.classes is None or entry.name in labelling.classes
    ]
    kept, report, size = write_pictures(folder / "image.npy", source, entries, view, progress)
    notes = labelling.notes + ignored(source, {labelling.table})
    skipped = sorted(labelling.skipped + report.skipped, key=lambda item: item.file)
    report = report.model_copy(
        update={"found": len(source.pictures), "skipped": skipped, "notes": notes}
    )
    if labelling.classes is None:
        return Packed({}, report, size)
    names = [labelling.classes[fate.name] for fate in kept]
    found = Counter(names)
    classes = tuple(in_order(found))
    np.save(folder / "label.npy", np.array([classes.index(name) for name in names], np.int64))
    counts = {name: found[name] for name in classes}
    return Packed({"label": classes}, report.model_copy(update={"classes": counts}), size)


def write_pictures(
    path: Path, source: Source, entries: Sequence[Entry], view: View, progress: bool
) -> tuple[list[Fate], DataReport, int]:
    """Decode pictures into the .npy file at `path`, uint8 (N, C, S, S) with the view's load size as
    S.

    Returns:
        what became of those that are there, in their order; the report, without notes; the side
        that training sees.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: fewer than two can be used.
    """
    colour(view.background)
    view = view.model_copy(update={"size": view.size or common_size(source, entries)})
    fates: list[Fate] = []

    def squares() -> Generator[np.ndarray, None, None]:
        sizes = [entry.size for entry in entries]
        for some, pixels in pack(entries, lambda piece: load(source, piece, view), sizes, progress):
            fates.extend(some)
            yield pixels

    side = view.load_size()
    with closing(squares()) as pieces:  # so that the threads end at once where writing fails
        used = write_images(path, pieces, (view.channels or 3, side, side))
    kept = [fate for fate in fates if not fate.reason]
    if used < 2:
        raise UserError(nothing_usable(source.place, fates, view))
    if view.channels is None:
        view = view.model_copy(
            update={"channels": 1 if all(fate.mode in GREY for fate in kept) else 3}
        )
        if view.channels == 1:
            drop_colour(path)
    assert view.size is not None
    report = DataReport(
        spec=str(source.place),
        found=len(entries),
        used=used,
        skipped=[Skipped(file=fate.name, reason=fate.reason) for fate in fates if fate.reason],
        sizes=count(f"{fate.width}x{fate.height}" for fate in fates if fate.mode),
        modes=count(fate.mode for fate in fates if fate.mode),
        steps=steps(Counter(fate.kind for fate in kept), view),
    )
    return kept, report, view.size


def ignored(source: Source, used: set[str]) -> list[str]:
    """Notes on what of a source is not looked at, but for the tables in `used`."""
    others = source.other_kinds(used)
    notes = [f"other files are ignored: {others}"] if others else []
    return notes + ([f"not looked into: {', '.join(source.unseen)}"] if source.unseen else [])


def common_size(source: Source, entries: Sequence[Entry]) -> int:
    """The side that all pictures share.

    Raises:
        SizeNeededError: they do not.
    """
    sizes = Counter(measure(source, entries))
    # none can be read: packing will tell why
    return common_side(source.place, sizes) if sizes else 1


def common_side(place: Path | str, sizes: Counter[tuple[int, int]]) -> int:
    """The side that pictures of these widths and heights share.

    Args:
        place: where they are, in messages.
        sizes: how many there are of each.

    Raises:
        SizeNeededError: they share none.
    """
    low, high = min(sizes), max(sizes)
    if low == high and low[0] == low[1]:
        return low[0]
    shorter = Counter[int]()
    for size, count in sizes.items():
        shorter[min(size)] += count
    smaller, typical = 0, 0
    for side in sorted(shorter):
        smaller, typical = smaller + shorter[side], side
        if smaller > sizes.total() // 5:
            break
    suggestion = max((side for side in SIDES if side <= typical), default=typical)
    described = (
        f"from {low[0]}x{low[1]} to {high[0]}x{high[1]}" if low != high else f"of {low[0]}x{low[1]}"
    )
    raise SizeNeededError(
        f"{place} holds pictures {described}; say which square they should become, for instance --size {suggestion}",
        suggestion,
    )


def nothing_usable(place: Path, fates: list[Fate], view: View) -> str:
    """The message for a set with fewer than two usable pictures."""
    start = f"{place}: {count_noun(len(fates), 'picture')}, fewer than two of them usable"
    sides = sorted((min(fate.width, fate.height) for fate in fates if fate.mode), reverse=True)
    if view.fit != "pad" and view.size and len(sides) > 1 and sides[1] < view.size:
        return f"{start} at size {view.size}; the largest size that would work is {sides[1]}: --size {sides[1]}"
    first = next((f"; {fate.name!r}: {fate.reason}" for fate in fates if fate.reason), "")
    return f"{start}{first}; training needs at least two"


def drop_colour(path: Path) -> None:
    """Keep one of three equal planes of the pictures (N, 3, S, S) at `path`."""
    images = np.load(path, mmap_mode="r")
    pieces = (images[start : start + 1024, :1] for start in range(0, len(images), 1024))
    grey = path.with_name("grey.npy")
    write_images(grey, pieces, (1, *images.shape[2:]))
    del images  # some systems do not replace a file that is mapped
    grey.replace(path)


def count(values: Iterator[str]) -> dict[str, int]:
    """How often each value occurs, the commonest first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def steps(kinds: Counter[Kind], view: View) -> list[str]:
    """What is done to the pictures, so many of each kind, in order, one sentence each."""
    side = view.load_size()
    square = f"{side}x{side}"
    shrunk = {
        "crop": f"shrunk until the shorter side is {side}, then cut to the central {square}",
        "pad": f"shrunk until the longer side is {side}",
        "stretch": f"shrunk to {square}, each side by itself",
    }
    if view.fit == "crop" and all(kind.width == kind.height for kind in kinds):
        shrunk["crop"] = f"shrunk to {square}"

    def total(claim: Callable[[Kind], bool]) -> int:
        return sum(number for kind, number in kinds.items() if claim(kind))

    larger = total(lambda kind: (max if view.fit == "pad" else min)(kind.width, kind.height) > side)
    smaller = total(lambda kind: min(kind.width, kind.height) < side) if view.fit != "pad" else 0
    cut = total(lambda kind: min(kind.width, kind.height) == side < max(kind.width, kind.height))
    if view.fit != "crop":
        larger, cut = larger + (cut if view.fit == "stretch" else 0), 0
    padded = (
        total(lambda kind: (kind.width, kind.height) != (side, side)) if view.fit == "pad" else 0
    )
    deep = total(lambda kind: kind.mode == "F" or kind.mode.startswith("I"))
    grey = total(lambda kind: kind.grey)
    done = [
        (total(lambda kind: kind.turned), "turned upright as their EXIF orientation says"),
        (deep, "brought from 16-bit or float values to 8 bits"),
        (total(lambda kind: kind.transparent), f"transparent: laid over {view.background}"),
        (total(lambda kind: kind.mode == "CMYK"), "turned from CMYK to RGB"),
        (grey if view.channels == 3 else 0, "grey: repeated to RGB"),
        (kinds.total() - grey if view.channels == 1 else 0, "turned from colour to grey"),
        (larger, shrunk[view.fit]),
        (smaller, shrunk[view.fit].replace("shrunk", "enlarged")),
        (cut, f"cut to the central {square}"),
        (padded, f"laid on {view.background} to fill {square}"),
    ]
    told = [f"{count_noun(number, 'picture')} {what}" for number, what in done if number]
    return told + (
        [f"training cuts a random {view.size}x{view.size} out of each in every round"]
        if side != view.size
        else []
    )
