"""How requests are read and answered: JSON in, JSON or a file out, errors as sentences."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ganvas.errors import UserError, describe_validation
from ganvas.studio.catalogue import Catalogue
from ganvas.studio.encoding import encode_json
from ganvas.studio.jobs import Jobs
from ganvas.studio.lab import Lab
from ganvas.studio.missing import MissingError
from ganvas.studio.models import Models, OutdatedError
from ganvas.studio.places import Places

__all__ = ["Body", "Endpoint", "Json", "Studio", "answer", "parse", "studio_of"]

LOOK_EVERY = 0.2  # seconds from one look at a connection to the next
Endpoint = Callable[[Request], Awaitable[Response]]
# What an endpoint does, in a thread: of the request and its body; returns JSON or an answer.
Work = Callable[[Request, bytes], Any]


class Json(JSONResponse):
    """An answer in JSON that never fails, whatever a log or a file name holds."""

    def render(self, content: Any) -> bytes:
        return encode_json(content).encode()


@dataclass(frozen=True)
class Studio:
    """Everything that the page works with."""

    catalogue: Catalogue
    places: Places
    models: Models
    lab: Lab

    @property
    def jobs(self) -> Jobs:
        """The processes that were begun here."""
        return self.catalogue.jobs

    def checkpoint(self, run_id: str) -> Path:
        """The newest checkpoint of a run.

        Raises:
            MissingError: there is no such run.
            UserError: it has no checkpoint yet.
        """
        record = self.catalogue.record(run_id)
        if record.checkpoint is None:
            raise UserError(f"{record.folder.name} has no checkpoint yet; wait for its first one")
        return record.checkpoint


class Body(BaseModel):
    """The JSON of a request: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)


Model = TypeVar("Model", bound=Body)


def parse(model: type[Model], body: bytes) -> Model:
    """Read the JSON of a request.

    Raises:
        UserError: it is none, or a value is not as it should be.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise UserError(
            f"the request is not as it should be: {describe_validation(error)}"
        ) from None


def studio_of(request: Request) -> Studio:
    """The studio that serves a request."""
    return request.app.state.studio


def answer(work: Work, cancellable: bool = False) -> Endpoint:
    """An endpoint that does its work in a thread, and answers errors of the user as JSON.

    Args:
        work: what it does.
        cancellable: whether `request.state.left` shall be set when the page no longer waits; the
            work looks at it.
    """

    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body() if request.method != "GET" else b""
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        request.state.left = threading.Event()
        watch = asyncio.create_task(_note_leaving(request)) if cancellable else None
        try:
            result = await run_in_threadpool(work, request, body)
        except OutdatedError:
            return Response(status_code=204)
        except MissingError:
            return Json({"error": "there is nothing of this name"}, 404)
        except UserError as error:
            return Json({"error": str(error)}, 400)
        except OSError as error:
            return Json({"error": error.strerror or str(error)}, 400)
        finally:
            if watch:
                watch.cancel()
        return result if isinstance(result, Response) else Json(result)

    return endpoint


async def _note_leaving(request: Request) -> None:
    """Set `request.state.left` when the page has closed the connection."""
    while not await request.is_disconnected():
        await asyncio.sleep(LOOK_EVERY)
    request.state.left.set()
