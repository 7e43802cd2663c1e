"""What a person should know of the images of a folder: notes on what was read and left out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import groupby

from ganvas.data.fates import LEAST_SHARE, Fate, find_size_fault
from ganvas.data.folders.source import FileSource
from ganvas.data.view import View
from ganvas.io.console import count_noun
from ganvas.io.formats import install_hint, is_missing

__all__ = [
    "count_parts",
    "describe_enlarged",
    "describe_fates",
    "describe_films",
    "describe_left_out",
    "describe_parts",
    "find_copies",
]

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
    used = Counter(_shorter(row) for row in images if not row[0].reason)
    reasons = Counter(row[0].reason for row in images if row[0].reason)
    small = [_shorter(row) for row in images if row[0].reason and _is_small(row, view)]
    return [
        *describe_left_out(len(images), reasons, small, view),
        *describe_enlarged(used, view),
        *_describe_frames(images, view),
        *_describe_remarks(fates),
    ]


def _is_small(row: tuple[Fate, ...], view: View) -> bool:
    """Whether a row that could be read is left out for its size."""
    if not all(fate.mode for fate in row):
        return False
    return any(find_size_fault(fate.width, fate.height, view) for fate in row)


def _shorter(row: tuple[Fate, ...]) -> int:
    """The shorter side of the smallest image of a row; 0 if it could not be read."""
    return min(min(fate.width, fate.height) for fate in row)


def describe_left_out(
    found: int, reasons: Counter[str], small: Sequence[int], view: View
) -> list[str]:
    """A warning where most images are left out.

    Args:
        found: how many there are.
        reasons: why images are left out, with how many for each reason.
        small: shorter sides of those that are too small.
        view: with its size resolved.
    """
    lost = reasons.total()
    if 2 * lost <= found:
        return []

    start = f"most images are left out: {lost:,} of {found:,}"
    if 2 * len(small) > lost and view.fit != "pad":
        return [f"{start}; --size {min(small) * LEAST_SHARE} keeps all that can be read"]
    reason, count = reasons.most_common(1)[0]
    return [f"{start}; the commonest reason ({count:,}): {reason}"]


def describe_enlarged(used: Counter[int], view: View) -> list[str]:
    """A note where small images are enlarged, which adds no detail.

    Args:
        used: how many images there are of each shorter side.
        view: with its size resolved.
    """
    if view.fit == "pad":
        return []  # keeps their size
    assert view.size is not None
    small = {side: count for side, count in used.items() if side < view.size}
    if not small:
        return []

    count = sum(small.values())
    are, were = ("is", "was") if count == 1 else ("are", "were")
    found = f"{count:,} of {count_noun(used.total(), 'image')}"
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


def describe_parts(kept: Sequence[tuple[Fate, ...]]) -> list[str]:
    """The step that takes frames out of their files, if there are any."""
    frames = Counter(row[0].name for row in kept if row[0].frames != 1 and row[0].first)
    if not any(count > 1 for count in frames.values()):
        return []
    files = count_noun(len(frames), "file gives", "files give")
    return [f"{files} {count_noun(frames.total(), 'frame or page', 'frames or pages')}"]


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


def count_parts(kept: Sequence[tuple[Fate, ...]]) -> list[int]:
    """How many rows each file gave, in their order; empty where each gave one."""
    counts = [len(list(rows)) for _, rows in groupby(kept, key=lambda row: row[0].name)]
    return counts if max(counts) > 1 else []


def find_copies(fates: Sequence[tuple[Fate, ...]]) -> list[list[str]]:
    """Groups of rows whose images are equal before they are cut or resized, by their names."""
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for row in fates:
        digests = tuple(fate.digest for fate in row)
        if any(digests):
            groups[digests].append(row[0].title)
    return [group for group in groups.values() if len(group) > 1]
