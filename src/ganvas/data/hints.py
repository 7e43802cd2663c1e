"""Guess of which kind a place of images is (pairs, two domains, captions, attributes), and say how
such a set is opened.
"""

from contextlib import suppress
from pathlib import Path

from ganvas.data.folders.caption_table import read_caption_table
from ganvas.data.folders.pairing import measure_some, name_stems, split_endings, split_sides
from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.splits import Part, Splits, find_splits
from ganvas.data.folders.table_survey import survey_tables
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError

__all__ = ["LOOKS", "describe_layout", "guess_kind"]

MOST_INSIDE = 0.9  # share of the images that must be of the two sides
CAPTION_TABLES = (".jsonl", ".json")
LARGEST = 2**25  # bytes of a table that is read only to guess
SHARD_LABELS = (".cls", ".json", ".txt")  # files of webdataset's tars beside the images

# What a kind looks like, in words.
LOOKS = {
    "pairs": "pairs of images",
    "unpaired": "images of two domains, without pairs",
    "attributes": "images with a table of attributes",
    "captions": "images with a table of captions",
    "shards": "images with their classes in files beside them, as in webdataset's tars",
}


def guess_kind(place: Path) -> str:
    """The likely kind of a folder, zip or tar: "pairs", "unpaired", "attributes", "captions",
    "shards", or "" for plain images.

    It looks at names, and at the shapes of a few images. A person should confirm it.

    Raises:
        UserError: it cannot be read, or holds no images.
    """
    with FileSource(place) as source:
        return _guess(source, find_splits(source))


def describe_layout(part: Part, labels: str) -> list[str]:
    """The note on what plain images look like, with the name that opens them so; none for plain
    images, and for those with a table, of which `describe_unused` tells.

    Args:
        part: the images.
        labels: as in `View`; where they are used, their table is not taken for another one.
    """
    kind = _guess(part.whole, part.splits)
    told = kind in ("attributes", "captions") and not _holds_captions(part.whole)
    if not kind or told or (labels != "none" and kind == "captions"):
        return []
    name = kind if part.split == "train" else f"{kind}-{part.split}"
    return [f"these look like {LOOKS[kind]}; to use them so: --data {name}:{part.whole.place}"]


def _guess(source: FileSource, splits: Splits) -> str:
    """The likely kind of a set; see `guess_kind`."""
    if source.tar and any(extension(name) in SHARD_LABELS for name in source.others):
        return "shards"
    if _holds_captions(source):
        return "captions"
    kinds = [table.kind for table in survey_tables(source)]
    if kinds in (["attributes"], ["captions"]):
        return kinds[0]

    if kind := _compare_sides(source, splits):
        return kind
    sizes = measure_some(source, source.pictures).values()
    halves = bool(sizes) and all(width == 2 * height for width, height in sizes)
    return "pairs" if halves else ""


def _holds_captions(source: FileSource) -> bool:
    """Whether a JSON file with captions lies at the root."""
    for name, entry in source.others.items():
        # a large table would be read again at every start
        if "/" not in name and extension(name) in CAPTION_TABLES and entry.size <= LARGEST:
            with suppress(UserError, UnreadableError):
                if read_caption_table(name, source.read(entry)).lines:
                    return True
    return False


def _compare_sides(source: FileSource, splits: Splits) -> str:
    """Of two sides such as the folders A and B: "pairs" where most files have a partner of the
    same name, "unpaired" where not; "" without such sides.
    """
    # one split at a time: files of two splits may have equal names
    groups: dict[str, dict[str, str]] = {}
    for entry in source.pictures:
        name = splits.inner.get(entry.name, entry.name)
        groups.setdefault(splits.of.get(entry.name, ""), {})[name] = entry.name
    files = max(groups.values(), key=len)

    sides = split_sides(files)
    if sides is None:
        endings = split_endings(files)
        inside = len(files) - len(endings.stray) if endings else 0
        return "pairs" if inside > MOST_INSIDE * len(files) else ""
    # such as 26 folders of letters, of which two are called A and B
    if len(sides.stray) > (1 - MOST_INSIDE) * len(files):
        return ""

    a, b = (set(stems.values()) for stems in name_stems(*sides.files))
    if len(a & b) > max(len(a), len(b)) / 2:
        return "pairs"
    return "unpaired" if sides.names in (("A", "B"), ("a", "b")) else ""
