"""Where runs are: a table that turns what a person writes into the folder of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from ganvas.errors import UserError, nearest
from ganvas.io.reading import expand_home
from ganvas.runs.pull import pull_run, pulled_folder

__all__ = [
    "ZOO_FOLDER",
    "RunPlace",
    "find_place",
    "is_fetched",
    "is_named",
    "is_ready_made",
    "refuse_missing",
    "refuse_named",
]

ZOO_FOLDER = Path(__file__).parents[1] / "zoo"  # in the package: a run folder for each generator


@dataclass(frozen=True)
class RunPlace:
    """Where a run is.

    Attributes:
        folder: of its files: a run folder or a checkpoint.
        name: that commands and messages call it by, such as "zoo:mnist"; "": by its folder.
        outputs: folder that takes what is made with a run that may not be written to; None: its own
            folder takes it.
    """

    folder: Path
    name: str = ""
    outputs: Path | None = None


class Shelf(NamedTuple):
    """Runs that are called by name. They may not be written to: others use the same files.

    Attributes:
        find: the folder of a run by its name.
        root: folder of all of them.
        depth: levels below it that name a run.
    """

    find: Callable[[str], Path]
    root: Callable[[], Path]
    depth: int


def _list_zoo() -> list[str]:
    """The names of all generators that come with ganvas."""
    return (
        sorted(path.name for path in ZOO_FOLDER.iterdir() if path.is_dir())
        if ZOO_FOLDER.is_dir()
        else []
    )


def _find_in_zoo(name: str) -> Path:
    """The folder of a generator that comes with ganvas.

    Raises:
        UserError: no generator has that name.
    """
    names = _list_zoo()
    if name in names:
        return ZOO_FOLDER / name
    if not names:
        raise UserError(f"there is no zoo:{name}: this installation has no ready-made generators")
    raise UserError(f"there is no zoo:{name}; {nearest(name, names)}")


SHELVES = {
    "zoo": Shelf(_find_in_zoo, lambda: ZOO_FOLDER, 1),
    "hf": Shelf(pull_run, pulled_folder, 2),  # OWNER/NAME
}


def is_named(what: str | Path) -> bool:
    """Whether it is the name of a run, such as "zoo:mnist", rather than a path."""
    prefix, colon, _ = str(what).partition(":")
    # a folder may be called "zoo:1"
    return bool(colon) and prefix in SHELVES and not Path(what).exists()


def is_fetched(what: str | Path) -> bool:
    """Whether it is the name of a run that must be asked for at a server."""
    return is_named(what) and str(what).partition(":")[0] == "hf"


def find_place(what: str | Path) -> RunPlace:
    """Find a run by what a person wrote.

    Args:
        what: a run folder, one of its checkpoints, or a name in `SHELVES`. Whether a path leads to
            a run is not checked.

    Raises:
        UserError: no run has that name, or it cannot be fetched.
    """
    if is_named(what):
        text = Path(what).as_posix()  # on Windows, a path has turned the slashes
        prefix, _, name = text.partition(":")
        return RunPlace(SHELVES[prefix].find(name), text, _name_outputs(prefix, name))

    path = expand_home(what)
    # a shelf's folder, given by its path, is written to no more than by its name
    for prefix, shelf in SHELVES.items():
        root = shelf.root().resolve()
        if (whole := path.resolve()).is_relative_to(root):
            name = "/".join(whole.relative_to(root).parts[: shelf.depth])
            return RunPlace(path, outputs=_name_outputs(prefix, name))
    return RunPlace(path)


def _name_outputs(prefix: str, name: str) -> Path:
    """The folder that takes what is made with a named run: "hf:owner/name" as "hf-owner+name".

    No two runs share one: a name on the Hub may hold "-", but no "+".
    """
    return Path(f"{prefix}-{name.replace('/', '+')}")


def is_ready_made(what: str | Path) -> bool:
    """Whether it is a run on a shelf, by its name or by its path; nothing is fetched to tell."""
    return is_named(what) or find_place(what).outputs is not None


def refuse_named(out: str | Path) -> None:
    """Refuse to train a run that is called by name.

    Raises:
        UserError: says how to begin with its weights.
    """
    if is_ready_made(out):
        raise UserError(
            f"--out {out} is a ready-made run and cannot be changed; choose a folder, and begin "
            f"with its weights by --from {out}"
        )


def refuse_missing(folder: str | Path) -> NoReturn:
    """Say that there is no such run folder.

    Raises:
        UserError: always; it says how to make one, or which ready-made generator was meant.
    """
    name = str(folder).lower()
    if name in _list_zoo():
        raise UserError(f"there is no run folder {folder}; the ready-made one is zoo:{name}")
    raise UserError(f"there is no run folder {folder}; `ganvas train --out {folder}` makes one")
