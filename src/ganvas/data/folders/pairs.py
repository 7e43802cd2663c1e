"""Open paired images: an input and its output, side by side in one file or in two folders."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ganvas.data.dataset import Dataset
from ganvas.data.decode import RowFiles
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import ImageSizes, SizeSurvey, count_sizes, with_common_size
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.folders.spec import Place, parse_place
from ganvas.data.report import Skipped
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = ["open_pairs", "survey_pairs"]

SPLITS = ("train", "val", "test")
COLUMNS = ("a", "b")
DOMAINS = {"traina", "trainb", "testa", "testb"}  # folders of unpaired data


def open_pairs(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """`pairs:PLACE`, or its splits `pairs-val:PLACE` and `pairs-test:PLACE`: columns "a" and "b".

    PLACE is a folder or zip with files of two images side by side, "a" at the left, in train/, val/
    and test/ or without them; or with folders A and B that hold equal names; or two such folders or
    zips, with a comma between.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: no pairs there, or no such split; with `strict`, any file that cannot be used.
    """
    place = parse_place(spec)

    with ExitStack() as stack:
        sources = [stack.enter_context(FileSource(path)) for path in place.paths]
        rows, alone = _find_pairs(sources, place)
        test = _find_test(sources, place)

        # The split is in the key: all splits share the files of their source.
        key = [
            "pairs",
            [source.identity() for source in sources],
            place.split,
            view.key(),
        ]
        dataset = open_store(
            key, lambda folder: _write_pairs(folder, sources, rows, alone, view, progress)
        )

    return check_strict(dataset.with_report(spec=spec, test=test), strict)


def survey_pairs(spec: str) -> SizeSurvey:
    """Measure the images of all pairs, without decoding them.

    Raises:
        UserError: as `open_pairs`.
    """
    place = parse_place(spec)
    with ExitStack() as stack:
        sources = [stack.enter_context(FileSource(path)) for path in place.paths]
        rows, _ = _find_pairs(sources, place)
        return SizeSurvey({str(sources[0].place): _count_sizes(sources, rows)})


def _write_pairs(
    folder: Path,
    sources: Sequence[FileSource],
    rows: Sequence[RowFiles],
    alone: list[Skipped],
    view: View,
    progress: bool,
) -> Packed:
    """Decode pairs and write them into `folder`, as a.npy and b.npy."""
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


def _find_pairs(
    sources: Sequence[FileSource], place: Place
) -> tuple[list[RowFiles], list[Skipped]]:
    """The pairs of a split, and the files that have no partner.

    Raises:
        UserError: there is no such split, or the images are of two domains without pairs.
    """
    inside = [_find_split(source, place) for source in sources]

    if len(sources) == 1:
        source = sources[0]
        files = inside[0]
        tops = {name.partition("/")[0].lower() for name in files if "/" in name}
        if tops and tops <= DOMAINS:
            raise UserError(
                f"{place.text} holds two domains, not pairs; "
                f"use cyclegan with --data unpaired:{place.text}"
            )
        if tops != set(COLUMNS):  # one file holds both images
            return [RowFiles(entry.name, ((source, entry),)) for entry in files.values()], []

        # folders A and B of one source, in capitals or not
        sources = (source, source)
        inside = [
            {name[2:]: entry for name, entry in files.items() if name[:2].lower() == f"{column}/"}
            for column in COLUMNS
        ]
        stray = [
            Skipped(file=name, reason="is in neither A nor B") for name in files if "/" not in name
        ]
        rows, skipped = _match_names(sources, inside, place)
        return rows, skipped + stray

    return _match_names(sources, inside, place)


def _match_names(
    sources: Sequence[FileSource], inside: Sequence[dict[str, Entry]], place: Place
) -> tuple[list[RowFiles], list[Skipped]]:
    """Pairs of files that have the same name but for its ending, and the files without a partner.

    Args:
        sources: of A and of B.
        inside: the files of A and of B, by name.
        place: for messages.

    Raises:
        UserError: no name is in both.
    """
    # without the ending: labels are often .png where photographs are .jpg
    stems: list[dict[str, Entry]] = [{}, {}]
    skipped: list[Skipped] = []
    for column, files, by_stem in zip(COLUMNS, inside, stems):
        for name, entry in files.items():
            if by_stem.setdefault(name.rpartition(".")[0], entry) is not entry:
                reason = "another file has the same name but for its ending"
                skipped.append(_skip_file(column, entry, reason))

    a, b = stems
    # in the order of A, which is sorted by name
    both = [stem for stem in a if stem in b]
    if not both:
        first, second = (next(iter(by_stem), "nothing") for by_stem in stems)
        raise UserError(
            f"{place.text}: no image of A has the name of one of B; "
            f"A begins with {first!r}, B with {second!r}; "
            "give pairs equal names, or train cyclegan on unpaired:..."
        )

    for column, by_stem, other in zip(COLUMNS, stems, (b, a)):
        for stem, entry in by_stem.items():
            if stem not in other:
                skipped.append(_skip_file(column, entry, "has no partner of the same name"))

    rows = [RowFiles(stem, ((sources[0], a[stem]), (sources[1], b[stem]))) for stem in both]
    return rows, skipped


def _skip_file(column: str, entry: Entry, reason: str) -> Skipped:
    """A file of A or B that is left out."""
    return Skipped(file=f"{column.upper()}: {entry.name.rpartition('/')[2]}", reason=reason)


# Splits


def _find_split(source: FileSource, place: Place) -> dict[str, Entry]:
    """The images of a split, by their name in it; all images of a set without splits.

    Raises:
        UserError: there is no such split.
    """
    found = {split: f"{split}/" for split in SPLITS if _has_split([source], split)}
    everything = {entry.name: entry for entry in source.pictures}

    # a folder that holds all images was taken off their names; it may be the split itself
    only = source.wrapper.rstrip("/").rpartition("/")[2].lower()
    if only == place.split:
        return everything
    if only in SPLITS:
        raise UserError(f"{source.place} has no folder {place.split}; its images are in {only}")

    # a set without any splits is a training set
    if not found and place.split == "train":
        return everything
    if place.split not in found:
        there = ", ".join(found) or "one place"
        raise UserError(f"{source.place} has no folder {place.split}; its images are in {there}")

    start = found[place.split]
    # names without the split: "train/1.jpg" becomes "1.jpg"
    return {
        name[len(start) :]: entry
        for name, entry in everything.items()
        if name.lower().startswith(start)
    }


def _find_test(sources: Sequence[FileSource], place: Place) -> str | None:
    """The name of the test set that belongs to a training set: its split "test", else "val"."""
    if place.split != "train":
        return None
    # many published sets of pairs have "val" alone, such as maps and cityscapes
    splits = [split for split in ("test", "val") if _has_split(sources, split)]
    return place.other(splits[0]) if splits else None


def _has_split(sources: Sequence[FileSource], split: str) -> bool:
    """Whether two images or more lie in a folder of that name."""
    # one image is no set; in places of A and B the splits are alike, so A is enough
    return sum(entry.name.lower().startswith(f"{split}/") for entry in sources[0].pictures) > 1
