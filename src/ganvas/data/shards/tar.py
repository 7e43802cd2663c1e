"""Read and write tars in webdataset's layout: files of one name belong to one image."""

import hashlib
import io
import mmap
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from ganvas.data.folders.source import MAX_BYTES, Entry, is_hidden
from ganvas.data.shards.keys import LABELS, PICTURES, choose_split
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError
from ganvas.io.reading import parse_json
from ganvas.io.tars import TarMember, list_tar

__all__ = ["HashingFile", "Tar", "write_tar"]

LABEL_KEYS = ("label", "class", "cls")  # in JSON, the first that is there
MAX_LABEL = 2**20  # bytes of a file with a class


class Tar:
    """The pictures of a tar and their classes. Nothing is unpacked.

    Attributes:
        pictures: entries in the order of the tar; of several pictures of one name only the first.
        labels: entry with the class, by what the files of a picture share.
        others: files that are neither pictures nor classes, counted by ending.
        split: cuts the name of a file into what the files of a picture share, and the ending.

    Args:
        file: open at its beginning; it is closed with the tar.
        name: of the tar, in messages.

    Raises:
        UserError: it is not a tar, compressed, or truncated.
    """

    def __init__(self, file: BufferedReader, name: str):
        self.name = name
        self.file = file
        self.pictures: list[Entry] = []
        self.others: Counter[str] = Counter()
        self.labels: dict[str, Entry] = {}
        try:
            # A memory map, since several threads read from it at once.
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._sort(list_tar(file, len(self.bytes)))
        except (OSError, ValueError) as error:  # ValueError: of the list, or an empty file
            file.close()
            raise UserError(
                f"{name} is not a readable uncompressed tar: {error}; write or download it again"
            ) from error

    def _sort(self, members: Iterable[TarMember]) -> None:
        """Sort the files into pictures, classes and others."""
        entries = [
            Entry(name, size, 0, start) for name, size, start in members if not is_hidden(name)
        ]

        # Only all names together show whether keys hold dots.
        self.split = choose_split([entry.name for entry in entries])
        keys = set()  # names of the pictures so far, without endings
        for entry in entries:
            key, ending = self.split(entry.name)
            if ending in PICTURES and key not in keys:
                keys.add(key)
                self.pictures.append(entry)
            # .cls comes before .json, whichever is first in the tar.
            elif ending in LABELS and (ending == "cls" or key not in self.labels):
                self.labels[key] = entry
            else:
                self.others["." + ending if ending else "no ending"] += 1

    def read(self, entry: Entry) -> bytes:
        """The content of a file.

        Raises:
            UnreadableError: it is too large to be a picture.
        """
        if entry.size > MAX_BYTES:
            raise UnreadableError(f"{entry.size / 2**30:.1f} GiB is too large for an image")
        assert isinstance(entry.where, int)
        return self.bytes[entry.where : entry.where + entry.size]

    def open(self, entry: Entry) -> BinaryIO:
        """The content of a file, as a stream.

        Raises:
            UnreadableError: as `read`.
        """
        return io.BytesIO(self.read(entry))

    def label(self, picture: Entry) -> str | None:
        """The class of a picture as it is written there; None where there is none."""
        entry = self.labels.get(self.split(picture.name)[0])
        if entry is None or entry.size > MAX_LABEL:
            return None
        try:
            text = self.read(entry).decode("utf-8").strip()
            value = parse_json(text) if entry.name.lower().endswith("json") else text
        except ValueError:
            return None

        if isinstance(value, dict):
            value = next((value[key] for key in LABEL_KEYS if key in value), None)
        # JSON's true and false are no classes, and to Python they are integers.
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None
        return str(value).strip() or None

    def __enter__(self) -> "Tar":
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes.close()
        self.file.close()


def write_tar(path: Path, files: Iterator[tuple[str, bytes]]) -> str:
    """Write files into a tar such that the same files always give the same bytes.

    Args:
        path: the tar.
        files: name and content of each.

    Returns:
        the tar's SHA-256.
    """
    with path.open("wb") as out:
        watched: Any = HashingFile(out)  # tarfile needs no more than `write` and `tell`
        # USTAR by name: the default has changed between versions of Python, the bytes must not.
        with tarfile.open(fileobj=watched, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in files:
                header = tarfile.TarInfo(name)  # without owner and time
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        return watched.digest.hexdigest()


class HashingFile:
    """A file to write to, with the SHA-256 of what was written."""

    def __init__(self, file: BinaryIO):
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write, and add to the digest."""
        self.digest.update(content)
        return self.file.write(content)

    def tell(self) -> int:
        """Position in the file in bytes."""
        return self.file.tell()
