"""Everything that a run folder holds, read at once: for the summary page and `ganvas health`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.data.report import DataReport
from ganvas.errors import UserError
from ganvas.io.console import count_noun, describe_duration
from ganvas.recipes.recipe import Recipe
from ganvas.runs.checkpoint import read_about
from ganvas.runs.folder import find_grids, read_data, read_recipe
from ganvas.runs.locate import find_checkpoints, find_run
from ganvas.runs.log import read_log
from ganvas.runs.places import is_ready_made

__all__ = ["RunRecord", "describe_progress", "describe_status", "read_logged_run", "read_run"]


@dataclass(frozen=True)
class RunRecord:
    """The content of a run folder.

    Attributes:
        folder: the run folder.
        recipe: the recipe of the run.
        log: the entries of `log.jsonl`.
        data: where the images came from.
        grids: the files of samples, oldest first.
        checkpoint: the newest checkpoint, if there is one.
        about: its `about.json`; empty without one.
        name: what messages call it.
    """

    folder: Path
    recipe: Recipe
    log: list[dict[str, Any]]
    data: DataReport
    grids: list[Path]
    checkpoint: Path | None
    about: dict[str, Any]
    name: str

    @property
    def images(self) -> int:
        """Images shown, according to the log and the newest checkpoint."""
        # A run that was killed has entries beyond its newest checkpoint.
        return max(self.about.get("images", 0), *(entry["images"] for entry in self.log), 0)

    @property
    def stopped(self) -> str:
        """Why the run ended by itself before its full length; empty if it did not."""
        # An older entry is of a run that was resumed afterwards.
        for entry in reversed(self.log):
            if entry["kind"] == "stopped" and entry["images"] >= self.images:
                return entry["reason"]
        return ""

    @property
    def state(self) -> str:
        """ "finished", "stopped" or "interrupted"."""
        if self.stopped:
            return "stopped"
        # From files alone a run in training looks interrupted; `is_going` knows.
        return "finished" if self.images >= self.recipe.images else "interrupted"


def read_run(what: str | Path) -> RunRecord:
    """Read a run folder; one that was interrupted early has only its recipe and data report.

    Args:
        what: the folder, or the name of a run.

    Raises:
        UserError: it is not a run folder, or a file in it is damaged.
    """
    place = find_run(what)
    folder = place.folder
    recipe = read_recipe(folder)
    assert recipe is not None

    # An interrupted run may have no log and no checkpoint yet.
    log = folder / "log.jsonl"
    checkpoints = find_checkpoints(folder / "checkpoints")
    newest = checkpoints[-1] if checkpoints else None
    return RunRecord(
        folder=folder,
        recipe=recipe,
        log=read_log(log) if log.exists() else [],
        data=read_data(folder),
        grids=find_grids(folder),
        checkpoint=newest,
        about=read_about(newest) if newest else {},
        name=place.name or str(folder),
    )


def read_logged_run(what: str | Path) -> RunRecord:
    """Read the folder of a run whose log is there.

    Raises:
        UserError: as `read_run`; or the run was given away, which is always without its log.
    """
    if is_ready_made(what):  # before it is fetched
        raise UserError(
            f"{what} is a ready-made run, which has no log of its training; give the folder of a "
            "run that was trained here"
        )
    run = read_run(what)
    if not (run.folder / "log.jsonl").exists():
        raise UserError(f"{run.name} has no log.jsonl: how it was trained is not known here")
    return run


def describe_status(run: RunRecord) -> str:
    """One sentence on how the run ended."""
    progress = f"{run.images:,} of {count_noun(run.recipe.images, 'image')}"
    if run.state == "finished":
        return f"Finished: {count_noun(run.images, 'image')} shown."
    if run.state == "stopped":
        return f"Stopped early at {progress}: {run.stopped}."
    if run.checkpoint:
        return f"Interrupted at {progress}; it can be resumed from {run.about['images']:,}."
    return f"Interrupted at {progress}, before the first checkpoint."


def describe_progress(run: RunRecord) -> str:
    """One sentence on how far a run in training has come, and the time left if it is known."""
    line = f"In training: {run.images:,} of {count_noun(run.recipe.images, 'image')}"
    # The speed is a mean since the process began to train.
    rate = next((entry for entry in reversed(run.log) if entry["kind"] == "speed"), {})
    if speed := rate.get("images_per_second"):
        left = max(0, run.recipe.images - run.images) / speed
        line += f", about {describe_duration(left)} left"
    return f"{line}."
