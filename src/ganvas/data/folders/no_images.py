"""Say what a place holds that has no images, and how such files are opened."""

import re
from collections.abc import Sequence
from pathlib import Path

from ganvas.io.console import count_noun

__all__ = ["describe_other_files", "is_idx"]

IDX = re.compile(r"(idx[0-9]|ubyte)(\.gz)?$", re.IGNORECASE)
ARRAYS = (".npy", ".npz", ".parquet")
ARCHIVES = (".zip",)
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")


def is_idx(name: str) -> bool:
    """Whether a file has the name of one in MNIST's format."""
    return IDX.search(name) is not None


def describe_other_files(place: Path, names: Sequence[str], unseen: Sequence[str]) -> str:
    """What there is instead of images, "only 4 other files; to open ...".

    Args:
        place: the folder, zip or tar.
        names: of the files in it.
        unseen: folders that were not looked into, and why.
    """
    found = f"only {count_noun(len(names), 'other file')}" if names else "no files"
    parts = [found, *_name_commands(place, names)]
    if unseen:
        parts.append(f"not looked into: {', '.join(unseen[:3])}")
    return "; ".join(parts)


def _name_commands(place: Path, names: Sequence[str]) -> list[str]:
    """How to open what is there."""
    zips = _find_endings(names, ARCHIVES)
    packed = _find_endings(names, PACKED)
    inside = sorted(zips + packed)
    # files inside a zip or tar have no path of their own
    if not place.is_dir():
        if not inside:
            return []
        return [f"it holds {inside[0]}: unpack {place} first, then name that file"]

    commands = []
    if any(is_idx(name) for name in names):
        commands.append(f"its idx files are opened with idx:{place}")
    if tars := _find_endings(names, (".tar",)):
        single = f", or one of plain images with {place / tars[0]}" if len(tars) == 1 else ""
        commands.append(f"its tars are opened with shards:{place}{single}")
    if zips:
        each = "its zip is" if len(zips) == 1 else "each of its zips is"
        commands.append(f"{each} opened by its own name: {place / zips[0]}")
    if packed:
        commands.append(f"{packed[0]} must be unpacked first")
    if arrays := _find_endings(names, ARRAYS):
        commands.append(f"arrays and tables are opened by their own name: {place / arrays[0]}")
    return commands


def _find_endings(names: Sequence[str], endings: tuple[str, ...]) -> list[str]:
    """The names with one of some endings, sorted."""
    return sorted(name for name in names if name.lower().endswith(endings))
