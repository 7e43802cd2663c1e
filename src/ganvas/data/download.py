"""Fetch published sets into the cache: resumed where they broke off, checked against the published digest."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ganvas.errors import UserError
from ganvas.files import PARTIAL, sync

TIMEOUT = 20.0  # seconds without an answer


@dataclass(frozen=True)
class Published:
    """A set that is published as a few files.

    Attributes:
        name: as in "ganvas train --data NAME".
        mirrors: addresses of folders that hold all files, tried in this order.
        files: md5 by file name.
    """

    name: str
    mirrors: tuple[str, ...]
    files: dict[str, str]


PUBLISHED = {
    "mnist": Published(
        "mnist",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": Published(
        "fashion-mnist",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
}


def download(published: Published, folder: Path, progress: bool = False) -> None:
    """Fetch the files of a set that are not in `folder` yet.

    Raises:
        UserError: one of them could not be fetched from any mirror, or the folder cannot be written.
    """
    missing = [file for file in published.files if not (folder / file).is_file()]
    if not missing:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror}; set GANVAS_CACHE to a folder elsewhere") from error
    with bar(progress) as advance:
        for file in missing:
            reasons = fetch(published, file, folder, advance)
            if reasons:
                raise UserError(
                    f"cannot download {published.name} ({'; '.join(reasons)}): put {', '.join(published.files)} "
                    f"into {folder}, or name the folder that holds them as {published.name}:FOLDER"
                )


def fetch(published: Published, file: str, folder: Path, advance: Callable[[str, int, int], None]) -> list[str]:
    """Fetch one file; returns no reasons when it is there and right, else why each mirror failed.

    A download that breaks off is left as `.partial-FILE`. Whoever resumes it takes it by renaming, so that two
    processes never write to the same one.
    """
    left, mine = folder / f"{PARTIAL}{file}", folder / f"{PARTIAL}{os.getpid()}-{file}"
    if left.is_file():
        left.replace(mine)
    reasons = []
    try:
        for mirror in published.mirrors:
            reason = transfer(mirror + file, mine, lambda done, total: advance(file, done, total))
            if not reason:
                digest = hashlib.md5(mine.read_bytes(), usedforsecurity=False).hexdigest()
                if digest == published.files[file]:
                    sync(mine)
                    mine.replace(folder / file)
                    return []
                mine.unlink()
                reason = f"md5 is {digest}, published is {published.files[file]}"
            reasons.append(f"{mirror}{file}: {reason}")
        return reasons
    finally:
        if mine.exists():
            mine.replace(left)


def transfer(url: str, path: Path, advance: Callable[[int, int], None]) -> str:
    """Append to `path` what it lacks of `url`, again while that brings something; returns why it failed, or ""."""
    while True:
        start = path.stat().st_size if path.exists() else 0
        try:
            if receive(url, path, start, advance):
                return ""
            reason = "broke off"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and start:  # nothing lies beyond what is here already: the digest will tell
                return ""
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
        if not path.exists() or path.stat().st_size <= start:
            return reason


def receive(url: str, path: Path, start: int, advance: Callable[[int, int], None]) -> bool:
    """One request for the bytes from `start` on; returns whether all that was announced came."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != 206:
            start = 0  # a server that knows no ranges sends the whole file
        announced = response.headers.get("Content-Length")
        total = start + int(announced) if announced else 0
        with path.open("ab" if start else "wb") as file:
            while piece := response.read(2**16):
                file.write(piece)
                advance(file.tell(), total)
            return not total or file.tell() == total


@contextmanager
def bar(shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr for each file; yields the function that moves it to (bytes done, bytes in all)."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        tasks = {}

        def advance(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file)
            progress.update(tasks[file], completed=done, total=total or None)

        yield advance
