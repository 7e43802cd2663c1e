"""`ganvas train` and `ganvas recipes`."""

import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.cli.early import check_data, check_loggers, check_recipe, check_run
from ganvas.cli.flags import (
    AS_IT_IS,
    Device,
    Look,
    Number,
    Pairs,
    Switch,
    Whole,
    Words,
    parse_settings,
)
from ganvas.errors import UserError
from ganvas.io.lists import split_list

__all__ = ["collect_changes", "recipes", "train"]


def train(
    recipe: str | None = None,
    /,
    *,
    data: str | None = None,
    out: Path | None = None,
    from_: Path | None = None,
    images: Whole | None = None,
    epochs: Number | None = None,
    minutes: Number | None = None,
    until: str | None = None,
    look: Look = AS_IT_IS,
    seed: Whole | None = None,
    evaluate_every: Whole | None = None,
    device: Device = "auto",
    settings: Pairs = None,
    strict: Switch = False,
    dry_run: Switch = False,
    log: Literal["bar", "lines"] | None = None,
    log_to: Words = None,
    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"], negative="")] = False,
    quiet: Switch = False,
) -> None:
    """Train a GAN. The same command on an existing run folder resumes where it left off.

    Parameters
    ----------
    recipe
        Recipe to train, see `ganvas recipes`; "auto" chooses all settings for the data and this
        machine, with reasons. Default: that of the run folder, or of --from, or digits.
    data
        Data set: a folder or zip of images; a .npy, .npz or .parquet file; pairs:PLACE,
        unpaired:PLACE, attributes:PLACE or captions:PLACE, where PLACE is a folder or zip; pairs
        made of single images, pairs:grey:PLACE, also small2x, small4x, small8x, noise, edges, blur;
        shards:PLACE, tars in a folder or behind https://...; mnist, fashion-mnist, mnist:FOLDER,
        idx:FOLDER, digits, stacked-mnist, cifar10, figures (drawn birds); hub:OWNER/NAME, images of
        the Hugging Face Hub; or points: rings, grid.
    out
        Folder for the results: the run folder, new, or one whose run is resumed. Without it: a new,
        dated one under runs/.
    from_
        Run or checkpoint (a folder, zoo:NAME or hf:OWNER/NAME) of the same GAN whose weights a new
        run begins with, as far as they fit. Without RECIPE the run has the settings of that one,
        too; "auto" lowers the rates.
    images
        Length of the whole run, in images shown. A larger number extends a finished run.
    epochs
        Length of the whole run, in passes through the data.
    minutes
        Time that a new run may take; its length, and with "auto" its size, are chosen to fit.
    until
        End of a new run instead, HH:MM of local time.
    seed
        Random seed; the same seed gives the same run.
    evaluate_every
        Number of training images after which the samples are scored again, quickly; the
        checkpoint with the best score is kept beside the newest ones.
    device
        Device to train on.
    settings
        Settings of the recipe, KEY=VALUE, e.g. --set batch=64 --set options.width=32.
    strict
        Stop at the first broken image instead of leaving it out.
    dry_run
        Estimate of time and memory, without training.
    log
        Output while training: bar (a progress bar) or lines (a line of losses at each report).
        Default: lines for the recipes of the tutorials, bar for all others.
    log_to
        Loggers that get the losses and the grids while the run trains: tensorboard, wandb,
        trackio, swanlab, or one of another package. Default: none.
    verbose
        Also the reason of every setting that was chosen automatically.
    quiet
        No output.
    """
    check_recipe(recipe)
    check_data(data)
    if from_ is not None:
        check_run(from_)
    check_loggers(log_to)

    flags = {
        "data": data,
        "images": images,
        "seed": seed,
        "evaluate_every": evaluate_every,
        "log": log,
    }
    # What was not given keeps the recipe's value, or that of the run that is resumed.
    given = {key: value for key, value in flags.items() if value is not None}
    changes = collect_changes(settings or [], look.given() | given)

    # Imported here, so that --help and wrong flags need no torch.
    from ganvas.io.console import print_text
    from ganvas.training.signals import InterruptedRun

    if dry_run:
        from ganvas.runs.places import find_place
        from ganvas.training.budget import make_budget
        from ganvas.training.dry_run import print_plan
        from ganvas.training.request import Request

        place = find_place(from_).folder if from_ else None
        budget = make_budget(minutes, until, datetime.now())
        print_plan(Request(recipe, changes, epochs, strict, budget, place), out, device)
        return

    from ganvas.training.trainer import train as train_gan

    try:
        train_gan(
            recipe,
            out=out,
            from_=from_,
            epochs=epochs,
            minutes=minutes,
            until=until,
            device=device,
            settings=changes,
            strict=strict,
            quiet=quiet,
            verbose=verbose,
            log_to=split_list(log_to or []),
        )
    except InterruptedRun as stop:
        with suppress(OSError):  # after SIGHUP there is no terminal
            words, _, command = str(stop).partition("to resume: ")
            print_text(f"{words}to resume:", error=True)
            print_text(f"  {command}", error=True, wrap=False)  # whole, so that it can be copied
        # As shells report a process that a signal ended, so that a job queue can tell.
        sys.exit(128 + stop.number)


def collect_changes(pairs: list[str], flags: dict[str, Any]) -> dict[str, Any]:
    """Collect the changes of a recipe from `--set` and from flags of their own.

    Args:
        pairs: the values of `--set`.
        flags: settings that were given by other flags.

    Raises:
        UserError: a setting is given twice.
    """
    changes = parse_settings(pairs)
    for key in changes.keys() & flags.keys():
        flag = key.replace("_", "-")
        raise UserError(f"--{flag} and --set {key}= are the same setting; give one of them")
    return changes | flags


def recipes(name: str | None = None, /) -> None:
    """List all recipes, or show all settings of one.

    Parameters
    ----------
    name
        Recipe to show, or "auto".
    """
    # The list is at hand; one recipe needs torch.
    check_recipe(name)
    if name is None:
        from ganvas.recipes.catalogue import print_recipes

        print_recipes()
    else:
        from ganvas.recipes.listing import print_recipe

        print_recipe(name)
