"""The studio as a server on a port of its own, in a thread of the tests."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from studio_client import TOKEN

from ganvas.studio.server import StudioSettings, make_app


@contextmanager
def run_studio(root: Path, folders: tuple[Path, ...] = ()) -> Iterator[str]:
    """Serve a folder of runs, and folders of data; yields the address with its token."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        app = make_app(
            StudioSettings(root, folders), [f"127.0.0.1:{port}"], TOKEN, f"ganvas-{port}"
        )
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: server.run([listener]))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}/?token={TOKEN}"
        finally:
            server.should_exit = True
            thread.join()
