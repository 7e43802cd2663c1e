"""`ganvas directions`: what can be changed in the images of a trained GAN."""

from pathlib import Path
from typing import Literal

from ganvas.cli.early import check_data, check_run
from ganvas.cli.flags import AS_USUAL, Loading, Whole, Words
from ganvas.errors import UserError
from ganvas.io.lists import split_list

__all__ = ["directions"]


def directions(
    run: Path,
    /,
    *,
    by: Literal["layer", "images", "both"] = "both",
    count: Whole | None = None,
    data: str | None = None,
    labels: str | None = None,
    attributes: Words = None,
    seed: Whole = 0,
    out: Path | None = None,
    loading: Loading = AS_USUAL,
) -> None:
    """Find directions in a GAN's noise that change its images: a sheet and a number for each.

    Then `ganvas sample RUN --direction 3:2.5` moves images along number 3. The one that changes
    images most is number 1. Of two that are nearly the same one is left out. With --data, there
    are also directions with names, of the attributes or classes of labelled images.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    by
        What directions without labels are found by: layer, the weights of the first layer (SeFa);
        images, what changes most in all images alike; or both.
    count
        Number of directions without labels, 1 to 64 (default 8).
    data
        Data set of labelled images like those that the GAN draws: attributes:PLACE, or images with
        classes. A small classifier learns the labels and judges samples, in minutes.
    labels
        Classes of the data, or its table: folders, TABLE or TABLE:COLUMN.
    attributes
        Attributes or classes that get a direction, as A,B (default: all).
    seed
        Random seed of the images on the sheets.
    out
        Folder for the results, new or empty: directions.safetensors and directions.json,
        overview.png and the sub-folder sheets. Without it: RUN/directions/1, then
        RUN/directions/2, and so on.
    """
    check_run(run)
    check_data(data)

    from ganvas.inference.direction_survey import Search, survey_directions, write_survey
    from ganvas.io.console import print_text
    from ganvas.io.files import refuse_used

    if data is None and (labels or attributes):
        flag = "--labels" if labels else "--attributes"
        raise UserError(f"{flag} has no effect without --data PLACE, the labelled images")
    search = Search(by, count, seed)
    if out is not None:
        refuse_used(out)  # first, since the rest takes minutes
    loaded = loading.load(run)

    named = []
    if data is not None:
        from ganvas.evaluation.labelled_directions import find_labelled_directions

        names = split_list(attributes) if attributes else ()
        named, notes = find_labelled_directions(loaded, data, labels, names, progress=True)
        print_text(*notes)
    found = survey_directions(loaded, search, named)
    print_text(*found.table(), wrap=False)
    print_text(*write_survey(loaded, found, search, out))
