"""Sets that come as arrays of small grey images: scikit-learn's digits, MNIST, Fashion-MNIST, any
other idx files.
"""

from pathlib import Path

import numpy as np

from ganvas.data.builtin.arrays import as_dataset
from ganvas.data.builtin.class_names import name_classes
from ganvas.data.builtin.idx import dimensions, read_idx
from ganvas.data.dataset import Dataset
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.console import count_noun
from ganvas.io.download import Published, download
from ganvas.io.reading import expand_home

__all__ = [
    "PUBLISHED",
    "mnist_files",
    "open_digits",
    "open_idx",
    "open_mnist",
    "published_test",
]

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
CLASSES = {"mnist": DIGITS, "fashion-mnist": CLOTHES}
PUBLISHED = {
    "mnist": Published(
        "MNIST",
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
        },
        "name the folder that holds them as mnist:FOLDER",
    ),
    "fashion-mnist": Published(
        "Fashion-MNIST",
        (
            # not encrypted: only the digests below tell whether the files are right
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
        },
        "name the folder that holds them as fashion-mnist:FOLDER",
    ),
}


def open_digits(view: View) -> Dataset:
    """The 1,797 scanned digits, 8x8, that come with scikit-learn."""
    from sklearn.datasets import load_digits  # imports half of SciPy: only when asked for

    values, labels = load_digits(return_X_y=True)
    # uint8 (N, 8, 8), from values of 0 to 16
    images = np.round(np.asarray(values).reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return as_dataset("digits", images[:, None], np.asarray(labels), DIGITS, view)


def open_mnist(spec: str, view: View, progress: bool = False) -> Dataset:
    """MNIST or Fashion-MNIST: `NAME` or `NAME-test`, alone (downloaded into the cache if need be)
    or with `:FOLDER`.

    Raises:
        UserError: a file is missing, cannot be downloaded, or is not what it should be.
    """
    name = spec.partition(":")[0].removesuffix("-test")
    count = 10_000 if spec.startswith(f"{name}-test") else 60_000

    path, label_path = mnist_files(spec, progress)
    images = _read_pictures(path)
    labels = _read_labels(label_path, len(images))

    # files of the same names may hold another set, and results would be reported as MNIST's
    if images.shape != (count, 28, 28) or labels.max() > 9:
        found = "{0:,} images of {2}x{1}".format(*images.shape)  # (N, H, W): width first
        raise UserError(
            f"{path} holds {found}; {name}'s are {count:,} of 28x28, labels 0-9; "
            f"for other sets: idx:{path}"
        )

    return as_dataset(spec, images[:, None], labels, CLASSES[name], view, published_test(spec))


def mnist_files(spec: str, progress: bool = False) -> tuple[Path, Path]:
    """The files of pictures and of labels of a set that `open_mnist` opens, downloaded if need be.

    Raises:
        UserError: one is missing or cannot be downloaded.
    """
    name, _, place = spec.partition(":")
    split = "t10k" if name.endswith("-test") else "train"
    name = name.removesuffix("-test")
    folder = _existing_folder(place) if place else cache_folder() / name

    # a person's own folder is never written to
    if not place:
        download(PUBLISHED[name], folder, progress)
    return _member(folder, split, "images"), _member(folder, split, "labels")


def open_idx(spec: str, view: View) -> Dataset:
    """Any idx files: `idx:FOLDER`, or `idx:FILE` naming the file of pictures. Labels are optional.

    Raises:
        UserError: no such files, several of them, or pictures and labels that do not belong
            together.
    """
    place = expand_home(spec.removeprefix("idx:"))
    path = place if place.is_file() else _find_pictures(_existing_folder(str(place)))
    images = _read_pictures(path)

    beside = _labels_beside(path)
    if beside is None:
        return as_dataset(spec, images[:, None], None, (), view)

    # labels may be any integers, with gaps; classes are numbered without
    numbers, labels = np.unique(_read_labels(beside, len(images)), return_inverse=True)
    names, note = name_classes(path.parent, path.name, numbers.tolist())
    dataset = as_dataset(spec, images[:, None], labels, names, view)
    return dataset.with_report(notes=[*dataset.report.notes, note]) if note else dataset


def _labels_beside(path: Path) -> Path | None:
    """The idx file of labels that goes with a file of pictures: by its name, or the only one in the
    folder.
    """
    name = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    named = [path.with_name(name + end) for end in (".gz", "")]
    found = [file for file in named if file != path and file.is_file()]

    # labels have one dimension in the header, whatever the name of their file
    if not found:
        beside = sorted(file for file in path.parent.iterdir() if file.is_file())
        found = [file for file in beside if dimensions(file) == 1]

    # of several the wrong one may be taken without anyone noticing, so none is
    return found[0] if len(found) == 1 else None


def _existing_folder(place: str) -> Path:
    """The folder at `place`.

    Raises:
        UserError: there is none.
    """
    folder = expand_home(place)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; name the folder that holds the idx files")
    return folder


def _member(folder: Path, split: str, kind: str) -> Path:
    """One of the four files of MNIST, under any of its usual names.

    Raises:
        UserError: it is not there.
    """
    # the original names have a hyphen before "idx", those of some unpacking programs a dot
    code = "idx3" if kind == "images" else "idx1"
    names = [f"{split}-{kind}{sign}{code}-ubyte{gz}" for gz in (".gz", "") for sign in "-."]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{folder / names[0]} does not exist; put it there, gzipped or not")


def _find_pictures(folder: Path) -> Path:
    """The idx file of pictures in a folder; of several, the one whose name begins with "train".

    Raises:
        UserError: none, or several.
    """
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and dimensions(file) == 3]
    if not found:
        raise UserError(
            f"{folder} holds no idx file of images (three dimensions: count, height, width)"
        )

    # training and test pictures often share a folder
    chosen = found
    if len(found) > 1:
        chosen = [file for file in found if file.name.startswith("train")]
    if len(chosen) != 1:
        names = ", ".join(file.name for file in found)
        raise UserError(
            f"{folder} holds several idx files of images: {names}; name one, as idx:{found[0]}"
        )
    return chosen[0]


def _read_pictures(path: Path) -> np.ndarray:
    """uint8 (N, H, W) from an idx file.

    Raises:
        UserError: the file does not hold pictures.
    """
    images = read_idx(path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise UserError(
            f"{path} holds {images.ndim}-dimensional {images.dtype}; images are 3-dimensional uint8"
        )

    # read_idx accepts files that hold nothing, as the format does
    if len(images) < 2 or 0 in images.shape:
        count, height, width = images.shape
        raise UserError(
            f"{path} holds {count_noun(count, 'image')} of {width}x{height}; give at least two"
        )
    return images


def published_test(spec: str) -> str | None:
    """The name of the test set that was published with a set:

    "mnist:FOLDER" has "mnist-test:FOLDER"; None: there is none.
    """
    name, colon, place = spec.partition(":")
    return f"{name}-test{colon}{place}" if name in CLASSES else None


def _read_labels(path: Path, count: int) -> np.ndarray:
    """Whole numbers (N,) from an idx file.

    Raises:
        UserError: the file does not hold `count` labels.
    """
    labels = read_idx(path)
    if labels.ndim != 1 or labels.dtype.kind == "f":
        raise UserError(
            f"{path} holds {labels.ndim}-dimensional {labels.dtype}; "
            "labels are 1-dimensional integers"
        )

    # labels in the wrong number are those of another file, perhaps of the test pictures
    if len(labels) != count:
        pictures = count_noun(count, "image")
        raise UserError(
            f"{path} holds {count_noun(len(labels), 'label')} for {pictures}; "
            "the two files do not match"
        )

    return labels
