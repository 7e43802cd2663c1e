"""What is believed of a recipe that comes with a run of others."""

from pathlib import Path
from typing import Any

from ganvas.data.kinds import is_everywhere
from ganvas.recipes.recipe import Recipe
from ganvas.runs.checkpoint import read_checkpoint_recipe
from ganvas.runs.places import RunPlace

__all__ = ["distrust", "read_safe_recipe"]

INSIDE = ("none", "folders")  # labels that lie within the data itself


def read_safe_recipe(place: RunPlace, path: Path, about: dict[str, Any]) -> Recipe:
    """Read the recipe of a checkpoint; of a run that others gave, without what opens files.

    Args:
        place: of the run.
        path: of the checkpoint.
        about: its description.

    Raises:
        CheckpointError: it is damaged, or of another version of ganvas.
    """
    recipe = read_checkpoint_recipe(path, about)
    return distrust(recipe) if place.outputs else recipe


def distrust(recipe: Recipe) -> Recipe:
    """A recipe without what would open files of this machine by the choice of a stranger.

    Its data stays where everybody has it. A table of labels is a path, too, and links may lead out
    of the data that the user names.
    """
    data = recipe.data if recipe.data and is_everywhere(recipe.data) else None
    labels = recipe.labels if recipe.labels in INSIDE else "none"
    return recipe.model_copy(update={"data": data, "labels": labels, "follow_links": False})
