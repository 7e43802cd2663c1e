"""Fetch files of the Hugging Face Hub into the cache.

A repository is a stranger's: only files that were asked for by name are fetched, of a known size,
and their content is compared with the digests that the Hub gives.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from ganvas.errors import UserError
from ganvas.io.console import print_text
from ganvas.io.download import UnreachableError
from ganvas.io.files import explained, hash_file, remove, sync
from ganvas.io.hub import RemoteFile, Repo, hub_errors, open_hub
from ganvas.io.numbers import read_size

__all__ = ["fetch_files"]

LIMIT = "GANVAS_HUB_LIMIT"  # the variable with the most that is fetched from a repository
SAID = 10_000_000  # bytes from which a download is announced


def fetch_files(
    repo: Repo,
    commit: str,
    files: Sequence[RemoteFile],
    folder: Path,
    limit: str,
    place: Callable[[str], str] = str,
) -> None:
    """Fetch files of a repository that are not in a folder yet; a download that broke off goes on.

    A file gets its name there only once its content was found right.

    Args:
        repo: that has them.
        commit: of which.
        files: which; their paths below the folder are safe.
        folder: where to.
        limit: the most that all of them may have, such as "5G", unless GANVAS_HUB_LIMIT allows
            more.
        place: of a path in the repository the path below the folder.

    Raises:
        UserError: they are too large, cannot be fetched, or are not what the Hub says.
    """
    missing = [file for file in files if not (folder / place(file.path)).is_file()]
    if not missing:
        return
    total, most = sum(file.size for file in files), read_size(LIMIT, limit)
    if total > most:
        raise UserError(
            f"{repo.written}: {len(files):,} files with {_write_size(total)}, and "
            f"{_write_size(most)} is the limit; if you want them, allow more with {LIMIT}, e.g. "
            f"{LIMIT}={-(-total // 2**30)}G"
        )
    size = sum(file.size for file in missing)
    if size >= SAID:
        print_text(f"{repo.written}: fetching {_write_size(size)} into {folder}", error=True)

    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    fetching = folder / ".fetching"
    try:
        # another process may want the same files; it waits, and then finds them
        with explained(folder), FileLock(folder / ".lock"):
            for file in missing:
                if not (folder / place(file.path)).is_file():
                    _fetch_file(repo, commit, file, fetching, folder / place(file.path))
            remove(fetching)
    except UnreachableError as error:
        raise UserError(f"{error}; the same command goes on where it broke off") from error


def _fetch_file(repo: Repo, commit: str, file: RemoteFile, fetching: Path, target: Path) -> None:
    """Fetch one file, check it, and give it its name."""
    hub = open_hub(repo.written, bars=file.size >= SAID)
    with hub_errors(repo.written):
        found = Path(
            hub.hf_hub_download(
                repo.name, file.path, repo_type=repo.kind, revision=commit, local_dir=fetching
            )
        )

    if found.stat().st_size != file.size or not _is_right(found, file.digest):
        remove(found)
        raise UserError(
            f"{repo.written}: {file.path} is not what the Hub says that it is (another size or "
            "digest); fetch it again, and if that fails, do not use it"
        )
    sync(found)  # before the rename, or a crash could leave a name without its bytes
    target.parent.mkdir(parents=True, exist_ok=True)
    found.replace(target)


def _is_right(path: Path, digest: str) -> bool:
    """Whether a file has a digest: SHA-256, or git's of its content."""
    kind, _, value = digest.partition(":")
    if kind == "sha256":
        return hash_file(path) == value
    content = path.read_bytes()  # git's are of small files
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == value


def _write_size(size: int) -> str:
    """A size for people: 12 MB, 1.2 GB."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
