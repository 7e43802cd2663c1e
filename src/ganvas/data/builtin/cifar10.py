"""CIFAR-10: 60,000 colour images of 32 pixels in ten classes (Krizhevsky 2009), from its binary
version.

A record is a byte of label and 3,072 of picture: 32 rows of red, of green, of blue. The Python
version is pickled, and nothing is unpickled here.
"""

import gzip
import io
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.data.builtin.arrays import as_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.download import Published, download
from ganvas.io.reading import expand_home, open_file, read_bytes
from ganvas.io.tars import TarError, list_tar

__all__ = ["ARCHIVE", "CIFAR", "CLASSES", "FILES", "RECORD", "RECORDS", "open_cifar"]

CIFAR = "cifar10"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "cifar-10-binary.tar.gz"
PUBLISHED = Published(
    "CIFAR-10",
    ("https://www.cs.toronto.edu/~kriz/",),
    {ARCHIVE: "md5:c32a1d4ab5d03f1284b67883e8d87530"},
    f"name {ARCHIVE}, or the folder that holds it or its files, as {CIFAR}:PLACE",
)
FILES = {
    CIFAR: tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    f"{CIFAR}-test": ("test_batch.bin",),
}
RECORDS = 10_000  # in each file
SIZE = 32
RECORD = 1 + 3 * SIZE**2  # bytes
MAX_BYTES = 2**28  # of the archive when it is unpacked; the published one has 184 million


def open_cifar(spec: str, view: View, progress: bool = False) -> Dataset:
    """`cifar10` or `cifar10-test`, alone (downloaded into the cache if need be) or with `:PLACE`.

    Raises:
        UserError: a file is missing, cannot be downloaded, or is not what it should be.
    """
    name, _, given = spec.partition(":")
    place = expand_home(given) if given else cache_folder() / CIFAR
    if not given:
        download(PUBLISHED, place, progress)
    if not place.exists():
        raise UserError(f"{place} does not exist; {PUBLISHED.elsewhere}")

    # in the order of FILES, wherever they lie in the archive
    contents = _read_files(place, FILES[name])
    records = np.concatenate(
        [_as_records(place, file, content) for file, content in contents.items()]
    )

    # a record holds whole planes, so no axes need be exchanged
    images = records[:, 1:].reshape(-1, 3, SIZE, SIZE)  # uint8 (N, 3, 32, 32)
    test = f"{CIFAR}-test{spec.removeprefix(CIFAR)}" if name == CIFAR else None
    return as_dataset(spec, images, records[:, 0], CLASSES, view, test)


def _read_files(place: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """The files of those names, from a folder, or from the archive, itself or in a folder.

    Raises:
        UserError: one is missing, or cannot be read.
    """
    # unpacked already: the archive has its files in a folder of this name
    for folder in (place, place / "cifar-10-batches-bin"):
        if all((folder / name).is_file() for name in names):
            return {name: read_bytes(folder / name) for name in names}

    archive = place / ARCHIVE if place.is_dir() else place
    if not archive.is_file():
        wanted = f"neither {ARCHIVE} nor {', '.join(names)}"
        raise UserError(
            f"{place} holds {wanted}; the Python version, which is pickled, is not read"
        )

    # Read by bare names, and nothing is written: paths in a tar cannot lead astray.
    found: dict[str, bytes] = {}
    try:
        with open_file(archive) as file, gzip.open(file) as unpacked:
            content = unpacked.read(MAX_BYTES)  # a small file may unpack to terabytes
        for path, size, start in list_tar(io.BytesIO(content), len(content)):
            name = PurePosixPath(path).name
            if name in names and size == RECORDS * RECORD:
                found[name] = content[start : start + size]
    except (TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{archive} cannot be read: {error}; fetch it again") from error

    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(
            f"{archive} holds no whole {', '.join(missing)}; "
            f"wanted is {ARCHIVE}, CIFAR-10's binary version"
        )

    return {name: found[name] for name in names}


def _as_records(place: Path, name: str, content: bytes) -> np.ndarray:
    """uint8 (10,000, 3,073): a label and a picture a row.

    Raises:
        UserError: these are no such records.
    """
    whole = RECORDS * RECORD
    if len(content) != whole:
        raise UserError(
            f"{name} in {place} has {len(content):,} bytes; "
            f"{RECORDS:,} records have {whole:,}: fetch it again"
        )

    # other data of this length would begin its rows with bytes above 9
    records = np.frombuffer(content, np.uint8).reshape(RECORDS, RECORD)  # read-only
    if records[:, 0].max() >= len(CLASSES):
        raise UserError(
            f"{name} in {place} has the label {records[:, 0].max()}; "
            f"CIFAR-10's are 0 to {len(CLASSES) - 1}"
        )

    return records
