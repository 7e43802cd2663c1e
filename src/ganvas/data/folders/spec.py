"""Read names of data sets such as "pairs:FOLDER", "pairs-test:ZIP" or "attributes:ONE,OTHER"."""

from pathlib import Path
from typing import NamedTuple

from ganvas.errors import UserError

__all__ = ["Place", "parse_place"]


class Place(NamedTuple):
    """Where a set of a kind lies.

    Attributes:
        kind: "pairs", "unpaired", ...
        split: "train", "val" or "test".
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
        UserError: a place does not exist.
    """
    name, _, text = spec.partition(":")
    kind, _, split = name.partition("-")
    whole = Path(text).expanduser()
    parts = text.split(",")
    halves = [
        (",".join(parts[:number]), ",".join(parts[number:])) for number in range(1, len(parts))
    ]
    two = next(
        (both for both in halves if all(Path(half).expanduser().exists() for half in both)),
        halves[0] if halves else None,
    )
    paths = (
        (whole,)
        if whole.exists() or two is None
        else tuple(Path(half).expanduser() for half in two)
    )
    for path in paths:
        if not text or not path.exists():
            raise UserError(
                f"{spec}: no file or folder {str(path)!r}; "
                f"write {kind}:PLACE, or {kind}:PLACE,PLACE for two places"
            )
    return Place(kind, split or "train", paths, text)
