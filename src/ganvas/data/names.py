"""The names of data sets as a person writes them, and whether one leads anywhere.

What opens them is in `kinds.py`. The names are a table of their own, so that a wrong one is
reported at once: what opens a data set needs torch, which takes seconds to import.
"""

from dataclasses import dataclass
from pathlib import Path

from ganvas.errors import UserError, nearest
from ganvas.io.reading import expand_home

__all__ = [
    "NAMED",
    "NAMES",
    "NOISE",
    "NamedKind",
    "find_kind_name",
    "find_place",
    "refuse_missing_data",
]


@dataclass(frozen=True)
class NamedKind:
    """How data sets of a kind are written.

    Attributes:
        place: what may follow the name and a colon: "FOLDER", "PLACE", or "" for nothing.
        place_needed: whether a place must follow; if not, the name alone is a data set.
        splits: of "test", ...: the names NAME-SPLIT; None: they are folders of the user, so only
            what opens the set can check them.
    """

    place: str = ""
    place_needed: bool = False
    splits: tuple[str, ...] | None = ()


NOISE = "noise"  # no data set, but what an evaluation compares with: random pixels
FILES = NamedKind("FOLDER", True, None)

# In the order of `KINDS`, which opens them.
NAMED = {
    "digits": NamedKind(),
    "figures": NamedKind(),
    "mnist": NamedKind("FOLDER", splits=("test",)),
    "fashion-mnist": NamedKind("FOLDER", splits=("test",)),
    # no test set: stacks are of training digits alone, so the test digits stay unseen
    "stacked-mnist": NamedKind("FOLDER"),
    "cifar10": NamedKind("FOLDER", splits=("test",)),
    "rings": NamedKind(),
    "grid": NamedKind(),
    "idx": NamedKind("FOLDER", True),
    "memory": NamedKind("DIGEST", True),
    "shards": NamedKind("PLACE", True),
    "hub": NamedKind("OWNER/NAME", True, ("test", "val")),
    # its own name is only needed for a split: "images-test:FOLDER"
    "images": FILES,
    "pairs": FILES,
    "unpaired": FILES,
    "attributes": FILES,
    "captions": FILES,
}


def _list_names() -> list[str]:
    """All names of data sets, as a person writes them: "mnist", "mnist-test", "pairs:FOLDER"."""
    names = []
    for name, kind in NAMED.items():
        if kind.place_needed:
            names.append(f"{name}:{kind.place}")
        else:
            names += [name, *(f"{name}-{split}" for split in kind.splits or ())]
    return names


NAMES = tuple(_list_names())


def find_kind_name(spec: str) -> str | None:
    """The kind of a data set by its name; None: it is the path of a folder or zip of images, or
    unknown.
    """
    name, colon, _ = spec.partition(":")  # of a path such as "C:\faces" the name is "C", no kind

    for prefix, kind in NAMED.items():
        # "pairs-val" is of the kind "pairs"; "fashion-mnist" is no split, so kinds list theirs
        if kind.splits is None:
            named = name.partition("-")[0] == prefix
        else:
            named = name in (prefix, *(f"{prefix}-{split}" for split in kind.splits))
        if not named:
            continue

        if kind.place_needed:
            # a file may be called "pairs:1"
            return prefix if colon and not Path(spec).exists() else None
        return prefix if kind.place or not colon else None  # "digits:x": digits have no place

    return None


def find_place(spec: str) -> Path:
    """The folder or zip of a data set that is no name in `NAMED`.

    Raises:
        UserError: there is none.
    """
    # a mistyped name is likelier than a mistyped folder
    place = expand_home(spec)
    if not place.exists():
        near = nearest(spec.partition(":")[0], NAMES)
        raise UserError(f"no data set and no file or folder is called {spec!r}; {near}")
    return place


def refuse_missing_data(spec: str) -> None:
    """Refuse a data set that is neither a name in `NAMED` nor a file or folder.

    Raises:
        UserError: names the nearest ones.
    """
    if find_kind_name(spec) is None:
        find_place(spec)
