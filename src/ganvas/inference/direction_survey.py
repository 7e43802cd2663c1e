"""What directions do to images: measured, told apart, numbered, and drawn on sheets."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from ganvas.errors import UserError
from ganvas.inference.direction_files import FOLDER, Direction, write_directions
from ganvas.inference.directions import Way, draw_noise, find_directions
from ganvas.inference.latents import Latent, latent_row, sample_latents
from ganvas.inference.run import Run
from ganvas.inference.sampling import take_turns
from ganvas.io.console import count_noun
from ganvas.io.files import own_folder
from ganvas.io.grids import make_grid
from ganvas.io.html import figure, html_list
from ganvas.io.images import save, to_uint8
from ganvas.io.numbers import check_numbers

__all__ = ["Directions", "Search", "check_directions", "survey_directions", "write_survey"]

By = Literal["layer", "images", "both"]
COUNT, MOST = 8, 64  # usual number of directions, and the most
FOUND = 3  # times as many are found by each way as are kept, since some are alike
MEASURED = 32  # images that are moved along each direction
ALIKE = 0.7  # cosine from which two directions count as one
AMOUNTS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)  # standard deviations; the columns of sheets
SHOWN = 4  # images on a sheet
GREY_LEVELS = 127.5  # for each 1 in the range [-1, 1]
KINDS = {"layer": "first layer", "images": "images", "labels": "labels"}


@dataclass(frozen=True)
class Search:
    """How directions are found and shown.

    Attributes:
        by: "layer", "images" or "both", see `find_directions`.
        count: of the directions without labels that are kept.
        seed: of the images on the sheets.
    """

    by: By = "both"
    count: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.by not in ("layer", "images", "both"):
            raise UserError(f"--by {self.by}: give layer, images or both")
        if self.count is not None and not 1 <= self.count <= MOST:
            raise UserError(f"--count {self.count}: give 1 to {MOST}")

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that are used."""
        return ("layer", "images") if self.by == "both" else (self.by,)


@dataclass(frozen=True, eq=False, repr=False)
class Directions(Sequence[Direction]):
    """Directions in the space of a GAN's noise, the one that changes images most first.

    A notebook shows them as a picture.

    Attributes:
        directions: number 1 comes first.
        overview: one image along all directions.
        sheets: some images along each direction, in the order of the directions.
        notes: what a reader should know, and a line for each thing written.
    """

    directions: tuple[Direction, ...]
    overview: Image.Image
    sheets: tuple[Image.Image, ...]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.directions)

    def __getitem__(self, index):  # type: ignore[override]
        return self.directions[index]

    def __repr__(self) -> str:
        return "\n".join([f"<Directions: {len(self)}>", *self.table()])

    def _repr_html_(self) -> str:
        return f"<div>{figure(self.overview)}{html_list('Directions', self.table())}</div>"

    def table(self) -> list[str]:
        """A line for each direction, below a line of headings."""
        width = max([4, *(len(direction.name) for direction in self)])
        lines = [f"{'':>3}  {'name':<{width}}  {'found by':<11}  {'change':>6}  {'alike':>5}"]
        for number, one in enumerate(self, 1):
            lines.append(
                f"{number:>3}  {one.name or '-':<{width}}  {KINDS[one.kind]:<11}  "
                f"{one.change:>6.1f}  {one.alike:>5.0%}"
            )
        return lines


def survey_directions(run: Run, search: Search, labelled: Sequence[Direction] = ()) -> Directions:
    """Find directions without labels, measure all, leave out what is there already, and draw them.

    Args:
        run: of an unconditional GAN of images, or one with classes.
        search: what to look for.
        labelled: directions of a name, which are kept, and what is like them left out.

    Raises:
        UserError: the GAN generates points, needs more than noise and a class, or draws no noise.
    """
    check_directions(run)
    count = COUNT if search.count is None else search.count

    found: list[Direction] = []
    for way in search.ways:
        vectors = find_directions(run, way, FOUND * count)
        found += [Direction(vector, way) for vector in vectors]
    measured = sorted((_measure(run, one) for one in found), key=lambda one: -one.change)

    # Named ones first, so that what is like them is left out. The stronger one of two stays.
    kept = [_measure(run, one) for one in labelled]
    for one in measured:
        full = len(kept) == len(labelled) + count
        if not full and all(abs(float(one.vector @ other.vector)) < ALIKE for other in kept):
            kept.append(one)
    kept.sort(key=lambda one: -one.change)
    return _draw(run, kept, search.seed)


def check_directions(run: Run) -> None:
    """Refuse a GAN whose noise has no directions to be looked at.

    Raises:
        UserError: it generates points, needs more than noise and a class, or draws no noise.
    """
    run.check_free()
    if run.gan.kind == "point":
        raise UserError(f"{run.name} makes points: directions are looked at in images")
    draw_noise(run, [0])


def write_survey(run: Run, found: Directions, search: Search, out: Path | None) -> Iterator[str]:
    """Write directions and their sheets; yields a line for each thing written.

    Args:
        run: whose they are.
        found: the directions.
        search: how they were found, for the table.
        out: folder, new or empty; None: the next of RUN/directions/1, 2, ...

    Raises:
        UserError: the folder is not empty, or cannot be written to.
    """
    with own_folder(out, run.outputs / FOLDER) as folder:
        about = {
            "format": 1,
            "gan": run.about.get("gan", {}).get("name", ""),
            "images": run.about.get("images"),  # that the checkpoint had seen
            "by": search.by,
        }
        for file in write_directions(folder, found.directions, about):
            yield f"directions in {file}"

        save(found.overview, folder / "overview.png")
        yield f"overview in {folder / 'overview.png'}"
        for number, (direction, sheet) in enumerate(zip(found, found.sheets), 1):
            save(sheet, folder / "sheets" / f"{number:02}-{_file_name(direction)}.png")
        yield f"{count_noun(len(found), 'sheet')} in {folder / 'sheets'}"


def _file_name(direction: Direction) -> str:
    """What a sheet is called: the direction's name as far as any file system takes it."""
    return re.sub(r"[^\w-]+", "_", direction.name)[:80] or direction.kind


def _measure(run: Run, direction: Direction) -> Direction:
    """The direction, with what a step of one standard deviation changes in samples."""
    rows = range(MEASURED)
    labels = take_turns(run.gan, rows)
    ahead, back = (
        sample_latents(run, [_move(0, row, direction, amount) for row in rows], labels)
        for amount in (1.0, -1.0)
    )
    change = (ahead - back).flatten(1).double() / 2 * GREY_LEVELS  # (N, pixels)

    whole = float(change.square().mean())
    common = float(change.mean(0).square().mean())
    # Of unrelated changes, the mean's square is one Nth of all: what is more than that is common.
    share = (MEASURED * common / whole - 1) / (MEASURED - 1) if whole else 0.0
    return replace(direction, change=whole**0.5, alike=min(1.0, max(0.0, share)))


def _move(seed: int, row: int, direction: Direction, amount: float) -> Latent:
    """A sample, moved."""
    return replace(latent_row(seed, row), moves=((direction, amount),))


def _draw(run: Run, directions: Sequence[Direction], seed: int) -> Directions:
    """Draw the sheets of directions."""
    overview, sheets = [], []
    for number, direction in enumerate(directions, 1):
        rows = _draw_along(run, direction, seed)  # uint8 (SHOWN x 7, C, H, W)
        overview.append(rows[: len(AMOUNTS)])
        title = f"{number} {direction.name}".strip()
        caption = f"{title}: {direction.change:.1f} grey levels a step, {direction.alike:.0%} alike"
        sheets.append(make_grid(rows, len(AMOUNTS), caption=caption, headings=_headings()))

    names = [f"{number} {one.name}".strip() for number, one in enumerate(directions, 1)]
    picture = make_grid(torch.cat(overview), len(AMOUNTS), names, headings=_headings())
    return Directions(tuple(directions), picture, tuple(sheets))


def _draw_along(run: Run, direction: Direction, seed: int) -> Tensor:
    """Images along a direction for people, SHOWN rows of them: uint8 (N, 1 or 3, H, W)."""
    rows = range(SHOWN)
    latents = [_move(seed, row, direction, amount) for row in rows for amount in AMOUNTS]
    labels = [label for label in take_turns(run.gan, rows) for _ in AMOUNTS]
    return run.show_planes(to_uint8(sample_latents(run, latents, labels)))


def _headings() -> list[str]:
    return [f"{amount:+g}" if amount else "0" for amount in AMOUNTS]
