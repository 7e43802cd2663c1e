"""Data sets: listed, uploaded, and looked at."""

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ganvas.data.contact_sheet import draw_contact_sheet
from ganvas.data.folders.source import EXTENSIONS
from ganvas.data.inspect import examine_data
from ganvas.data.view import make_view
from ganvas.errors import UserError
from ganvas.recipes.auto import describe_setting
from ganvas.recipes.catalogue import CATALOGUE
from ganvas.recipes.expectations import MEASURED
from ganvas.recipes.recipe import Recipe
from ganvas.studio.api.answers import Json, answer, parse, studio_of
from ganvas.studio.api.wanted import LookBody, check_look, choose_recipe, find_setting
from ganvas.studio.jobs import clean_name
from ganvas.studio.missing import MissingError
from ganvas.studio.offers import find_offers, list_labels, list_settings
from ganvas.studio.pictures import png_address
from ganvas.studio.places import KINDS, MOST_FILES, guess_spec
from ganvas.studio.starts import list_starts

__all__ = ["ROUTES"]

MOST_LISTED = 20  # files left out, and groups of copies, that are named


def list_places(request: Request, _: bytes) -> Any:
    """GET /api/data: the data sets that can be chosen."""
    studio = studio_of(request)
    places = studio.places.list(studio.catalogue.specs())
    return {
        "places": [{"id": p.id, "name": p.name, "origin": p.origin} for p in places],
        "kinds": list(KINDS),
        "endings": sorted(EXTENSIONS),
        "recipes": {
            name: {"data": row.data, "for": row.purpose} for name, row in CATALOGUE.items()
        },
    }


def look_at_data(request: Request, body: bytes) -> Any:
    """POST /api/data/look: what a data set holds, its contact sheet, and what `auto` chooses."""
    studio = studio_of(request)
    wanted = parse(LookBody, body)
    place = studio.places.find(wanted.place, studio.catalogue.specs())
    spec, kind = guess_spec(place, wanted.kind)
    shared = {"kind": kind, "name": place.name.rpartition("/")[2], "sheet": ""}
    shared |= {"refusal": "", "about": ""}
    try:
        labels = list_labels(place, kind)
        shared |= {
            "settings": list_settings(place, kind, labels),
            "labels": labels,
            "runs": list_starts(studio.catalogue, spec),
        }
        look = check_look(wanted, labels)
    except UserError as error:  # another kind or value may do
        return shared | _refuse(error)

    # The size that training would take is also that of the sheet.
    recipe = None
    try:
        recipe = choose_recipe(studio, wanted, spec, look, labels)
    except UserError as error:
        shared |= _refuse(error)
    try:
        view = recipe.view if recipe is not None else make_view(**look)
        report, dataset = examine_data(spec, view)
    except UserError as error:
        return shared | _refuse(error)
    return shared | {
        "offers": find_offers(report, dataset, kind, labels),
        "columns": sorted(dataset.pictures),
        "found": report.found,
        "used": report.used,
        "size": report.size,
        "channels": report.channels,
        "alpha": report.alpha,
        "classes": report.classes,
        "sizes": report.sizes,
        "steps": report.steps,
        "notes": report.notes,
        "left_out": [item.model_dump() for item in report.skipped[:MOST_LISTED]],
        "left_out_count": len(report.skipped),
        "copies": sum(len(group) - 1 for group in report.copies or []),
        "sheet": png_address(draw_contact_sheet(dataset)),
        "choices": [] if recipe is None else _describe_choices(recipe),
        "gan": None if recipe is None else recipe.gan,
        "measured": [] if recipe is None else _list_measured(recipe),
    }


def _refuse(error: UserError) -> dict[str, str]:
    """Why nothing can be trained, and the setting that it is about, if it is about one."""
    return {"refusal": str(error), "about": find_setting(error)}


def _list_measured(recipe: Recipe) -> list[dict[str, Any]]:
    """Runs of the same GAN that were measured, nearest in size, with their pictures."""
    size = recipe.size or 0
    runs = [run for run in MEASURED if run.gan == recipe.gan]
    nearest = min((abs(run.size - size) for run in runs), default=0)
    return [
        {
            "recipe": run.recipe,
            "size": run.size,
            "seconds": run.seconds,
            "data": run.data,
            "picture": f"/static/expect/{Path(run.picture).stem}.webp",
        }
        for run in runs
        if abs(run.size - size) == nearest
    ]


def _describe_choices(recipe: Recipe) -> list[dict[str, str]]:
    return [
        {"key": key, "value": describe_setting(recipe, key), "reason": reason}
        for key, reason in recipe.reasons.items()
    ]


async def receive_upload(request: Request) -> Response:
    """POST /api/uploads: images or one zip, as a form with files; returns the data set.

    With the field "into", the id of an upload, images are added to it: a set of thousands comes in
    several requests. The names of files may begin with folders, which are classes or domains.
    """
    studio = studio_of(request)
    try:
        async with request.form(max_files=MOST_FILES, max_fields=10) as form:
            files = [value for value in form.getlist("files") if isinstance(value, UploadFile)]
            given, into = form.get("name"), form.get("into")
            name = clean_name(given) if isinstance(given, str) else ""
            into = into if isinstance(into, str) else None
            contents = [(file.filename or "", file.file) for file in files]
            place = await run_in_threadpool(studio.places.receive, contents, name, into)
    except MissingError:
        return Json({"error": "the images that these belong to are gone; send all again"}, 404)
    except HTTPException as error:
        return Json({"error": str(error.detail)}, error.status_code)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except UserError as error:
        return Json({"error": str(error)}, 400)
    except OSError as error:
        reason = error.strerror or str(error)
        return Json({"error": f"{reason}; pack the images into one zip and send that"}, 400)
    return Json({"id": place.id, "name": place.name, "origin": place.origin})


ROUTES = [
    Route("/api/data", answer(list_places)),
    Route("/api/data/look", answer(look_at_data), methods=["POST"]),
    Route("/api/uploads", receive_upload, methods=["POST"]),
]
