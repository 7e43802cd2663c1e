"""List the files of a tar that others may have written, with every number checked before its use.

Python's own `tarfile` trusts the sizes in headers: a negative one makes it read the same header for
ever, and a damaged header in the middle ends its list without a word.

Formats: POSIX.1-1988 (ustar), POSIX.1-2001 (pax), and GNU's long names and large numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

__all__ = ["TarError", "TarMember", "list_tar"]

BLOCK = 512  # bytes of a header; contents are padded to a multiple
MAX_NOTE = 2**20  # bytes of a long name or of a pax record
FILES = b"0\0007"  # types of headers: a plain file
LONG_NAME, LONG_LINK = b"L", b"K"  # GNU's: the content is the name, or link, of the next file
OWN_RECORDS, ALL_RECORDS = b"x", b"g"  # pax: records on the next file, or on all that follow
SPARSE = b"S"
EMPTY = b"12346"  # links, devices, pipes: they have no content, whatever their size says


class TarError(ValueError):
    """It is not a tar that can be read; the message gives the reason."""


class TarMember(NamedTuple):
    """A plain file in a tar.

    Attributes:
        name: as the tar gives it.
        size: bytes of its content.
        start: where its content begins in the tar.
    """

    name: str
    size: int
    start: int


@dataclass
class Notes:
    """What special headers say of the file after them.

    Attributes:
        name: its name, if it is too long for its own header.
        size: its size, if it is too large for its own header.
        sparse: whether it lies there in pieces.
    """

    name: str = ""
    size: int | None = None
    sparse: bool = False


@dataclass
class Position:
    """How far the tar has been read.

    Attributes:
        file: the tar.
        end: its size in bytes.
        place: of the next header.
        notes: on the next file.
    """

    file: BinaryIO
    end: int
    place: int = 0
    notes: Notes = field(default_factory=Notes)


def list_tar(file: BinaryIO, end: int) -> Iterator[TarMember]:
    """List the plain files of an uncompressed tar, in their order; sparse ones are left out.

    Args:
        file: the tar; it is read from its beginning.
        end: its size in bytes.

    Raises:
        TarError: it is compressed, cut off, or damaged.
    """
    at = Position(file, end)
    while header := _read_header(at):
        kind, size = header[156:157], _read_size(header[124:136])
        notes, at.notes = at.notes, Notes()
        if kind in (LONG_NAME, LONG_LINK, OWN_RECORDS, ALL_RECORDS):
            at.notes = notes  # several may precede one file
            _take_note(at, kind, size)
            continue

        if notes.size is not None:
            size = notes.size
        start = at.place
        _skip(at, 0 if kind in EMPTY else size)
        name = notes.name or _read_name(header)
        # Before POSIX, a folder was a file whose name ends in a slash.
        if kind in FILES and not notes.sparse and not name.endswith("/"):
            yield TarMember(name, size, start)


def _read_header(at: Position) -> bytes:
    """The next header; empty at the end of the tar.

    Raises:
        TarError: it is cut off or damaged.
    """
    if at.place == at.end and at.place:
        return b""  # without the two empty blocks that should end it
    at.file.seek(at.place)
    header = at.file.read(BLOCK)
    if len(header) == BLOCK and not any(header):
        return b""
    if len(header) < BLOCK:
        raise TarError("it is cut off" if at.place else "it is empty or too short")

    # The sum of all bytes, those of the sum itself counted as blanks.
    total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if _read_octal(header[148:156]) != total:
        raise TarError(f"there is no valid header at byte {at.place:,}")
    at.place += BLOCK
    return header


def _skip(at: Position, size: int) -> None:
    """Go on behind a content of `size` bytes and its padding.

    Raises:
        TarError: there are not so many bytes.
    """
    if size > at.end - at.place:
        raise TarError(f"it is cut off: a file of {size:,} bytes begins at byte {at.place:,}")
    # The padding of the last file may be missing.
    at.place = min(at.end, at.place + -(-size // BLOCK) * BLOCK)


def _take_note(at: Position, kind: bytes, size: int) -> None:
    """Read what a special header says of the next file.

    Raises:
        TarError: it is too long, cut off, or malformed.
    """
    if size > MAX_NOTE:
        raise TarError(f"a long name or record of {size:,} bytes")
    at.file.seek(at.place)
    content = at.file.read(size)
    _skip(at, size)
    if kind == LONG_NAME:
        at.notes.name = _to_text(content.partition(b"\0")[0])
    elif kind == OWN_RECORDS:
        _take_records(at.notes, content)
    # Records on all files that follow hold no names and sizes, but dates and comments.


def _take_records(notes: Notes, content: bytes) -> None:
    """Read the records of pax: "LENGTH KEY=VALUE" and a newline each.

    Raises:
        TarError: a length or a size is no number, or does not fit.
    """
    while content:
        digits, _, _ = content[:20].partition(b" ")
        length = _read_decimal(digits)
        if not len(digits) < length <= len(content):
            raise TarError(f"a record of {length:,} bytes among {len(content):,}")
        key, _, value = content[len(digits) + 1 : length].removesuffix(b"\n").partition(b"=")
        content = content[length:]

        if key == b"path":
            notes.name = _to_text(value)
        elif key == b"size":
            notes.size = _read_decimal(value)
        elif key.startswith(b"GNU.sparse."):
            notes.sparse = True


def _read_name(header: bytes) -> str:
    """The name in a header."""
    name = header[:100].partition(b"\0")[0]
    # ustar has room for the folders of a long name; GNU uses it for something else.
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _to_text(prefix + b"/" + name if prefix else name)


def _to_text(name: bytes) -> str:
    """A name as Python writes names of files, whatever its bytes."""
    return name.decode("utf-8", "surrogateescape")


def _read_size(field: bytes) -> int:
    """A size in a header: octal digits, or for large ones GNU's binary number.

    Raises:
        TarError: it is no number, or negative.
    """
    if not field[0] & 0x80:
        return _read_octal(field)
    if field[0] != 0x80:
        raise TarError("a file has a negative size, or one beyond all disks")
    return int.from_bytes(field[1:], "big")


def _read_octal(field: bytes) -> int:
    """A number of octal digits, between blanks and zeros; an empty one is 0.

    Raises:
        TarError: it is none.
    """
    digits = field.partition(b"\0")[0].strip(b" ")
    if digits.strip(b"01234567"):
        raise TarError(f"{digits!r} is no octal number")
    return int(digits or b"0", 8)


def _read_decimal(digits: bytes) -> int:
    """A number of at most 19 decimal digits.

    Raises:
        TarError: it is none.
    """
    if not 0 < len(digits) < 20 or digits.strip(b"0123456789"):
        raise TarError(f"{digits[:20]!r} is no number of bytes")
    return int(digits)
