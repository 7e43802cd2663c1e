"""The table of all kinds of data sets, by the name that a person writes."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ganvas.data.arrays.memory import MEMORY, open_memory, survey_memory
from ganvas.data.builtin.birds import open_figures
from ganvas.data.builtin.cifar10 import CIFAR, open_cifar
from ganvas.data.builtin.digits_mnist import open_digits, open_idx, open_mnist
from ganvas.data.builtin.points import MIXTURES, open_points
from ganvas.data.builtin.stacked_mnist import STACKED, open_stacked
from ganvas.data.dataset import Dataset
from ganvas.data.degraded import read_degraded
from ganvas.data.folders.attributes import open_attributes
from ganvas.data.folders.captions import open_captions
from ganvas.data.folders.images import open_images
from ganvas.data.folders.pairs import open_pairs, survey_pairs
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.spec import parse_place
from ganvas.data.folders.splits import choose_split
from ganvas.data.folders.unpaired import open_unpaired, survey_unpaired
from ganvas.data.hub import HUB, open_hub_set, survey_hub_set
from ganvas.data.names import find_kind_name
from ganvas.data.shards.open import open_shards, survey_shards
from ganvas.data.view import View

__all__ = [
    "KINDS",
    "DataKind",
    "DataRequest",
    "FileOpener",
    "find_kind",
    "is_everywhere",
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
    """A kind of data set. How it is written is in `NAMED`.

    Attributes:
        open: opens a set of this kind.
        help: what it holds, in a few words.
        rows: what its rows are.
        own_labels: whether it carries its own labels, so that a view may not name others.
        survey: measures its images without decoding them; None: all have one size.
        parts: whether a file of it may give several rows: its frames, or tiles.
    """

    open: Callable[[DataRequest], Dataset]
    help: str
    rows: Literal["image", "points", "pairs", "unpaired", "attributes", "captions"] = "image"
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

    def open_files(request: DataRequest) -> Dataset:
        spec, view, strict, progress = request
        return opener(spec, view, strict=strict, progress=progress)

    return DataKind(
        open_files,
        help,
        rows,
        own_labels=False,
        survey=survey,
        parts=rows != "captions",  # which describe whole images
    )


def _download_kind(opener: Callable[[str, View, bool], Dataset], help: str) -> DataKind:
    """A kind of published data set, in a folder or downloaded into the cache."""

    def open_download(request: DataRequest) -> Dataset:
        return opener(request.spec, request.view, request.progress)

    return DataKind(open_download, help)


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
    STACKED: _download_kind(open_stacked, "three MNIST digits in three channels"),
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
    ),
    MEMORY: DataKind(
        lambda request: open_memory(request.spec, request.view, request.progress),
        "images in the memory of a Python program",
        survey=lambda spec, _: survey_memory(spec),
    ),
    "shards": DataKind(
        lambda request: open_shards(
            request.spec, request.view, strict=request.strict, progress=request.progress
        ),
        "images in tars, in a folder or behind https://...",
        survey=lambda spec, _: survey_shards(spec),
    ),
    HUB: DataKind(
        lambda request: open_hub_set(
            request.spec, request.view, strict=request.strict, progress=request.progress
        ),
        "images of the Hugging Face Hub, in parquet files or a zip",
        own_labels=False,
        survey=lambda spec, _: survey_hub_set(spec),
    ),
    "images": _files_kind(open_images, "a folder or zip of images", "image"),
    "pairs": _files_kind(
        # "pairs:grey:FOLDER" and such are made of images, in `ganvas.data.open`
        open_pairs,
        "paired images, an input and its output",
        "pairs",
        survey_pairs,
    ),
    "unpaired": _files_kind(
        open_unpaired, "images of two domains, without pairs", "unpaired", survey_unpaired
    ),
    "attributes": _files_kind(open_attributes, "images with a table of attributes", "attributes"),
    "captions": _files_kind(
        open_captions, "images with captions, boxes and key points", "captions"
    ),
}


def find_kind(spec: str) -> DataKind | None:
    """The kind of a data set by its name; None: it is the path of a folder or zip of images, or
    unknown.
    """
    name = find_kind_name(spec)
    return KINDS[name] if name else None


def is_everywhere(spec: str) -> bool:
    """Whether a name means the same data on every machine: "mnist" or "hub:...", but no path."""
    if degraded := read_degraded(spec):
        return is_everywhere(degraded.base)
    name = find_kind_name(spec)
    return name is not None and (":" not in spec or name == HUB)
