"""`ganvas.sample`, `translate` and `restore`: as the verbs, with results in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from PIL import Image

from ganvas.errors import UserError
from ganvas.inference.choice import NoiseChoice, Noises, Seeds
from ganvas.inference.direction_files import Steps
from ganvas.inference.inpaint import InpaintTask
from ganvas.inference.inputs import InputFiles
from ganvas.inference.layout import LayoutTask
from ganvas.inference.naming import Naming
from ganvas.inference.results import Results, collect_results
from ganvas.inference.run import Run, load
from ganvas.inference.sample import SampleTask, check_flags, check_walk, write_walk
from ganvas.inference.sampling import Labels
from ganvas.inference.translate import TranslateTask
from ganvas.inference.walk import Walk
from ganvas.inference.write import Output

__all__ = ["find_run", "restore", "sample", "translate"]

ImageSource = str | Path | Image.Image  # a file, a folder or zip of images, or an image in memory


def sample(
    run: Run | str | Path,
    *,
    count: int | None = None,
    label: Labels = None,
    seed: int = 0,
    seeds: Seeds | None = None,
    noise: Noises | None = None,
    near: str | int | Path | None = None,
    spread: float | None = None,
    truncation: float = 1.0,
    direction: Steps | None = None,
    directions: str | Path | None = None,
    out: str | Path | None = None,
    format: Literal["png", "jpg"] = "png",
    names: str | None = None,
    start: int = 0,
    scale: int | None = None,
    grid: str | Path | None = None,
    columns: int | None = None,
    rows: Literal["classes"] | None = None,
    invert: bool = False,
    interpolate: str | Path | None = None,
    frames: int | None = None,
    fps: float | None = None,
    loop: bool = True,
    walks: int | None = None,
    caption: str | None = None,
    box: str | Iterable[int] | None = None,
    keypoints: Mapping[str, tuple[float, float]] | None = None,
    caption_features: str | Path | None = None,
    ema: bool = True,
    device: str = "auto",
) -> Results:
    """Generate images with a trained GAN. Files are written only where `out`, `grid` or
    `interpolate` names one.

    Args:
        run: a run, its folder or one of its checkpoints, or its name: zoo:NAME, hf:OWNER/NAME.
        count: of images; None: 64, or as many as `seeds` or `noise` name. With `rows`, of each
            class; None: 10.
        label: class to generate, by its name; where no class is called by a number, also by its
            place, from 0; several take turns; None: all classes in turn.
        seed: random seed; the same seed gives the same images, whatever the count.
        seeds: numbers, or "3,17,40-60": of each the image that `seed=N, count=1` draws.
        noise: files of noise that `restore` wrote, seeds, and sums of them, "a - b + c"; one or
            several. A file alone stands for all its images, else for its first; FILE:2 for its
            second.
        near: seed or file of noise of an image: it and variations of it are drawn.
        spread: how far variations may go, from 0 (the same) to 1 (unrelated); None: 0.3.
        truncation: factor by which noise is moved towards its mean, from 0 to 2: less makes images
            more usual and more alike.
        direction: how far to move images along directions that `ganvas.directions` found, in
            standard deviations of the noise: "3:2.5", several "1:2,Eyeglasses:-1.5", or {3: 2.5}.
        directions: folder that it wrote, its `out`; None: the newest that the command wrote.
        out: folder for separate files, new or empty. GANs with classes add a labels.csv.
        format: "png" or "jpg", of the separate files.
        names: of the files, such as "{n}.jpg" or "face-{n:04}.png"; {n} is the number of the image.
        start: number of the first image in the names.
        scale: whole number by which images are enlarged, each pixel repeated.
        grid: file for one image that shows all generated images.
        columns: images in a row of the grid; None: a column for each of up to 16 classes, or as
            square as possible.
        rows: "classes": a class in each row of the grid, and the same noise in each column.
        invert: whether to swap dark and light.
        interpolate: file (.gif, .webp or .mp4) for a smooth walk through the noise: of six images,
            of those that are chosen, or from class to class; `run.walk()` plays it in a notebook.
        frames: of the walk; None: 96.
        fps: frames per second; None: 16.
        loop: whether the walk returns to the first image, and repeats.
        walks: number of walks side by side, each through other noise; None: 1.
        caption: text to draw, for GANs trained on captions.
        box: place of the subject: left, top, width and height in pixels of the generated image;
            None: a large box in the middle.
        keypoints: places of parts in pixels, e.g. {"beak": (20, 30)}; the GAN places the others.
        caption_features: file (.safetensors) with the caption as an embedding, for GANs trained on
            embeddings.
        ema: whether to use the moving average of the weights, where there is one.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        Pillow images with their names and classes; of a GAN of points, the points.

    Raises:
        UserError: the run cannot do it, an argument is wrong, or a file cannot be written.
    """
    place = None if out is None else Path(out)
    naming = Naming(names, start)
    ending = naming.choose_format(format)
    walk = Walk(frames, fps, loop, walks)
    if caption or box or keypoints or caption_features:
        without = {
            "label": label is not None,
            "grid": grid is not None,
            "columns": columns is not None,
            "rows": rows is not None,
            "invert": invert,
            "interpolate": interpolate is not None,
            "seeds": seeds is not None,
            "noise": noise is not None,
            "near": near is not None,
            "spread": spread is not None,
            "truncation": truncation != 1,
            "direction": direction is not None,
            "directions": directions is not None,
            "scale": scale is not None,
            "frames, fps, loop or walks": walk != Walk(),
        }
        if given := [name for name, value in without.items() if value]:
            raise UserError(f"{', '.join(given)} cannot go with caption, box or keypoints")
        layout = LayoutTask(
            caption=caption,
            box=_join(box),
            keypoints=tuple(f"{part}={x:g},{y:g}" for part, (x, y) in (keypoints or {}).items()),
            features=None if caption_features is None else Path(caption_features),
            count=64 if count is None else count,
            seed=seed,
            naming=naming,
        )
        output = Output(place, ending, separate=place is not None)
        return collect_results(layout, find_run(run, ema, device), output)

    choice = NoiseChoice(seeds, noise, near, spread, truncation, direction, directions)
    task = SampleTask(count, label, seed, invert, choice, rows, scale, naming)
    output = Output(
        place,
        ending,
        separate=place is not None,
        sheet=False,
        grid=None if grid is None else Path(grid),
        columns=columns,
    )
    film = None if interpolate is None else Path(interpolate)
    walk = replace(walk, columns=columns, scale=scale, invert=invert)
    # Images are returned, whether or not they are written.
    check_flags(task, replace(output, separate=True), walk, film)
    loaded = find_run(run, ema, device)

    # The walk is written last but checked first, so that a wrong argument leaves nothing behind.
    if film:
        check_walk(task, loaded, walk, film)
    results = collect_results(task, loaded, output)
    if film:
        results.notes.extend(write_walk(task, loaded, walk, film))
    return results


def translate(
    run: Run | str | Path,
    images: ImageSource | Iterable[ImageSource],
    *,
    out: str | Path | None = None,
    to: str | None = None,
    attributes: Mapping[str, bool] | None = None,
    size: int | None = None,
    seed: int = 0,
    degrade: Literal["auto", "yes", "no"] = "auto",
    ema: bool = True,
    device: str = "auto",
) -> Results:
    """Translate images with a trained GAN, such as pix2pix, cyclegan or stargan. Files are written
    only where `out` is given.

    Args:
        run: a run, its folder or one of its checkpoints, or its name: zoo:NAME, hf:OWNER/NAME.
        images: files, folders and zips of images, and Pillow images; one or several.
        out: folder for the results and a sheet, new or empty.
        to: domain that cyclegan or cyclegan-fast generates: its name, "a" or "b"; None: "b".
        attributes: those that stargan sets (True) or removes (False), e.g. {"Eyeglasses": True};
            None: every attribute in turn.
        size: shorter side in pixels to which images are resized for the GAN; None: their own, or
            the size trained on for pix2pix. Results have the size of the images.
        seed: random seed, for GANs that use noise.
        degrade: after a training on pairs made of images, such as pairs:small4x:FOLDER: "yes" makes
            the images worse first, as those of the training; "no" takes them as they are; "auto"
            draws edges of what is no drawing, and takes others as they are.
        ema: whether to use the moving average of the weights, where there is one.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        Pillow images of the size and transparency of the given ones with their names, and a sheet
        of all beside their originals.

    Raises:
        UserError: the run cannot do it, no image can be used, or a file cannot be written.
    """
    sources = _list_sources(images)
    wanted = {name: bool(value) for name, value in (attributes or {}).items()}
    task = TranslateTask(InputFiles(sources), to, wanted, size, seed, degrade)
    return collect_results(task, find_run(run, ema, device), _choose_output(out, sources))


def restore(
    run: Run | str | Path,
    images: ImageSource | Iterable[ImageSource],
    *,
    mask: str | Path | None = None,
    box: str | Iterable[int] | None = None,
    project: bool = False,
    out: str | Path | None = None,
    candidates: int | None = None,
    size: int | None = None,
    steps: int | None = None,
    label: str | int | None = None,
    seed: int = 0,
    ema: bool = True,
    device: str = "auto",
) -> Results:
    """Fill holes in images with an inpainting GAN, or with any image GAN by latent search. Files
    are written only where `out` is given.

    Args:
        run: a run, its folder or one of its checkpoints, or its name: zoo:NAME, hf:OWNER/NAME.
        images: files, folders and zips of images, and Pillow images; one or several.
        mask: image of the same size, white in the hole; or a folder of masks with the names of the
            images. Without it and `box`: the hole is where the image is transparent.
        box: hole: left, top, width and height in pixels.
        project: whether to search for the GAN's image nearest to the whole picture, instead of
            filling a hole.
        out: folder for the results, new or empty, with sheets, other candidates and noise.
        candidates: number of different results of a search; None: 4.
        size: shorter side in pixels to which images are resized for an inpainting GAN.
        steps: of a search; None: 300.
        label: class of the generated image, as for `sample`, only for a search; None: the class
            that fits best.
        seed: random seed of the noise.
        ema: whether to use the moving average of the weights, where there is one.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        Pillow images with their names, and a sheet for each.

    Raises:
        UserError: the run cannot do it, no image can be used, or a file cannot be written.
    """
    sources = _list_sources(images)
    task = InpaintTask(
        InputFiles(sources),
        None if mask is None else Path(mask),
        _join(box),
        project=project,
        candidates=candidates,
        size=size,
        steps=steps,
        label=None if label is None else str(label),
        seed=seed,
    )
    return collect_results(task, find_run(run, ema, device), _choose_output(out, sources))


def find_run(run: Run | str | Path, ema: bool, device: str) -> Run:
    """The run, loaded if it was named by its folder.

    Raises:
        UserError: there is none, or how to load it is given for a run that is loaded already.
    """
    if not isinstance(run, Run):
        return load(run, device=device, ema=ema)
    if not ema or device != "auto":
        raise UserError(
            "ema and device have no effect on a run that is loaded already; give its folder, or"
            " ganvas.load(folder, ema=..., device=...)"
        )
    return run


def _list_sources(images: ImageSource | Iterable[ImageSource]) -> tuple[Path | Image.Image, ...]:
    """One or several sources of images, as paths and images."""
    several = [images] if isinstance(images, str | Path | Image.Image) else images
    return tuple(Path(source) if isinstance(source, str) else source for source in several)


def _choose_output(out: str | Path | None, sources: Iterable[Path | Image.Image]) -> Output:
    """Separate files where a folder is given, otherwise none."""
    originals = tuple(source for source in sources if isinstance(source, Path))
    place = None if out is None else Path(out)
    return Output(place, separate=place is not None, originals=originals)


def _join(box: str | Iterable[int] | None) -> str | None:
    """Four numbers as the text that a task takes."""
    return box if box is None or isinstance(box, str) else ",".join(str(value) for value in box)
