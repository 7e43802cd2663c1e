"""`ganvas studio` as a process: its address, its end, and what outlives it."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.studio.server import StudioSettings, serve

SECONDS = 180


@contextmanager
def start_studio(root: Path) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """The command on a free port, and a client with the token that it prints."""
    words = [sys.executable, "-m", "ganvas", "studio", str(root), "--no-open", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"(http://\S+)/\?token=(\S+)", process.stdout.readline())
            assert found
            headers = {"authorization": f"Bearer {found[2]}"}
            with httpx2.Client(base_url=found[1], headers=headers, timeout=SECONDS) as client:
                wait_until(lambda: answers(client))
                yield process, client
        finally:
            process.kill()


def answers(client: httpx2.Client) -> bool:
    """Whether the server is there."""
    try:
        return client.get("/api/runs").status_code == 200
    except httpx2.TransportError:
        return False


def wait_until(condition: Any) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_a_training_outlives_the_studio_and_is_found_again(tmp_path: Path):
    def states(client: httpx2.Client) -> list[str]:
        return [card["state"] for card in client.get("/api/runs").json()["runs"]]

    with start_studio(tmp_path / "runs") as (process, client):
        places = {one["name"]: one["id"] for one in client.get("/api/data").json()["places"]}
        settings = {"images": 10**7, "options.width": 4}
        body = {"place": places["digits"], "recipe": "digits", "name": "on", "settings": settings}
        assert client.post("/api/trainings", json=body).status_code == 200
        wait_until(lambda: states(client) == ["training"])
        process.kill()
        process.wait()

    with start_studio(tmp_path / "runs") as (process, client):
        wait_until(lambda: states(client) == ["training"])
        run = client.get("/api/runs").json()["runs"][0]["id"]
        shown = client.get(f"/api/runs/{run}").json()["images"]
        wait_until(lambda: client.get(f"/api/runs/{run}").json()["images"] > shown)
        client.post(f"/api/runs/{run}/stop")
        wait_until(lambda: states(client) == ["interrupted"])

        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) in (0, 130)


def test_a_port_that_is_taken_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit):
            main(["studio", str(tmp_path / "runs"), "--no-open", "--port", str(port)])
    assert "choose another --port" in capsys.readouterr().err


def test_data_that_is_not_there_is_refused(tmp_path: Path):
    settings = StudioSettings(tmp_path / "runs", (tmp_path / "nothing",), port=0)
    with pytest.raises(UserError, match="there is no such folder or zip"):
        serve(settings, open_page=False)
