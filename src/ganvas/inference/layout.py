"""Pictures of what a caption tells, where a box or key points say:

`ganvas sample` with --caption.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganvas.data.text import encode, plain
from ganvas.errors import UserError, nearest
from ganvas.gans.base import BoxInput, FeaturesInput, KeyPointsInput, TextInput
from ganvas.gans.nn.boxes import draw_boxes, draw_keypoints
from ganvas.inference.run import CHUNK, Run, load, make
from ganvas.inference.sample import square_columns
from ganvas.io.console import count_noun
from ganvas.io.files import own_folder, write_text
from ganvas.io.grids import make_grid, make_table
from ganvas.io.images import save, to_pil, to_uint8
from ganvas.rng import RowRng
from ganvas.runs.usage import describe_use

MIDDLE = (0.15, 0.15, 0.7, 0.7)  # the box where none is given, in shares of the side
ROWS = 6  # of the sheet


def write_placed(
    folder: Path,
    *,
    caption: str | None,
    box: str | None,
    keypoints: Sequence[str],
    features: Path | None,
    count: int,
    seed: int,
    out: Path | None,
    ending: str,
    ema: bool,
    device: str,
) -> Iterator[str]:
    """What `ganvas sample --caption` does; yields a line for each thing written.

    Args:
        folder: of the run, or of one checkpoint.
        caption: what to draw.
        box: "x,y,w,h" in pixels of the pictures made; None: a large one in the middle.
        keypoints: "part=x,y" in pixels; parts that are not named are placed by the GAN.
        features: file with the caption as numbers, for runs that learnt from such.
        count: pictures.
        seed: which pictures.
        out: folder for them, new or empty; None: the next of RUN/generated/1, 2, ...
        ending: of the files.
        average: whether to use the moving average of the weights.
        device: where to make them.

    Raises:
        UserError: the run makes nothing from captions, or from no box or key points as these; a
            caption, place or file that is not as it should be.
    """
    if count < 1:
        raise UserError(f"--count {count}: ask for at least one picture")
    run = load(folder, device=device, ema=ema)
    size = run.gan.size
    inputs = told(run, caption, features)
    noted = f"caption: {caption}" if caption else f"caption: {features}"
    if any(isinstance(kind, BoxInput) for kind in run.gan.inputs.values()):
        refuse(keypoints, "--keypoint", f"{folder} places things by a box: use --box X,Y,W,H")
        inputs["box"] = torch.tensor([read_box(box, size) if box else MIDDLE])
        if not box:
            place = ",".join(f"{share * size:.0f}" for share in MIDDLE)
            yield f"no --box: one in the middle is taken, --box {place}"
    else:
        refuse(box, "--box", f"{folder} places things by their parts: use --keypoint PART=X,Y")
        kind = run.gan.inputs["keypoints"]
        assert isinstance(kind, KeyPointsInput)
        inputs["keypoints"] = read_keypoints(keypoints, kind.parts, size)
        free = len(kind.parts) - int(inputs["keypoints"][0, :, 2].sum())
        if free:
            places = "its place is" if free == 1 else "their places are"
            yield f"{free} of {count_noun(len(kind.parts), 'part')} without a --keypoint: {places} made up"
    with own_folder(out, run.folder / "generated") as into:
        pictures = made(run, inputs, count, seed)
        for number, picture in enumerate(pictures):
            save(to_pil(picture), into / f"{number:05d}.{ending}", durable=False)
        write_text(into / "caption.txt", f"{caption or features}\n")
        yield f"{count_noun(count, 'picture')} in {into}"
        grid, places = into / "sheets" / "grid.png", into / "sheets" / "places.png"
        save(make_grid(pictures, square_columns(count), caption=noted), grid)
        yield f"grid in {grid}"
        save(sheet(run, inputs, min(count, ROWS), seed, noted), places)
        yield f"the same elsewhere in {places}"


def refuse(given: object, flag: str, advice: str) -> None:
    """Refuse a flag that the run has no use for.

    Raises:
        UserError: it was given.
    """
    if given:
        raise UserError(f"{flag} is of no use here; {advice}")


def told(run: Run, caption: str | None, features: Path | None) -> dict[str, Tensor]:
    """The text that a run wants, as one row.

    Raises:
        UserError: it wants none, or another kind, or there is none.
    """
    for name, kind in run.gan.inputs.items():
        if isinstance(kind, TextInput):
            refuse(features, "--caption-features", f"{run.path} reads captions: use --caption TEXT")
            if not caption or not plain(caption):
                raise UserError(
                    f'{run.path} draws what a caption tells; say what: --caption "a red bird"'
                )
            return {name: torch.from_numpy(encode(caption, kind.length).copy())[None, None]}
        if isinstance(kind, FeaturesInput):
            if features is None:
                raise UserError(
                    f"{run.path} was told captions as {kind.length} numbers; give them by --caption-features FILE"
                )
            return {name: read_features(features, kind.length)}
    use = describe_use(run.gan, run.path)
    raise UserError(
        f"{run.path} was trained without captions: --caption, --box and --keypoint are of no use; {use}"
    )


def read_features(file: Path, length: int) -> Tensor:
    """The tensor "features" of a file, of shape (length,) or (K, length), as one row (1, K,
    length).

    Raises:
        UserError: there is no such tensor.
    """
    try:
        features = load_file(file)["features"].float()
    except (OSError, SafetensorError, KeyError) as error:
        raise UserError(
            f'{file} is no .safetensors file with a tensor "features": {error}'
        ) from error
    if features.ndim not in (1, 2) or features.shape[-1] != length:
        raise UserError(
            f"{file}: features of shape {tuple(features.shape)}; wanted ({length},) or (captions, {length})"
        )
    return features.view(1, -1, length)


def numbers(text: str, count: int, flag: str, form: str) -> list[float]:
    """So many numbers with commas between them.

    Raises:
        UserError: they are not.
    """
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(isfinite, found)):
        example = "12,8,40,48" if count == 4 else "beak=12,30"
        raise UserError(f"{flag} {text}: write {form} in pixels, for instance {flag} {example}")
    return found


def read_box(text: str, size: int) -> list[float]:
    """A box "x,y,w,h" in pixels of a picture, in shares of its side.

    Raises:
        UserError: it is none, or reaches out of the picture.
    """
    left, top, width, height = numbers(text, 4, "--box", "X,Y,WIDTH,HEIGHT")
    if width <= 0 or height <= 0:
        raise UserError(f"--box {text} has no area; width and height are above 0")
    if left < 0 or top < 0 or left + width > size or top + height > size:
        raise UserError(
            f"--box {text} goes from {left:g},{top:g} to {left + width:g},{top + height:g}; "
            f"the pictures go from 0,0 to {size},{size}"
        )
    return [side / size for side in (left, top, width, height)]


def read_keypoints(texts: Sequence[str], parts: Sequence[str], size: int) -> Tensor:
    """Key points "part=x,y" in pixels as one row (1, P, 3), the last 1 where given.

    Raises:
        UserError: a part is unknown or named twice, or a place is none or outside of the picture.
    """
    found = torch.zeros(1, len(parts), 3)
    for text in texts:
        part, _, place = text.partition("=")
        if part.strip() not in parts:
            raise UserError(
                f"--keypoint {text}: there is no part {part.strip()!r}; {nearest(part.strip(), parts)}"
            )
        row = found[0, parts.index(part.strip())]
        if row[2]:
            raise UserError(
                f"--keypoint {text}: {part.strip()} has a place already; give each part once"
            )
        x, y = numbers(place, 2, "--keypoint", "PART=X,Y")
        if not (0 <= x < size and 0 <= y < size):
            raise UserError(
                f"--keypoint {text} lies outside; the pictures go from 0,0 to {size},{size}"
            )
        row[:] = torch.tensor([x / size, y / size, 1.0])
    return found


def repeated(inputs: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """One row of inputs as many."""
    return {name: values.expand(count, *values.shape[1:]) for name, values in inputs.items()}


def made(run: Run, inputs: Mapping[str, Tensor], count: int, seed: int) -> Tensor:
    """Pictures from one row of inputs, uint8 (count, C, H, W); each the same whatever the count."""
    on_device = {name: values.to(run.device) for name, values in repeated(inputs, CHUNK).items()}
    chunks = [range(start, start + CHUNK) for start in range(0, count, CHUNK)]
    return torch.cat(
        [
            to_uint8(make(run.gan, RowRng(seed, rows, run.device), CHUNK, on_device))
            for rows in chunks
        ]
    )[:count]


def sheet(
    run: Run, inputs: Mapping[str, Tensor], rows: int, seed: int, caption: str
) -> Image.Image:
    """The first pictures, a row each, as asked for and with their place moved and stretched, frames
    or dots drawn on them.
    """
    marked = draw_boxes if "box" in inputs else draw_keypoints
    name = "box" if "box" in inputs else "keypoints"
    places = moved_boxes(inputs["box"]) if "box" in inputs else moved_points(inputs["keypoints"])
    columns = {}
    for heading, place in places.items():
        asked = repeated({**inputs, name: place}, rows)
        columns[heading] = to_uint8(marked(run.make(asked, seed=seed), asked[name]))
    return make_table(columns, caption=caption)


def moved_boxes(box: Tensor) -> dict[str, Tensor]:
    """The box asked for (1, 4), and others of half its sides, or stretched, that lie in the picture
    too.
    """
    left, top, width, height = box[0].tolist()
    w, h = width / 2, height / 2
    y, x = top + h / 2, left + w / 2
    boxes = {
        "asked": (left, top, width, height),
        "left": (0.05, y, w, h),
        "right": (0.95 - w, y, w, h),
        "up": (x, 0.05, w, h),
        "down": (x, 0.95 - h, w, h),
        "wide": (0.05, y, 0.9, h),
        "high": (x, 0.05, w, 0.9),
    }
    return {name: torch.tensor([place]) for name, place in boxes.items()}


def moved_points(keypoints: Tensor) -> dict[str, Tensor]:
    """The key points asked for (1, P, 3), and others nearer to the middle of the picture or
    mirrored.
    """
    x, y, given = keypoints.unbind(2)
    return {
        "asked": keypoints,
        "mirrored": torch.stack([(1 - x).clamp(max=0.999) * given, y, given], 2),
        "smaller": torch.stack([(0.25 + x / 2) * given, (0.25 + y / 2) * given, given], 2),
        "wide": torch.stack([x, (0.25 + y / 2) * given, given], 2),
    }
