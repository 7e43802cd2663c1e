"""The packed store: a set decoded once, kept as a memory map with labels and report, and found
again by content.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from ganvas.data.checksums import find_damage, sum_pieces
from ganvas.data.dataset import Dataset, fingerprint
from ganvas.data.report import DataReport
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.files import write_json
from ganvas.io.formats import EXTRAS, install_hint, is_missing
from ganvas.io.reading import DamagedFileError, check_regular, check_values, read_json

__all__ = ["CHECKED", "Packed", "open_image_file", "open_store", "write_images"]

CHECKED: set[Path] = set()  # stores that this process has found to be whole
VERSION = 5  # to be raised when the same files would be packed to other pixels or notes


class Packed(NamedTuple):
    """What a builder reports of the columns that it wrote.

    Attributes:
        names: by column: of classes, attributes, parts.
        report: how the set came to be.
        size: side in pixels of the pictures that training sees; those in the store may be larger.
    """

    names: dict[str, tuple[str, ...]]
    report: DataReport
    size: int


class About(BaseModel):
    """What `about.json` of a store must have."""

    names: dict[str, tuple[str, ...]]
    size: int
    fingerprint: str
    report: DataReport
    checksums: dict[str, list[int]]


def open_store(key: Any, build: Callable[[Path], Packed]) -> Dataset:
    """The data set stored under a key; built and stored first if it is not there, or is damaged.

    Args:
        key: what decides the content; any JSON value.
        build: writes the columns into the folder given, each as NAME.npy, and reports on them.

    Raises:
        UserError: the cache cannot be written, or what `build` raises.
    """
    folder = cache_entry("packed", [VERSION, key])

    def make(partial: Path) -> None:
        partial.mkdir()
        packed = build(partial)

        # of what was read back from the disk, not of what should have been written
        meanings = packed.names | packed.report.meanings()
        digest = fingerprint(_read_columns(partial), meanings)
        about = {
            "names": packed.names,
            "size": packed.size,
            "fingerprint": digest,
            "report": packed.report.model_dump(),
            "checksums": {file.name: sum_pieces(file) for file in sorted(partial.glob("*.npy"))},
        }
        CHECKED.discard(folder)
        write_json(partial / "about.json", about)

    return load_or_make(folder, make, _read_store)


def _read_store(folder: Path) -> Dataset:
    """Open a stored set.

    Raises:
        DamagedFileError: it is not whole.
    """
    about = check_values(About, read_json(folder / "about.json"), folder / "about.json")
    if _is_outdated(about.report):
        raise DamagedFileError(f"{folder} lacks files that can be read by now")
    try:
        damage = _find_damage(folder, about.checksums)
        found = {} if damage else _read_columns(folder)
    except Exception as error:  # NumPy raises anything for a header that it cannot read
        raise DamagedFileError(f"{folder} is damaged: {error}") from error

    whole = (
        bool(found)
        and {f"{name}.npy" for name in found} == about.checksums.keys()
        and about.names.keys() <= found.keys()
        and all(len(values) == about.report.used for values in found.values())
    )
    if damage or not whole:
        raise DamagedFileError(
            f"{folder} is damaged: {damage or 'a column is missing or too short'}"
        )
    return Dataset(found, about.names, about.fingerprint, about.report, about.size)


def _find_damage(folder: Path, checksums: dict[str, list[int]]) -> str:
    """As `find_damage`, once for each store in this process."""
    if folder in CHECKED:
        return ""
    damage = find_damage(folder, checksums)
    if not damage:
        CHECKED.add(folder)
    return damage


def _is_outdated(report: DataReport) -> bool:
    """Whether files were left out for want of an extra that is installed by now."""
    hints = [install_hint(extra) for extra in EXTRAS if not is_missing(extra)]
    return any(hint in item.reason for item in report.skipped for hint in hints)


def _read_columns(folder: Path) -> dict[str, np.ndarray]:
    """The columns in a folder: pictures as memory maps, the rest whole."""
    # read-only: several runs may share a store
    found = {}
    for file in sorted(folder.glob("*.npy")):
        check_regular(file)
        found[file.stem] = np.load(file, mmap_mode="r")
    # four axes: pictures; labels, boxes and captions are small enough for the memory
    return {
        name: values if values.ndim == 4 else np.array(values) for name, values in found.items()
    }


def write_images(path: Path, pieces: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    """Stream pieces (K, *shape) of uint8 into one .npy file."""
    with open_image_file(path, shape) as write:
        for piece in pieces:
            write(piece)


@contextmanager
def open_image_file(path: Path, shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], None]]:
    """Create a .npy file of uint8 (N, *shape); yields the function that appends (K, *shape).

    Written in sequence, not through a memory map: a full disk then is an error, not a crash.
    """
    count = 0

    with path.open("wb") as file:
        # a placeholder of the length of the final header
        _write_header(file, 0, shape)
        start = file.tell()

        def append(piece: np.ndarray) -> None:
            nonlocal count
            file.write(np.ascontiguousarray(piece).data)
            count += len(piece)

        yield append

        # the count is known only now: NumPy leaves room in the header for the first axis to grow
        file.seek(0)
        _write_header(file, count, shape)
        assert file.tell() == start


def _write_header(file: Any, count: int, shape: tuple[int, ...]) -> None:
    """The header of a .npy file of uint8 (count, *shape)."""
    # np.save is of no use here: it needs the whole array at once
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(file, header)
