"""Whether a run is there, and its newest checkpoint: found without torch, so fast."""

import re
from pathlib import Path

from ganvas.errors import UserError
from ganvas.runs.places import RunPlace, find_place, is_fetched, refuse_missing

__all__ = ["NAME", "find_checkpoints", "find_run", "locate_checkpoint", "refuse_missing_run"]

NAME = "[0-9]{12}"  # a checkpoint's folder is named by the images shown


def find_checkpoints(folder: Path) -> list[Path]:
    """Find the checkpoints in a folder, oldest first; other names are not ours."""
    # Names of twelve digits sort as their numbers do.
    return sorted(
        path for path in folder.glob("[0-9]*") if re.fullmatch(NAME, path.name) and path.is_dir()
    )


def locate_checkpoint(path: Path) -> Path:
    """Find the newest checkpoint of a run folder; a checkpoint is its own.

    Raises:
        UserError: there is no checkpoint.
    """
    if not path.is_dir():
        refuse_missing(path)

    # A checkpoint has its description in it, a run folder only has checkpoints.
    if (path / "about.json").exists():
        return path
    found = find_checkpoints(path / "checkpoints")
    if not found:
        raise UserError(
            f"{path} has no checkpoints: it is not a run folder, or its training has not got"
            " that far"
        )
    return found[-1]


def refuse_missing_run(what: str | Path) -> None:
    """Refuse what is no run that can be loaded; of a run on the Hub nothing is asked here.

    Raises:
        UserError: no run has that name, or there is no checkpoint.
    """
    if not is_fetched(what):
        locate_checkpoint(find_place(what).folder)


def find_run(what: str | Path) -> RunPlace:
    """Find a run folder, perhaps of a run that has no checkpoint yet.

    Raises:
        UserError: it is none.
    """
    place = find_place(what)
    if not (place.folder / "recipe.json").is_file():
        raise UserError(f"{place.folder} is not a run folder: it has no recipe.json")
    return place
