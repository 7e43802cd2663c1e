"""List and read the files of a folder or zip of images."""

import contextlib
import lzma
import os
import posixpath
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.formats import ENDINGS as EXTENSIONS
from ganvas.io.formats import FILM_ENDINGS
from ganvas.io.images import UnreadableError

__all__ = ["EXTENSIONS", "MAX_BYTES", "Entry", "FileSource", "extension", "is_hidden"]

MAX_BYTES = 2**30  # a picture file larger than this is a mistake or an attack


@dataclass(frozen=True)
class Entry:
    """One file of a set.

    Attributes:
        name: path within the set, with forward slashes.
        size: bytes, as the folder or the zip declares.
        mark: what changes when the content does: modification time in ns, or the zip's CRC.
        where: how to open it: its path, its entry in the zip, or where it begins in the tar.
    """

    name: str
    size: int
    mark: int
    where: str | zipfile.ZipInfo | int


class FileSource:
    """The files of a folder or zip, without hidden ones; a folder that wraps all of them is taken
    off their names.

    Attributes:
        place: the folder or zip.
        pictures: entries with the name of a picture, sorted by name; with `films` those of films,
            too, and where there are no pictures, only films.
        others: all other entries by name.
        films: how many of them are films.
        unseen: folders that were not looked into, and why.

    Raises:
        UserError: not a readable folder or zip, or no pictures in it.
    """

    def __init__(self, place: Path, films: bool = False) -> None:
        self.place = place
        self.zip: zipfile.ZipFile | None = None
        self.unseen: list[str] = []

        if place.is_dir():
            entries, self.unseen = _list_folder(place)
        else:
            try:
                self.zip = zipfile.ZipFile(place)
            except (zipfile.BadZipFile, OSError) as error:
                raise UserError(
                    f"{place} is neither a folder nor a zip of images that can be read: {error}"
                ) from error
            entries = _list_zip(self.zip)

        # sorted by name: the order in which a disk lists files differs from machine to machine
        entries, self.wrapper = _unwrap([entry for entry in entries if not is_hidden(entry.name)])
        entries.sort(key=lambda entry: entry.name)

        endings = EXTENSIONS | FILM_ENDINGS if films else EXTENSIONS
        if not any(extension(entry.name) in endings for entry in entries):
            endings = FILM_ENDINGS
        self.pictures = [entry for entry in entries if extension(entry.name) in endings]
        self.others = {
            entry.name: entry for entry in entries if extension(entry.name) not in endings
        }
        self.films = sum(extension(name) in FILM_ENDINGS for name in self.others)

        if not self.pictures:
            found = "no files"
            if self.others:
                found = f"only {count_noun(len(self.others), 'other file')}"
            raise UserError(
                f"{place} holds no images, {found}; images end in {', '.join(sorted(EXTENSIONS))}"
            )

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of the file's bytes.

        Raises:
            UnreadableError: no permission, encrypted, or a broken zip.
        """
        # before a byte is unpacked: a zip of kilobytes may declare terabytes
        if entry.size > MAX_BYTES:
            raise UnreadableError(f"{entry.size / 2**30:.1f} GiB is too large for an image")

        # RuntimeError is what zipfile raises for encrypted files
        try:
            if isinstance(entry.where, str):
                return open(entry.where, "rb")  # noqa: PTH123
            assert self.zip is not None and isinstance(entry.where, zipfile.ZipInfo)
            return self.zip.open(entry.where)  # type: ignore[return-value]
        except (OSError, RuntimeError, zipfile.BadZipFile) as error:
            raise UnreadableError(_explain(error)) from error

    def read(self, entry: Entry) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: as for `open`; or the bytes are not those that the zip promises.
        """
        try:
            # larger files go through `open`, which refuses them
            if isinstance(entry.where, str) and entry.size <= MAX_BYTES:
                return _read_file(entry.where, entry.size)
            with self.open(entry) as file:
                return file.read()

        # a damaged zip makes itself known in many ways, by its kind of compression
        except (
            OSError,
            EOFError,
            RuntimeError,
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
        ) as error:
            raise UnreadableError(_explain(error)) from error

    def identity(self) -> list[tuple[str, int, int]]:
        """What changes when the pictures do, without reading them."""
        return [(entry.name, entry.size, entry.mark) for entry in self.pictures]

    def close(self) -> None:
        """Close the zip."""
        if self.zip is not None:
            self.zip.close()

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def other_kinds(self, used: Iterable[str]) -> str:
        """The ignored files by ending, ".txt (2), .heic (10)", without those in `used`."""
        kinds = Counter(
            extension(name) or "no extension" for name in self.others if name not in set(used)
        )
        return ", ".join(f"{kind} ({count:,})" for kind, count in sorted(kinds.items()))


def _read_file(path: str, size: int) -> bytes:
    """A file's bytes, with as few system calls as there can be: threads that read wait for one
    another at each.
    """
    # Windows would otherwise change line ends within the pixels
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        # one read is enough for nearly all files; network disks may give less at once
        content = os.read(handle, size)
        while len(content) < size and (more := os.read(handle, size - len(content))):
            content += more

        return content
    finally:
        os.close(handle)


def _list_folder(folder: Path) -> tuple[list[Entry], list[str]]:
    """All files below a folder; links to files are followed, links to folders are not.

    Also returns what could not be listed.
    """
    entries: list[Entry] = []
    unseen: list[str] = []
    # strings, not Paths: a set may hold a million files
    start = len(os.path.join(folder, ""))  # noqa: PTH118

    def note(error: OSError) -> None:
        unseen.append(f"{error.filename} ({error.strerror})")

    # links to folders are not followed: they may lead in a circle, or out of the set
    for top, folders, names in os.walk(folder, onerror=note):
        links = [Path(top, name) for name in folders if Path(top, name).is_symlink()]
        unseen.extend(f"{link} (a link to a folder)" for link in links)

        for name in names:
            path = os.path.join(top, name)  # noqa: PTH118
            with contextlib.suppress(FileNotFoundError):  # removed since it was listed
                state = os.stat(path)  # noqa: PTH116
                # no pipes or devices: opening one may wait for ever
                if stat.S_ISREG(state.st_mode):
                    inside = path[start:].replace(os.sep, "/")
                    entries.append(Entry(inside, state.st_size, state.st_mtime_ns, path))

    return entries, unseen


def _list_zip(archive: zipfile.ZipFile) -> list[Entry]:
    """All files of a zip."""
    # some programs for Windows write backslashes, against the format
    return [
        Entry(info.filename.replace("\\", "/"), info.file_size, info.CRC, info)
        for info in archive.infolist()
        if not info.is_dir()
    ]


def _unwrap(entries: list[Entry]) -> tuple[list[Entry], str]:
    """Take a folder that holds all pictures off the names: "faces/a/1.png" becomes "a/1.png". Also
    returns what went.

    Files that are not pictures may lie beside it; a table may not, for it names files from where it
    lies.
    """
    wrapper = ""

    # again and again: wrappers may lie in one another
    while True:
        pictures = [entry for entry in entries if extension(entry.name) in EXTENSIONS]
        tops = {entry.name.partition("/")[0] for entry in pictures}
        tables = [
            entry for entry in entries if "/" not in entry.name and extension(entry.name) == ".csv"
        ]
        if len(tops) != 1 or tables or any("/" not in entry.name for entry in pictures):
            return entries, wrapper

        top = tops.pop() + "/"
        wrapper += top
        # what lies beside the wrapper keeps its name
        entries = [
            Entry(entry.name.removeprefix(top), entry.size, entry.mark, entry.where)
            for entry in entries
        ]


def is_hidden(name: str) -> bool:
    """Files and folders that file managers make for themselves."""
    # every part counts: what lies in a hidden folder is hidden too
    return any(
        part.startswith(".") or part in ("__MACOSX", "Thumbs.db") for part in name.split("/")
    )


def extension(name: str) -> str:
    """The ending of a name in small letters, with its dot."""
    return posixpath.splitext(name)[1].lower()


def _explain(error: Exception) -> str:
    """A reason for a person, from what reading a file raised."""
    # zipfile has no class of error of its own for this
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "encrypted in the zip; unpack it with its password first"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return f"damaged in the zip: {error}"
