"""Write the results of a task: separate files, grids and sheets."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.errors import UserError
from ganvas.inference.inputs import check_originals
from ganvas.inference.run import Run
from ganvas.inference.sheets import ROWS, draw_columns, draw_grid, draw_rows, make_tile
from ganvas.inference.task import Attachment, Result, Task, refuse_points
from ganvas.io.console import count_noun, track
from ganvas.io.files import atomic_path, own_folder, refuse_unwritable, write_text
from ganvas.io.images import as_candidate, save, to_pil
from ganvas.io.numbers import check_numbers
from ganvas.io.scatter import draw_sheet
from ganvas.io.tiff import encode_bands

__all__ = ["Output", "ResultWriter", "check_ending", "produce", "write"]

BAR_FROM = 500  # results from which a progress bar is shown
GRID_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Output:
    """Where the results of a task go, and in which form.

    Attributes:
        folder: new or empty; None: the next of RUN/TASK/1, 2, ..., or of the run's `outputs`
        format: ending of the separate files.
        separate: whether each image gets its own file.
        sheet: whether the separate files get a sheet, in the sub-folder sheets.
        grid: file for a grid somewhere else.
        columns: of the grid; None: as square as possible.
        originals: files and folders of the user that must not be written over.
    """

    folder: Path | None = None
    format: str = "png"
    separate: bool = True
    sheet: bool = True
    grid: Path | None = None
    columns: int | None = None
    originals: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        check_numbers(self)

    def check(self, run: Run) -> None:
        """Refuse what cannot be written.

        Raises:
            UserError: a number of columns below 1, an ending that is not an image's, a flag for
                images and a GAN of points, or originals that would be written over.
        """
        if self.columns is not None and self.columns < 1:
            raise UserError(f"--columns {self.columns}: a grid has at least one column")
        if self.grid:
            check_ending(self.grid, GRID_ENDINGS, "--grid")
        if self.columns or self.format != "png":
            refuse_points(run)
        kind = run.planes.kind
        if self.format != "png" and kind in ("bands", "categories"):
            made = "bands, which are written as TIFF" if kind == "bands" else "label maps"
            raise UserError(f"--format {self.format}: {run.name} makes {made}; leave --format out")
        if self.format in ("jpg", "jpeg") and kind == "alpha":
            raise UserError(
                f"--format {self.format} has no transparency, which {run.name} makes; "
                "use png or webp"
            )
        if self.folder:
            check_originals(self.folder, self.originals)


def write(task: Task, run: Run, output: Output) -> Iterator[str]:
    """Write the results of a task; yields a line for each thing written.

    Raises:
        UserError: the run cannot do it, there is nothing to do, or the folder holds something.
    """
    # both before a folder is made, and also where nothing is written
    task.check(run)
    output.check(run)
    if output.separate or output.grid:
        yield from (item for item in produce(task, run, output) if isinstance(item, str))


def produce(task: Task, run: Run, output: Output) -> Iterator[Result | str]:
    """Write the results of a task, as far as the output wants files; yields each result, and a line
    for each thing written.

    Raises:
        UserError: as `write`.
    """
    # both before a folder is made
    task.check(run)
    output.check(run)

    place = nullcontext()
    if output.separate:
        place = own_folder(output.folder, run.outputs / task.folder)

    with place as folder:
        if run.gan.kind == "point":
            yield from _write_points(task, run, output, folder)
            return

        results = task.results(run)
        if task.expected and task.expected > BAR_FROM:
            results = track(results, "generating images", task.expected)

        writer = ResultWriter(task, run, output, folder)
        for result in results:
            if not isinstance(result, str):
                yield from writer.add(result)
            yield result
        yield from writer.finish(run)


class ResultWriter:
    """Write results one by one, and at the end what shows them together.

    Args:
        task: whose results they are.
        run: that generates them.
        output: the form.
        folder: for separate files; None: only the grid is written.
    """

    def __init__(self, task: Task, run: Run, output: Output, folder: Path | None):
        self.task, self.run, self.output, self.folder = task, run, output, folder
        self.ending = "tif" if run.planes.kind == "bands" else output.format
        self.grid = _find_grid(output, folder)
        self.results = 0
        self.files: list[str] = []
        self.labels: list[tuple[str, str]] = []  # file, class
        self.images: list[Tensor] = []  # for the grid
        self.classes: list[str | None] = []  # of these images
        self.titles: list[str] = []  # of these images
        self.rows: list[dict[str, Tensor]] = []  # for the sheet
        self.notes: dict[str, None] = {}  # each once, in the order in which they came

    def add(self, result: Result) -> Iterator[str]:
        """Write the files of one result; yields lines about it where it has a sheet of its own."""
        self.results += 1
        if self.folder is not None:
            self.save_images(result, self.folder)
            for path, content in result.attachments.items():
                _save_attachment(self.folder / path, content)

        # Only what the sheet will show is kept: there may be hundreds of thousands of results.
        if self.task.sheet == "grid" and self.grid:
            self.images += result.images.values()
            self.classes += [result.label] * len(result.images)
            self.titles += [result.title] * len(result.images)
        if self.task.sheet == "rows" and len(self.rows) < ROWS:
            self.rows.append({name: make_tile(image) for name, image in result.columns.items()})

        if self.task.sheet == "each" and self.folder is not None:
            save(draw_columns(result.columns), self.folder / "sheets" / f"{result.name}.png")
            yield f"{result.title}, {self.folder / result.name}.{self.ending}"
            yield from (f"  {note}" for note in result.notes)
        else:
            self.notes |= dict.fromkeys(result.notes)

    def finish(self, run: Run) -> Iterator[str]:
        """Write what belongs to all results; yields a line for each thing written."""
        if self.folder is not None:
            if self.labels:
                write_text(self.folder / "labels.csv", _format_labels(self.labels))
            yield self.save_rows(self.folder)

        if self.images and self.grid:
            shown = [*run.show_planes(torch.stack(self.images))]
            columns = self.output.columns or self.task.grid_columns(run)
            caption = self.task.grid_caption
            grid = draw_grid(shown, columns, caption, self.classes, self.titles)
            save(grid, self.grid)
            yield f"grid in {self.grid}"

        if self.folder is not None:
            for name, content in self.task.attachments(run).items():
                path = self.folder / name
                _save_attachment(path, content)
                if isinstance(content, Image.Image):
                    yield f"{path.stem} in {path}"
        yield from (f"note: {note}" for note in self.notes)

    def save_images(self, result: Result, folder: Path) -> None:
        """Write the images of a result, each to its own file."""
        for name, image in result.images.items():
            file = f"{name}.{self.ending}"
            # Not durable: there may be thousands of files, and each can be generated again.
            if self.run.planes.kind == "bands":  # no image format but TIFF has room for all of them
                with atomic_path(folder / file, durable=False) as partial:
                    partial.write_bytes(encode_bands(image.permute(1, 2, 0).numpy()))
            else:
                save(self.run.to_picture(image), folder / file, durable=False)
            self.files.append(file)
            if result.label is not None:
                self.labels.append((file, result.label))

    def save_rows(self, folder: Path) -> str:
        """Write the sheet with a row for each result, if there is one; returns the line that counts
        the files.
        """
        if self.task.sheet == "each":
            counted = count_noun(self.results, "image")
            return f"{counted} in {folder}, sheets in {folder / 'sheets'}"

        line = f"{count_noun(len(self.files), 'image')} in {folder}"
        if not self.rows:
            return line
        sheet = folder / "sheets" / "sheet.png"
        save(draw_rows(self.rows), sheet)
        originals = "its original" if len(self.files) == 1 else "their originals"
        return f"{line}, beside {originals} in {sheet}"


def _write_points(
    task: Task, run: Run, output: Output, folder: Path | None
) -> Iterator[Result | str]:
    """Write points as a table and as a scatter picture; yields the points, and a line for each
    file.
    """
    results = [result for result in task.results(run) if isinstance(result, Result)]
    yield from results
    points = torch.stack([result.image for result in results])  # (N, 2, 1, 1)

    if folder is not None:
        file = folder / "points.csv"
        rows = "".join(f"{x:.6f},{y:.6f}\n" for x, y in points.flatten(1).tolist())
        write_text(file, f"x,y\n{rows}")
        yield f"{count_noun(len(points), 'point')} in {file}"

    if grid := _find_grid(output, folder):
        save(draw_sheet(points, 1, discs=mode_discs(run.about["data"]["spec"])), grid)
        yield f"scatter picture in {grid}"


def _find_grid(output: Output, folder: Path | None) -> Path | None:
    """The file of the grid; None: no grid is wanted."""
    if output.grid or folder is None or not output.sheet:
        return output.grid
    return folder / "sheets" / "grid.png"


def _save_attachment(path: Path, content: Attachment) -> None:
    """Write a text, another candidate, a sheet, or tensors (as safetensors)."""
    if isinstance(content, str):
        write_text(path, content)
    elif isinstance(content, Image.Image):
        save(content, path)
    elif isinstance(content, Tensor):
        # Marked, so that nobody counts it beside the result that was chosen.
        save(as_candidate(to_pil(content)), path)
    else:
        with atomic_path(path) as partial:
            save_file(dict(content), partial)


def _format_labels(labels: Iterable[tuple[str, str]]) -> str:
    """The text of labels.csv: a file and its class in each row, as training reads it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "label"])
    writer.writerows(labels)
    return text.getvalue()


def check_ending(file: Path, endings: tuple[str, ...], flag: str) -> None:
    """Refuse a file that cannot be written, before there is something to write.

    Args:
        file: that will be written.
        endings: of the formats that fit.
        flag: that named it, for messages.

    Raises:
        UserError: its ending is another one, a folder has its name, or it has no folder.
    """
    if file.suffix.lower() not in endings:
        raise UserError(f"{file} should end in one of {', '.join(endings)}")
    refuse_unwritable(file, flag)
