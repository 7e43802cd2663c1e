"""Read NumPy's files: an array (.npy), or several by name (.npz). Nothing is unpickled."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ganvas.data.arrays.images import ArrayImages, read_labels
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.reading import check_regular

__all__ = ["ARRAYS", "ArrayFile", "read_array_file"]

ARRAYS = (".npy", ".npz")
ROWS = 256  # read at once
MOST_BYTES = 2**38  # of an array that is unpacked: 256 GiB
BLOWN_UP = 2**30  # bytes above which an array may not be packed more densely than images can be
MOST_RATIO = 200  # bytes unpacked for each one in the file
MOST_LABELS = 2**28  # bytes of labels, and of names of classes
# Names of arrays in .npz files that hold data sets, the first that is there.
IMAGES = ("images", "image", "x", "X", "data", "x_train", "X_train", "train_images", "arr_0")
LABELS = {
    "x_train": ("y_train",),
    "X_train": ("y_train",),
    "train_images": ("train_labels",),
}
USUAL_LABELS = ("labels", "label", "y", "targets", "target")
NAMES = ("classes", "class_names", "names", "label_names")


class ArrayFile(NamedTuple):
    """What a file holds.

    Attributes:
        images: of one size.
        labels: int64 (N,); None: there are none.
        classes: their names.
        notes: on arrays that are not used.
    """

    images: ArrayImages
    labels: np.ndarray | None
    classes: tuple[str, ...]
    notes: list[str]


def read_array_file(path: Path) -> ArrayFile:
    """Read the heads of a .npy or .npz file, and its labels.

    Raises:
        UserError: it is damaged, holds Python objects, or no images.
    """
    try:
        check_regular(path)
        return _read_npz(path) if path.suffix.lower() == ".npz" else _read_npy(path)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise UserError(f"{path} cannot be read: {error}; save it again with NumPy") from error


def _read_npy(path: Path) -> ArrayFile:
    with path.open("rb") as file:
        _read_head(file, str(path))  # before NumPy, which names neither file nor remedy
    values = np.load(path, mmap_mode="r", allow_pickle=False)  # compares its length with the head

    def pieces() -> Iterator[np.ndarray]:
        for rows in chunk_slices(len(values), ROWS):
            yield values[rows]

    return ArrayFile(ArrayImages(str(path), values.shape, values.dtype, pieces), None, (), [])


def _read_head(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of an array, from the beginning of its file.

    Raises:
        UserError: it holds Python objects.
        ValueError: it is no such file.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version[0] > 1:
        read = np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(file)
    if kind.hasobject:
        raise UserError(
            f"{name} holds Python objects, which are never unpickled; save an array of numbers, or "
            "of texts: np.array(values)"
        )
    if len(shape) == 0 or any(side < 0 for side in shape):
        raise UserError(f"{name} has the shape {shape}; images are an array of them")
    if np.prod(shape, dtype=float) * kind.itemsize > MOST_BYTES:
        raise UserError(f"{name} declares the shape {shape}, more than {MOST_BYTES // 2**30} GiB")
    return shape, fortran, kind


# Several arrays


def _read_npz(path: Path) -> ArrayFile:
    with zipfile.ZipFile(path) as archive:
        members = [info.filename for info in archive.infolist()]
    names = [name.removesuffix(".npy") for name in members if name.endswith(".npy")]
    chosen = next((name for name in IMAGES if name in names), None)
    if chosen is None and len(names) == 1:
        chosen = names[0]
    if chosen is None:
        raise UserError(
            f"{path} holds the arrays {', '.join(names[:10]) or 'none'}; images are called "
            f"{', '.join(IMAGES[:5])}, and labels y or labels"
        )

    with _open_member(path, chosen) as (_, shape, fortran, kind):
        if fortran:
            raise UserError(
                f"{path}: {chosen} is saved column by column; save np.ascontiguousarray({chosen})"
            )
    images = ArrayImages(f"{path}: {chosen}", shape, kind, lambda: _stream(path, chosen))

    used = {chosen}
    labels, classes = None, ()
    label = next((one for one in LABELS.get(chosen, USUAL_LABELS) if one in names), None)
    if label:
        used.add(label)
        values = _read_small(path, label)
        labels, classes = read_labels(values, shape[0], f"{path}: {label}")
        called = next((one for one in NAMES if one in names), None)
        if called:
            used.add(called)
            classes = _name_classes(_read_small(path, called), classes, f"{path}: {called}")
    others = [name for name in names if name not in used]
    notes = [f"other arrays are not used: {', '.join(others)}"] if others else []
    return ArrayFile(images, labels, classes, notes)


@contextmanager
def _open_member(
    path: Path, name: str
) -> Iterator[tuple[BinaryIO, tuple[int, ...], bool, np.dtype]]:
    """An array of a .npz behind its head: the stream, shape, order and type.

    Raises:
        UserError: it holds Python objects, or another length than its head says.
    """
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        with archive.open(info) as file:
            shape, fortran, kind = _read_head(file, f"{path}: {name}")  # type: ignore[arg-type]
            # what is unpacked is what the head says, not what a zip can be blown up to
            length = int(np.prod(shape, dtype=object)) * kind.itemsize
            if info.file_size != file.tell() + length:
                raise UserError(f"{path}: {name} has another length than its head says")
            if length > BLOWN_UP and length > MOST_RATIO * max(1, info.compress_size):
                sizes = f"from {info.compress_size:,} bytes to {length / 2**30:,.1f} GiB"
                raise UserError(
                    f"{path}: {name} would be unpacked {sizes}, as no images are; "
                    "save it with np.savez"
                )
            yield file, shape, fortran, kind  # type: ignore[misc]


def _stream(path: Path, name: str) -> Iterator[np.ndarray]:
    """The rows of an array of a .npz, unpacked piece by piece."""
    with _open_member(path, name) as (file, shape, _, kind):
        row = int(np.prod(shape[1:])) * kind.itemsize
        for rows in chunk_slices(shape[0], ROWS):
            content = file.read((rows.stop - rows.start) * row)
            try:
                yield np.frombuffer(content, kind).reshape(-1, *shape[1:])
            except ValueError as error:
                raise UserError(f"{path}: {name} is cut off: {error}") from error


def _read_small(path: Path, name: str) -> np.ndarray:
    """A whole array of a .npz.

    Raises:
        UserError: it is too large for labels.
    """
    with _open_member(path, name) as (file, shape, fortran, kind):
        length = int(np.prod(shape, dtype=object)) * kind.itemsize
        if length > MOST_LABELS:
            raise UserError(f"{path}: {name} has {length:,} bytes, too many for labels")
        order = "F" if fortran else "C"
        return np.frombuffer(file.read(length), kind).reshape(shape, order=order)


def _name_classes(names: np.ndarray, numbers: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The names of classes that are numbered 0, 1, 2, ... in the labels.

    Raises:
        UserError: there is no name for one.
    """
    texts = [str(name) for name in names.reshape(-1).tolist()]
    if any(not number.isdecimal() or int(number) >= len(texts) for number in numbers):
        raise UserError(f"{what} has {len(texts)} names, but the labels go up to {numbers[-1]}")
    return tuple(texts[int(number)] for number in numbers)
