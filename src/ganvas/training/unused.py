"""Say which columns of the data a GAN leaves unused, so that nobody thinks that it learns them."""

from ganvas.data import Dataset
from ganvas.gans.base import GAN
from ganvas.io.console import count_noun

__all__ = ["mention_unused"]

LISTED = 5  # names that are listed
TEXTS = ("caption", "caption_features")  # the same captions, as bytes or as numbers
WORDS = {"caption": "captions", "caption_features": "captions as numbers", "box": "boxes"}


def mention_unused(dataset: Dataset, gan: GAN, name: str) -> Dataset:
    """The data set, with a note on each column that the GAN does not use.

    Args:
        dataset: to train on.
        gan: that is trained.
        name: of the GAN.
    """
    # points know the number of their mode, which is for measurements
    if dataset.kind == "point":
        return dataset

    used = {*gan.requires, *(TEXTS if {*TEXTS} & {*gan.requires} else ())}
    columns = [*dataset.columns, *(dataset.beside.columns if dataset.beside else ())]
    notes = []
    for column in columns:
        # "known" says of which rows the attributes are known
        if column not in used and column not in dataset.pictures and column != "known":
            notes.append(f"not used by the GAN {name}: {_describe_column(dataset, column)}")
    return dataset.with_report(notes=dataset.report.notes + notes) if notes else dataset


def _describe_column(dataset: Dataset, column: str) -> str:
    """What a column holds, for people."""
    names = dataset.names.get(column, ())
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    if column == "label":
        return f"{count_noun(len(names), 'class', 'classes')} ({listed})"
    if column in ("attributes", "keypoints"):
        noun = "attribute" if column == "attributes" else "key point"
        return f"{count_noun(len(names), noun)} ({listed})"
    return WORDS.get(column, column)
