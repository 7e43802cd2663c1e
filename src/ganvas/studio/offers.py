"""Which settings of its data a set has, and which of them matter by what was found in it.

The page shows those that matter at once, with what was found, and folds the others.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ganvas.data.builtin.points import MIXTURES
from ganvas.data.dataset import Dataset
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.splits import choose_split
from ganvas.data.folders.table_survey import survey_tables
from ganvas.data.inspect import Examination
from ganvas.data.pick import choose_rows
from ganvas.studio.places import DEGRADED, IDX, KINDS, Place

__all__ = ["find_offers", "list_labels", "list_settings"]

LARGER = 4  # times the side that training sees, from which on tiles show more than a crop
LOOKED_AT = 8  # images of a column that may hold label maps
FLAT = 16  # colours, which nearly all pixels of a label map have
NEARLY_ALL = 0.8  # of its pixels; the others lie on edges that were resized


def list_labels(place: Place, kind: str) -> list[str]:
    """What `View.labels` may be for a place: "none", "folders" where there are some, and tables of
    classes that lie beside the images, with their columns. The page chooses one of these, since
    a table is named by its path.
    """
    if kind not in ("", "attributes") or place.origin == "built-in":
        return []

    with FileSource(Path(place.spec)) as source:
        tables = survey_tables(source)
        if kind == "attributes":
            names = [table.name for table in tables if table.kind == "attributes"]
            return names if len(names) > 1 else []
        part = choose_split(source, "all").source
        folders = {part.inside(entry.name).rpartition("/")[0] for entry in part.pictures} - {""}

    found = ["none", "folders"] if len(folders) > 1 else ["none"]
    for table in tables:
        if table.kind in ("labels", "columns"):
            found += [f"{table.name}:{column}" for column in table.columns] or [table.name]
    return found


def list_settings(place: Place, kind: str, labels: list[str]) -> list[str]:
    """The settings that a set has of how its images are prepared, by name.

    Args:
        place: that is meant.
        kind: as `guess_spec` names it.
        labels: as `list_labels` lists them.
    """
    if place.spec in MIXTURES:
        return []  # points are no images
    settings = ["size", "fit", "channels"]
    settings += ["subset"] if kind != "unpaired" else []  # whose domains have rows of their own
    if place.origin == "built-in":
        return settings
    if kind == IDX or place.spec.lower().endswith((".npy", ".npz")):
        settings.append("transpose")
    if kind != IDX:
        settings.append("range")
    if kind in KINDS:
        settings += ["background", "split", "ignore_alpha"]
        settings += ["categories"] if kind not in DEGRADED else []  # which are of images
        settings += ["frames", "overlap", "tiles"] if kind != "captions" else []
    return settings + (["labels"] if len(labels) > 1 else [])


def find_offers(
    examination: Examination, dataset: Dataset, kind: str, labels: list[str]
) -> dict[str, dict[str, Any]]:
    """The settings that matter for a set, each with the facts that say why.

    Args:
        examination: of the set.
        dataset: as it was examined.
        kind: as `guess_spec` names it.
        labels: as `list_labels` lists them.
    """
    offers: dict[str, dict[str, Any]] = {}
    if len(labels) > 1:
        offers["labels"] = {"choices": labels}
    if examination.splits:
        offers["split"] = {"counts": examination.splits}
    if kind == IDX:
        offers["transpose"] = {}
    if columns := [name for name in ("a", "b") if _looks_like_labels(dataset, name)]:
        offers["categories"] = {"columns": columns}
    if examination.ranges:
        low, high, _ = next(iter(examination.ranges.values()))
        offers["range"] = {"low": low, "high": high}
    return offers | _find_offers_of_files(examination)


def _find_offers_of_files(examination: Examination) -> dict[str, dict[str, Any]]:
    """The settings that matter because of what single files hold."""
    offers: dict[str, dict[str, Any]] = {}
    transparent, bands = examination.transparent, examination.bands
    if transparent or bands > 3:
        offers["channels"] = {"transparent": transparent, "bands": bands}
    if transparent and not examination.alpha:
        offers["background"] = {"n": transparent}
    if examination.paged:
        offers["frames"] = {"n": examination.paged}

    shorter = [
        min(map(int, size.split("x")))
        for size, count in examination.sizes.items()
        for _ in range(count)
    ]
    if shorter and np.median(shorter) >= LARGER * examination.size:
        offers["fit"] = {"n": int(np.median(shorter)), "m": examination.size}
    return offers


def _looks_like_labels(dataset: Dataset, column: str) -> bool:
    """Whether nearly all pixels of a column of pairs have a few colours, as in maps of labels."""
    if column not in dataset.columns or column in dataset.report.categories:
        return False
    if dataset.report.degradation:
        return False  # drawn edges have few colours, too
    images = dataset.columns[column]
    for row in choose_rows(np.arange(len(images)), LOOKED_AT):
        _, counts = np.unique(images[row].reshape(images.shape[1], -1), axis=1, return_counts=True)
        if np.sort(counts)[-FLAT:].sum() < NEARLY_ALL * counts.sum():
            return False
    return True
