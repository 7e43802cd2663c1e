"""Open files of arrays that are given by their path: NumPy's, and parquet."""

from pathlib import Path

from ganvas.data.arrays.files import ARRAYS, read_array_file
from ganvas.data.arrays.pack import pack_array
from ganvas.data.arrays.parquet import PARQUET, find_parquet, open_parquet, survey_parquet
from ganvas.data.dataset import Dataset
from ganvas.data.folders.rows import check_strict
from ganvas.data.folders.sizes import SizeSurvey
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError

__all__ = ["describe_arrays", "holds_arrays", "open_arrays", "survey_arrays"]

KINDS = {".npy": "an array of NumPy's", ".npz": "arrays of NumPy's", PARQUET: "parquet files"}


def describe_arrays(place: Path) -> str:
    """What kind of arrays a place holds, in a few words; "" where it holds none."""
    if place.is_dir():
        return KINDS[PARQUET] if find_parquet(place) else ""
    return KINDS.get(place.suffix.lower(), "") if place.is_file() else ""


def holds_arrays(place: Path) -> bool:
    """Whether a place is a file of arrays, or a folder of parquet files without images."""
    return bool(describe_arrays(place))


def open_arrays(
    place: Path, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open a file of arrays, packed.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: it cannot be read, or holds no images or labels that fit.
    """
    if place.suffix.lower() not in ARRAYS:
        return open_parquet(place, view, strict=strict, progress=progress)
    if view.labels != "none":
        raise UserError(
            f"{place} carries its own labels; --labels {view.labels} is for folders and zips of "
            "images"
        )

    found = read_array_file(place)
    state = place.stat()
    key = ["arrays", place.name, state.st_size, state.st_mtime_ns, view.key()]

    def build(folder: Path) -> Packed:
        return pack_array(folder, found.images, found.labels, found.classes, view)

    dataset = open_store(key, build)
    notes = found.notes + dataset.report.notes
    return check_strict(dataset.with_report(spec=str(place), notes=notes), strict)


def survey_arrays(place: Path) -> SizeSurvey | None:
    """The sizes of the images; None: all have one size."""
    return None if place.suffix.lower() in ARRAYS else survey_parquet(place)
