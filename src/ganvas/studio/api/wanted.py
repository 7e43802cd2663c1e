"""What a page wants of a data set and of a training, checked as the command line checks it."""

import re
from dataclasses import replace
from typing import Any

import torch
from pydantic import Field, ValidationError

from ganvas.data.view import View, collect_look, make_view
from ganvas.errors import UserError, describe_validation
from ganvas.recipes.auto import AUTO, auto_recipe
from ganvas.recipes.auto_from import auto_from
from ganvas.recipes.origin import Origin
from ganvas.recipes.recipe import Recipe, change
from ganvas.studio.api.answers import Body, Studio
from ganvas.training.origin import Start, find_start

__all__ = [
    "BeginBody",
    "LookBody",
    "check_look",
    "choose_recipe",
    "find_begin",
    "find_setting",
    "keep_inside",
]


class BeginBody(Body):
    """A run whose weights a new one begins with, and what is taken: as `Origin` has it.

    Attributes:
        run: its id.
    """

    run: str = Field(max_length=64)
    weights: str = Field("ema", max_length=10)
    optimizers: bool = False
    frozen: int = 0


class LookBody(Body):
    """A data set, and how its images are prepared: as `View` has it, whose rules hold.

    Attributes:
        place: id of the data set.
        kind: one of `ganvas.studio.places.KINDS`; None: guessed.
        begin: the run that training begins with; None: random weights.
        recipe: of the training: its name, "auto", or "" for that of the run to begin with.
    """

    place: str = Field(max_length=64)
    kind: str | None = None
    begin: BeginBody | None = None
    recipe: str = Field(AUTO, max_length=64)
    size: int | None = None
    channels: int | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = Field(None, max_length=64)
    split: str | None = None
    subset: str | None = Field(None, max_length=64)
    transpose: bool = False
    range: str | None = Field(None, max_length=100)
    categories: str | None = Field(None, max_length=64)
    frames: int | str | None = None
    overlap: float | None = None
    tiles: int | None = None
    ignore_alpha: bool = False

    def look(self) -> dict[str, Any]:
        """What was chosen of how images are prepared.

        Raises:
            UserError: a value is not allowed.
        """
        fields = set(LookBody.model_fields) & set(View.model_fields)
        look = collect_look(**self.model_dump(include=fields))
        make_view(**look)
        return look


def find_setting(error: UserError) -> str:
    """The setting of how images are prepared that an error is about, so that the page can say it
    there; "": it names none first, as "--split val: ..." and "tiles is for ..." do.
    """
    match = re.match(r"(?:--)?([a-z_-]+)", str(error))
    name = match[1].replace("-", "_") if match else ""
    return name if name in LookBody.model_fields and name in View.model_fields else ""


def check_look(wanted: LookBody, labels: list[str]) -> dict[str, Any]:
    """What was chosen of how images are prepared.

    Raises:
        UserError: a value is not allowed; tables of labels are only those that lie in the set.
    """
    look = wanted.look()
    if look.get("labels", "none") not in ("none", *labels):
        raise UserError(
            f"labels={look['labels']!r}: this set has no such classes; "
            f"choose from {', '.join(labels) or 'none'}"
        )
    return look


def choose_recipe(
    studio: Studio, wanted: LookBody, spec: str, look: dict[str, Any], labels: list[str]
) -> Recipe:
    """The recipe of a training, as far as it decides how images are prepared.

    Args:
        studio: with its runs.
        wanted: of the page.
        spec: of the set.
        look: what was chosen of how images are prepared.
        labels: as `list_labels` lists them.

    Raises:
        UserError: as `auto_recipe` and `auto_from`.
    """
    device = torch.device("cpu")
    if wanted.begin is None:
        return change(auto_recipe(spec, look, device), look)
    start = find_begin(studio, wanted.begin)
    given = {"data": spec} | keep_inside(start, labels) | look
    if wanted.recipe:
        base = auto_from(start.recipe, bool(start.classes), given, device)
    else:
        base = start.recipe.model_copy(update={"reasons": {}})  # it was not chosen for this data
    return change(base, given)


def find_begin(studio: Studio, begin: BeginBody) -> Start:
    """The checkpoint that a run begins with, and what is taken of it.

    Raises:
        MissingError: there is no such run.
        UserError: it has no checkpoint yet, or a value is not allowed.
    """
    start = find_start(studio.checkpoint(begin.run))
    try:
        origin = Origin(**start.origin.model_dump() | begin.model_dump(exclude={"run"}))
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None
    return replace(start, origin=origin)


def keep_inside(start: Start, labels: list[str]) -> dict[str, Any]:
    """Settings so that what a page asks for stays inside the set, where a run that it begins with
    did not: no links that lead out, and no table of labels that lies elsewhere.
    """
    inside = start.recipe.labels in ("none", "folders", *labels)
    return {"follow_links": False} | ({} if inside else {"labels": "none"})
