"""Download published files: resumed where they broke off, and checked by digest."""

import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole
from ganvas.io.files import PARTIAL, find_leftovers, hash_file, is_abandoned, partial_path, sync

__all__ = ["Published", "UnreachableError", "download", "read_url"]

TIMEOUT = 20.0  # seconds without an answer
MAX_BYTES = 2**29  # of a file that is read into memory
MAX_DOWNLOAD = 2**33  # of a file whose size is not known
BLOCK = 2**16  # bytes read at once
# Seconds before each new attempt, where a server is overloaded or a connection breaks.
PAUSES = (1.0, 3.0, 9.0, 27.0)
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # answers that may be others soon


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
        sizes: bytes by file name, where they are known; no more are fetched.
        patient: whether to wait a while for a server that cannot be reached, because it could
            be reached before.
    """

    name: str
    mirrors: tuple[str, ...]
    files: dict[str, str]
    elsewhere: str
    sizes: dict[str, int] = field(default_factory=dict)
    patient: bool = False


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

    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot create {folder}: {error.strerror}; set GANVAS_CACHE to another folder"
        ) from error

    try:
        _download_missing(published, missing, folder, progress)
    except BaseException:  # Ctrl-C too
        for empty in new:
            with suppress(OSError):  # it holds the beginning of a file, or others use it
                empty.rmdir()
        raise


def _download_missing(
    published: Published, missing: list[str], folder: Path, progress: bool
) -> None:
    """Download files into a folder that is there; as `download`."""
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
    for dead in find_leftovers(folder, re.escape(file)):  # of processes that were killed
        if is_abandoned(dead):
            with suppress(OSError):
                dead.replace(left)
    mine = partial_path(folder / file)
    with suppress(FileNotFoundError):  # there is none, or another process was faster
        left.replace(mine)

    reasons = []
    expected = published.files[file]
    try:
        for mirror in published.mirrors:
            transfer = Transfer(
                mirror + urllib.parse.quote(file),
                mine,
                published.sizes.get(file, MAX_DOWNLOAD),
                published.patient,
                lambda done, total: advance(file, done, total),
            )
            reason = transfer.run()
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


class _OversizeError(Exception):
    """A server sends more than the file has."""


@dataclass
class Transfer:
    """The download of one file from one address.

    Attributes:
        url: the address.
        path: where to; what is there already is not fetched again.
        most: bytes that the file has, or may have.
        patient: whether to wait for a server that cannot be reached at all.
        advance: called with the bytes done and the bytes in all, 0 if they are unknown.
    """

    url: str
    path: Path
    most: int
    patient: bool
    advance: Callable[[int, int], None]

    def run(self) -> str:
        """Append to the file what it lacks; repeat while requests add bytes, and after a pause
        where the server may soon be able to.

        Returns:
            why it failed; "" if all of it is there.
        """
        pauses = list(PAUSES)
        while True:
            start = self._size()
            reason, may_pass = self._try(start)
            # A request that adds nothing must not be repeated for ever.
            if not reason or not (self._size() > start or (may_pass and pauses)):
                return reason
            if self._size() > start:
                pauses = list(PAUSES)
            else:
                time.sleep(pauses.pop(0))

    def _size(self) -> int:
        """Bytes that are there already."""
        return self.path.stat().st_size if self.path.exists() else 0

    def _try(self, start: int) -> tuple[str, bool]:
        """Make one request for the bytes from `start` on.

        Returns:
            why it failed, "" if all of it is there; and whether a later request may do better.
        """
        try:
            return ("", False) if self._receive(start) else ("broke off", True)
        except _OversizeError:
            # It is not the file; nothing of it is kept.
            self.path.unlink(missing_ok=True)
            return f"it has more than the {self.most:,} bytes that it should have", False
        except urllib.error.HTTPError as error:
            error.close()
            # Nothing follows after what is here already; the digest shows whether it is right.
            if error.code == 416 and start:
                return "", False
            return f"{error.code} {error.reason}", error.code in TRANSIENT
        except urllib.error.URLError as error:
            # No connection at all: the address is wrong, or there is no network.
            return _explain(error), self.patient or isinstance(error.reason, TimeoutError)
        except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
            return _explain(error), True
        except (OSError, ValueError) as error:  # the disk is full; or the address is none
            return _explain(error), False

    def _receive(self, start: int) -> bool:
        """Make one request for the bytes from `start` on.

        Returns:
            whether all announced bytes arrived.

        Raises:
            _OversizeError: more bytes are announced or sent than the file may have.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        request = urllib.request.Request(self.url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            if response.status != 206:
                start = 0  # a server without ranges sends the whole file

            # Of this answer: after a 206, of the rest.
            announced = response.headers.get("Content-Length") or ""
            total = start + int(announced) if re.fullmatch(r"[0-9]{1,18}", announced) else 0
            if total > self.most:
                raise _OversizeError
            # "wb" drops what an earlier request has left.
            with self.path.open("ab" if start else "wb") as file:
                while piece := response.read(BLOCK):
                    if file.tell() + len(piece) > self.most:
                        raise _OversizeError
                    file.write(piece)
                    self.advance(file.tell(), total)
                # Without an announced length the end looks like a break; the digest decides.
                return not total or file.tell() == total


def _explain(error: Exception) -> str:
    """Why a request failed, in words."""
    reason = getattr(error, "reason", "") or error
    # of an error of the system its words, without its number
    return str(getattr(reason, "strerror", "") or reason) or type(error).__name__


def read_url(url: str) -> bytes | None:
    """Read a small file at an address.

    Returns:
        its content; None if the server answers that there is none, or denies access.

    Raises:
        UnreachableError: there is no such server, no network, or no complete answer.
        UserError: the file has more than MAX_BYTES.
    """
    pauses = list(PAUSES)
    while True:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                content = response.read(MAX_BYTES + 1)  # one byte more shows that there are more
            break
        except urllib.error.HTTPError as error:
            error.close()
            # 403 too: servers that list no folders answer so where there is no file.
            if error.code in (401, 403, 404, 410):
                return None
            if error.code not in TRANSIENT or not pauses:
                reason = f"cannot fetch {url}: {error.code} {error.reason}"
                raise UnreachableError(reason) from error
        except (ConnectionResetError, http.client.IncompleteRead) as error:
            if not pauses:
                raise UnreachableError(f"cannot fetch {url}: {_explain(error)}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no URL
            raise UnreachableError(f"cannot fetch {url}: {_explain(error)}") from error
        time.sleep(pauses.pop(0))

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
