"""The test set that belongs to a data set, seen as training sees its own images."""

import hashlib
from dataclasses import replace

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.data.open import open_dataset
from ganvas.data.view import View

__all__ = ["find_known_rows", "open_test_set"]


def open_test_set(dataset: Dataset, view: View, progress: bool = False) -> Dataset | None:
    """The test set that belongs to a data set, seen alike; None: there is none.

    Classes get the numbers that they have in `dataset`, and those that it lacks the next ones.

    Args:
        dataset: what is trained on.
        view: how training sees it.
        progress: as in `open_dataset`.

    Raises:
        UserError: its files are missing.
    """
    if dataset.report.test is None:
        return None

    # all attributes that training knows, even those that are the same for all test images
    names = dataset.names.get("attributes", view.attributes)
    view = view.model_copy(update={"split": None, "subset": None, "attributes": names})
    view = view.pinned(dataset.report.ranges, dataset.report.categories)
    test = open_dataset(dataset.report.test, view, progress=progress)
    if "label" not in test.columns or test.classes == dataset.classes:
        return test

    strange = [name for name in test.classes if name not in dataset.classes]
    classes = (*dataset.classes, *strange)
    numbers = np.array([classes.index(name) for name in test.classes])  # by the test set's own
    columns = dict(test.columns) | {"label": numbers[np.asarray(test.columns["label"])]}
    digest = hashlib.blake2b(repr((test.fingerprint, classes)).encode(), digest_size=16)
    return replace(
        test,
        columns=columns,
        names=dict(test.names) | {"label": classes},
        fingerprint=digest.hexdigest(),
    )


def find_known_rows(test: Dataset, train: Dataset) -> np.ndarray:
    """The rows (N,) of a test set from `open_test_set` whose class training knows; all without
    classes.
    """
    rows = np.arange(len(test))
    if test.labels is None or not train.classes:
        return rows
    return rows[test.labels < len(train.classes)]
