"""Trainings that begin on a data set, in processes of their own."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from ganvas.errors import UserError
from ganvas.recipes.auto import AUTO
from ganvas.recipes.catalogue import CATALOGUE
from ganvas.recipes.origin import Origin
from ganvas.studio.api.answers import answer, parse, studio_of
from ganvas.studio.api.wanted import LookBody, check_look, find_begin, keep_inside
from ganvas.studio.jobs import clean_name
from ganvas.studio.missing import MissingError
from ganvas.studio.offers import list_labels
from ganvas.studio.places import guess_spec

__all__ = ["ROUTES"]

NEVER = {"follow_links"}  # a page must not read what lies elsewhere


class TrainBody(LookBody):
    """A training to begin.

    Attributes:
        name: of the run; empty: made of the data's.
        minutes: that it may take; None: the recipe's own length.
        settings: of the recipe, by dotted keys.
    """

    name: str = Field("", max_length=200)
    minutes: float | None = Field(None, gt=0, le=60 * 24 * 30)
    settings: dict[str, int | float | bool] = {}  # no texts: some settings name files


def begin_training(request: Request, body: bytes) -> Any:
    """POST /api/trainings: begin a training in a process of its own; returns the run's id."""
    studio = studio_of(request)
    wanted = parse(TrainBody, body)
    place = studio.places.find(wanted.place, studio.catalogue.specs())
    spec, kind = guess_spec(place, wanted.kind)
    labels = list_labels(place, kind)
    if wanted.recipe not in (AUTO, *CATALOGUE) and (wanted.recipe or wanted.begin is None):
        raise UserError(f"there is no recipe {wanted.recipe!r}")

    name = (
        clean_name(wanted.name)
        or clean_name(place.name.rpartition("/")[2].removesuffix(".zip"))
        or "run"
    )
    folder, number = studio.catalogue.root / name, 2
    while folder.exists() or studio.jobs.find("training", folder):
        folder = studio.catalogue.root / f"{name}-{number}"
        number += 1

    words = ["train", *([wanted.recipe] if wanted.recipe else []), "--data", spec]
    look = check_look(wanted, labels)
    words += ["--out", str(folder), *_name_flags(wanted, look)]
    if wanted.begin is not None:
        start = find_begin(studio, wanted.begin)
        kept = {key: one for key, one in keep_inside(start, labels).items() if key not in look}
        words += _name_start(start.origin, kept)
    studio.jobs.start("training", folder, words)
    return {"id": studio.catalogue.id_of(folder), "name": folder.name}


def _name_flags(wanted: TrainBody, look: dict[str, Any]) -> Iterator[str]:
    """The words of the command line for what was chosen.

    Raises:
        UserError: a setting has another way, or is none.
    """
    if wanted.minutes is not None:
        yield from ("--minutes", f"{wanted.minutes:g}")
    for key, value in look.items():
        text = ",".join(repr(one) for one in value) if isinstance(value, tuple) else value
        # with a sign between, so that no value is taken for a flag
        yield f"--{key.replace('_', '-')}" + ("" if value is True else f"={text}")
    for key, value in wanted.settings.items():
        if key in NEVER or not key.replace(".", "").replace("_", "").isalnum():
            raise UserError(f"{key!r} is no setting")
        yield from ("--set", f"{key}={json.dumps(value)}")


def _name_start(origin: Origin, kept: dict[str, Any]) -> Iterator[str]:
    """The words of the command line for the weights that a run begins with.

    Args:
        origin: where they come from.
        kept: settings that are not those of that run.
    """
    yield from ("--from", origin.checkpoint)
    taken = {f"origin.{key}": getattr(origin, key) for key in ("weights", "optimizers", "frozen")}
    for key, value in (taken | kept).items():
        yield from ("--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}")


def show_training(request: Request, _: bytes) -> Any:
    """GET /api/trainings/NAME: whether a training that was begun here has started, and what it
    said.
    """
    studio = studio_of(request)
    folder = studio.catalogue.root / request.path_params["name"]  # only looked up, never opened
    job = studio.jobs.find("training", folder)
    if job is None:
        raise MissingError(folder.name)
    return {
        "running": job.running,
        "begun": (folder / "recipe.json").exists(),
        "failure": job.failure,
        "lines": job.read_lines(),
    }


ROUTES = [
    Route("/api/trainings", answer(begin_training), methods=["POST"]),
    Route("/api/trainings/{name}", answer(show_training)),
]
