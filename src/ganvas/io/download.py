"""Download published files: resumed where they broke off, and checked by digest."""

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole
from ganvas.io.files import PARTIAL, hash_file, sync

__all__ = ["Published", "UnreachableError", "download", "read_url"]

TIMEOUT = 20.0  # seconds without an answer
MAX_BYTES = 2**29  # of a file that is read into memory
BLOCK = 2**16  # bytes read at once


class UnreachableError(UserError):
    """A server gave no answer, or not a complete one; it may do so later."""


@dataclass(frozen=True)
class Published:
    """A data set, or the weights of a network, published as a few files.

    Attributes:
        name: of the data set or weights, in messages.
        mirrors: addresses of folders that hold all files, tried in this order.
        files: digest by file name: "md5:..." or "sha256:...".
        elsewhere: advice for users who have the files already, in messages.
    """

    name: str
    mirrors: tuple[str, ...]
    files: dict[str, str]
    elsewhere: str


def download(published: Published, folder: Path, progress: bool = False) -> None:
    """Download the published files that are not in `folder` yet.

    Args:
        published: what to download.
        folder: where to.
        progress: whether to show bars on stderr.

    Raises:
        UserError: no mirror has one of them, or the folder cannot be written.
    """
    # Not hashed: a file gets its own name after the check, or from a user who put it there.
    missing = [file for file in published.files if not (folder / file).is_file()]
    if not missing:
        return

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot create {folder}: {error.strerror}; set GANVAS_CACHE to another folder"
        ) from error

    with _show_downloads(progress) as advance:
        for file in missing:
            reasons = _download_file(published, file, folder, advance)
            if reasons:
                raise UserError(
                    f"cannot download {published.name} ({'; '.join(reasons)}): "
                    f"put {', '.join(published.files)} into {folder}, or {published.elsewhere}"
                )


def _download_file(
    published: Published, file: str, folder: Path, advance: Callable[[str, int, int], None]
) -> list[str]:
    """Download one file and check its digest.

    A download that breaks off is left as `.partial-FILE`. The process that resumes it takes it by
    renaming it, so that two processes never write to the same file.

    Args:
        published: what the file belongs to.
        file: its name.
        folder: where to.
        advance: called with the file, the bytes done and the bytes in all.

    Returns:
        why each mirror failed; empty if the file is there and right.
    """
    left = folder / f"{PARTIAL}{file}"
    # Named by the process: threads of one process must not download one file at the same time.
    mine = folder / f"{PARTIAL}{os.getpid()}-{file}"
    with suppress(FileNotFoundError):  # there is none, or another process was faster
        left.replace(mine)

    reasons = []
    expected = published.files[file]
    try:
        for mirror in published.mirrors:
            reason = _transfer(
                mirror + urllib.parse.quote(file),
                mine,
                lambda done, total: advance(file, done, total),
            )
            if not reason:
                # The whole file is hashed: its first part may come from another mirror.
                kind = expected.partition(":")[0]
                digest = f"{kind}:{hash_file(mine, kind)}"
                if digest == expected:
                    sync(mine)  # before the rename, or a crash could leave a name without its bytes
                    mine.replace(folder / file)
                    return []
                # Another mirror may have the right file, but not by appending to this one.
                mine.unlink()
                reason = f"its digest is {digest}, the published one is {expected}"
            reasons.append(f"{mirror}{file}: {reason}")
        return reasons
    finally:
        if mine.exists():  # also after Ctrl-C: the next call resumes there
            mine.replace(left)


def _transfer(url: str, path: Path, advance: Callable[[int, int], None]) -> str:
    """Append to `path` what it lacks of `url`, and repeat as long as each request adds bytes.

    Returns:
        why it failed; "" if all of it is there.
    """
    while True:
        start = path.stat().st_size if path.exists() else 0
        try:
            if _receive(url, path, start, advance):
                return ""
            reason = "broke off"
        except urllib.error.HTTPError as error:
            error.close()
            # Nothing follows after what is here already; the digest shows whether it is right.
            if error.code == 416 and start:
                return ""
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            reason = _explain(error)

        # A request that adds nothing would be repeated for ever.
        if not path.exists() or path.stat().st_size <= start:
            return reason


def _receive(url: str, path: Path, start: int, advance: Callable[[int, int], None]) -> bool:
    """Make one request for the bytes from `start` on.

    Returns:
        whether all announced bytes arrived.
    """
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != 206:
            start = 0  # a server without ranges sends the whole file

        announced = response.headers.get("Content-Length")  # of this answer: after a 206, the rest
        total = start + int(announced) if announced else 0
        # "wb" drops what an earlier request has left.
        with path.open("ab" if start else "wb") as file:
            while piece := response.read(BLOCK):
                file.write(piece)
                advance(file.tell(), total)
            # Without an announced length the end looks like a break; the digest decides.
            return not total or file.tell() == total


def _explain(error: Exception) -> str:
    """Why a request failed, in words."""
    return str(getattr(error, "reason", "") or error) or type(error).__name__


def read_url(url: str) -> bytes | None:
    """Read a small file at an address.

    Returns:
        its content; None if the server answers that there is none, or denies access.

    Raises:
        UnreachableError: there is no such server, no network, or no complete answer.
        UserError: the file has more than MAX_BYTES.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            content = response.read(MAX_BYTES + 1)  # one byte more shows that there are more
    except urllib.error.HTTPError as error:
        error.close()
        # 403 too: servers that list no folders answer so where there is no file.
        if error.code in (401, 403, 404, 410):
            return None
        raise UnreachableError(f"cannot fetch {url}: {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no URL
        raise UnreachableError(f"cannot fetch {url}: {_explain(error)}") from error

    if len(content) > MAX_BYTES:
        raise UserError(
            f"{url} has more than {MAX_BYTES / 2**20:,.0f} MiB, so it is not the expected file"
        )
    return content


@contextmanager
def _show_downloads(shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on stderr for each file.

    Yields:
        the function to call with the file, the bytes done and the bytes in all (0 if unknown).
    """
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = PlainConsole(stderr=True)
    hidden = not (shown and console.is_terminal)
    with Progress(*columns, console=console, disable=hidden) as progress:
        tasks = {}

        def advance(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file)
            progress.update(tasks[file], completed=done, total=total or None)

        yield advance
