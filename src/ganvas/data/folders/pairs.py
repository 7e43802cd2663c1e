"""Pictures in pairs, an input and what it should become: side by side in one file, or in two
folders under the same names.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganvas.data.dataset import DataReport, Dataset, Skipped, View
from ganvas.data.decode import Fate, pack, too_small
from ganvas.data.folders.images import (
    SizeNeededError,
    checked,
    count,
    ignored,
    nothing_usable,
    steps,
)
from ganvas.data.folders.source import Entry, Source
from ganvas.data.folders.spec import Place, parse_place
from ganvas.data.store import Packed, open_store, write_images
from ganvas.errors import UserError
from ganvas.io import images
from ganvas.io.console import count_noun
from ganvas.io.images import GREY, Picture, UnreadableError, colour
from ganvas.io.resizing import to_square

SPLITS = ("train", "val", "test")
SIDES = ("a", "b")


class Couple(NamedTuple):
    """A pair before it is read.

    Attributes:
        name: for people.
        entries: one file with both halves, or a file of each.
    """

    name: str
    entries: tuple[Entry, ...]


class Pair(NamedTuple):
    """A pair that was read: the pictures are None where it cannot be used, and `reason` tells why."""

    name: str
    reason: str
    pictures: tuple[Picture, Picture] | None


def open_pairs(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """`pairs:PLACE`, or its splits `pairs-val:PLACE` and `pairs-test:PLACE`: columns "a" and "b".

    PLACE is a folder or zip with files of two pictures side by side, "a" at the left, in train/,
    val/ and test/ or without; or with folders A and B that hold equal names; or two such folders or
    zips, with a comma between.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: no pairs there, or no such split; with `strict`, any file that cannot be used.
    """
    place = parse_place(spec)
    colour(view.background)
    with ExitStack() as stack:
        sources = [stack.enter_context(Source(path)) for path in place.paths]
        couples, alone = find_couples(sources, place)
        splits = [
            split
            for split in ("test", "val")
            if place.split == "train" and has_split(sources, split)
        ]
        test = place.other(splits[0]) if splits else None
        key = [
            "pairs",
            [source.identity() for source in sources],
            place.split,
            view.model_dump(exclude={"labels"}),
        ]
        dataset = open_store(
            key, lambda folder: build(folder, sources, couples, alone, view, progress)
        )
    return checked(
        replace(dataset, report=dataset.report.model_copy(update={"spec": spec, "test": test})),
        strict,
    )


def has_split(sources: Sequence[Source], split: str) -> bool:
    """Whether two pictures or more lie in a folder of that name."""
    return sum(entry.name.lower().startswith(f"{split}/") for entry in sources[0].pictures) > 1


def find_couples(sources: Sequence[Source], place: Place) -> tuple[list[Couple], list[Skipped]]:
    """The pairs of a split, and the files that have no partner.

    Raises:
        UserError: there is no such split, or the pictures are of two domains without pairs.
    """
    inside = [in_split(source, place) for source in sources]
    if len(sources) == 1:
        tops = {name.partition("/")[0].lower() for name in inside[0] if "/" in name}
        if tops and tops <= {"traina", "trainb", "testa", "testb"}:
            raise UserError(
                f"{place.text} holds two domains, not pairs; use cyclegan with --data unpaired:{place.text}"
            )
        if tops != set(SIDES):
            return [Couple(entry.name, (entry,)) for entry in inside[0].values()], []
        inside = [
            {name[2:]: entry for name, entry in inside[0].items() if name[0].lower() == side}
            for side in SIDES
        ]
    by_stem: list[dict[str, Entry]] = [{}, {}]
    double: list[Skipped] = []
    for side, files, stems in zip(SIDES, inside, by_stem):
        for name, entry in files.items():
            if stems.setdefault(name.rpartition(".")[0], entry) is not entry:
                reason = "another file has the same name but for its ending"
                double.append(
                    Skipped(file=f"{side.upper()}: {entry.name.rpartition('/')[2]}", reason=reason)
                )
    both = [stem for stem in by_stem[0] if stem in by_stem[1]]
    if not both:
        first, second = (next(iter(names), "nothing") for names in by_stem)
        raise UserError(
            f"{place.text}: no picture of A has the name of one of B; A begins with {first!r}, B with {second!r}; "
            "give pairs equal names, or train cyclegan on unpaired:..."
        )
    alone = [
        Skipped(
            file=f"{side.upper()}: {entry.name.rpartition('/')[2]}",
            reason="has no partner of the same name",
        )
        for side, names in zip(SIDES, by_stem)
        for stem, entry in names.items()
        if stem not in both
    ]
    return [Couple(stem, (by_stem[0][stem], by_stem[1][stem])) for stem in both], double + alone


def in_split(source: Source, place: Place) -> dict[str, Entry]:
    """The pictures of a split, by their name in it; of a set without splits all of them.

    Raises:
        UserError: there is no such split.
    """
    found = {split: f"{split}/" for split in SPLITS if has_split([source], split)}
    only = source.wrapper.rstrip("/").rpartition("/")[2].lower()  # a folder that holds all pictures
    if only == place.split:
        return {entry.name: entry for entry in source.pictures}
    if only in SPLITS:
        raise UserError(f"{source.place} has no folder {place.split}; its pictures are in {only}")
    if not found and place.split == "train":
        return {entry.name: entry for entry in source.pictures}
    if place.split not in found:
        raise UserError(
            f"{source.place} has no folder {place.split}; its pictures are in {', '.join(found) or 'one place'}"
        )
    start = found[place.split]
    return {
        entry.name[len(start) :]: entry
        for entry in source.pictures
        if entry.name.lower().startswith(start)
    }


def build(
    folder: Path,
    sources: Sequence[Source],
    couples: Sequence[Couple],
    alone: list[Skipped],
    view: View,
    progress: bool,
) -> Packed:
    """Decode pairs and write them into `folder`, as a.npy and b.npy."""
    if view.size is None:
        view = view.model_copy(update={"size": common_size(sources, couples)})
    side = view.load_size()
    fates: tuple[list[Fate], list[Fate]] = ([], [])

    def squares() -> Generator[np.ndarray, None, None]:
        sizes = [sum(entry.size for entry in couple.entries) for couple in couples]
        for some, pixels in pack(
            couples, lambda piece: load(sources, piece, view), sizes, progress
        ):
            for kept, new in zip(fates, some):
                kept.extend(new)
            yield pixels

    together = folder / "together.npy"
    with closing(squares()) as pieces:
        used = write_images(together, pieces, (2, 3, side, side))
    if used < 2:
        raise UserError(nothing_usable(sources[0].place, fates[0], view))
    told, modes = [], []
    for number, (name, of_side) in enumerate(zip(SIDES, fates)):
        kept = [fate for fate in of_side if not fate.reason]
        channels = view.channels or (1 if all(fate.mode in GREY for fate in kept) else 3)
        take(together, folder / f"{name}.npy", number, channels)
        kinds = Counter(fate.kind for fate in kept)
        told += [
            f"{name}: {step}"
            for step in steps(kinds, view.model_copy(update={"channels": channels}))
        ]
        modes += [fate.mode for fate in of_side if fate.mode]
    together.unlink()
    assert view.size is not None
    halves = sum(len(couple.entries) == 1 for couple in couples)
    whose = "its" if halves == 1 else "their"
    cut = (
        [f"{count_noun(halves, 'file')} cut into {whose} left half, a, and {whose} right half, b"]
        if halves
        else []
    )
    skipped = alone + [
        Skipped(file=fate.name, reason=fate.reason) for fate in fates[0] if fate.reason
    ]
    report = DataReport(
        spec=str(sources[0].place),
        found=len(couples) + len(alone),
        used=used,
        skipped=sorted(skipped, key=lambda item: item.file),
        sizes=count(f"{fate.width}x{fate.height}" for fate in fates[0] if fate.mode),
        modes=count(iter(modes)),
        steps=cut + list(dict.fromkeys(told)),
        notes=[note for source in sources for note in ignored(source, set())],
    )
    return Packed({}, report, view.size)


def load(
    sources: Sequence[Source], couples: Sequence[Couple], view: View
) -> tuple[tuple[list[Fate], list[Fate]], np.ndarray]:
    """Decode some pairs: what became of each side, and those that are used, uint8 (K, 2, 3, S, S),
    S the load size.
    """
    side = view.load_size()
    fates: tuple[list[Fate], list[Fate]] = ([], [])
    found = [np.empty((0, 2, 3, side, side), np.uint8)]
    for couple in couples:
        pair = read_pair(sources, couple, view)
        if pair.pictures is None:
            for kept in fates:
                kept.append(Fate(pair.name, pair.reason))
            continue
        for kept, picture in zip(fates, pair.pictures):
            _, height, width = picture.pixels.shape
            kept.append(
                Fate(
                    pair.name,
                    pair.reason,
                    width,
                    height,
                    picture.mode,
                    picture.transparent,
                    picture.turned,
                )
            )
        if not pair.reason:
            both = [
                to_square(picture.pixels[None], side, view.fit, view.background).numpy()
                for picture in pair.pictures
            ]
            found.append(np.stack(both, 1))
    return fates, np.concatenate(found)


def read_pair(sources: Sequence[Source], couple: Couple, view: View) -> Pair:
    """Both pictures of a pair, and why it is left out, if it is."""
    try:
        read = []
        for number, entry in enumerate(couple.entries):
            source = sources[min(number, len(sources) - 1)]
            read.append(
                images.read(source.read(entry), 1 if view.channels == 1 else 3, view.background)
            )
        a, b = read if len(read) == 2 else halves(read[0])
    except UnreadableError as error:
        return Pair(couple.name, str(error), None)
    a, b = (picture._replace(pixels=picture.pixels.expand(3, -1, -1)) for picture in (a, b))
    return Pair(couple.name, reason_against(a, b, view), (a, b))


def halves(picture: Picture) -> tuple[Picture, Picture]:
    """The left and the right half of a picture, (C, H, W // 2) each.

    Raises:
        UnreadableError: it is not wider than high.
    """
    _, height, width = picture.pixels.shape
    if width <= height:
        raise UnreadableError(f"{width}x{height} is one picture, not two side by side")
    middle = width // 2
    return picture._replace(pixels=picture.pixels[..., :middle]), picture._replace(
        pixels=picture.pixels[..., -middle:]
    )


def reason_against(a: Picture, b: Picture, view: View) -> str:
    """Why two pictures are no pair; "" if they are."""
    (height, width), (other_height, other_width) = a.pixels.shape[1:], b.pixels.shape[1:]
    if (
        abs(width * other_height - other_width * height)
        > max(width * other_height, other_width * height) / 50
    ):
        return f"A is {width}x{height} and B {other_width}x{other_height}: their shapes differ"
    return too_small(min(width, other_width), min(height, other_height), view)


def common_size(sources: Sequence[Source], couples: Sequence[Couple]) -> int:
    """The side that the halves of all pictures share.

    Raises:
        SizeNeededError: they do not.
    """
    view = View(size=1)
    sizes = set()
    for couple in couples:
        pair = read_pair(sources, couple, view)
        if pair.pictures:
            sizes |= {tuple(picture.pixels.shape[1:]) for picture in pair.pictures}
    if len(sizes) == 1 and len(set(next(iter(sizes)))) == 1:
        return next(iter(sizes))[0]
    typical = min((min(size) for size in sizes), default=1)
    raise SizeNeededError(
        f"{sources[0].place} holds pairs of {len(sizes)} sizes; say which square they should become, e.g. --size {typical}",
        typical,
    )


def take(together: Path, path: Path, number: int, channels: int) -> None:
    """One side of the pairs (N, 2, 3, S, S) at `together`, as pictures (N, channels, S, S) at
    `path`.
    """
    pairs = np.load(together, mmap_mode="r")
    pieces = (pairs[start : start + 256, number, :channels] for start in range(0, len(pairs), 256))
    write_images(path, pieces, (channels, *pairs.shape[3:]))
