"""Downloads, from a server on this machine that misbehaves as asked."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ganvas.data import View, open_dataset
from ganvas.data.builtin.digits_mnist import PUBLISHED
from ganvas.errors import UserError
from ganvas.io.download import Published, UnreachableError, download, read_url
from ganvas.io.files import partial_path

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT under any name: /whole/..., /breaks/... (stops after 100,000 bytes),
    /plain/... (no ranges), /wrong/... (other bytes), /odd/... (a length that is no number),
    /endless/... (bytes until nobody reads them), /busy/... (503 twice, then the whole); anything
    else is 404.
    """

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        asked = self.headers.get("Range", "")
        self.asked.append((kind, asked))
        if kind == "busy" and [name for name, _ in self.asked].count("busy") <= 2:
            self.send_error(503)
            return
        if kind == "endless":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):  # nobody reads any more
                while True:
                    self.wfile.write(bytes(65536))
        if kind not in ("whole", "breaks", "plain", "wrong", "odd", "busy"):
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and kind != "plain" else 0
        body = CONTENT[start:] if kind != "wrong" else bytes(len(CONTENT) - start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", "many" if kind == "odd" else str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100_000] if kind == "breaks" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    asked: list[tuple[str, str]] = []
    handler = type("Handler", (Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in tests."""
    monkeypatch.setattr("ganvas.io.download.PAUSES", (0.0, 0.0, 0.0))


def published(server, *kinds: str) -> Published:
    mirrors = tuple(f"{server[0]}/{kind}/" for kind in kinds)
    return Published(
        "some set", mirrors, {"a.gz": MD5, "b.gz": SHA256}, "name their folder as some-set:FOLDER"
    )


def test_whole_files(server, tmp_path):
    folder = tmp_path / "cache"
    download(published(server, "whole"), folder)
    assert sorted(file.name for file in folder.iterdir()) == ["a.gz", "b.gz"]
    assert (folder / "a.gz").read_bytes() == CONTENT
    download(published(server, "whole"), folder)
    assert len(server[1]) == 2


def test_broken_downloads_are_resumed(server, tmp_path):
    (tmp_path / ".partial-a.gz").write_bytes(CONTENT[:50_000])
    download(published(server, "breaks"), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert [asked for _, asked in server[1][:3]] == [
        "bytes=50000-",
        "bytes=150000-",
        "bytes=250000-",
    ]
    assert not list(tmp_path.glob(".partial*"))


def test_a_complete_partial_file_is_taken(server, tmp_path):
    (tmp_path / ".partial-a.gz").write_bytes(CONTENT)
    download(published(server, "whole"), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_a_server_without_ranges(server, tmp_path):
    (tmp_path / ".partial-a.gz").write_bytes(b"something old")
    download(published(server, "plain"), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_the_second_mirror_helps(server, tmp_path):
    download(published(server, "absent", "wrong", "whole"), tmp_path)
    assert (tmp_path / "b.gz").read_bytes() == CONTENT


def test_wrong_content_is_never_kept(server, tmp_path):
    message = (
        r"404 Not Found.*digest is md5:.* published one is md5:.*"
        r"put a.gz, b.gz into .*some-set:FOLDER"
    )
    with pytest.raises(UserError, match=message):
        download(published(server, "absent", "wrong"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.gz").write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"digest is sha256:.* published one is sha256:"):
        download(published(server, "wrong"), tmp_path)


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    nowhere = {"mnist": replace(PUBLISHED["mnist"], mirrors=("http://127.0.0.1:9/",))}
    monkeypatch.setattr("ganvas.data.builtin.digits_mnist.PUBLISHED", nowhere)
    with pytest.raises(UserError) as raised:
        open_dataset("mnist", View())
    message = str(raised.value)
    assert all(file in message for file in PUBLISHED["mnist"].files)
    assert (
        f"into {tmp_path / 'mnist'}, or name the folder that holds them as mnist:FOLDER" in message
    )
    assert "\n" not in message
    assert "Connection refused" in message and "Errno" not in message
    assert not [*tmp_path.iterdir()]  # no empty folder is left


def test_a_failure_leaves_folders_that_hold_something(server, tmp_path):
    with pytest.raises(UserError):
        download(published(server, "absent"), tmp_path / "new" / "set")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with pytest.raises(UserError):
        download(published(server, "absent"), tmp_path / "old")
    assert (tmp_path / "old").is_dir()  # it was there before


def test_no_more_bytes_than_expected(server, tmp_path):
    sizes = {"a.gz": len(CONTENT), "b.gz": len(CONTENT)}
    few = replace(published(server, "endless", "wrong"), sizes=sizes)
    with pytest.raises(UserError, match=r"more than the 300,000 bytes .*its digest is"):
        download(few, tmp_path)
    fewer = replace(published(server, "whole"), sizes=dict.fromkeys(sizes, 299_999))
    with pytest.raises(UserError, match=r"it has more than the 299,999 bytes"):
        download(fewer, tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing of it is kept
    download(replace(published(server, "endless", "whole"), sizes=sizes), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server, tmp_path, monkeypatch):
    download(published(server, "busy"), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert [kind for kind, _ in server[1]][:3] == ["busy"] * 3

    server[1].clear()
    assert read_url(f"{server[0]}/busy/x") == CONTENT
    server[1].clear()
    monkeypatch.setattr("ganvas.io.download.PAUSES", (0.0,))
    with pytest.raises(UnreachableError, match="503"):
        read_url(f"{server[0]}/busy/x")
    (tmp_path / "a.gz").unlink()
    server[1].clear()
    with pytest.raises(UserError, match="503 Service Unavailable"):
        download(published(server, "busy"), tmp_path)


def test_a_length_that_is_no_number_is_none(server, tmp_path):
    download(published(server, "odd"), tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_downloads_of_killed_processes_are_resumed(server, tmp_path, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = partial_path(tmp_path / "a.gz")
    name = dead.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-")
    (tmp_path / name).write_bytes(CONTENT[:1000])
    alive = partial_path(tmp_path / "b.gz")  # of this process
    alive.write_bytes(b"another thread writes to it")
    download(published(server, "whole"), tmp_path)
    assert server[1][0] == ("whole", "bytes=1000-")
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "a.gz", "b.gz"]
