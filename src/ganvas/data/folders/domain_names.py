"""Names of two domains, such as summer and winter, from the names of their folders."""

import re
from collections.abc import Sequence
from pathlib import Path

from ganvas.data.folders.source import FileSource

__all__ = ["find_domain_names"]

# Published sets are called by both domains: horse2zebra, summer2winter_yosemite, monet2photo.
PUBLISHED = re.compile(r"([a-z]+)2([a-z]+)(?:[_-].*)?", re.IGNORECASE)
# "a" and "b" name domains without names; the others are headings beside them on sheets.
TAKEN = frozenset({"a", "b", "back", "given", "real", "generated"})
LONGEST = 40  # characters: names are headings


def find_domain_names(sources: Sequence[FileSource]) -> dict[str, tuple[str]]:
    """The names of the domains "a" and "b" by column; none where their places do not tell them.

    Args:
        sources: two places, one for each domain, or one that holds both.
    """
    if len(sources) == 2:
        names = _tell_apart(*(source.place for source in sources))
    else:
        names = _split_name(sources[0])
    if not names or not all(map(_can_be_name, names)):
        return {}
    return {column: (name,) for column, name in zip("ab", names)}


def _tell_apart(one: Path, other: Path) -> tuple[str, str] | None:
    """The last parts of two paths that differ: of summer/train and winter/train the seasons."""
    for parts in zip(_list_parts(one), _list_parts(other)):
        if len({part.casefold() for part in parts}) == 2:
            return parts
    return None


def _list_parts(path: Path) -> list[str]:
    """The parts of a path from the end, without the ending of a file."""
    whole = path.absolute()
    return [whole.name if path.is_dir() else whole.stem, *reversed(whole.parent.parts)]


def _split_name(source: FileSource) -> tuple[str, str] | None:
    """The two names in that of a published set, as the place or the folder in it is called."""
    folders = reversed(source.wrapper.rstrip("/").split("/"))
    for name in (_list_parts(source.place)[0], *folders):
        found = PUBLISHED.fullmatch(name)
        if found and found[1].casefold() != found[2].casefold():
            return found[1], found[2]
    return None


def _can_be_name(name: str) -> bool:
    """Whether a name can stand on a sheet, in an address and behind `--to`."""
    return name.isprintable() and len(name) <= LONGEST and name.casefold() not in TAKEN
