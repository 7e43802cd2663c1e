"""Pictures through a GAN that translates: any files, at any size, as separate files and a sheet."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, AttributesInput, ChoiceInput, ImageInput
from ganvas.gans.stargan import StarGAN
from ganvas.inference.inputs import check_out, contents
from ganvas.inference.run import Run, load, make
from ganvas.io.console import count_noun
from ganvas.io.files import own_folder
from ganvas.io.grids import make_table
from ganvas.io.images import UnreadableError, read, save, to_float, to_pil, to_uint8
from ganvas.io.resizing import resize, to_square
from ganvas.rng import RowRng
from ganvas.runs.usage import describe_use

# pixels: larger pictures are translated in squares that overlap, so that memory does not depend on
# them
TILE, OVERLAP = 512, 64
SMALLEST = 8  # pixels: networks that halve twice and then look around need two of them
SHEET, SHOWN = 128, 24  # side of the pictures on the sheet; how many rows it has at most
Way = dict[str, Tensor]  # inputs of `sample` beside the picture, of one row


class Given(NamedTuple):
    """A picture to translate: uint8 (C, H, W), and the name of what is made of it."""

    name: str
    pixels: Tensor


def write_translations(
    folder: Path,
    inputs: Sequence[Path],
    *,
    out: Path | None,
    to: str | None,
    settings: Mapping[str, bool],
    size: int | None,
    seed: int,
    device: str,
    ema: bool,
) -> Iterator[str]:
    """What `ganvas translate` does; yields a line for each thing written.

    Args:
        folder: the run.
        inputs: files, folders or zips of pictures.
        out: folder for the results, new or empty; None: the next of RUN/translated/1, 2, ...
        to: the domain wanted, for GANs that know two.
        settings: attributes to set or take away, for GANs that know attributes; none: one after
            another.
        size: to which the shorter side is brought first; None: the picture's own, or the run's
            where that suits the GAN better.
        seed: of the noise, where the GAN has some.
        average: whether to use the moving average of the weights.

    Raises:
        UserError: the run does not translate, knows no such domain or attribute, or there is
            nothing to translate.
    """
    run = load(folder, device=device, ema=ema)
    kind = check_run(run, to, settings)
    if size is not None and size < kind.multiple:
        raise UserError(f"--size {size}: {folder} takes pictures of {kind.multiple} pixels or more")
    if out:
        check_out(out, inputs)
    with own_folder(out, run.folder / "translated") as into:
        left_out: list[str] = []
        rows: list[dict[str, Tensor]] = []
        count = large = 0
        for number, given in enumerate(pictures(inputs, kind, left_out)):
            side = size or (None if kind.own_size else run.gan.size)
            picture = given.pixels if side is None else with_shorter_side(given.pixels, side)
            large += min(picture.shape[1:]) > 1.5 * run.gan.size
            image = to_float(picture[None]).to(run.device)
            made = {
                name: translated(run, image, way, number, seed)
                for name, way in ways(run, image, to, settings).items()
            }
            for name, result in made.items():
                ending = f"-{name.replace(' ', '_')}" if len(made) > 1 else ""
                save(to_pil(result), into / f"{given.name}{ending}.png", durable=False)
                count += 1
            if len(rows) < SHOWN:
                shown = {"given": picture} | made
                rows.append(
                    {
                        name: to_square(each[None], SHEET, "pad", "white")[0]
                        for name, each in shown.items()
                    }
                )
        yield from (f"left out: {line}" for line in left_out)
        if not rows:
            raise UserError(
                f"none of the pictures could be read; {left_out[0] if left_out else 'there are none'}"
            )
        sheet = into / "sheets" / "sheet.png"
        save(
            make_table({name: torch.stack([row[name] for row in rows]) for name in rows[0]}), sheet
        )
        originals = "its original" if count == 1 else "their originals"
        yield f"{count_noun(count, 'picture')} in {into}, beside {originals} in {sheet}"
        if large:
            learnt = run.gan.size
            yield f"note: {folder} learnt from pictures of {learnt} pixels; --size {learnt} shows it things as large as there"


def parse_attributes(pairs: Sequence[str]) -> dict[str, bool]:
    """`["Eyeglasses=1,Bald=0"]` as `{"Eyeglasses": True, "Bald": False}`.

    Raises:
        UserError: a value is neither 0 nor 1.
    """
    found = {}
    for pair in ",".join(pairs).split(",") if pairs else []:
        name, _, value = pair.partition("=")
        if value not in ("0", "1"):
            raise UserError(
                f"--set {pair}: write NAME=1 for an attribute that is wanted and NAME=0 for one that is not"
            )
        found[name.strip()] = value == "1"
    return found


def check_run(run: Run, to: str | None, settings: Mapping[str, bool]) -> ImageInput:
    """What a run wants of pictures.

    Raises:
        UserError: it does not translate, or not in the way that is asked.
    """
    gan = run.gan
    kind = gan.inputs.get("image")
    if not isinstance(kind, ImageInput) or "mask" in gan.inputs:
        raise UserError(f"{run.path} does not translate pictures: {describe_use(gan, run.path)}")
    if isinstance(gan, StarGAN) and gan.mixed:
        raise UserError(
            f"{run.path} learnt from two sets that know different attributes; {describe_use(gan, run.path)}"
        )
    domains = domains_of(gan)
    if to is not None and to not in domains:
        known = (
            f"makes {' and '.join(domains)}" if domains else "knows attributes: use --set NAME=1"
        )
        raise UserError(f"--to {to}: {run.path} {known}")
    known = gan.inputs.get("attributes")
    names = known.names if isinstance(known, AttributesInput) else ()
    for name in settings:
        if name not in names:
            raise UserError(
                f"--set {name}: there is no such attribute; {nearest(name, names)}"
                if names
                else f"--set {name}: {run.path} knows no attributes{f'; it makes {domains[0]}' if len(domains) == 1 else ''}"
            )
    return kind


def domains_of(gan: GAN) -> tuple[str, ...]:
    """The names of the domains that a GAN can make, where it knows domains."""
    choice = gan.inputs.get("to")
    if isinstance(choice, ChoiceInput):
        return choice.names
    return () if "attributes" in gan.inputs else (gan.target,)


def pictures(inputs: Sequence[Path], kind: ImageInput, left_out: list[str]) -> Iterator[Given]:
    """The pictures of files, folders and zips; what cannot be read is added to `left_out`, with its
    reason.

    Raises:
        UserError: a place does not exist or holds no pictures.
    """
    taken: set[str] = set()
    for place in inputs:
        for name, content in contents(place):
            try:
                picture = read(content(), 1 if kind.channels == 1 else 3)
            except UnreadableError as error:
                left_out.append(f"{name}: {error}")
                continue
            number, fresh = 1, name
            while fresh in taken:
                number += 1
                fresh = f"{name}-{number}"
            taken.add(fresh)
            yield Given(fresh, picture.pixels)


def ways(run: Run, image: Tensor, to: str | None, settings: Mapping[str, bool]) -> dict[str, Way]:
    """What is to be made of a picture, float (1, C, H, W), by name: one thing, or of a GAN that
    knows attributes each in turn.
    """
    gan = run.gan
    if isinstance(gan.inputs.get("to"), ChoiceInput):
        domains = domains_of(gan)
        name = to or domains[-1]
        return {name: {"to": torch.tensor([domains.index(name)], device=run.device)}}
    if not isinstance(gan, StarGAN):
        return {gan.target: {}}
    with torch.no_grad():
        square = to_square(to_uint8(image.cpu()), gan.size, "crop", "white", enlarge=True)
        own = gan.guess(to_float(square).to(run.device))
    if settings:
        for name, value in settings.items():
            own = gan.change(own, name, value)
        return {", ".join(settings): {"attributes": own}}
    found = {}
    for number, name in enumerate(gan.names):
        alone = any(name in group for group in gan.exclusive)
        found[name] = {"attributes": gan.change(own, name, alone or not own[0, number])}
    return found


def translated(run: Run, image: Tensor, way: Way, number: int, seed: int) -> Tensor:
    """A picture, float (1, C, H, W), translated: uint8 (C, H, W), of its own size.

    Large ones are put together of squares.
    """
    _, _, height, width = image.shape
    if height * width <= 4 * TILE**2:
        return to_uint8(piece(run, image, way, number, seed))[0]
    total = torch.zeros(1, run.gan.channels, height, width)
    weights = torch.zeros(1, 1, height, width)
    for top in starts(height):
        for left in starts(width):
            place = (..., slice(top, top + TILE), slice(left, left + TILE))
            made = piece(run, image[place], way, number, seed)
            share = ramp(made.shape[2])[:, None] * ramp(made.shape[3])
            total[place] += made * share
            weights[place] += share
    return to_uint8(total / weights)[0]


def starts(length: int) -> list[int]:
    """Where squares of TILE begin that cover a length and overlap by OVERLAP or more."""
    count = max(1, -(-(length - OVERLAP) // (TILE - OVERLAP)))
    return [round(number * max(0, length - TILE) / max(1, count - 1)) for number in range(count)]


def ramp(length: int) -> Tensor:
    """Weights (length,) that rise from an edge to 1 over OVERLAP pixels, so that squares melt into
    one another.
    """
    distance = torch.arange(length).add(1).minimum(torch.arange(length, 0, -1))
    return (distance / OVERLAP).clamp(max=1)


def piece(run: Run, image: Tensor, way: Way, number: int, seed: int) -> Tensor:
    """What the GAN makes of a picture of any size, float (1, C, H, W), on the CPU: its edges are
    mirrored to a size that fits.
    """
    kind = run.gan.inputs["image"]
    assert isinstance(kind, ImageInput)
    _, _, height, width = image.shape
    down, right = (max(-side % kind.multiple, SMALLEST - side) for side in (height, width))
    given = extended(image, down, right)
    made = make(run.gan, RowRng(seed, [number], run.device), 1, {"image": given, **way})
    return made[..., :height, :width]


def extended(image: Tensor, down: int, right: int) -> Tensor:
    """(1, C, H, W) continued downwards and to the right by its mirror image, however small it is."""
    rows, columns = (
        mirror(length, length + more) for length, more in zip(image.shape[2:], (down, right))
    )
    return image[:, :, rows.to(image.device)][..., columns.to(image.device)]


def mirror(length: int, wanted: int) -> Tensor:
    """Places 0, 1, ..., length - 1, length - 2, ... back and forth, int64 (wanted,)."""
    there = torch.arange(wanted) % max(1, 2 * length - 2)
    return there.minimum((2 * length - 2 - there).abs()) if length > 1 else there * 0


def with_shorter_side(picture: Tensor, side: int) -> Tensor:
    """uint8 (C, H, W) with its shorter side brought to a number of pixels."""
    _, height, width = picture.shape
    scale = side / min(height, width)
    return resize(picture[None], round(height * scale), round(width * scale))[0]
