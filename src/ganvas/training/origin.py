"""Which run another one begins with: `ganvas train --from RUN`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ganvas.errors import UserError
from ganvas.io.files import hash_file
from ganvas.recipes.origin import Origin
from ganvas.recipes.recipe import Recipe, all_settings
from ganvas.runs.checkpoint import read_about
from ganvas.runs.locate import locate_checkpoint
from ganvas.runs.places import find_place
from ganvas.runs.trust import read_safe_recipe
from ganvas.schema import read_schema

__all__ = ["Start", "check_kind", "check_origin", "check_settings", "find_start"]


@dataclass(frozen=True)
class Start:
    """A run to begin with.

    Attributes:
        origin: its checkpoint.
        recipe: how it was trained, with the size and channels of its images.
        classes: of its data, if its GAN uses them.
    """

    origin: Origin
    recipe: Recipe
    classes: tuple[str, ...]


def find_start(place: Path) -> Start:
    """Find the checkpoint that a new run begins with.

    Args:
        place: a run folder, of which the newest counts, or a checkpoint.

    Raises:
        UserError: there is none, or its description is damaged.
    """
    path = locate_checkpoint(place)
    about = read_about(path)
    recipe = read_safe_recipe(find_place(place), path, about)
    # Left open, the size and channels were those of its data; the new data may have others.
    schema = read_schema(about["gan"]["data"])
    if schema.kind == "image":
        channels = next(iter(schema.channels.values()))
        own = {"size": recipe.size or schema.size, "channels": recipe.channels or channels}
        recipe = recipe.model_copy(update=own)
    origin = Origin(checkpoint=str(path), digest=hash_file(path / "about.json"))
    conditional = all_settings(recipe).get("options.conditional", True)
    return Start(origin, recipe, schema.names.get("label", ()) if conditional else ())


def check_origin(folder: Path, own: Origin | None, place: Path | None) -> None:
    """Refuse to resume a run with other first weights than it began with.

    The other run is not needed any more, and may have been trained on.

    Args:
        folder: of the run.
        own: what it began with.
        place: what `--from` names, if it is given.

    Raises:
        UserError: that is another one, or the run itself.
    """
    if place is None:
        return
    if folder.resolve() in (place.resolve(), place.resolve().parent.parent):
        raise UserError(
            f"--from and --out are the same run, {folder}: leave --from out to go on with it, or "
            "choose another --out to begin a new one"
        )

    begun = own.checkpoint if own else "random weights"
    if own is None or not _holds(place, own):
        raise UserError(
            f"{folder} was begun with {begun}, not with {place}: leave --from out to go on with "
            "it, or choose another --out"
        )


def check_settings(origin: Origin | None, given: Iterable[str]) -> None:
    """Refuse settings of an origin where there is none.

    Args:
        origin: of the run.
        given: keys of settings that are asked for.

    Raises:
        UserError: names the first one.
    """
    keys = [key for key in given if key.partition(".")[0] == "origin"]
    if keys and origin is None:
        raise UserError(
            f"{keys[0]}: only a run that begins with the weights of another one has it; name that "
            "run with --from"
        )


def check_kind(start: Start, recipe: Recipe) -> None:
    """Refuse the weights of another GAN.

    Raises:
        UserError: names both.
    """
    theirs = start.recipe
    if theirs.gan != recipe.gan:
        raise UserError(
            f"{start.origin.checkpoint} is of the GAN {theirs.gan} ({theirs.name}), and "
            f"{recipe.name} trains the GAN {recipe.gan}: their weights do not fit; leave the "
            "recipe out to take that of the run, or use auto"
        )


def _holds(place: Path, origin: Origin) -> bool:
    """Whether a place is the checkpoint of an origin or its run, or where it lies now."""
    checkpoint = Path(origin.checkpoint)
    if place in (checkpoint, checkpoint.parent.parent):
        return True
    files = [place / "about.json", place / "checkpoints" / checkpoint.name / "about.json"]
    return any(file.is_file() and hash_file(file) == origin.digest for file in files)
