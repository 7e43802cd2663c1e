"""`ganvas train` and `ganvas recipes`."""

import sys
from pathlib import Path

from ganvas.cli.flags import AS_IT_IS, Device, Look, Pairs, Switch, parse_settings
from ganvas.errors import UserError


def train(
    recipe: str | None = None,
    *,
    data: str | None = None,
    out: Path | None = None,
    images: int | None = None,
    epochs: float | None = None,
    look: Look = AS_IT_IS,
    seed: int | None = None,
    evaluate_every: int | None = None,
    device: Device = "auto",
    settings: Pairs = None,
    strict: Switch = False,
    dry_run: Switch = False,
    quiet: Switch = False,
) -> None:
    """Train a GAN. The same command on an existing run folder goes on where it stopped.

    Parameters
    ----------
    recipe
        What to train; `ganvas recipes` lists them. "auto" chooses all settings for the data and
        this machine, and says why. Without it: the run folder's own, or digits.
    data What to train on: a folder or zip of pictures; pairs:PLACE, unpaired:PLACE,
        attributes:PLACE or captions:PLACE, where PLACE is a folder or zip; shards:PLACE, tars in a
        folder or behind https://...; mnist, fashion-mnist, mnist:FOLDER, idx:FOLDER, digits,
        stacked-mnist, cifar10, figures (drawn birds); or points: rings, grid.
    out
        The run folder. Without it: a fresh, dated one under runs/.
    images
        Length of the whole run, in images shown. A larger number goes on with a finished run.
    epochs
        The same, in passes through the data.
    seed
        Of all random numbers; the same seed gives the same run.
    evaluate_every Images between two quick scores of the samples; the checkpoint with the best one
        is kept beside the newest.
    device
        Where to train.
    settings KEY=VALUE: any other setting of the recipe, e.g. --set batch=64 --set options.width=32.
        Can be given many times.
    strict
        Make a broken picture an error.
    dry_run
        Only show what would be done, with the memory and time expected.
    quiet
        Say nothing.
    """
    if images is not None and epochs is not None:
        raise UserError("--images and --epochs both set the length of the run; give one of them")
    direct = look.given() | ({} if evaluate_every is None else {"evaluate_every": evaluate_every})
    changes = parse_settings(settings or [])
    others = {"data": data, "images": images, "seed": seed}
    for key in changes.keys() & {
        *direct,
        *(key for key, value in others.items() if value is not None),
    }:
        raise UserError(
            f"--{key.replace('_', '-')} and --set {key}= are the same setting; give one of them"
        )
    changes |= direct

    from ganvas.io.console import print_text
    from ganvas.runs.folder import read_recipe
    from ganvas.training import trainer

    if dry_run:
        from ganvas.devices import pick_device
        from ganvas.training.dry_run import print_plan

        own = read_recipe(out) if out else None
        asked = trainer.resolve(
            recipe,
            own,
            pick_device(device),
            data=data,
            images=images,
            seed=seed,
            settings=changes,
            progress=True,
        )
        print_plan(asked, own, out or Path("runs"), epochs, device, strict)
        return
    try:
        trainer.train(
            recipe,
            data=data,
            out=out,
            images=images,
            epochs=epochs,
            seed=seed,
            device=device,
            settings=changes,
            strict=strict,
            quiet=quiet,
        )
    except trainer.InterruptedRun as stop:
        print_text(str(stop), error=True)
        sys.exit(128 + stop.number)


def recipes(name: str | None = None) -> None:
    """List what can be trained, or show one recipe whole.

    Parameters
    ----------
    name
        The recipe to show.
    """
    if name is None:
        from ganvas.recipes.catalogue import print_recipes

        print_recipes()
    else:
        from ganvas.recipes.listing import print_recipe

        print_recipe(name)
