"""Open a data set by its name: the table of all kinds of data."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from ganvas.data.arrays.memory import MEMORY, open_memory, survey_memory
from ganvas.data.arrays.open import holds_arrays, open_arrays, survey_arrays
from ganvas.data.builtin.birds import open_figures
from ganvas.data.builtin.cifar10 import CIFAR, open_cifar
from ganvas.data.builtin.digits_mnist import open_digits, open_idx, open_mnist
from ganvas.data.builtin.points import MIXTURES, open_points
from ganvas.data.builtin.stacked_mnist import STACKED, open_stacked
from ganvas.data.dataset import Dataset
from ganvas.data.folders.attributes import open_attributes
from ganvas.data.folders.captions import open_captions
from ganvas.data.folders.images import open_images
from ganvas.data.folders.pairs import open_pairs, survey_pairs
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.spec import parse_place
from ganvas.data.folders.splits import choose_split
from ganvas.data.folders.unpaired import open_unpaired, survey_unpaired
from ganvas.data.shards.open import open_shards, survey_shards
from ganvas.data.view import View
from ganvas.errors import UserError, nearest
from ganvas.io.images import colour
from ganvas.io.reading import expand_home
from ganvas.schema import kind_of_images

__all__ = [
    "KINDS",
    "NAMES",
    "DataKind",
    "DataRequest",
    "FileOpener",
    "find_kind",
    "name_split",
    "open_dataset",
    "survey_sizes",
]


class DataRequest(NamedTuple):
    """What `open_dataset` was called with.

    Attributes:
        spec: the name or place of the data set.
        view: how training wants to see it.
        strict: whether a file that cannot be used is an error.
        progress: whether to show a progress bar.
    """

    spec: str
    view: View
    strict: bool
    progress: bool


@dataclass(frozen=True)
class DataKind:
    """A kind of data set.

    Attributes:
        open: opens a set of this kind.
        help: what it holds, in a few words.
        rows: what its rows are.
        place: what may follow the name and a colon: "FOLDER", "PLACE", or "" for nothing.
        place_needed: whether a place must follow; if not, the name alone is a data set.
        splits: of "test", ...: the names NAME-SPLIT; None: `open` checks them.
        own_labels: whether it carries its own labels, so that a view may not name others.
        survey: measures its images without decoding them; None: all have one size.
        parts: whether a file of it may give several rows: its frames, or tiles.
    """

    open: Callable[[DataRequest], Dataset]
    help: str
    rows: Literal["image", "points", "pairs", "unpaired", "attributes", "captions"] = "image"
    place: str = ""
    place_needed: bool = False
    splits: tuple[str, ...] | None = ()
    own_labels: bool = True
    survey: Callable[[str, View], SizeSurvey | None] | None = None
    parts: bool = False


class FileOpener(Protocol):
    """A function that opens data sets of files."""

    def __call__(
        self, spec: str, view: View, *, strict: bool = False, progress: bool = False
    ) -> Dataset: ...


def _survey_places(spec: str, view: View) -> SizeSurvey:
    """Measure the images of "KIND:PLACE" or "KIND:PLACE,PLACE"."""
    place = parse_place(spec)
    with ExitStack() as stack:
        sources = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        return survey_files([choose_split(source, place.split).source for source in sources])


def _files_kind(
    opener: FileOpener,
    help: str,
    rows: Literal["image", "pairs", "unpaired", "attributes", "captions"],
    survey: Callable[[str, View], SizeSurvey] = _survey_places,
) -> DataKind:
    """A kind of data set in the user's own folder or zip."""
    # splits=None: the splits are folders of the user, so only the opener can check them

    def open_files(request: DataRequest) -> Dataset:
        spec, view, strict, progress = request
        return opener(spec, view, strict=strict, progress=progress)

    return DataKind(
        open_files,
        help,
        rows,
        place="FOLDER",
        place_needed=True,
        splits=None,
        own_labels=False,
        survey=survey,
        parts=rows != "captions",  # which describe whole images
    )


def _download_kind(
    opener: Callable[[str, View, bool], Dataset], help: str, splits: tuple[str, ...] = ("test",)
) -> DataKind:
    """A kind of published data set, in a folder or downloaded into the cache."""

    def open_download(request: DataRequest) -> Dataset:
        return opener(request.spec, request.view, request.progress)

    return DataKind(open_download, help, place="FOLDER", splits=splits)


KINDS = {
    "digits": DataKind(
        lambda request: open_digits(request.view), "scikit-learn's scanned digits, 8x8 grey"
    ),
    "figures": DataKind(
        lambda request: open_figures(request.view),
        "drawn birds with captions, boxes and key points",
        "captions",
        own_labels=False,
    ),
    "mnist": _download_kind(open_mnist, "handwritten digits, 28x28 grey"),
    "fashion-mnist": _download_kind(open_mnist, "clothes, 28x28 grey"),
    # no test set: stacks are of training digits alone, so the test digits stay unseen
    STACKED: _download_kind(open_stacked, "three MNIST digits in three channels", splits=()),
    CIFAR: _download_kind(open_cifar, "photographs of ten classes, 32x32 RGB"),
    # `request.spec` names the mixture, so the lambda does not capture `name`
    **{
        name: DataKind(
            lambda request: open_points(request.spec, request.view),
            f"points in the plane around {len(mixture.centres)} known modes",
            "points",
        )
        for name, mixture in MIXTURES.items()
    },
    "idx": DataKind(
        lambda request: open_idx(request.spec, request.view),
        "images in MNIST's file format",
        place="FOLDER",
        place_needed=True,
    ),
    MEMORY: DataKind(
        lambda request: open_memory(request.spec, request.view, request.progress),
        "images in the memory of a Python program",
        place="DIGEST",
        place_needed=True,
        survey=lambda spec, _: survey_memory(spec),
    ),
    "shards": DataKind(
        lambda request: open_shards(
            request.spec, request.view, strict=request.strict, progress=request.progress
        ),
        "images in tars, in a folder or behind https://...",
        place="PLACE",
        place_needed=True,
        survey=lambda spec, _: survey_shards(spec),
    ),
    # its own name is only needed for a split: "images-test:FOLDER"
    "images": _files_kind(open_images, "a folder or zip of images", "image"),
    "pairs": _files_kind(
        open_pairs, "paired images, an input and its output", "pairs", survey_pairs
    ),
    "unpaired": _files_kind(
        open_unpaired, "images of two domains, without pairs", "unpaired", survey_unpaired
    ),
    "attributes": _files_kind(open_attributes, "images with a table of attributes", "attributes"),
    "captions": _files_kind(
        open_captions, "images with captions, boxes and key points", "captions"
    ),
}


def _list_names() -> list[str]:
    """All names of data sets, as a person writes them: "mnist", "mnist-test", "pairs:FOLDER"."""
    names = []
    for prefix, kind in KINDS.items():
        if kind.place_needed:
            names.append(f"{prefix}:{kind.place}")
        else:
            names += [prefix, *(f"{prefix}-{split}" for split in kind.splits or ())]
    return names


NAMES = tuple(_list_names())


def find_kind(spec: str) -> DataKind | None:
    """The kind of a data set by its name; None: it is the path of a folder or zip of images, or
    unknown.
    """
    name, colon, _ = spec.partition(":")  # of a path such as "C:\faces" the name is "C", no kind

    for prefix, kind in KINDS.items():
        # "pairs-val" is of the kind "pairs"; "fashion-mnist" is no split, so kinds list theirs
        if kind.splits is None:
            named = name.partition("-")[0] == prefix
        else:
            named = name in (prefix, *(f"{prefix}-{split}" for split in kind.splits))
        if not named:
            continue

        if kind.place_needed:
            # a file may be called "pairs:1"
            return kind if colon and not Path(spec).exists() else None
        return kind if kind.place or not colon else None  # "digits:x" is none: digits have no place

    return None


def open_dataset(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open a data set by its name or its place.

    Args:
        spec: a name in `KINDS`, with ":PLACE" or a split ("mnist-test") where the kind has them; or
            the path of a folder or zip of images.
        view: size, channels, fit and labels that training wants.
        strict: make the first file that cannot be used an error.
        progress: show a progress bar on stderr while images are packed or downloaded.

    Raises:
        UserError: no data set of that name, or no usable images there.
    """
    colour(view.background)  # a wrong name is reported even where no image needs it
    spec, view = name_split(spec, view)
    kind = find_kind(spec)

    # before anything is downloaded or decoded
    if kind and kind.own_labels and view.labels != "none":
        raise UserError(
            f"{spec} carries its own labels; "
            f"--labels {view.labels} is for folders and zips of images"
        )
    # such pixels would be read as coordinates by all that follows
    if not (kind and kind.rows == "points") and kind_of_images(view.channels, view.size) == "point":
        points = " and ".join(MIXTURES)
        raise UserError(
            f"channels=2 with size=1 is only for points ({points}); images of two channels have "
            "2x2 pixels or more"
        )

    if kind:
        if view.follow_links and kind.splits is not None:
            _refuse_links(spec)
        if view.transpose and spec.partition(":")[0] not in ("idx", MEMORY):
            _refuse_transpose(spec)
        if not kind.parts:
            _refuse_parts(spec, view)
        dataset = kind.open(DataRequest(spec, view, strict, progress))
    else:
        dataset = _open_place(_find_place(spec), spec, view, strict=strict, progress=progress)
    _check_values(dataset, view)
    return dataset


def _refuse_parts(spec: str, view: View) -> None:
    """Refuse settings that would have no effect on a kind of data.

    Raises:
        UserError: frames or tiles are wanted.
    """
    wanted = f"--frames {view.frames}" if view.every else "--fit tiles"
    if view.every or view.fit == "tiles":
        raise UserError(
            f"{spec}: {wanted} is for folders and zips of images, for pairs:, unpaired: and "
            "attributes:; leave it out"
        )


def _open_place(place: Path, spec: str, view: View, *, strict: bool, progress: bool) -> Dataset:
    """Open a folder, zip or tar of images, or a file of arrays.

    Raises:
        UserError: as `open_dataset`.
    """
    if view.transpose and not place.suffix.lower().startswith(".np"):
        _refuse_transpose(spec)
    if view.follow_links and not place.is_dir():
        _refuse_links(spec)
    if holds_arrays(place):
        _refuse_parts(spec, view)
        return open_arrays(place, view, strict=strict, progress=progress)
    return open_images(str(place), view, strict=strict, progress=progress)


def _check_values(dataset: Dataset, view: View) -> None:
    """Refuse settings of values that were not used.

    Raises:
        UserError: there is no such column of images, or the set has no files with values.
    """
    spec = dataset.report.spec
    if view.categories and view.categories not in dataset.report.categories:
        columns = sorted(dataset.pictures)
        if view.categories not in columns:
            raise UserError(
                f"--categories {view.categories}: {spec} has no such column of images; "
                f"it has {', '.join(columns)}"
            )
        raise UserError(f"--categories {view.categories}: {spec} is no folder or zip of images")

    if view.ignore_alpha and not dataset.report.ignore_alpha:
        raise UserError(f"--ignore-alpha is for image files, and {spec} has none; leave it out")
    if view.range and not dataset.report.ranges and not dataset.report.categories:
        raise UserError(
            f"--range is for the values of files and arrays, and {spec} has none; leave it out"
        )


def _refuse_transpose(spec: str) -> None:
    """Refuse a setting that would have no effect.

    Raises:
        UserError: always.
    """
    raise UserError(
        f"--transpose is for arrays (idx:PLACE, .npy, .npz); {spec} holds images as they should be "
        "seen"
    )


def _refuse_links(spec: str) -> None:
    """Refuse to follow links where there can be none.

    Raises:
        UserError: always.
    """
    raise UserError(f"--follow-links is for folders of images, and {spec} is none; leave it out")


def name_split(spec: str, view: View) -> tuple[str, View]:
    """The name of the split that a view asks for, "mnist-test" of "mnist", and the view without it.

    Raises:
        UserError: the data set has no such split, or its name asks for another one.
    """
    if view.split is None:
        return spec, view
    split = view.split
    view = view.model_copy(update={"split": None})

    name, colon, place = spec.partition(":")
    kind = find_kind(spec)
    if kind is None:
        return (spec if split == "train" else f"images-{split}:{_find_place(spec)}"), view

    prefix = next(prefix for prefix, one in KINDS.items() if one is kind)
    own = name.removeprefix(prefix).removeprefix("-")
    if own and own != split:
        raise UserError(f"{spec} names the split {own!r}, and --split {split} another one")
    if kind.splits is not None and split not in ("train", *kind.splits):
        there = " and ".join(("train", *kind.splits))
        raise UserError(f"{prefix} has no split {split!r}; it has {there}")
    return f"{prefix}{'' if split == 'train' else f'-{split}'}{colon}{place}", view


def survey_sizes(spec: str, view: View) -> SizeSurvey | None:
    """Measure the images of a data set without decoding them; None: all have one size, or it holds
    points.

    Args:
        spec: the data set.
        view: of which only the split and the links count.

    Raises:
        UserError: no data set of that name, or no images there.
    """
    spec, _ = name_split(spec, view)
    kind = find_kind(spec)
    if kind:
        return kind.survey(spec, view) if kind.survey else None
    place = _find_place(spec)
    if holds_arrays(place):
        return survey_arrays(place)
    with FileSource(place, links=view.follow_links) as source:
        return survey_files([choose_split(source, "train").source])


def _find_place(spec: str) -> Path:
    """The folder or zip of a data set that is no name in `KINDS`.

    Raises:
        UserError: there is none.
    """
    # a mistyped name is likelier than a mistyped folder
    place = expand_home(spec)
    if not place.exists():
        near = nearest(spec.partition(":")[0], NAMES)
        raise UserError(f"no data set and no file or folder is called {spec!r}; {near}")
    return place
