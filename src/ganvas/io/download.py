"""Fetch published files into the cache: resumed where they broke off, checked against the published
digest.
"""

import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole
from ganvas.io.files import PARTIAL, sync

TIMEOUT = 20.0  # seconds without an answer
MOST = 2**29  # bytes of a file that is read whole


class UnreachableError(UserError):
    """A server gave no answer, or no whole one; later it may."""


@dataclass(frozen=True)
class Published:
    """A data set, or the weights of a network, published as a few files.

    Attributes:
        name: what the files are, in messages.
        mirrors: addresses of folders that hold all files, tried in this order.
        files: digest by file name: "md5:..." or "sha256:...".
        elsewhere: how a user who has the files names their place, in messages.
    """

    name: str
    mirrors: tuple[str, ...]
    files: dict[str, str]
    elsewhere: str


def download(published: Published, folder: Path, progress: bool = False) -> None:
    """Fetch the published files that are not in `folder` yet.

    Raises:
        UserError: one of them could not be fetched from any mirror, or the folder cannot be
            written.
    """
    missing = [file for file in published.files if not (folder / file).is_file()]
    if not missing:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make {folder}: {error.strerror}; set GANVAS_CACHE to a folder elsewhere"
        ) from error
    with bar(progress) as advance:
        for file in missing:
            reasons = fetch(published, file, folder, advance)
            if reasons:
                raise UserError(
                    f"cannot download {published.name} ({'; '.join(reasons)}): put {', '.join(published.files)} "
                    f"into {folder}, or {published.elsewhere}"
                )


def fetch(
    published: Published, file: str, folder: Path, advance: Callable[[str, int, int], None]
) -> list[str]:
    """Fetch one file; returns no reasons when it is there and right, else why each mirror failed.

    A download that breaks off is left as `.partial-FILE`. Whoever resumes it takes it by renaming,
    so that two processes never write to the same one.
    """
    left, mine = folder / f"{PARTIAL}{file}", folder / f"{PARTIAL}{os.getpid()}-{file}"
    if left.is_file():
        left.replace(mine)
    reasons = []
    try:
        for mirror in published.mirrors:
            reason = transfer(
                mirror + urllib.parse.quote(file),
                mine,
                lambda done, total: advance(file, done, total),
            )
            if not reason:
                digest = digest_of(mine, published.files[file].partition(":")[0])
                if digest == published.files[file]:
                    sync(mine)
                    mine.replace(folder / file)
                    return []
                mine.unlink()
                reason = f"its digest is {digest}, published is {published.files[file]}"
            reasons.append(f"{mirror}{file}: {reason}")
        return reasons
    finally:
        if mine.exists():
            mine.replace(left)


def digest_of(path: Path, kind: str) -> str:
    """The digest of a file, as "md5:..." or "sha256:..."."""
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, kind).hexdigest()}"


def transfer(url: str, path: Path, advance: Callable[[int, int], None]) -> str:
    """Append to `path` what it lacks of `url`, again while that brings something; returns why it
    failed, or "".
    """
    while True:
        start = path.stat().st_size if path.exists() else 0
        try:
            if receive(url, path, start, advance):
                return ""
            reason = "broke off"
        except urllib.error.HTTPError as error:
            error.close()
            # nothing lies beyond what is here already: the digest will tell
            if error.code == 416 and start:
                return ""
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            reason = explain(error)
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


def explain(error: Exception) -> str:
    """Why a request failed, in words."""
    return str(getattr(error, "reason", "") or error) or type(error).__name__


def read_url(url: str) -> bytes | None:
    """The content of a small file; None: the server answers that there is none, or that it is not
    for us.

    Raises:
        UnreachableError: there is no such server, no network, or no whole answer.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            content = response.read(MOST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403, 404, 410):
            return None
        raise UnreachableError(f"cannot fetch {url}: {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"cannot fetch {url}: {explain(error)}") from error
    if len(content) > MOST:
        raise UserError(f"{url} has more than {MOST / 2**20:,.0f} MiB; it is not what it should be")
    return content


@contextmanager
def bar(shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr for each file; yields the function that moves it to (bytes done,
    bytes in all).
    """
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = PlainConsole(stderr=True)
    with Progress(
        *columns, console=console, disable=not (shown and console.is_terminal)
    ) as progress:
        tasks = {}

        def advance(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file)
            progress.update(tasks[file], completed=done, total=total or None)

        yield advance
