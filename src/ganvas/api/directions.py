"""`ganvas.directions`: as the verb, with results in memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ganvas.api.making import find_run
from ganvas.errors import UserError
from ganvas.inference.direction_survey import (
    Directions,
    Search,
    survey_directions,
    write_survey,
)
from ganvas.inference.run import Run
from ganvas.io.files import refuse_used
from ganvas.io.lists import split_list

__all__ = ["directions"]


def directions(
    run: Run | str | Path,
    *,
    by: Literal["layer", "images", "both"] = "both",
    count: int | None = None,
    data: str | Path | None = None,
    labels: str | None = None,
    attributes: str | Iterable[str] | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    ema: bool = True,
    device: str = "auto",
) -> Directions:
    """Find directions in a GAN's noise that change its images. Files are written only where `out`
    is given; then `run.sample(direction="3:2.5", directions=out)` moves images along number 3.

    Args:
        run: a run, its folder, or one of its checkpoints.
        by: what directions without labels are found by: "layer", the weights of the first layer
            (SeFa); "images", what changes most in all images alike; or "both".
        count: of directions without labels, 1 to 64; None: 8.
        data: labelled images like those that the GAN draws: "attributes:PLACE", or images with
            classes. A small classifier learns the labels and judges samples, in minutes.
        labels: of the data: "folders", or a table.
        attributes: those attributes or classes that get a direction; None: all.
        seed: random seed of the images on the sheets.
        out: folder for the results, new or empty.
        ema: whether to use the moving average of the weights, where there is one.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        The directions, the one that changes images most first, with an overview and sheets.

    Raises:
        UserError: the run has no directions, an argument is wrong, or a file cannot be written.
    """
    if data is None and (labels or attributes):
        raise UserError("labels and attributes have no effect without data, the labelled images")
    search = Search(by, count, seed)
    if out is not None:
        refuse_used(Path(out))  # first, since the rest takes minutes
    loaded = find_run(run, ema, device)

    named, notes = [], []
    if data is not None:
        from ganvas.evaluation.labelled_directions import find_labelled_directions

        given = [attributes] if isinstance(attributes, str) else list(attributes or ())
        named, notes = find_labelled_directions(loaded, data, labels, split_list(given))
    found = survey_directions(loaded, search, named)
    found.notes.extend(notes)
    if out is not None:
        found.notes.extend(write_survey(loaded, found, search, Path(out)))
    return found
