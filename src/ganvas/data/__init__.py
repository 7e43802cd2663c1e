"""From files to batches: open data sets, draw rows from them. It can be called."""

import importlib
from typing import TYPE_CHECKING, Any

from ganvas.callable import make_callable

if TYPE_CHECKING:
    from ganvas.data.dataset import Dataset
    from ganvas.data.kinds import find_kind
    from ganvas.data.names import NAMES
    from ganvas.data.open import open_dataset
    from ganvas.data.report import DataReport, Skipped
    from ganvas.data.view import View

__all__ = ["NAMES", "DataReport", "Dataset", "Skipped", "View", "find_kind", "open_dataset"]

# The module of each.
HOMES = {
    "NAMES": "names",
    "DataReport": "report",
    "Dataset": "dataset",
    "Skipped": "report",
    "View": "view",
    "find_kind": "kinds",
    "open_dataset": "open",
}

make_callable(__name__, "ganvas.data.inspect:data")


def __getattr__(name: str) -> Any:
    """Import a name at its first use: most need torch, and the names of data sets do not."""
    if name in HOMES:
        return getattr(importlib.import_module(f"ganvas.data.{HOMES[name]}"), name)
    raise AttributeError(f"module 'ganvas.data' has no attribute {name!r}")
