"""From files to batches: open data sets, draw rows from them."""

from ganvas.data.dataset import Dataset, View
from ganvas.data.open import NAMES, find_kind, open_dataset
from ganvas.data.report import DataReport, Skipped

__all__ = ["NAMES", "DataReport", "Dataset", "Skipped", "View", "find_kind", "open_dataset"]
