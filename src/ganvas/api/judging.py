"""`ganvas.evaluate` and `ganvas.health`: as the verbs, with results in memory."""

from collections.abc import Sequence
from pathlib import Path

from ganvas.data.arrays.memory import Images, name_data
from ganvas.data.view import collect_look
from ganvas.evaluation import Evaluation
from ganvas.evaluation import evaluate as evaluate_images
from ganvas.inference.run import Run
from ganvas.io.lists import split_list
from ganvas.runs.health import Health, read_health

__all__ = ["evaluate", "health"]


def evaluate(
    what: Run | str | Path | Images,
    against: str | Path | Images | None = None,
    *,
    data: str | Path | Images | None = None,
    metrics: str | Sequence[str] | None = None,
    features: str | None = None,
    weights: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    labels: str | Path | None = None,
    background: str | None = None,
    split: str | None = None,
    subset: str | None = None,
    transpose: bool = False,
    range: tuple[float, float] | str | None = None,
    categories: str | None = None,
    frames: str | int | None = None,
    overlap: float | None = None,
    tiles: int | None = None,
    ignore_alpha: bool = False,
    follow_links: bool = False,
    device: str = "auto",
    progress: bool = False,
) -> Evaluation:
    """Compare a run, or any set of images, with real images.

    Args:
        what: a run, its folder or one of its checkpoints; or a folder or zip of images, a data
            set's name, or "noise"; or, here and for the next two, images in memory, as for `train`.
        against: the images to compare with. None: the published test set of the run's data, or
            without one the data itself.
        data: where the run's data is, if it was moved; or, for samples that are not from a run, the
            data with which they are compared as if trained on it.
        metrics: names of metrics or of single values, in a list or with commas between; "all"; or
            None: the usual ones.
        features: "inception", "inception-legacy", "lite0", "classifier", "random" or "pixels";
            None: what suits the data.
        weights: a file for Inception or the classifier.
        count: samples; None: 10,000, of points 2,500, of Stacked-MNIST 26,000.
        seed: of the samples and of all random choices.
        size: side in pixels to which images are resized; None, here and below: as the run saw its
            own.
        channels: 1 to 16: 1 for grey, 3 for RGB, 4 for RGB with transparency or four bands.
        fit: how images become square: "crop", "pad", "stretch", or "tiles": squares cut from
            large images.
        labels: classes of a folder or zip: "none", "folders", or a table, as "TABLE" or
            "TABLE:COLUMN".
        background: colour behind transparent pixels and around padded images.
        split: part of the real images that is compared with, where they come in parts: "train",
            "test", "val" or "all".
        subset: which rows of the real images to use, "START:STOP", counted from 0 and without STOP
            itself; None: all.
        transpose: whether to exchange the rows and columns of idx files and arrays, as EMNIST's
            files need it.
        range: (LOW, HIGH), the values of the files that become black and white; None: found for
            the whole set.
        categories: column of images that are label maps ("image", "a" or "b"): a plane for each
            category.
        frames: frames or pages of files that hold several: "first", "all", or a number N for every
            Nth. With "all" or N, films are read, too.
        overlap: share of its side by which a tile reaches over the next one; None: 0.
        tiles: limit of the tiles of one image, evenly spread over it; None: all.
        ignore_alpha: whether transparency that files declare is a band like all others: 3 channels
            are the colours alone, 4 are four bands.
        follow_links: whether links to folders are followed wherever they lead, also out of the
            data set.
        device: where samples and features are computed.
        progress: whether to show progress on stderr.

    Returns:
        The values with their protocol; a notebook shows them as a table. Those of a run folder are
        also added to its `evaluations.jsonl`, and with memorisation its `memorisation.png` is
        drawn.

    Raises:
        UserError: an argument is wrong, or something is missing.
    """
    return evaluate_images(
        what if isinstance(what, Run) else name_data(what)[0],
        None if against is None else name_data(against)[0],
        data=None if data is None else name_data(data)[0],
        metrics=split_list([metrics]) if isinstance(metrics, str) else metrics,
        features=features,
        weights=weights,
        count=count,
        seed=seed,
        view=collect_look(
            size=size,
            channels=channels,
            fit=fit,
            labels=labels,
            background=background,
            split=split,
            subset=subset,
            transpose=transpose,
            range=range,
            categories=categories,
            frames=frames,
            overlap=overlap,
            tiles=tiles,
            ignore_alpha=ignore_alpha,
            follow_links=follow_links,
        ),
        device=device,
        progress=progress,
    )


def health(run: Run | str | Path) -> Health:
    """Diagnose a run, finished or still training: what is wrong, the evidence, and what to do.

    Args:
        run: a run, or its folder.

    Returns:
        The findings and the last checkup; it prints as a text, and a notebook shows it as tables.

    Raises:
        UserError: it is not a run folder, its log is not there, or it has had no checkup yet.
    """
    return read_health(run.folder if isinstance(run, Run) else run)
