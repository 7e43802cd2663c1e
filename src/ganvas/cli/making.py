"""`ganvas sample`, `restore` and `translate`: what trained GANs are for."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.flags import Device, Pairs, Switch
from ganvas.errors import UserError


def sample(
    run: Path,
    *,
    count: int = 64,
    label: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    picture_format: Annotated[Literal["png", "jpg"], Parameter(name="--format")] = "png",
    grid: Path | None = None,
    columns: int | None = None,
    invert: Switch = False,
    interpolate: Path | None = None,
    caption: str | None = None,
    box: str | None = None,
    keypoints: Annotated[list[str] | None, Parameter(name="--keypoint", negative="")] = None,
    caption_features: Path | None = None,
    ema: bool = True,
    device: Device = "auto",
) -> None:
    """Make pictures with a trained GAN: separate files, a grid, or a smooth walk from picture to
    picture.

    Without --out, --grid and --interpolate: separate files and, in a sub-folder sheets, a grid, in
    RUN/generated/1, of the next call in RUN/generated/2, and so on. With --caption also a sheet of
    the same in other places.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    count
        How many pictures.
    label
        The class wanted, by name or number. Without it: all classes in turn.
    seed
        Which pictures; the same seed gives the same ones, whatever the count.
    out
        Folder for separate files, new or empty; with classes, a labels.csv is written beside them.
    picture_format
        Of the separate files.
    grid
        File for one picture with all of them.
    columns
        Pictures in a row of the grid. Without it: as square as possible.
    invert
        Swap dark and light, e.g. dark ink on white for digits.
    interpolate
        File (.gif or .webp) for a smooth walk through the noise.
    caption
        What to draw, for runs that learnt from captions.
    box Where to draw it: X,Y,WIDTH,HEIGHT in pixels of the pictures made. Without it: in the
        middle.
    keypoints PART=X,Y: where a part of it is, in pixels. Can be given many times; the GAN places
        the other parts.
    caption_features
        File (.safetensors) with the caption as numbers, for runs that learnt from such.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to make them.
    """
    if caption or box or keypoints or caption_features:
        of_no_use = {
            "--label": label,
            "--grid": grid,
            "--columns": columns,
            "--invert": invert,
            "--interpolate": interpolate,
        }
        if found := [flag for flag, value in of_no_use.items() if value]:
            raise UserError(f"{', '.join(found)} cannot go with --caption, --box or --keypoint")
        from ganvas.inference.layout import write_placed
        from ganvas.io.console import print_text

        for line in write_placed(
            run,
            caption=caption,
            box=box,
            keypoints=keypoints or [],
            features=caption_features,
            count=count,
            seed=seed,
            out=out,
            ending=picture_format,
            ema=ema,
            device=device,
        ):
            print_text(line)
        return
    from ganvas.inference.sample import write_samples
    from ganvas.io.console import print_text

    for line in write_samples(
        run,
        count=count,
        label=label,
        seed=seed,
        out=out,
        ending=picture_format,
        grid=grid,
        columns=columns,
        invert=invert,
        walk=interpolate,
        ema=ema,
        device=device,
    ):
        print_text(line)


def restore(
    run: Path,
    pictures: Path,
    *,
    mask: Path | None = None,
    box: str | None = None,
    out: Path | None = None,
    candidates: int | None = None,
    size: int | None = None,
    steps: int | None = None,
    label: str | None = None,
    seed: int = 0,
    ema: bool = True,
    device: Device = "auto",
) -> None:
    """Fill holes in pictures, with a GAN that learnt to or with any that makes pictures from noise.

    The first is a run of the recipe inpaint. Of the others the noise is searched for pictures that
    fit around the hole; without a hole, for the whole picture. Everything outside the hole stays as
    it is, to the bit.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    pictures
        A picture, or a folder or zip of them.
    mask A picture of the same size, white in the hole; or a folder of them, by the pictures' names.
        Without it and --box: the hole is where the picture is transparent.
    box
        The hole as left,top,width,height in pixels.
    out Folder, new or empty, for the restored pictures and, in sub-folders, sheets, other
        candidates and noise. Without it: RUN/restored/1, of the next call RUN/restored/2, and so
        on.
    candidates
        How many different ones a search is to find. Without it: 4.
    size Shorter side in pixels to which a picture is brought for a GAN that learnt to fill holes.
        Without it: its own.
    steps
        Of the search. Without it: 300.
    label
        The class wanted of a search, by name or number. Without it: whichever fits best.
    seed
        Of the search's starts.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to work.
    """
    from ganvas.inference.inpaint import Settings, write_restored
    from ganvas.io.console import print_text

    settings = Settings(candidates=candidates, size=size, seed=seed, steps=steps, label=label)
    for line in write_restored(run, pictures, mask, box, out, settings, ema=ema, device=device):
        print_text(line)


def translate(
    run: Path,
    pictures: Annotated[list[Path], Parameter(negative="")],
    *,
    out: Path | None = None,
    to: str | None = None,
    settings: Pairs = None,
    size: int | None = None,
    seed: int = 0,
    ema: bool = True,
    device: Device = "auto",
) -> None:
    """Turn pictures of one kind into another with a trained GAN: pix2pix, cyclegan or stargan.

    Writes one file for each picture and a sheet with all beside their originals. Pictures may have
    any size: cyclegan and stargan take them as they are, large ones in parts; pix2pix at the size
    that it learnt from.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    pictures
        Pictures, and folders or zips of them.
    out Folder for the results, new or empty. Without it: RUN/translated/1, of the next call
        RUN/translated/2, and so on.
    to
        The domain wanted of cyclegan, a or b. Without it: b.
    settings NAME=1 or NAME=0, several with commas between: attributes wanted of stargan, e.g. --set
        Eyeglasses=1,Black_Hair=1. Without it: every attribute in turn.
    size
        Shorter side in pixels to which pictures are brought first.
    seed
        Of the noise, where the GAN has some.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to make them.
    """
    from ganvas.inference.translate import parse_attributes, write_translations
    from ganvas.io.console import print_text

    wanted = parse_attributes(settings or [])
    for line in write_translations(
        run, pictures, out=out, to=to, settings=wanted, size=size, seed=seed, device=device, ema=ema
    ):
        print_text(line)
