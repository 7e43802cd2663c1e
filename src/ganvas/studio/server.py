"""`ganvas studio`: the page's server."""

import asyncio
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import FrameType

import torch
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ganvas.errors import UserError
from ganvas.io.console import print_text
from ganvas.studio.api import data, lab, runs, trainings, use
from ganvas.studio.api.answers import Studio
from ganvas.studio.catalogue import Catalogue
from ganvas.studio.events import Watcher, event_route
from ganvas.studio.guard import Guard, TooLargeError
from ganvas.studio.lab import Lab
from ganvas.studio.models import Models
from ganvas.studio.places import Places
from ganvas.texts.table import write_module

__all__ = ["LOCAL", "StudioSettings", "make_app", "serve"]

LOCAL = "127.0.0.1"
PORT = 8008  # the first that is tried; then those after it
MOST_PORTS = 20
THREADS = 2  # of torch: images must appear at once, while trainings need the processor too


@dataclass(frozen=True)
class StudioSettings:
    """How to serve.

    Attributes:
        root: folder of the runs.
        folders: of data that the page offers.
        host: address to listen on.
        port: to listen on; None: the first free one from `PORT` on.
        device: where GANs generate.
    """

    root: Path
    folders: Sequence[Path] = ()
    host: str = LOCAL
    port: int | None = None
    device: str = "cpu"


def make_app(settings: StudioSettings, hosts: Sequence[str], token: str, cookie: str) -> Guard:
    """The application with its guard.

    Raises:
        UserError: the folder of runs cannot be made, or a folder of data is missing.
    """
    catalogue = Catalogue(settings.root)
    catalogue.scan()
    own = catalogue.own_folder
    studio = Studio(
        catalogue,
        Places(settings.folders, own / "uploads"),
        Models(settings.device),
        Lab(),
    )
    watcher = Watcher(catalogue)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watcher.start(asyncio.get_running_loop())
        yield
        watcher.stop()

    static = Path(str(files("ganvas.studio").joinpath("static")))

    def send_page(_: Request) -> Response:
        return FileResponse(static / "index.html")

    def send_sentences(_: Request) -> Response:
        return Response(write_module(), media_type="text/javascript")

    def refuse_unknown(_: Request, __: Exception) -> Response:
        return JSONResponse({"error": "there is nothing at this address"}, 404)

    def refuse_large(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 413, headers={"connection": "close"})

    app = Starlette(
        routes=[
            Route("/", send_page),
            *runs.ROUTES,
            *use.ROUTES,
            *data.ROUTES,
            *trainings.ROUTES,
            *lab.ROUTES,
            event_route(watcher),
            Route("/static/texts/engine.js", send_sentences),
            Mount("/static", StaticFiles(directory=static)),
        ],
        lifespan=lifespan,
        exception_handlers={404: refuse_unknown, TooLargeError: refuse_large},
    )
    app.state.studio = studio
    app.state.watcher = watcher
    return Guard(app, hosts, token, cookie)


def serve(settings: StudioSettings, open_page: bool = True) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: the port is taken, or a folder is missing.
    """
    with _listen(settings) as listener:
        port = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        app = make_app(settings, _list_hosts(settings.host, port), token, f"ganvas-{port}")
        torch.set_num_threads(min(THREADS, torch.get_num_threads()))

        address = f"http://{_shown_host(settings.host)}:{port}/?token={token}"
        _announce(settings, address)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
            proxy_headers=False,
        )
        server = _Server(config, app)
        if open_page:
            threading.Thread(target=_open_page, args=(server, address), daemon=True).start()
        server.run([listener])


class _Server(uvicorn.Server):
    """A server that closes the streams of events when it is asked to end: it would wait for them
    otherwise, since they never end by themselves.
    """

    def __init__(self, config: uvicorn.Config, guard: Guard):
        super().__init__(config)
        self.watcher = guard.app.state.watcher  # type: ignore[attr-defined]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.watcher.stop()
        super().handle_exit(sig, frame)


def _open_page(server: uvicorn.Server, address: str) -> None:
    """Open the page when the server answers; some browsers return only when they are closed."""
    while not server.started:
        time.sleep(0.05)
    webbrowser.open(address)


def _announce(settings: StudioSettings, address: str) -> None:
    """Print where the page is, and who can reach it."""
    print_text(f"studio: {address}", f"runs: {settings.root}")
    if settings.host not in (LOCAL, "localhost", "::1"):
        print_text(
            "note: other machines in the network can reach this page; who has the address with its"
            " token can train and delete runs"
        )
    print_text("Ctrl-C ends the studio; trainings go on.")


def _shown_host(host: str) -> str:
    """The host in an address that a browser understands."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _listen(settings: StudioSettings) -> socket.socket:
    """A socket on the wanted port, or on the first free one.

    Raises:
        UserError: it is taken, or the host is none of this machine.
    """
    ports = [settings.port] if settings.port is not None else range(PORT, PORT + MOST_PORTS)
    reason = ""
    for port in ports:
        listener = None
        try:
            family = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.socket(family)
            # On Windows this option would let two programs share a port.
            if hasattr(socket, "SO_REUSEPORT"):
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((settings.host, port))
            listener.listen(128)
        except OSError as error:
            reason = error.strerror or str(error)
            if listener:
                listener.close()
            continue
        return listener
    raise UserError(
        f"cannot listen on {settings.host}:{settings.port or PORT}: {reason}; choose another --port"
    )


def _list_hosts(host: str, port: int) -> list[str]:
    """The values of the header Host under which the page is served."""
    names = {"127.0.0.1", "localhost", "::1", host}
    if host in ("0.0.0.0", "::"):
        name = socket.gethostname()
        names |= {name, *_own_addresses(name)}
    written = [f"[{name}]" if ":" in name else name for name in sorted(names)]
    # browsers leave the usual port away
    ends = ("", f":{port}") if port == 80 else (f":{port}",)
    return [f"{name}{end}".lower() for name in written for end in ends]


def _own_addresses(name: str) -> set[str]:
    """The addresses under which other machines reach this one."""
    found: set[str] = set()
    with suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent; the system chooses the way out
        found.add(probe.getsockname()[0])
    return found
