"""`ganvas.train`: as `ganvas train`, with the same names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.data.arrays.memory import Images, Labels, name_data
from ganvas.data.view import collect_look
from ganvas.errors import UserError
from ganvas.inference.run import Run
from ganvas.io.lists import split_list
from ganvas.recipes.recipe import Recipe
from ganvas.training.trainer import train as train_recipe

__all__ = ["train"]


def train(
    recipe: str | Recipe | None = None,
    *,
    data: str | Path | Images | None = None,
    out: str | Path | None = None,
    from_: str | Path | None = None,
    images: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    until: str | None = None,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    labels: str | Path | Labels | None = None,
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
    seed: int | None = None,
    evaluate_every: int | None = None,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    strict: bool = False,
    log: str | None = None,
    log_to: str | Sequence[str] | None = None,
    verbose: bool = False,
    quiet: bool = False,
) -> Run:
    """Train a GAN, or resume a run that was stopped. A notebook shows how it learns.

    Args:
        recipe: a recipe or its name; "auto" chooses all settings for the data and this machine;
            None is the run folder's own, that of `from_`, or "digits".
        data: what to train on, if not the recipe's own data: a folder or zip of images, or a name
            as `ganvas train --help` lists them; or images in memory: an array or a tensor (N, H,
            W), (N, H, W, C) or (N, C, H, W), or a list of images. A run that is resumed needs the
            same images.
        out: the run folder; None is a fresh one under `runs/`. An existing run is resumed.
        from_: a run or checkpoint (a folder, zoo:NAME or hf:OWNER/NAME) of the same GAN whose
            weights a new run begins with, as far as they fit. Without a recipe the run has the
            settings of that one, too; "auto" lowers the rates.
        images: length of the whole run, in images shown.
        epochs: length of the whole run, in passes through the data.
        minutes: time that a new run may take on this machine; its length is chosen to fit.
        until: end of a new run instead, HH:MM of local time.
        size: side in pixels to which images are resized.
        channels: 1 to 16: 1 for grey, 3 for RGB, 4 for RGB with transparency or four bands.
        fit: how images become square: "crop", "pad", "stretch", or "tiles": squares cut from
            large images.
        labels: classes of a folder or zip: "none", "folders", or a table, as "TABLE" or
            "TABLE:COLUMN"; of images in memory, a number or a text for each.
        background: colour behind transparent pixels and around padded images.
        split: part of a set that comes in parts: "train" (the usual one), "test", "val" or "all".
        subset: which rows to use, "START:STOP", counted from 0 and without STOP itself; None:
            all.
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
        seed: random seed; the same seed gives the same run.
        evaluate_every: training images after which the samples are scored again, quickly; the
            checkpoint with the best score is kept.
        device: "auto", "cpu", "cuda" or "mps".
        settings: any other settings of the recipe, e.g. {"batch": 64, "options.width": 32}.
        strict: whether a broken image file is an error.
        log: output while training: "bar" (a progress bar) or "lines" (a line of losses at each
            report); None is "lines" for the recipes of the tutorials and "bar" for all others. A
            notebook shows the curves of the losses in both cases.
        log_to: loggers that get the losses and the grids, such as "tensorboard" or ["wandb",
            "trackio"]; None: no logger.
        verbose: whether to print also the reason of every setting that was chosen automatically.
        quiet: whether to print and show nothing.

    Returns:
        The trained run, ready to `sample`.

    Raises:
        UserError: something given is wrong or something is missing; nothing was lost.
        InterruptedRun: by Ctrl-C, a notebook's "interrupt" or SIGTERM; everything is saved, and the
            same call with `out` resumes.
    """
    if data is not None:
        data, labels = name_data(data, labels)
    elif labels is not None and not isinstance(labels, str | Path):
        raise UserError("labels in memory are for images in memory: data=images, labels=labels")
    flags = {"evaluate_every": evaluate_every, "log": log}
    # What was not given keeps the recipe's value, or that of the run that is resumed.
    given = collect_look(
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
    )
    given |= {key: value for key, value in flags.items() if value is not None}
    changes = dict(settings or {})
    for key in changes.keys() & {*given, "data", "images", "seed"}:
        raise UserError(f"{key} is given in settings, but is an argument of its own: {key}=...")

    return train_recipe(
        recipe,
        data=data,
        out=out,
        from_=from_,
        images=images,
        epochs=epochs,
        minutes=minutes,
        until=until,
        seed=seed,
        device=device,
        settings=changes | given,
        strict=strict,
        quiet=quiet,
        verbose=verbose,
        log_to=split_list([log_to] if isinstance(log_to, str) else log_to or ()),
    )
