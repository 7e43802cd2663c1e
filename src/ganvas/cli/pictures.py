"""`ganvas data` and `ganvas pack`: look at data sets, and decode them ahead of training."""

import sys
from pathlib import Path

from ganvas.cli.early import check_data
from ganvas.cli.flags import AS_IT_IS, Look, Switch, Whole

__all__ = ["data", "pack"]


def data(
    spec: str,
    /,
    *,
    look: Look = AS_IT_IS,
    out: Path | None = None,
    strict: Switch = False,
    json: Switch = False,
) -> None:
    """Examine a folder, zip or data set: what it holds, what is broken, what training will see.

    Parameters
    ----------
    spec
        A folder, zip or tar of images; a .npy, .npz or .parquet file; pairs:PLACE, unpaired:PLACE,
        attributes:PLACE or captions:PLACE (pairs-test:PLACE and such for another split); pairs made
        of single images, pairs:grey:PLACE, also small2x, small4x, small8x, noise, edges, blur;
        shards:PLACE; hub:OWNER/NAME, a set of the Hugging Face Hub; mnist, fashion-mnist,
        mnist:FOLDER, idx:FOLDER, digits, stacked-mnist, cifar10, figures, rings or grid.
    out
        Folder for the results, here one: contact-sheet.png, images as training will see them; or a
        file for it. Without it: in the cache.
    strict
        Stop at the first broken image instead of leaving it out.
    json
        Print as JSON: the report, and no contact sheet unless --out is given.
    """
    check_data(spec)

    from ganvas.data.inspect import run_doctor
    from ganvas.data.view import make_view

    run_doctor(spec, make_view(**look.given()), out, strict, json)


def pack(
    spec: str,
    /,
    *,
    out: Path | None = None,
    shards: Switch = False,
    shard_images: Whole | None = None,
    look: Look = AS_IT_IS,
    strict: Switch = False,
) -> None:
    """Decode images ahead of training: into the cache, or with --shards into tars.

    Without --shards: decodes the images into the cache, as the first training would do, and prints
    where they are. With --shards: writes tars in webdataset's layout with an
    index.json, in random order, for --data shards:FOLDER and shards:https://....

    Parameters
    ----------
    spec
        A folder or zip of images, or another data set with one image a row, such as
        mnist:FOLDER.
    out
        Folder for the results, new or empty: the shards.
    shards
        Write shards.
    shard_images
        Images in a shard. Without it: 1,000, or fewer of large images, so that a
        decoded shard has at most 64 MiB.
    strict
        Stop at the first broken image instead of leaving it out.
    """
    check_data(spec)

    from ganvas.data.shards.write import pack_dataset
    from ganvas.data.view import make_view
    from ganvas.io.console import print_text

    # A bar only on a terminal: in a file it would be thousands of lines.
    view, progress = make_view(**look.given()), sys.stderr.isatty()
    for line in pack_dataset(
        spec, view, out, shards=shards, shard_images=shard_images, strict=strict, progress=progress
    ):
        print_text(line)
