"""Open paired images: an input and its output, side by side in one file or in two folders."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from ganvas.data.dataset import Dataset
from ganvas.data.decode import RowFiles
from ganvas.data.folders.pairing import (
    LAYOUTS,
    measure_some,
    name_stems,
    split_endings,
    split_sides,
)
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import ImageSizes, SizeSurvey, count_sizes, with_common_size
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.folders.spec import Place, parse_place
from ganvas.data.folders.splits import Part, choose_split, find_judges, report_parts
from ganvas.data.report import Skipped
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = ["open_pairs", "survey_pairs"]

COLUMNS = ("a", "b")


@dataclass(frozen=True)
class FoundPairs:
    """The pairs of a split, before they are read.

    Attributes:
        rows: the files of each pair.
        skipped: files without a partner.
        notes: which layout was recognised, where it is not the plain one.
    """

    rows: list[RowFiles]
    skipped: list[Skipped]
    notes: list[str]


def open_pairs(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """`pairs:PLACE`, or its splits `pairs-val:PLACE` and `pairs-test:PLACE`: columns "a" and "b".

    PLACE is a folder or zip in one of the layouts of `ganvas.data.folders.pairing`; or two of them,
    with a comma between.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: no pairs there, or no such split; with `strict`, any file that cannot be used.
    """
    place = parse_place(spec)

    with ExitStack() as stack:
        wholes = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        parts = [choose_split(whole, place.split) for whole in wholes]
        sources = [part.source for part in parts]
        found = _find_pairs(sources, place)
        judge = _find_judge(parts, place)

        # names without splits, and endings that count, decide which files belong together
        names = [[entry.name for _, entry in row.files] for row in found.rows]
        key = [
            "pairs",
            [source.identity() for source in sources],
            place.split,
            names,
            view.key(),
        ]
        dataset = open_store(
            key, lambda folder: _write_pairs(folder, sources, found, view, progress)
        )

    said = report_parts(parts, judge)
    said["notes"] = [*said["notes"], *found.notes, *dataset.report.notes]
    said["side_by_side"] = all(len(row.files) == 1 for row in found.rows)
    test = place.other(judge) if judge else None
    return check_strict(dataset.with_report(spec=spec, test=test, **said), strict)


def _find_judge(parts: Sequence[Part], place: Place) -> str | None:
    """The split whose pairs judge what is trained; None: there is none."""
    for split in find_judges(parts):
        with suppress(UserError):  # no pairs in it
            if len(_find_pairs([part.other(split) for part in parts], place).rows) > 1:
                return split
    return None


def survey_pairs(spec: str, view: View) -> SizeSurvey:
    """Measure the images of all pairs, without decoding them.

    Raises:
        UserError: as `open_pairs`.
    """
    place = parse_place(spec)
    with ExitStack() as stack:
        wholes = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        sources = [choose_split(whole, place.split).source for whole in wholes]
        rows = _find_pairs(sources, place).rows
        return SizeSurvey({str(sources[0].place): _count_sizes(sources, rows)})


def _write_pairs(
    folder: Path,
    sources: Sequence[FileSource],
    found: FoundPairs,
    view: View,
    progress: bool,
) -> Packed:
    """Decode pairs and write them into `folder`, as a.npy and b.npy."""
    rows, alone = found.rows, found.skipped
    place = sources[0].place
    view = with_common_size(view, lambda: {str(place): _count_sizes(sources, rows)})
    _, report, size = write_rows(folder, COLUMNS, place, rows, view, progress)

    # files of two images side by side
    halves = sum(len(row.files) == 1 for row in rows)
    whose = "its" if halves == 1 else "their"
    cut = f"{count_noun(halves, 'file')} cut into {whose} left half, a, and {whose} right half, b"

    report = report.model_copy(
        update={
            "found": report.found + len(alone),
            "skipped": sorted(alone + report.skipped, key=lambda item: item.file),
            "steps": ([cut] if halves else []) + report.steps,
            "notes": [
                *report.notes,
                *(note for source in sources for note in describe_ignored(source, set())),
            ],
        }
    )
    return Packed({}, report, size)


def _count_sizes(sources: Sequence[FileSource], rows: Sequence[RowFiles]) -> ImageSizes:
    """The sizes of all images of all pairs."""
    sizes = count_sizes(sources[0], [row.files[0][1] for row in rows])

    # files of two images side by side; what is not wider than high is left out when it is decoded
    if len(rows[0].files) == 1:
        halves = ImageSizes()
        for (width, height), count in sizes.items():
            if width > height:
                halves[width // 2, height] += count
        return halves

    # folders A and B may be in one source
    return sizes + count_sizes(sources[-1], [row.files[1][1] for row in rows])


# Which files belong together


def _find_pairs(sources: Sequence[FileSource], place: Place) -> FoundPairs:
    """The pairs of a split, by the layout that their files have.

    Raises:
        UserError: there are no pairs.
    """
    inside = [{source.inside(entry.name): entry for entry in source.pictures} for source in sources]
    if len(sources) == 2:
        return _match_names(sources, inside, ("A", "B"), place)

    # folders of the two sides, names that end in _A and _B, else one file for both images
    (source,), (files,) = sources, inside
    sides = split_sides(files)
    if sides is None and (sides := split_endings(files)):
        note = "names that end in _A and _B, or in a word such as _mask, are the sides a and b"
        found = _match_names((source, source), sides.files, sides.names, place)
        stray = [Skipped(file=name, reason="has no partner") for name in sides.stray]
        return FoundPairs(found.rows, found.skipped + stray, [note, *found.notes])
    if sides is None:
        _check_halves(source, place)
        rows = [RowFiles(entry.name, ((source, entry),)) for entry in files.values()]
        return FoundPairs(rows, [], [])

    found = _match_names((source, source), sides.files, sides.names, place)
    first, second = sides.names
    reason = f"is in neither {first} nor {second}"
    stray = [Skipped(file=name, reason=reason) for name in sides.stray]
    notes = found.notes
    if (first.lower(), second.lower()) != COLUMNS:
        turn = "the other way round: --set options.direction=b-to-a"
        notes = [f"{first} is the side a, {second} the side b; {turn}", *notes]
    return FoundPairs(found.rows, found.skipped + stray, notes)


def _check_halves(source: FileSource, place: Place) -> None:
    """Refuse files of which none holds two images side by side.

    Raises:
        UserError: names the layouts that there are.
    """
    sizes = measure_some(source, source.pictures)
    if not sizes or any(width > height for width, height in sizes.values()):
        return
    name, (width, height) = next(iter(sizes.items()))
    raise UserError(
        f"{place.text} holds no pairs: {name} of {width}x{height} is one image, not two side by "
        f"side; pairs are {LAYOUTS}"
    )


def _match_names(
    sources: Sequence[FileSource],
    inside: Sequence[Mapping[str, Entry]],
    names: tuple[str, str],
    place: Place,
) -> FoundPairs:
    """Pairs of files that have the same name but for its ending, and the files without a partner.

    Args:
        sources: of A and of B.
        inside: the files of A and of B, by name.
        names: of the sides, for messages.
        place: for messages.

    Raises:
        UserError: no name is in both.
    """
    keys = name_stems(*inside)
    stems: list[dict[str, Entry]] = [{}, {}]
    skipped: list[Skipped] = []
    for side, files, key, by_stem in zip(names, inside, keys, stems):
        for name, entry in files.items():
            if by_stem.setdefault(key[name], entry) is not entry:
                reason = "another file has the same name but for its ending"
                skipped.append(_skip_file(side, entry, reason))

    a, b = stems
    # in the order of A, which is sorted by name
    both = [stem for stem in a if stem in b]
    if not both:
        first, second = (next(iter(by_stem), "nothing") for by_stem in stems)
        raise UserError(
            f"{place.text}: no image of {names[0]} has the name of one of {names[1]}; "
            f"{names[0]} begins with {first!r}, {names[1]} with {second!r}; pairs are {LAYOUTS}; "
            f"of two domains without pairs use cyclegan with --data unpaired:{place.text}"
        )

    for side, by_stem, other in zip(names, stems, (b, a)):
        for stem, entry in by_stem.items():
            if stem not in other:
                skipped.append(_skip_file(side, entry, "has no partner of the same name"))

    notes = []
    cut = any(stem != name.rpartition(".")[0] for key in keys for name, stem in key.items())
    if cut:
        notes = ["names of pairs are equal but for endings such as _A and _B or _mask"]
    rows = [RowFiles(stem, ((sources[0], a[stem]), (sources[1], b[stem]))) for stem in both]
    return FoundPairs(rows, skipped, notes)


def _skip_file(side: str, entry: Entry, reason: str) -> Skipped:
    """A file of one of the sides that is left out."""
    return Skipped(file=f"{side}: {entry.name.rpartition('/')[2]}", reason=reason)
