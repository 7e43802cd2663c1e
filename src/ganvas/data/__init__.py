"""From files to batches: open data sets, draw rows from them. It can be called."""

from ganvas.callable import make_callable
from ganvas.data.dataset import Dataset
from ganvas.data.inspect import data
from ganvas.data.kinds import NAMES, find_kind
from ganvas.data.open import open_dataset
from ganvas.data.report import DataReport, Skipped
from ganvas.data.view import View

__all__ = ["NAMES", "DataReport", "Dataset", "Skipped", "View", "find_kind", "open_dataset"]

make_callable(__name__, data)
