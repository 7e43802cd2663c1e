"""What a person should know of the images of a folder: notes on what was read and left out."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from ganvas.data.decode import LEAST_SHARE, Fate, find_size_fault
from ganvas.data.folders.source import FileSource
from ganvas.data.view import View
from ganvas.io.console import count_noun
from ganvas.io.formats import install_hint, is_missing

__all__ = ["describe_fates", "describe_films", "find_copies"]

NAMED = 3  # files that a note names
REMARKS = 5  # remarks of decoders, each of many files
USEFUL = 8  # pixels, below which no size is suggested


def describe_fates(fates: Sequence[tuple[Fate, ...]], view: View) -> list[str]:
    """Notes on the rows of a set.

    Args:
        fates: what became of each row.
        view: with its size resolved.
    """
    # one for each image, not for each of its tiles
    images = [row for row in fates if row[0].first]
    return [
        *_describe_left_out(images, view),
        *_describe_enlarged(images, view),
        *_describe_frames(images, view),
        *_describe_remarks(fates),
    ]


def _describe_left_out(images: Sequence[tuple[Fate, ...]], view: View) -> list[str]:
    """A warning where most images are left out."""
    lost = [row for row in images if row[0].reason]
    if 2 * len(lost) <= len(images):
        return []

    start = f"most images are left out: {len(lost):,} of {len(images):,}"
    small = [side for row in lost if (side := _shorter(row)) and _is_small(row, view)]
    if 2 * len(small) > len(lost) and view.fit != "pad":
        return [f"{start}; --size {min(small) * LEAST_SHARE} keeps all that can be read"]
    reason, count = Counter(row[0].reason for row in lost).most_common(1)[0]
    return [f"{start}; the commonest reason ({count:,}): {reason}"]


def _is_small(row: tuple[Fate, ...], view: View) -> bool:
    """Whether a row is left out for its size."""
    return any(find_size_fault(fate.width, fate.height, view) for fate in row)


def _shorter(row: tuple[Fate, ...]) -> int:
    """The shorter side of the smallest image of a row; 0 if it could not be read."""
    return min(min(fate.width, fate.height) for fate in row)


def _describe_enlarged(images: Sequence[tuple[Fate, ...]], view: View) -> list[str]:
    """A note where small images are enlarged, which adds no detail."""
    if view.fit == "pad":
        return []  # keeps their size
    assert view.size is not None
    used = [_shorter(row) for row in images if not row[0].reason]
    small = [side for side in used if side < view.size]
    if not small:
        return []

    are = "is" if len(small) == 1 else "are"
    were = "was" if len(small) == 1 else "were"
    found = f"{len(small):,} of {count_noun(len(used), 'image')}"
    note = f"{found} {are} smaller than {view.size}x{view.size} and {were} enlarged"
    if min(small) >= USEFUL:
        note += f"; --size {min(small)} would not enlarge any"
    return [f"{note}; --fit pad enlarges none"]


def _describe_frames(images: Sequence[tuple[Fate, ...]], view: View) -> list[str]:
    """A note where files hold more frames or pages than are used."""
    several = [row[0].frames for row in images if row[0].frames > 1]
    if view.every or not several:
        return []
    files = count_noun(len(several), "file holds", "files hold")
    one = "one of them is used" if len(several) == 1 else "one of each is used"
    return [f"{files} {sum(several):,} frames or pages; {one}; --frames all uses all"]


def _describe_remarks(fates: Sequence[tuple[Fate, ...]]) -> list[str]:
    """What decoders complained of, with the names of the files."""
    files: dict[str, dict[str, None]] = defaultdict(dict)
    for row in fates:
        for fate in row:
            for remark in fate.remarks:
                files[remark][fate.name] = None

    notes = []
    for remark, names in list(files.items())[:REMARKS]:
        some = ", ".join(list(names)[:NAMED]) + (", ..." if len(names) > NAMED else "")
        read = count_noun(len(names), "image was", "images were")
        notes.append(f"{read} read with a warning ({some}): {remark}")
    if len(files) > REMARKS:
        notes.append(f"and {len(files) - REMARKS:,} more kinds of warnings")
    return notes


def describe_films(source: FileSource) -> list[str]:
    """A note on films that are not read."""
    if not source.films:
        return []
    films = count_noun(source.films, "film is not read", "films are not read")
    needs = f", after {install_hint('video')}" if is_missing("video") else ""
    return [f"{films}; --frames all reads all frames{needs}"]


def find_copies(fates: Sequence[tuple[Fate, ...]]) -> list[list[str]]:
    """Groups of rows whose images are equal before they are cut or resized, by their names."""
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for row in fates:
        digests = tuple(fate.digest for fate in row)
        if any(digests):
            groups[digests].append(row[0].title)
    return [group for group in groups.values() if len(group) > 1]
