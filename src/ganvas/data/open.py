"""Open a data set by its name or its place, and refuse settings that would have no effect."""

from contextlib import suppress
from pathlib import Path

from ganvas.data.arrays.memory import MEMORY
from ganvas.data.arrays.open import holds_arrays, open_arrays, survey_arrays
from ganvas.data.builtin.points import MIXTURES
from ganvas.data.dataset import Dataset
from ganvas.data.degraded import (
    PAIRS,
    DegradedSpec,
    check_degraded_view,
    degrade_dataset,
    find_degraded,
    view_of_base,
)
from ganvas.data.folders.images import open_images
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.splits import choose_split, parse_split
from ganvas.data.kinds import DataRequest, find_kind
from ganvas.data.names import NAMED, find_kind_name, find_place
from ganvas.data.subset import take_subset
from ganvas.data.view import View, make_view
from ganvas.errors import UserError
from ganvas.io.images import colour
from ganvas.schema import kind_of_images

__all__ = ["name_split", "open_dataset", "survey_sizes"]


def open_dataset(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open a data set by its name or its place.

    Args:
        spec: a name in `NAMED`, with ":PLACE" or a split ("mnist-test") where the kind has them; or
            the path of a folder or zip of images; or pairs that are made of any of these, such as
            "pairs:grey:PLACE".
        view: size, channels, fit and labels that training wants.
        strict: make the first file that cannot be used an error.
        progress: show a progress bar on stderr while images are packed or downloaded.

    Raises:
        UserError: no data set of that name, or no usable images there.
    """
    colour(view.background)  # a wrong name is reported even where no image needs it
    spec, view = name_split(spec, view)
    if degraded := find_degraded(spec):
        return _open_degraded(spec, degraded, view, strict=strict, progress=progress)
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
        if view.follow_links and (name := find_kind_name(spec)) and NAMED[name].splits is not None:
            _refuse_links(spec)
        if view.transpose and spec.partition(":")[0] not in ("idx", MEMORY):
            _refuse_transpose(spec)
        if not kind.parts:
            _refuse_parts(spec, view)
        dataset = kind.open(DataRequest(spec, view, strict, progress))
    else:
        dataset = _open_place(find_place(spec), spec, view, strict=strict, progress=progress)
    _check_values(dataset, view)
    return take_subset(dataset, view.subset) if view.subset else dataset


def _open_degraded(
    spec: str, degraded: DegradedSpec, view: View, *, strict: bool, progress: bool
) -> Dataset:
    """Open images, and make pairs of them.

    Raises:
        UserError: as `open_dataset` and `degrade_dataset`.
    """
    check_degraded_view(spec, view)
    base = _name_base(degraded)
    images = open_dataset(base, view_of_base(view), strict=strict, progress=progress)
    pairs = degrade_dataset(spec, degraded, images, progress)

    # a test set has the name by which a person would ask for it
    for split in ("test", "val"):
        with suppress(UserError):
            asked = degraded._replace(kind=f"{PAIRS}-{split}")
            if images.report.test and _name_base(asked) == images.report.test:
                return pairs.with_report(test=asked.text)
    return pairs


def _name_base(degraded: DegradedSpec) -> str:
    """The name of the images that pairs are made of, with the split that is meant.

    Raises:
        UserError: they have no such split.
    """
    split = parse_split(degraded.kind.partition("-")[2])
    if split == "train":
        return degraded.base
    name, _ = name_split(degraded.base, make_view(split=split))
    return name


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
    prefix = find_kind_name(spec)
    if prefix is None:
        return (spec if split == "train" else f"images-{split}:{find_place(spec)}"), view

    own = name.removeprefix(prefix).removeprefix("-")
    if own and own != split:
        raise UserError(f"{spec} names the split {own!r}, and --split {split} another one")
    splits = NAMED[prefix].splits
    if splits is not None and split not in ("train", *splits):
        there = " and ".join(("train", *splits))
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
    if degraded := find_degraded(spec):
        view = view.model_copy(update={"split": None})
        return survey_sizes(_name_base(degraded), view)
    kind = find_kind(spec)
    if kind:
        return kind.survey(spec, view) if kind.survey else None
    place = find_place(spec)
    if holds_arrays(place):
        return survey_arrays(place)
    with FileSource(place, links=view.follow_links) as source:
        return survey_files([choose_split(source, "train").source])
