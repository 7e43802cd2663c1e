"""`ganvas sample`, `restore` and `translate`: use a trained GAN."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.cli.early import check_run
from ganvas.cli.flags import (
    AS_DRAWN,
    AS_NUMBERED,
    AS_USUAL,
    CLOSED,
    Files,
    Loading,
    Noise,
    Switch,
    Walking,
    Whole,
    Words,
)
from ganvas.errors import UserError
from ganvas.io.lists import split_pairs

__all__ = ["print_lines", "refuse_beside_caption", "restore", "sample", "translate"]


def sample(
    run: Path,
    /,
    *,
    count: Whole | None = None,
    label: Words = None,
    seed: Whole = 0,
    out: Path | None = None,
    picture_format: Annotated[Literal["png", "jpg"], Parameter(name="--format")] = "png",
    grid: Path | None = None,
    columns: Whole | None = None,
    rows: Literal["classes"] | None = None,
    invert: Switch = False,
    interpolate: Path | None = None,
    caption: str | None = None,
    box: str | None = None,
    keypoints: Annotated[list[str] | None, Parameter(name="--keypoint", negative="")] = None,
    caption_features: Path | None = None,
    noise: Noise = AS_DRAWN,
    files: Files = AS_NUMBERED,
    walking: Walking = CLOSED,
    loading: Loading = AS_USUAL,
) -> None:
    """Generate images with a trained GAN: separate files, a grid, or a smooth animation.

    Without --out, --grid and --interpolate, separate files and a grid (in the sub-folder sheets)
    are written to RUN/generated/1; the next call writes to RUN/generated/2, and so on. With
    --caption, it also writes an overview image with the same subject at several positions.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    count
        Number of images (default 64); with --rows, of each class (default 10).
    label
        Class to generate, by its name; where no class is called by a number, also by its place,
        from 0. Several, as A,B, take turns. Without it: all classes in turn.
    seed
        Random seed; the same seed gives the same images, whatever the count.
    out
        Folder for the results, new or empty: separate files, and labels.csv for GANs with classes.
        Without it: RUN/generated/1, then RUN/generated/2, and so on.
    picture_format
        File format of the separate files.
    grid
        File for one image that shows all generated images.
    columns
        Images in a row of the grid. Without it: a column for each of up to 16 classes, or as square
        as possible.
    rows
        Rows of the grid: classes, for a class in each row and the same noise in each column.
    invert
        Swap dark and light, e.g. to get dark digits on white.
    interpolate
        File (.gif, .webp or .mp4) for a smooth animated walk through the noise: of six images, of
        those that --seeds, --noise or --near choose, from class to class (--label A,B,C), or along
        a direction (--direction 3:-3..3).
    caption
        Text to draw, for GANs trained on captions.
    box
        Box LEFT,TOP,WIDTH,HEIGHT in pixels of the generated image: where the subject is. Without
        it: a large box in the middle.
    keypoints
        Places of parts, PART=X,Y in pixels; the GAN places the other parts.
    caption_features
        File (.safetensors) with the caption as an embedding, for GANs trained on embeddings.
    """
    # GANs of captions take other flags and draw another overview, under the same verb.
    if caption or box or keypoints or caption_features:
        refuse_beside_caption(
            {
                "--label": label,
                "--grid": grid,
                "--columns": columns,
                "--rows": rows,
                "--invert": invert,
                "--interpolate": interpolate,
                "--seeds": noise.seeds,
                "--noise": noise.noise,
                "--near": noise.near,
                "--spread": noise.spread is not None,
                "--truncation": noise.truncation != 1,
                "--direction": noise.direction,
                "--directions": noise.directions,
                "--scale": files.scale,
                "--frames, --fps, --no-loop or --walks": walking != CLOSED,
            }
        )
        check_run(run)

        from ganvas.inference.layout import LayoutTask
        from ganvas.inference.write import Output, write

        layout = LayoutTask(
            caption=caption,
            box=box,
            keypoints=tuple(split_pairs(keypoints or ())),
            features=caption_features,
            count=64 if count is None else count,
            seed=seed,
            naming=files.naming(),
        )
        output = Output(out, layout.naming.choose_format(picture_format))
        print_lines(write(layout, loading.load(run), output))
        return

    check_run(run)

    from ganvas.inference.sample import SampleTask, check_flags, check_walk, write_walk
    from ganvas.inference.walk import Walk
    from ganvas.inference.write import Output, write

    task = SampleTask(count, label, seed, invert, noise.choice(), rows, files.scale, files.naming())
    output = Output(
        out,
        task.naming.choose_format(picture_format),
        separate=out is not None or not (grid or interpolate),
        sheet=out is None,
        grid=grid,
        columns=columns,
    )
    walk = Walk(**asdict(walking), columns=columns, scale=files.scale, invert=invert)
    check_flags(task, output, walk, interpolate)
    loaded = loading.load(run)

    # The walk is written last but checked first, so that a wrong flag leaves nothing behind.
    if interpolate:
        check_walk(task, loaded, walk, interpolate)
    print_lines(write(task, loaded, output))
    if interpolate:
        print_lines(write_walk(task, loaded, walk, interpolate))


def restore(
    run: Path,
    images: Path,
    /,
    *,
    mask: Path | None = None,
    box: str | None = None,
    project: Switch = False,
    out: Path | None = None,
    candidates: Whole | None = None,
    size: Whole | None = None,
    steps: Whole | None = None,
    label: str | None = None,
    seed: Whole = 0,
    loading: Loading = AS_USUAL,
) -> None:
    """Fill holes in images with an inpainting GAN, or with any image GAN by latent search.

    An inpainting GAN is a run of the recipe inpaint. With any other GAN, Ganvas searches for the
    noise whose image matches the pixels around the hole. Pixels outside the hole never change.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    images
        Image, or a folder or zip of images.
    mask
        Image of the same size, white in the hole; or a folder of masks with the names of the
        images. Without it and --box: the hole is where the image is transparent.
    box
        Box LEFT,TOP,WIDTH,HEIGHT in pixels of the image: where the hole is.
    project
        Search for the GAN's image that is nearest to the whole picture, instead of filling a hole.
    out
        Folder for the results, new or empty, with sub-folders for sheets, other candidates and
        noise. Without it: RUN/restored/1, then RUN/restored/2, and so on.
    candidates
        Number of different results of a search (default 4).
    size
        Side in pixels to which images are resized for an inpainting GAN (the shorter side).
        Without it: the images' own size. Results have the size of the images.
    steps
        Steps of a search (default 300).
    label
        Class to generate, by its name or place as for `ganvas sample` (only for a search). Without
        it: the class that fits best.
    seed
        Random seed of the noise.
    """
    check_run(run)

    from ganvas.inference.inpaint import InpaintTask
    from ganvas.inference.inputs import InputFiles
    from ganvas.inference.write import Output, write

    task = InpaintTask(
        InputFiles((images,)),
        mask,
        box,
        project=project,
        candidates=candidates,
        size=size,
        steps=steps,
        label=label,
        seed=seed,
    )
    print_lines(write(task, loading.load(run), Output(out, originals=(images,))))


def translate(
    run: Path,
    images: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    out: Path | None = None,
    to: str | None = None,
    attributes: Words = None,
    size: Whole | None = None,
    seed: Whole = 0,
    degrade: Literal["auto", "yes", "no"] = "auto",
    loading: Loading = AS_USUAL,
) -> None:
    """Translate images with a trained GAN: pix2pix, cyclegan, stargan or their quick versions.

    Each image becomes one file of the same size and transparency, and a sheet shows all beside
    their originals. cyclegan and stargan take images as they are, large ones in parts; pix2pix sees
    them at the size that it was trained on, and what it draws is enlarged.

    After a training on pairs:grey:FOLDER images in colour are turned grey by themselves, after
    pairs:small4x:FOLDER they become 4 times as large, and after pairs:edges:FOLDER edges are drawn
    of all that is no drawing yet.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    images
        Images, and folders or zips of images.
    out
        Folder for the results, new or empty. Without it: RUN/translated/1, then RUN/translated/2,
        and so on.
    to
        Target domain of cyclegan or cyclegan-fast: its name, a or b (default b).
    attributes
        Attributes that stargan sets (NAME=1) or removes (NAME=0), such as
        Eyeglasses=1,Black_Hair=1. Without it: every attribute in turn.
    size
        Side in pixels to which images are resized for the GAN (the shorter side). Results have the
        size of the images.
    seed
        Random seed, for GANs that use noise.
    degrade
        After a training on pairs made of images (pairs:small4x:FOLDER, noise, blur, edges): yes,
        to make good images worse first, as those of the training, and to see how they are restored;
        no, to take images as they are, also those that are no drawings.
    """
    check_run(run)

    from ganvas.inference.inputs import InputFiles
    from ganvas.inference.translate import TranslateTask, parse_attributes
    from ganvas.inference.write import Output, write

    places = tuple(images)
    wanted = parse_attributes(attributes or [])
    task = TranslateTask(InputFiles(places), to, wanted, size, seed, degrade)
    print_lines(write(task, loading.load(run), Output(out, originals=places)))


def refuse_beside_caption(flags: dict[str, Any]) -> None:
    """Refuse flags that have no effect on images from captions.

    Raises:
        UserError: names those that were given.
    """
    given = [flag for flag, value in flags.items() if value]
    if given:
        raise UserError(f"{', '.join(given)} cannot go with --caption, --box or --keypoint")


def print_lines(lines: Iterable[str]) -> None:
    """Print what a command has done, as it does it."""
    from ganvas.io.console import print_text

    for line in lines:
        print_text(line)
