"""Read names of data sets such as "pairs:FOLDER", "pairs-test:ZIP" or "attributes:ONE,OTHER"."""

from pathlib import Path
from typing import NamedTuple

from ganvas.data.folders.splits import parse_split
from ganvas.errors import UserError
from ganvas.io.reading import expand_home

__all__ = ["Place", "name_images", "parse_place"]

OF_TWO = ("pairs", "unpaired", "attributes")  # kinds that may come from two places
IMAGES = "images"  # the kind of plain images, whose name is only written with a split


class Place(NamedTuple):
    """Where a set of a kind lies.

    Attributes:
        kind: "pairs", "unpaired", ...
        split: "train", "val", "test", or "all" for all images, whatever their split.
        paths: one folder or zip, or two.
        text: the paths as given.
    """

    kind: str
    split: str
    paths: tuple[Path, ...]
    text: str

    def other(self, split: str) -> str:
        """The name of another split of the same set."""
        return f"{self.kind}{'' if split == 'train' else f'-{split}'}:{self.text}"


def parse_place(spec: str) -> Place:
    """What a name of the form KIND:PLACE, KIND-test:PLACE or KIND:PLACE,PLACE means.

    Raises:
        UserError: a place does not exist, or there is no such split.
    """
    name, _, text = spec.partition(":")  # the first colon: Windows paths have another
    kind, _, word = name.partition("-")
    split = parse_split(word)

    paths = _find_paths(text)
    for path in paths:
        # an empty text would be the working folder
        if not text or not path.exists():
            two = f", or {kind}:PLACE,PLACE for two places" if kind in OF_TWO else ""
            raise UserError(f"{spec}: no file or folder {str(path)!r}; write {kind}:PLACE{two}")

    return Place(kind, split, paths, text)


def name_images(spec: str) -> Place:
    """The place of plain images: "images-test:PLACE", or only PLACE for those to train on.

    Raises:
        UserError: as `parse_place`; or two places are named.
    """
    name, colon, _ = spec.partition(":")
    if not colon or name.partition("-")[0] != IMAGES or Path(spec).exists():
        return Place(IMAGES, "train", (expand_home(spec),), spec)
    place = parse_place(spec)
    if len(place.paths) > 1:
        raise UserError(f"{spec}: plain images come from one folder or zip; {place.text} are two")
    return place


def _find_paths(text: str) -> tuple[Path, ...]:
    """The one path, or the two with a comma between, that a text means.

    They may not exist: where nothing does, a text with a comma is cut at its first one.
    """
    # a folder's name may hold commas itself, so the whole text comes first
    whole = expand_home(text)
    parts = text.split(",")
    if whole.exists() or len(parts) == 1:
        return (whole,)

    cuts = []
    for number in range(1, len(parts)):
        first = expand_home(",".join(parts[:number]))
        other = expand_home(",".join(parts[number:]))
        cuts.append((first, other))

    # either path may hold commas too: the cut that makes two existing ones is meant
    for first, other in cuts:
        if first.exists() and other.exists():
            return first, other
    return cuts[0]
