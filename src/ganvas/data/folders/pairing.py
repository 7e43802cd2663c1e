"""The layouts of paired images: which files are the two sides of one pair.

`LAYOUTS` names them for people; `docs/data.md` shows them.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from ganvas.data.folders.source import Entry, FileSource
from ganvas.io.image_files import measure
from ganvas.io.images import UnreadableError

__all__ = ["LAYOUTS", "Sides", "measure_some", "name_stems", "split_endings", "split_sides"]

# Words for the two sides, the first one for a. Images come before what is drawn over them.
INPUTS = ("input", "inputs", "source", "sources")
OUTPUTS = ("output", "outputs", "target", "targets")
IMAGES = ("images", "image", "imgs", "img", "photos", "photo")
MASKS = ("masks", "mask", "labels", "label", "annotations", "annotation", "segmentations")
FOLDERS = ((("a",), ("b",)), (INPUTS, OUTPUTS), (IMAGES, MASKS))
# Endings of names: "1_A.png" and "1_B.png", "1.jpg" and "1_mask.png".
ENDINGS = tuple(
    re.compile(rf"[ ._-]({'|'.join(words)})$", re.IGNORECASE)
    for words in (("a", *INPUTS, *IMAGES), ("b", *OUTPUTS, *MASKS))
)
LAYOUTS = (
    "files of two images side by side, a at the left; or folders A and B, images and masks, or "
    "input and target, with equal names; or names that end in _A and _B; or two places, "
    "pairs:ONE,OTHER; each with or without folders train, val and test"
)
LOOKED_AT = 12  # images whose shape is measured

File = TypeVar("File")


@dataclass(frozen=True)
class Sides(Generic[File]):
    """The files of the two sides of pairs.

    Attributes:
        names: what tells the sides apart, for people: "images" and "masks", "_A" and "_B".
        files: of each side, by the name that counts: without the folder or the ending of its side.
        stray: names of files of neither side.
    """

    names: tuple[str, str]
    files: tuple[dict[str, File], dict[str, File]]
    stray: list[str]


def split_sides(files: Mapping[str, File]) -> Sides[File] | None:
    """The two sides by folders, at any depth and in capitals or not; None: there are none.

    Args:
        files: by name, without the folders of splits.
    """
    for words in FOLDERS:
        names: list[str] = []
        sides: list[dict[str, File]] = []
        taken: set[str] = set()
        for side in words:
            folder, found = _find_inside(files, side)
            names.append(folder)
            sides.append({rest: files[name] for name, rest in found.items()})
            taken |= found.keys()

        # folders of letters: A and B are two of many classes
        if all(names) and 2 * len(taken) >= len(files):
            stray = [name for name in files if name not in taken]
            return Sides((names[0], names[1]), (sides[0], sides[1]), stray)
    return None


def _find_inside(names: Collection[str], folders: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The first of some folders that files lie in, and these files: name, and name without it."""
    for folder in folders:
        found = {}
        shown = ""
        for name in names:
            *parts, file = name.split("/")
            small = [part.lower() for part in parts]
            if folder in small:
                number = small.index(folder)
                shown = shown or parts[number]
                found[name] = "/".join([*parts[:number], *parts[number + 1 :], file])
        if found:
            return shown, found
    return "", {}


def split_endings(files: Mapping[str, File]) -> Sides[File] | None:
    """The two sides by the endings of names in one folder, "1_A.png" and "1_B.png", or "1.jpg" and
    "1_mask.png"; None: fewer than half of the files have a partner.

    Args:
        files: by name, without the folders of splits.
    """
    bare: dict[str, str] = {}
    for name in files:
        bare.setdefault(ENDINGS[0].sub("", name.rpartition(".")[0]), name)

    sides: tuple[dict[str, File], dict[str, File]] = ({}, {})
    taken = set()
    for name in files:
        stem = name.rpartition(".")[0]
        base = ENDINGS[1].sub("", stem)
        partner = bare.get(base)
        # without an ending it is no b; of several b of one a the first counts
        if base == stem or partner is None or partner in taken:
            continue
        for side, file in zip(sides, (partner, name)):
            side[f"{base}.{file.rpartition('.')[2]}"] = files[file]
        taken |= {name, partner}

    if not taken or 2 * len(taken) < len(files):
        return None
    return Sides(("_A", "_B"), sides, [name for name in files if name not in taken])


def name_stems(a: Collection[str], b: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What must be equal in the names of a pair, by name, for each side: the name without its
    file ending; where no two agree, also without an ending such as _A.
    """
    plain = tuple({name: name.rpartition(".")[0] for name in names} for names in (a, b))
    # file endings do not count: masks are often .png where photographs are .jpg
    if set(plain[0].values()) & set(plain[1].values()):
        return plain[0], plain[1]
    cut_a, cut_b = (
        {name: ending.sub("", stem) for name, stem in stems.items()}
        for stems, ending in zip(plain, ENDINGS)
    )
    return cut_a, cut_b


def measure_some(source: FileSource, entries: Sequence[Entry]) -> dict[str, tuple[int, int]]:
    """Width and height of a few of the images, by name, as far as they can be read."""
    step = max(1, len(entries) // LOOKED_AT)
    found = {}
    for entry in entries[::step][:LOOKED_AT]:
        with suppress(UnreadableError), source.open(entry) as file:
            found[entry.name] = measure(file)
    return found
