"""Runs: listed, watched, stopped, resumed, extended, deleted, evaluated; ready-made ones added."""

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ganvas.errors import UserError
from ganvas.evaluation.evaluate import FIGURE, RECORD
from ganvas.io.reading import read_json_lines
from ganvas.recipes.auto import describe_setting
from ganvas.runs.folder import grid_path, is_going, request_stop
from ganvas.runs.instructions import collect_instructions
from ganvas.runs.numbers import collect_numbers
from ganvas.runs.zoo import ZOO
from ganvas.studio.api.answers import Body, answer, parse, studio_of
from ganvas.studio.catalogue import describe_gan, read_gan
from ganvas.studio.missing import MissingError, find_named

__all__ = ["ROUTES"]

IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable"}
MOST_EVALUATIONS = 50  # the newest
LONGEST_NUMBER = 12  # digits


class LengthBody(Body):
    """How long a run shall be, in images shown."""

    images: int = Field(ge=1, le=10**12)


class EvaluateBody(Body):
    """How a run is to be evaluated."""

    count: int | None = Field(None, ge=2, le=100_000)
    features: Literal["random", "classifier", "lite0", "inception", "pixels"] | None = None


def list_runs(request: Request, _: bytes) -> Any:
    """GET /api/runs: a card of each run, the one that changed last first."""
    return {"runs": studio_of(request).catalogue.cards()}


def show_run(request: Request, _: bytes) -> Any:
    """GET /api/runs/ID: the card, what the GAN takes, settings, data, and how to use it."""
    catalogue, run_id = studio_of(request).catalogue, request.path_params["id"]
    record = catalogue.record(run_id)
    gan = read_gan(record)
    return catalogue.card(run_id) | {
        "model": describe_gan(gan, record.about) if gan else None,
        "settings": record.recipe.model_dump(mode="json", exclude={"reasons"}),
        "reasons": [
            {"key": key, "value": describe_setting(record.recipe, key), "reason": reason}
            for key, reason in record.recipe.reasons.items()
        ],
        "players": list(record.recipe.optimizers),
        "report": record.data.model_dump(mode="json"),
        "numbers": collect_numbers(record),
        "use": [{"text": one.text, "command": one.command} for one in collect_instructions(record)],
    }


def list_generators(request: Request, _: bytes) -> Any:
    """GET /api/zoo: the names of the ready-made generators."""
    return {"zoo": [*ZOO]}


def add_generator(request: Request, _: bytes) -> Any:
    """POST /api/zoo/NAME: copy a ready-made generator to the runs."""
    generator = find_named(ZOO, request.path_params["name"])
    return {"id": studio_of(request).catalogue.add_generator(generator)}


def read_entries(request: Request, _: bytes) -> Any:
    """GET /api/runs/ID/log?after=N: the entries of the log from number N on."""
    record = studio_of(request).catalogue.record(request.path_params["id"])
    after = request.query_params.get("after", "0")
    if not after.isdecimal() or len(after) > LONGEST_NUMBER:
        raise UserError(f"after={after}: give the number of entries that are known already")
    return {"entries": record.log[int(after) :], "count": len(record.log)}


def send_grid(request: Request, _: bytes) -> Response:
    """GET /api/runs/ID/grids/N.png: the samples after N images."""
    folder = studio_of(request).catalogue.folder(request.path_params["id"])
    images = request.path_params["images"]
    if not images.isdecimal() or len(images) > LONGEST_NUMBER:
        raise MissingError("grid")
    path = grid_path(folder, int(images))
    if not path.is_file():
        raise MissingError(path.name)
    return FileResponse(path, headers=IMMUTABLE)


def stop_run(request: Request, _: bytes) -> Any:
    """POST /api/runs/ID/stop: ask the training to save and stop."""
    request_stop(studio_of(request).catalogue.folder(request.path_params["id"]))
    return {"state": "stopping"}


def resume_run(request: Request, _: bytes) -> Any:
    """POST /api/runs/ID/resume: go on with a training that was stopped."""
    return _train(request, [])


def extend_run(request: Request, body: bytes) -> Any:
    """POST /api/runs/ID/extend {"images": N}: make the run N images long in all, and train."""
    return _train(request, ["--images", str(parse(LengthBody, body).images)])


def _train(request: Request, words: list[str]) -> Any:
    studio, run_id = studio_of(request), request.path_params["id"]
    folder = studio.catalogue.folder(run_id)
    if is_going(folder):
        raise UserError(f"{folder.name} is in training already")
    # A training gives its folder free a moment before its process ends.
    studio.jobs.await_end("training", folder)
    # The folder is resolved and absolute, so a name that begins with a dash is no flag.
    studio.jobs.start("training", folder, ["train", "--out", str(folder), *words])
    return {"state": "starting"}


def delete_run(request: Request, _: bytes) -> Any:
    """DELETE /api/runs/ID: move a run into the bin."""
    studio, run_id = studio_of(request), request.path_params["id"]
    folder = studio.catalogue.folder(run_id)
    name = studio.catalogue.delete(run_id)
    studio.models.forget(folder)  # a new run may come in its place
    return {"bin": name}


def list_bin(request: Request, _: bytes) -> Any:
    """GET /api/bin: the deleted runs that can be brought back."""
    return {"bin": studio_of(request).catalogue.deleted()}


def restore_run(request: Request, _: bytes) -> Any:
    """POST /api/bin/NAME/restore: bring a deleted run back."""
    return {"id": studio_of(request).catalogue.restore(request.path_params["name"])}


def list_evaluations(request: Request, _: bytes) -> Any:
    """GET /api/runs/ID/evaluations: what `ganvas evaluate` has measured, the newest first."""
    studio = studio_of(request)
    folder = studio.catalogue.folder(request.path_params["id"])
    path = folder / RECORD
    found = [entry for _, entry in read_json_lines(path)] if path.exists() else []
    job = studio.jobs.find("evaluation", folder)
    return {
        "evaluations": found[: -MOST_EVALUATIONS - 1 : -1],
        "running": bool(job and job.running),
        "failure": job.failure if job else "",
        "nearest": (folder / FIGURE).exists(),
    }


def evaluate_run(request: Request, body: bytes) -> Any:
    """POST /api/runs/ID/evaluate: measure the newest checkpoint, in a process of its own."""
    studio, run_id = studio_of(request), request.path_params["id"]
    wanted = parse(EvaluateBody, body)
    studio.checkpoint(run_id)
    folder = studio.catalogue.folder(run_id)
    words = ["evaluate", str(folder)]
    if wanted.count:
        words += ["--count", str(wanted.count)]
    if wanted.features:
        words += ["--features", wanted.features]
    studio.jobs.start("evaluation", folder, words)
    return {"running": True}


def cancel_evaluation(request: Request, _: bytes) -> Any:
    """DELETE /api/runs/ID/evaluate: end the evaluation that was begun here."""
    studio = studio_of(request)
    job = studio.jobs.find("evaluation", studio.catalogue.folder(request.path_params["id"]))
    if job is None:
        raise MissingError("evaluation")
    job.cancel()
    return {"running": False}


def send_nearest(request: Request, _: bytes) -> Response:
    """GET /api/runs/ID/nearest.png: samples beside the training images nearest to them."""
    path = studio_of(request).catalogue.folder(request.path_params["id"]) / FIGURE
    if not path.is_file():
        raise MissingError(path.name)
    return FileResponse(path)


RUN = "/api/runs/{id}"
ROUTES = [
    Route("/api/runs", answer(list_runs)),
    Route(RUN, answer(show_run), methods=["GET"]),
    Route(RUN, answer(delete_run), methods=["DELETE"]),
    Route(f"{RUN}/log", answer(read_entries)),
    Route(RUN + "/grids/{images}.png", answer(send_grid)),
    Route(f"{RUN}/stop", answer(stop_run), methods=["POST"]),
    Route(f"{RUN}/resume", answer(resume_run), methods=["POST"]),
    Route(f"{RUN}/extend", answer(extend_run), methods=["POST"]),
    Route(f"{RUN}/evaluations", answer(list_evaluations)),
    Route(f"{RUN}/evaluate", answer(evaluate_run), methods=["POST"]),
    Route(f"{RUN}/evaluate", answer(cancel_evaluation), methods=["DELETE"]),
    Route(f"{RUN}/nearest.png", answer(send_nearest)),
    Route("/api/zoo", answer(list_generators)),
    Route("/api/zoo/{name}", answer(add_generator), methods=["POST"]),
    Route("/api/bin", answer(list_bin)),
    Route("/api/bin/{name}/restore", answer(restore_run), methods=["POST"]),
]
