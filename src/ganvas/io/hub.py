"""Repositories of the Hugging Face Hub: their names, what they hold, and errors in one line."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.console import print_text
from ganvas.io.download import UnreachableError
from ganvas.io.files import explained, write_json
from ganvas.io.reading import DamagedFileError, read_json

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = [
    "Content",
    "RemoteFile",
    "Repo",
    "flatten_path",
    "hub_errors",
    "list_content",
    "open_hub",
]

TIMEOUT = 20.0  # seconds without an answer
OWNER_AND_NAME = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"
REVISION = r"[\w.-][\w./-]{0,199}"
COMMIT = r"[0-9a-f]{40}"
MOST_FILES = 100_000  # of a repository


@dataclass(frozen=True)
class Repo:
    """A repository, as a person named it.

    Attributes:
        kind: of the repository.
        name: OWNER/NAME.
        revision: a branch, a tag or a commit; "": the main branch.
        written: the whole name, in messages.
    """

    kind: Literal["model", "dataset"]
    name: str
    revision: str
    written: str

    @classmethod
    def parse(cls, kind: Literal["model", "dataset"], written: str) -> "Repo":
        """Read "PREFIX:OWNER/NAME" or "PREFIX:OWNER/NAME@REVISION".

        Raises:
            UserError: it is none.
        """
        prefix, _, place = written.partition(":")
        name, at, revision = place.partition("@")
        right = re.fullmatch(OWNER_AND_NAME, name) and ".." not in place
        if not right or (at and not re.fullmatch(REVISION, revision)):
            raise UserError(
                f"{written!r} is no name on the Hub; write {prefix}:OWNER/NAME or "
                f"{prefix}:OWNER/NAME@REVISION"
            )
        return cls(kind, name, revision, written)

    @property
    def folder(self) -> Path:
        """Where the cache keeps its files: a folder for each commit."""
        return cache_folder() / "hub" / f"{self.kind}s" / self.name


class RemoteFile(NamedTuple):
    """A file of a repository.

    Attributes:
        path: in the repository.
        size: in bytes.
        digest: "sha256:..." of its content, or "git:..." of a small file.
    """

    path: str
    size: int
    digest: str


@dataclass(frozen=True)
class Content:
    """What a repository holds.

    Attributes:
        commit: that it was looked at.
        files: by path.
    """

    commit: str
    files: Mapping[str, RemoteFile]


def open_hub(written: str, bars: bool = False) -> "HfApi":
    """The Hub's interface. It sends no statistics of its use and prints no log.

    Args:
        written: what needs it, in messages.
        bars: whether the progress of files is shown on a terminal.

    Raises:
        UserError: the library is missing.
    """
    try:
        from huggingface_hub import HfApi, constants
        from huggingface_hub.utils import disable_progress_bars, enable_progress_bars, logging
    except ImportError as error:
        raise UserError(
            f"{written}: the Hub is reached by huggingface_hub; install it: "
            "pip install 'ganvas[hub]'"
        ) from error
    constants.HF_HUB_DISABLE_TELEMETRY = True
    logging.set_verbosity_error()
    (enable_progress_bars if bars and sys.stderr.isatty() else disable_progress_bars)()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="ganvas")


@contextmanager
def hub_errors(written: str) -> Iterator[None]:
    """Turn what the library raises into one line.

    Args:
        written: the repository, in messages.

    Raises:
        UserError: instead of any error of the Hub.
        UnreachableError: instead of any error of the network.
    """
    from huggingface_hub import errors

    # of whichever library for HTTP it uses
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage]

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise _unreachable(written, "HF_HUB_OFFLINE is set") from error
    except errors.GatedRepoError as error:
        raise UserError(
            f"{written} is gated: accept its conditions on its page on the Hub, then log in by "
            "`hf auth login`, or set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{written}: the repository is there, but no such revision") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{written} is not on the Hub, or it is private: check the name, or log in by "
            "`hf auth login`"
        ) from error
    except errors.HfHubHTTPError as error:
        raise _explain_answer(written, error) from error
    except (HTTPError, errors.FileMetadataError, errors.LocalEntryNotFoundError) as error:
        raise _unreachable(written, _first_line(error)) from error
    except errors.HFValidationError as error:
        raise UserError(f"{written} is no name on the Hub: {_first_line(error)}") from error
    except RuntimeError as error:  # of an upload, around the true reason
        raise UserError(f"{written}: {_first_line(error.__cause__ or error)}") from error
    except OSError as error:
        raise UserError(f"{written}: {_first_line(error)}") from error


def _unreachable(written: str, reason: str) -> UnreachableError:
    """The error for a Hub that gives no answer."""
    return UnreachableError(f"{written}: the Hub cannot be reached ({reason})")


def _explain_answer(written: str, error: Any) -> UserError:
    """An answer of the Hub that is an error, in one line."""
    status = error.response.status_code
    said = _first_line(error.server_message or error.response.reason_phrase or "no reason given")
    if status == 401:
        return UserError(f"{written}: the Hub knows no such token; log in by `hf auth login`")
    if status == 403:
        return UserError(f"{written}: the account of this token may not do that ({said})")
    if status >= 500 or status == 429:
        return _unreachable(written, f"it answered {status}: {said}")
    return UserError(f"{written}: the Hub answered {status}: {said}")


def _first_line(error: object) -> str:
    """The first line of a message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def flatten_path(path: str) -> str:
    """A path, or a revision, of the Hub as one name on the disk: no two of them share one."""
    return path.replace("/", "%2F")  # none has a "%" of its own


def list_content(repo: Repo) -> Content:
    """List the files of a repository.

    Where the Hub cannot be reached, what it answered the last time counts, and a line on stderr
    says so.

    Raises:
        UserError: there is no such repository, it may not be read, or the Hub cannot be reached.
    """
    known = repo.folder / f"{flatten_path(repo.revision or 'main')}.json"
    # a commit never changes
    if re.fullmatch(COMMIT, repo.revision) and known.exists():
        return _read_content(known)

    hub = open_hub(repo.written)
    try:
        with hub_errors(repo.written):
            ask = hub.model_info if repo.kind == "model" else hub.dataset_info
            info = ask(
                repo.name, revision=repo.revision or None, files_metadata=True, timeout=TIMEOUT
            )
    except UnreachableError as error:
        if not known.exists():
            raise UserError(f"{error}, and nothing of it is in the cache") from error
        print_text(f"note: {error}; what was fetched from it the last time is used", error=True)
        return _read_content(known)

    files = [
        [one.rfilename, one.size or 0, _name_digest(one)]
        for one in (info.siblings or [])[:MOST_FILES]
    ]
    with explained(known):
        known.parent.mkdir(parents=True, exist_ok=True)
    write_json(known, {"commit": info.sha, "files": files})
    return _read_content(known)


def _name_digest(file: Any) -> str:
    """The digest that the Hub gives for a file."""
    if file.lfs is not None:
        return f"sha256:{file.lfs.sha256}"
    return f"git:{file.blob_id}"


def _read_content(known: Path) -> Content:
    """What the Hub answered, from the cache; checked, since it is a stranger's.

    Raises:
        DamagedFileError: it is something else.
    """
    values = read_json(known)
    try:
        commit = str(values["commit"])
        files = [
            RemoteFile(str(path), int(size), str(digest)) for path, size, digest in values["files"]
        ]
    except (KeyError, TypeError, ValueError):
        raise DamagedFileError(f"{known} is damaged; remove it") from None
    if not re.fullmatch(COMMIT, commit) or any(file.size < 0 for file in files):
        raise DamagedFileError(f"{known} does not describe a repository; remove it")
    return Content(commit, {file.path: file for file in files})
