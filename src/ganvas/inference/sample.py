"""Pictures, grids and walks from a run, as files."""

import csv
import io
import math
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.errors import UserError
from ganvas.inference.run import Run, class_number, load
from ganvas.io.animation import save_animation
from ganvas.io.console import count_noun, track
from ganvas.io.files import own_folder, write_text
from ganvas.io.grids import make_grid
from ganvas.io.images import save, to_pil, to_uint8
from ganvas.io.scatter import draw_sheet

WALK_FRAMES, WALK_MILLISECONDS = 96, 60
PLAIN_COUNT = 500  # pictures after which a progress bar is shown


def write_samples(
    folder: Path,
    *,
    count: int,
    label: str | None,
    seed: int,
    out: Path | None,
    ending: str,
    grid: Path | None,
    columns: int | None,
    invert: bool,
    walk: Path | None,
    ema: bool,
    device: str,
) -> Iterator[str]:
    """What `ganvas sample` does; yields a line for each thing written.

    Raises:
        UserError: nothing to load, no such class, a count or a number of columns below 1, a file
            ending that is not a picture's, a folder that holds something already.
    """
    if count < 1:
        raise UserError(f"--count {count}: ask for at least one picture")
    if columns is not None and columns < 1:
        raise UserError(f"--columns {columns}: a grid has at least one column")
    for file, endings in ((grid, (".png", ".jpg", ".jpeg", ".webp")), (walk, (".gif", ".webp"))):
        if file and file.suffix.lower() not in endings:
            raise UserError(f"{file} should end in one of {', '.join(endings)}")
    run = load(folder, device=device, ema=ema)
    if label is not None:
        class_number(run.gan, label)
    if run.gan.kind == "point" and (walk or invert or columns or ending != "png"):
        raise UserError(
            f"{folder} makes points: --interpolate, --invert, --columns and --format are for pictures"
        )
    files = out or not (grid or walk)
    with own_folder(out, run.folder / "generated") if files else nullcontext() as into:
        if into and not out:
            grid = into / "sheets" / "grid.png"
        if run.gan.kind == "point":
            yield from write_points(run, count, seed, into, grid)
        elif into or grid:
            pictures = write_pictures(
                run, count, label, seed, into, ending, invert, keep=grid is not None
            )
            if into:
                yield f"{count_noun(count, 'picture')} in {into}"
            if grid:
                save(make_grid(pictures, columns or square_columns(count)), grid)
                yield f"grid in {grid}"
    if walk:
        write_walk(run, label, seed, invert, walk)
        yield f"walk in {walk}"


def write_pictures(
    run: Run,
    count: int,
    label: str | None,
    seed: int,
    out: Path | None,
    ending: str,
    invert: bool,
    keep: bool,
) -> Tensor:
    """Make pictures, write each to a file of `out` if given, and return them, uint8 (N, C, H, W),
    if `keep`.
    """
    kept, number = [], 0
    digits = max(5, len(str(count - 1)))
    chunks = run.chunks(count, seed=seed, label=label)
    if count > PLAIN_COUNT:
        chunks = track(chunks, "making pictures", math.ceil(count / 32))
    names = []
    for chunk in chunks:
        pictures = finished(chunk, invert)
        if keep:
            kept.append(pictures)
        for picture in pictures if out else ():
            names.append(f"{number:0{digits}}.{ending}")
            save(to_pil(picture), out / names[-1], durable=False)
            number += 1
    if out and run.gan.classes and "label" in run.gan.inputs:
        fixed = None if label is None else class_number(run.gan, label)
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label"])
        writer.writerows(
            zip(names, (run.gan.classes[number] for number in run.labels(range(count), fixed)))
        )
        write_text(out / "labels.csv", table.getvalue())
    return torch.cat(kept) if kept else torch.empty(0, dtype=torch.uint8)


def write_points(
    run: Run, count: int, seed: int, out: Path | None, grid: Path | None
) -> Iterator[str]:
    """Make points and write them as `points.csv` into `out`, and as a scatter picture; yields a
    line for each.
    """
    points = run.sample(count, seed=seed)
    if out:
        rows = "".join(f"{x:.6f},{y:.6f}\n" for x, y in points.flatten(1).tolist())
        write_text(out / "points.csv", f"x,y\n{rows}")
        yield f"{count_noun(count, 'point')} in {out / 'points.csv'}"
    if grid:
        save(draw_sheet(points, 1, discs=mode_discs(run.about["data"]["spec"])), grid)
        yield f"scatter picture in {grid}"


def write_walk(run: Run, label: str | None, seed: int, invert: bool, file: Path) -> None:
    """A smooth walk through the noise; with classes and no label, all classes walk side by side."""
    everyone = label is None and "label" in run.gan.inputs
    labels = run.gan.classes[:20] if everyone else (label,)
    walks = torch.stack(
        [finished(run.walk(WALK_FRAMES, seed=seed, label=name), invert) for name in labels], 1
    )
    enlarged = walks.repeat_interleave(scale := max(1, 128 // run.gan.size), 3).repeat_interleave(
        scale, 4
    )
    columns = square_columns(len(labels))
    frames = [make_grid(frame, columns) for frame in (walks if everyone else enlarged)]
    save_animation(frames, file, WALK_MILLISECONDS)


def finished(pictures: Tensor, invert: bool) -> Tensor:
    """float (N, C, H, W) in [-1, 1] to uint8, swapped if asked."""
    return to_uint8(-pictures if invert else pictures)


def square_columns(count: int) -> int:
    """Columns of a grid as square as possible: the divisor of `count` at or above its root, if one
    is near.
    """
    root = math.isqrt(count - 1) + 1
    return next((columns for columns in range(root, 2 * root + 1) if count % columns == 0), root)
