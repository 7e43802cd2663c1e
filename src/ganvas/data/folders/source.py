"""The files of a folder, zip or tar of images."""

import io
import lzma
import os
import posixpath
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from ganvas.data.folders.listing import Entry, Listing, list_folder, list_zip
from ganvas.data.folders.no_images import describe_other_files
from ganvas.data.folders.tar_files import TarFile, is_compressed_tar
from ganvas.errors import UserError
from ganvas.io.formats import ENDINGS as EXTENSIONS
from ganvas.io.formats import FILM_ENDINGS
from ganvas.io.images import UnreadableError
from ganvas.io.reading import check_regular

__all__ = ["EXTENSIONS", "MAX_BYTES", "Entry", "FileSource", "extension", "is_hidden"]

# What a damaged zip leads to. RuntimeError: it is encrypted, or compressed in a way of its own.
DAMAGE = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, ArithmeticError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
MAX_BYTES = 2**30  # a picture file larger than this is a mistake or an attack


class FileSource:
    """The files of a folder, zip or tar, without hidden ones; a folder that wraps all of them is
    taken off their names.

    Attributes:
        place: the folder, zip or tar.
        links: whether links to folders are followed wherever they lead.
        pictures: entries with the name of a picture, sorted by name; with `films` those of films,
            too, and where there are no pictures, only films.
        others: all other entries by name.
        films: how many of them are films.
        wrapper: the folder that was taken off the names, with a slash at its end; "" for none.
        unseen: folders that were not looked into, and why.
        notes: what a person should know of how the files were listed.
        inner: of pictures that lie in the folder of a split, the name without that folder.
        elsewhere: names of the pictures in other splits, where only those of one are here.
        read_already: names of other files that were of use, such as a table of splits.

    Raises:
        UserError: not a readable folder, zip or tar, or no pictures in it.
    """

    def __init__(self, place: Path, films: bool = False, links: bool = False) -> None:
        self.place = place
        self.links = links
        self.zip: zipfile.ZipFile | None = None
        self.tar: TarFile | None = None
        self.inner: Mapping[str, str] = {}
        self.elsewhere: Collection[str] = ()
        self.read_already: Collection[str] = ()

        found = self._list()
        self.unseen = found.unseen
        self.notes = found.notes

        # sorted by name: the order in which a disk lists files differs from machine to machine
        visible = [entry for entry in found.entries if not is_hidden(entry.name)]
        entries, self.wrapper = _unwrap(visible)
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
            self.close()
            names = [entry.name for entry in visible]
            raise UserError(
                f"{place} holds no images, {describe_other_files(place, names, found.unseen)}; "
                f"images end in {', '.join(sorted(EXTENSIONS))}"
            )

    def _list(self) -> Listing:
        """All files of the place.

        Raises:
            UserError: it cannot be read.
        """
        if self.place.is_dir():
            return list_folder(self.place, self.links)
        if is_compressed_tar(self.place):
            raise UserError(
                f"{self.place} is a compressed tar, in which files cannot be found without "
                f"unpacking all of it; unpack it: tar -xf {self.place}"
            )
        if extension(self.place.name) == ".tar":
            self.tar = TarFile(self.place)
            return self.tar.list()

        try:
            check_regular(self.place)
            self.zip = zipfile.ZipFile(self.place)
        except DAMAGE as error:
            raise UserError(
                f"{self.place} is neither a folder nor a zip of images that can be read: {error}"
            ) from error
        return list_zip(self.zip)

    def inside(self, name: str) -> str:
        """The name of a picture without the folder of its split, if it lies in one."""
        return self.inner.get(name, name)

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of the file's bytes.

        Raises:
            UnreadableError: no permission, encrypted, or a broken zip.
        """
        # before a byte is unpacked: a zip of kilobytes may declare terabytes
        if entry.size > MAX_BYTES:
            raise UnreadableError(f"{entry.size / 2**30:.1f} GiB is too large for an image")

        try:
            if isinstance(entry.where, str):
                return open(entry.where, "rb")  # noqa: PTH123
            if self.tar is not None:
                return io.BytesIO(self.tar.read(entry))
            assert self.zip is not None and isinstance(entry.where, zipfile.ZipInfo)
            return self.zip.open(entry.where)  # type: ignore[return-value]
        except DAMAGE as error:
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
        except DAMAGE as error:
            raise UnreadableError(_explain(error)) from error

    def identity(self) -> list[tuple[str, int, int]]:
        """What changes when the pictures do, without reading them."""
        return [(entry.name, entry.size, entry.mark) for entry in self.pictures]

    def close(self) -> None:
        """Close the zip or tar."""
        if self.zip is not None:
            self.zip.close()
        if self.tar is not None:
            self.tar.close()

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def other_kinds(self, used: Iterable[str]) -> str:
        """The ignored files by ending, ".txt (2), .heic (10)", without those in `used`."""
        known = {*used, *self.read_already}
        kinds = Counter(
            extension(name) or "no extension" for name in self.others if name not in known
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
