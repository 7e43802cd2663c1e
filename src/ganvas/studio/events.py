"""One stream of events for the whole page: which runs have changed.

A thread looks at the runs' folders; nothing has to be told to the studio by a training, so runs
that were started elsewhere are watched as well.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from ganvas.errors import UserError
from ganvas.io.console import print_text
from ganvas.runs.folder import is_going, is_stopping
from ganvas.studio.catalogue import Catalogue
from ganvas.studio.encoding import encode_json
from ganvas.studio.missing import MissingError

__all__ = ["Watcher", "event_route"]

PAUSE = 1.5  # seconds from one look at the runs to the next
KEEP_ALIVE = 20.0  # seconds after which a silent stream says that it is there


class Watcher:
    """Looks for changes of runs, and tells every open page.

    Args:
        catalogue: of the runs.
    """

    def __init__(self, catalogue: Catalogue):
        self.catalogue = catalogue
        self.known: dict[str, Any] = {}  # by id, what a change shows in
        self.queues: set[asyncio.Queue[str]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.ended = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look, in a thread."""
        self.loop = loop
        threading.Thread(target=self._look_for_ever, name="watcher", daemon=True).start()

    def stop(self) -> None:
        """End, and close all streams."""
        self.ended.set()
        for queue in list(self.queues):
            assert self.loop
            self.loop.call_soon_threadsafe(queue.put_nowait, "")

    def _look_for_ever(self) -> None:
        self._find_changes()  # what is there already is no change
        while not self.ended.wait(PAUSE):
            if not self.queues:  # nobody looks: nothing to do
                continue
            try:
                for event in self._find_changes():
                    self._tell(event)
            except Exception as error:  # the next look may succeed; without this thread, none would
                print_text(f"studio: runs cannot be watched: {error}", error=True)

    def _find_changes(self) -> list[str]:
        """The events since the last look."""
        try:
            folders = self.catalogue.scan()
        except OSError:  # the disk is away for a moment
            return []

        marks = {run_id: self._read_mark(folder) for run_id, folder in folders.items()}
        events = []
        for run_id, mark in marks.items():
            if self.known.get(run_id) != mark:
                try:
                    card = self.catalogue.card(run_id)
                except (OSError, MissingError, UserError):  # it was deleted in between
                    continue
                events.append(_format_event("run", card))
        for run_id in self.known.keys() - marks.keys():
            events.append(_format_event("gone", {"id": run_id}))
        self.known = marks
        return events

    def _read_mark(self, folder: Path) -> tuple[Any, ...]:
        """What is different when a run has changed, without reading its files."""
        marks: list[Any] = []
        for name in ("log.jsonl", "recipe.json", "samples", "checkpoints", "evaluations.jsonl"):
            try:
                status = (folder / name).stat()
                marks.append((status.st_mtime_ns, status.st_size))
            except OSError:
                marks.append(None)
        job = self.catalogue.jobs.find("training", folder)
        return (*marks, is_going(folder), is_stopping(folder), job and (job.running, job.failure))

    def _tell(self, event: str) -> None:
        """Hand an event to all open pages, whose queues belong to the server's thread."""
        assert self.loop
        for queue in list(self.queues):
            self.loop.call_soon_threadsafe(queue.put_nowait, event)

    async def stream(self) -> AsyncIterator[str]:
        """The events from now on, as one page gets them."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.queues.add(queue)
        try:
            yield ": welcome\n\n"
            while not self.ended.is_set():
                try:
                    event = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                except TimeoutError:
                    event = ": still here\n\n"
                if event:
                    yield event
        finally:
            self.queues.discard(queue)


def _format_event(name: str, values: Any) -> str:
    return f"event: {name}\ndata: {encode_json(values)}\n\n"


def event_route(watcher: Watcher) -> Route:
    """GET /api/events: the stream."""

    async def endpoint(_: Request) -> StreamingResponse:
        return StreamingResponse(watcher.stream(), media_type="text/event-stream")

    return Route("/api/events", endpoint)
