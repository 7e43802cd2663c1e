"""Names of classes that are numbered in a set's own files: from a mapping file such as EMNIST's, or
a list of names beside them.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from ganvas.data.encodings import decode_text
from ganvas.data.text import split_lines
from ganvas.errors import UserError

__all__ = ["name_classes"]

LISTS = ("classes.txt", "names.txt", "class_names.txt", "labels.txt")
MAPPING = "-mapping.txt"  # EMNIST's: emnist-balanced-mapping.txt beside emnist-balanced-train-...
MOST_BYTES = 2**20
CODES = re.compile(r"\d+(\s+\d+)+\s*")


def name_classes(folder: Path, file: str, numbers: Sequence[int]) -> tuple[tuple[str, ...], str]:
    """The names of classes by their numbers, and a note on where they come from.

    A mapping has a number and the code points of a character in each line; a list has a name in
    each line, the first for class 0.

    Args:
        folder: of the set's files.
        file: the name of the images' file, which tells which of several mappings is meant.
        numbers: of the classes.

    Raises:
        UserError: a file of names lacks some of the classes, or gives two the same name.
    """
    plain = tuple(str(number) for number in numbers)
    path = _find_names(folder, file)
    if path is None:
        return plain, ""

    lines = [line for line in split_lines(_read_text(path)) if line.strip()]
    mapping = path.name.endswith(MAPPING) or all(map(CODES.fullmatch, lines))
    if mapping:
        names = _read_mapping(path, lines)
    else:
        names = {number: line.strip() for number, line in enumerate(lines)}

    absent = [number for number in numbers if number not in names]
    if absent:
        raise UserError(
            f"{path} has {len(names)} names, and none for class {absent[0]}; complete it, or move "
            "it away to use numbers"
        )
    chosen = tuple(names[number] for number in numbers)
    twice = next((name for name in chosen if chosen.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path} calls two classes {twice!r}; give each a name of its own")
    return chosen, f"the names of the classes are those of {path.name}"


def _find_names(folder: Path, file: str) -> Path | None:
    """The file of names: the mapping that belongs to the images' file, the only mapping, or a list.

    None: there is none, or several mappings of which none has the images' name.
    """
    mappings = sorted(path for path in folder.glob(f"*{MAPPING}") if path.is_file())
    named = [path for path in mappings if file.startswith(path.name.removesuffix(MAPPING) + "-")]
    for found in (named, mappings):
        if len(found) == 1:
            return found[0]
    return next((folder / name for name in LISTS if (folder / name).is_file()), None)


def _read_text(path: Path) -> str:
    """The text of a short file.

    Raises:
        UserError: it cannot be read, or is no list of names.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path} is too large to be a list of the names of classes")
        return decode_text(path.read_bytes(), str(path)).text
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error


def _read_mapping(path: Path, lines: Sequence[str]) -> dict[int, str]:
    """Characters by the number of their class; a class of several ("c" and "C") has all of them.

    Raises:
        UserError: a line is not a number and code points.
    """
    names = {}
    for place, line in enumerate(lines, 1):
        try:
            number, *codes = map(int, line.split())
            if not codes:
                raise ValueError
            names[number] = "".join(map(chr, codes))
        except (ValueError, OverflowError):
            raise UserError(
                f"{path}, line {place}: {line[:40]!r}; a line is the number of a class and the "
                "code points of its character, such as 10 65"
            ) from None
    return names
