"""The results of a task in memory: Pillow images with their names, notes, and a sheet of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import torch
from PIL import Image

from ganvas.data.builtin.points import mode_discs
from ganvas.inference.run import Run
from ganvas.inference.sheets import ROWS, draw_columns, draw_grid, draw_rows, make_tile
from ganvas.inference.task import Result, Task
from ganvas.inference.write import Output, produce
from ganvas.io.console import count_noun, escape_text
from ganvas.io.html import figure, html_list
from ganvas.io.images import to_pil
from ganvas.io.scatter import draw_sheet

__all__ = ["Results", "collect_results"]

SHOWN = 100  # images on a sheet in a notebook


@dataclass(frozen=True, repr=False)
class Results(Sequence[Image.Image]):
    """Generated images: a sequence of Pillow images that a notebook shows as a sheet.

    Attributes:
        names: of the images, in order; several images may come from one input.
        images: Pillow images; empty where the GAN generates points.
        labels: the class of each image, where the GAN has classes; otherwise empty.
        others: images that belong to them, by path, such as "candidates/photo-2.png" of a search.
        points: float32 (N, 2) in [-1, 1], where the GAN generates points; otherwise None.
        notes: what a reader should know, and a line for each thing written.
        sheets: the images side by side, with what they came from; of many, the first ones.
    """

    names: list[str]
    images: list[Image.Image] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    others: dict[str, Image.Image] = field(default_factory=dict)
    points: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)
    sheets: list[Image.Image] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...

    @overload
    def __getitem__(self, index: slice) -> list[Image.Image]: ...

    def __getitem__(self, index: int | slice) -> Image.Image | list[Image.Image]:
        return self.images[index]

    def __repr__(self) -> str:
        counted = count_noun(len(self.images), "image")
        if self.points is not None:
            counted = count_noun(len(self.points), "point")
        return "\n".join([f"<Results: {counted}>", *map(escape_text, self.notes)])

    def _repr_html_(self) -> str:
        sheets = "".join(f"<div>{figure(sheet)}</div>" for sheet in self.sheets)
        return f"<div>{sheets}{html_list('Notes', self.notes)}</div>"


def collect_results(task: Task, run: Run, output: Output) -> Results:
    """Compute the results of a task, and write them as far as the output wants files.

    Raises:
        UserError: the run cannot do it, there is nothing to do, or a file cannot be written.
    """
    found: list[Result] = []
    notes: list[str] = []
    for item in produce(task, run, output):
        lines = [item.strip().removeprefix("note: ")] if isinstance(item, str) else item.notes
        # A note comes with its result, and again where results are written.
        notes += (line for line in lines if line not in notes)
        if isinstance(item, Result):
            found.append(item)

    if run.gan.kind == "point":
        points = torch.stack([result.image for result in found])  # (N, 2, 1, 1)
        return Results(
            names=[result.name for result in found],
            points=points.flatten(1).numpy(),
            notes=notes,
            sheets=[draw_sheet(points, 1, discs=mode_discs(run.about["data"]["spec"]))],
        )

    images = {name: image for result in found for name, image in result.images.items()}
    return Results(
        names=list(images),
        images=[run.to_picture(image) for image in images.values()],
        labels=[result.label for result in found if result.label is not None],
        others={
            name: to_pil(content)
            for result in found
            for name, content in result.attachments.items()
            if isinstance(content, torch.Tensor)
        },
        notes=notes,
        sheets=_draw_sheets(task, run, found, output.columns),
    )


def _draw_sheets(
    task: Task, run: Run, found: Sequence[Result], columns: int | None
) -> list[Image.Image]:
    """The sheets that the task's command would write, of the first results."""
    if task.sheet == "each":
        return [draw_columns(result.columns) for result in found[:ROWS]]
    if task.sheet == "rows":
        tiles = [
            {name: make_tile(image) for name, image in result.columns.items()}
            for result in found[:ROWS]
        ]
        return [draw_rows(tiles)] if tiles else []
    images = [image for result in found for image in result.images.values()][:SHOWN]
    if not images:
        return []
    classes = [result.label for result in found for _ in result.images][:SHOWN]
    titles = [result.title for result in found for _ in result.images][:SHOWN]
    columns = columns or task.grid_columns(run)
    shown = [*run.show_planes(torch.stack(images))]
    return [draw_grid(shown, columns, task.grid_caption, classes, titles)]
