"""Fill holes in pictures: by a GAN that learnt to, or by a search of the noise of any GAN that
makes pictures from noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from ganvas.data.folders.source import EXTENSIONS
from ganvas.errors import UserError
from ganvas.inference.crops import cut, extent, pasted, square
from ganvas.inference.inputs import check_out, contents
from ganvas.inference.inversion import Found, nearness, search
from ganvas.inference.poisson import blur_fill, poisson
from ganvas.inference.run import Run, class_number, load
from ganvas.io.console import count_noun, track
from ganvas.io.files import atomic_path, own_folder
from ganvas.io.grids import table
from ganvas.io.images import (
    UnreadableError,
    read,
    resize,
    save,
    to_float,
    to_pil,
    to_uint8,
    transparent,
)
from ganvas.runs.usage import describe_use

SMALLEST = 8  # side of a picture in pixels
WHITE = 128  # grey value from which a mask is hole
SHEET = 256  # longest side of a picture in a sheet
GREY = 127


@dataclass(frozen=True)
class Settings:
    """How holes are to be filled; None: as the GAN does it best."""

    candidates: int | None = None
    size: int | None = None
    seed: int = 0
    steps: int | None = None
    label: str | None = None


class Job(NamedTuple):
    """A picture, uint8 (C, H, W), where its hole is, bool (H, W), and its name; without a hole it
    is projected as a whole.
    """

    name: str
    picture: Tensor
    mask: Tensor | None


def write_restored(
    folder: Path,
    source: Path,
    mask: Path | None,
    box: str | None,
    out: Path | None,
    settings: Settings,
    *,
    ema: bool = True,
    device: str = "cpu",
) -> Iterator[str]:
    """What `ganvas restore` does; yields a line for each thing done.

    Raises:
        UserError: a run of another kind, a setting that has no effect on it, nothing that is a
            picture with a hole.
    """
    if mask and box:
        raise UserError("--mask and --box both tell where the hole is; give one of them")
    run = load(folder, device=device, ema=ema)
    check(run, settings, folder)
    if out:
        check_out(out, [source])
    with own_folder(out, run.folder / "restored") as into:
        many = source.is_dir() or source.suffix.lower() == ".zip"
        done, first = 0, None
        for name, content in contents(source):
            try:
                job = prepare(name, content(), mask, box, run)
            except (UserError, UnreadableError) as error:
                problem = UserError(f"{name if many else source}: {error}")
                if not many:
                    raise problem from error
                first = first or problem
                yield f"left out {problem}"
                continue
            yield from (
                fill(run, job, into, settings)
                if "mask" in run.gan.inputs
                else look_for(run, job, into, settings)
            )
            done += 1
        if first and not done:
            raise first
        yield f"{count_noun(done, 'picture')} in {into}, sheets in {into / 'sheets'}"


def check(run: Run, settings: Settings, folder: Path) -> None:
    """Refuse GANs that restore nothing, and settings that have no effect.

    Raises:
        UserError: tells what to do.
    """
    gan = run.gan
    if gan.kind == "point":
        raise UserError(f"{folder} makes points, not pictures: there is nothing to restore")
    if not gan.unconditional and set(gan.inputs) != {"image", "mask"}:
        raise UserError(
            f"{folder} makes pictures from {', '.join(gan.inputs)}: {describe_use(gan, folder)}"
        )
    for name in ("candidates", "steps", "label") if "mask" in gan.inputs else ("size",):
        if getattr(settings, name) is not None:
            other = (
                "made for filling holes, in one way only"
                if "mask" in gan.inputs
                else f"of {gan.size}x{gan.size} pixels"
            )
            raise UserError(f"--{name} has no effect: {folder} is {other}")
    if settings.label is not None:
        class_number(gan, settings.label)
    for name, least in (("candidates", 1), ("steps", 0), ("size", SMALLEST)):
        value = getattr(settings, name)
        if value is not None and value < least:
            raise UserError(f"--{name} {value}: give {least} or more")


def prepare(name: str, content: bytes, mask: Path | None, box: str | None, run: Run) -> Job:
    """Decode a picture and find its hole: the mask's, the box's, or what is transparent.

    Raises:
        UnreadableError: it is not a picture.
        UserError: the hole is of another size, empty, all of it, or not told though the GAN needs
            one.
    """
    channels = 1 if run.gan.channels == 1 else 3
    picture = read(content, channels).pixels
    height, width = picture.shape[1:]
    if min(height, width) < SMALLEST:
        raise UserError(f"{width}x{height} pixels are too few; {SMALLEST}x{SMALLEST} at least")
    hole = (
        read_mask(mask, name, height, width)
        if mask
        else boxed(box, height, width)
        if box
        else transparent(content)
    )
    if hole is None:
        if "mask" in run.gan.inputs:
            raise UserError(
                "it has no hole; tell where it is by --mask or --box, or make it transparent"
            )
        return Job(name, picture, None)
    if not hole.any():
        raise UserError(f"the hole is empty; a mask is white ({WHITE} to 255) in the hole")
    if hole.all():
        raise UserError("the hole covers everything; something around it must be known")
    return Job(name, picture, hole)


def read_mask(place: Path, name: str, height: int, width: int) -> Tensor:
    """The mask for a picture: a file, or the one of the picture's name in a folder; bool (H, W).

    Raises:
        UserError: there is none, it is not a picture, or of another size.
    """
    if place.is_dir():
        files = sorted((place / name).parent.iterdir()) if (place / name).parent.is_dir() else []
        found = [
            file
            for file in files
            if file.stem == Path(name).name and file.suffix.lower() in EXTENSIONS
        ]
        if not found:
            raise UserError(f"there is no mask {name}.png, or of another ending, in {place}")
        place = found[0]
    if not place.is_file():
        raise UserError(f"there is no mask {place}")
    try:
        mask = read(place.read_bytes(), 1, "black").pixels[0]
    except UnreadableError as error:
        raise UserError(f"the mask {place} cannot be used: {error}") from error
    if mask.shape != (height, width):
        raise UserError(
            f"the mask {place} has {mask.shape[1]}x{mask.shape[0]} pixels, the picture {width}x{height}; make them equal"
        )
    return mask >= WHITE


def boxed(box: str, height: int, width: int) -> Tensor:
    """The hole of `--box x,y,w,h`, bool (H, W).

    Raises:
        UserError: other than four whole numbers, or not inside the picture.
    """
    numbers = box.split(",")
    if len(numbers) != 4 or not all(number.strip().isdecimal() for number in numbers):
        raise UserError(
            f"--box {box}: give left, top, width and height in pixels, such as --box 10,20,30,40"
        )
    left, top, wide, high = map(int, numbers)
    if left + wide > width or top + high > height:
        raise UserError(
            f"--box {box} reaches to {left + wide},{top + high}, outside of the picture of {width}x{height} pixels"
        )
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[top : top + high, left : left + wide] = True
    return mask


# By a GAN that learnt to


def fill(run: Run, job: Job, out: Path, settings: Settings) -> Iterator[str]:
    """Fill a hole at the picture's own size, or at the size asked for and then enlarged."""
    picture, mask = job.picture, job.mask
    assert mask is not None
    height, width = mask.shape
    blurred = blur_fill(picture, mask)
    scale = (settings.size or min(height, width)) / min(height, width)
    high, wide = round(height * scale), round(width * scale)
    small = adaptive_max_pool2d(mask[None].float(), (high, wide))  # what has any hole in it is hole
    made = to_uint8(
        run.make(
            {"image": to_float(resize(blurred[None], high, wide)), "mask": small[None]},
            seed=settings.seed,
        )
    )
    result = (
        poisson(picture, resize(made, height, width)[0], mask)
        if scale != 1
        else torch.where(mask, made[0], picture)
    )
    yield from write(
        out,
        job,
        [result],
        {"hole": torch.where(mask, GREY, picture), "filled": result, "blur": blurred},
    )
    rows, columns = extent(mask)
    largest = round(max(len(rows), len(columns)) * scale)
    if largest > run.gan.size:
        better = max(
            SMALLEST, min(height, width) * run.gan.size // (2 * max(len(rows), len(columns)))
        )
        yield f"  a hole of {largest} pixels, the GAN learnt from pictures of {run.gan.size}: --size {better} may look better"


# By a search


def look_for(run: Run, job: Job, out: Path, settings: Settings) -> Iterator[str]:
    """Search the noise for pictures that fit around the hole, or for the whole picture where it has
    none.
    """
    candidates, steps = settings.candidates or 4, 300 if settings.steps is None else settings.steps
    label = None if settings.label is None else class_number(run.gan, settings.label)
    _, height, width = job.picture.shape
    mask = torch.zeros(height, width, dtype=torch.bool) if job.mask is None else job.mask
    blurred = blur_fill(job.picture, mask)
    window = square(mask)
    there, hole = (
        cut(torch.ones(1, height, width), window, edge=0),
        cut(mask[None].float(), window, edge=0),
    )
    size = run.gan.size
    known = 1 - adaptive_max_pool2d(torch.maximum(hole, 1 - there), size)
    if not known.any():
        raise UserError(
            f"{job.name}: of {size}x{size} pixels, as the GAN makes them, nothing around the hole is left"
        )
    target = resize(cut(blurred, window)[None], size, size)
    found = search(
        run.gan,
        to_float(target)[0],
        nearness(known) if job.mask is not None else known,
        candidates,
        steps=steps,
        seed=settings.seed,
        device=run.device,
        label=label,
        progress=lambda steps: track(steps, f"searching for {job.name}"),
    )
    made = to_uint8(found.pictures)
    if job.mask is None:
        results, columns = list(made), {"picture": target[0]}
    else:
        results = [poisson(job.picture, pasted(blurred, piece, window), mask) for piece in made]
        columns = {"hole": torch.where(mask, GREY, job.picture)}
    columns |= {str(number): result for number, result in enumerate(results, 1)}
    yield from write(out, job, results, columns | ({} if job.mask is None else {"blur": blurred}))
    save_noise(out / "noise" / f"{job.name}.safetensors", found)
    fitted = "cut to" if min(window.top, window.left) >= 0 else "laid on"
    square_told = "" if height == width else f"{fitted} a square of {window.side}, "
    effort = f"{count_noun(steps, 'step')} from {count_noun(candidates, 'start')}"
    yield f"  {square_told}searched at {size}x{size}, {effort}; noise in {out / 'noise'}"
    for number, (context, prior) in enumerate(zip(found.context.tolist(), found.prior.tolist()), 1):
        named = (
            f", {run.gan.classes[found.labels[number - 1]]}" if "label" in run.gan.inputs else ""
        )
        yield f"  {number}: context {context:.4f}, prior {prior:.4f}{named}"


# Files


def write(out: Path, job: Job, results: list[Tensor], columns: dict[str, Tensor]) -> Iterator[str]:
    """Write the best picture, the other candidates, and a sheet of all; yields a line."""
    save(to_pil(results[0]), out / f"{job.name}.png")
    for number, result in enumerate(results[1:], 2):
        save(to_pil(result), out / "candidates" / f"{job.name}-{number}.png")
    height, width = max((result.shape[1:] for result in columns.values()), key=max)
    scale = min(1.0, SHEET / max(height, width))
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    save(
        table({name: resize(result[None], high, wide) for name, result in columns.items()}),
        out / "sheets" / f"{job.name}.png",
    )
    height, width = job.picture.shape[1:]
    done = "projected" if job.mask is None else f"a hole of {job.mask.float().mean():.1%} filled"
    yield f"{job.name} ({width}x{height}): {done}, {out / job.name}.png"


def save_noise(path: Path, found: Found) -> None:
    """Write the noise of the candidates, (K, size) for each draw of the GAN, and their class
    numbers, as safetensors.
    """
    tensors = {
        f"noise{number or ''}": values.contiguous() for number, values in enumerate(found.noise)
    }
    with atomic_path(path) as partial:
        save_file(tensors | {"label": torch.tensor(found.labels)}, partial)
