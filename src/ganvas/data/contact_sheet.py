"""Draw a contact sheet of a data set, as training sees it."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.data.dataset import PICTURES, Dataset
from ganvas.data.pick import choose_rows, spread_evenly
from ganvas.data.text import decode
from ganvas.io import grids, images
from ganvas.io.planes import show_planes
from ganvas.io.scatter import draw_sheet

__all__ = ["cut_text", "draw_contact_sheet"]

SHEET = 64  # images on a sheet
POINTS = 2000  # points in a scatter plot
ROWS = 8  # rows of a set with several columns
MARK = (255, 0, 80)  # colour of boxes and key points
WHITE = 255
LONGEST_CLASS = 24  # characters
LONGEST_ROW = 40


def draw_contact_sheet(dataset: Dataset) -> Image.Image:
    """Rows evenly spread over a set: up to 64 images, with labels a line for each class; or 2,000
    points; or 8 rows of a set with several columns.
    """
    if dataset.kind == "point":
        rows = spread_evenly(POINTS, len(dataset))
        points = torch.from_numpy(dataset.images[rows])
        return draw_sheet(points, 1, discs=mode_discs(dataset.report.spec))

    if "image" not in dataset.columns or (len(dataset.columns) > 1 and dataset.labels is None):
        return _draw_rows(dataset)

    if dataset.labels is not None:
        return _draw_classes(dataset, dataset.labels)

    rows = spread_evenly(SHEET, len(dataset))
    shown = show_planes(torch.from_numpy(dataset.images[rows]), *dataset.schema.planes("image"))
    return grids.make_grid(shown, round(len(rows) ** 0.5))


def _draw_classes(dataset: Dataset, labels: np.ndarray) -> Image.Image:
    """A line of images for each class; of many classes only some, evenly spread."""
    classes = spread_evenly(SHEET // 4, len(dataset.classes))
    columns = max(4, min(16, SHEET // len(classes)))
    chosen = [choose_rows(np.flatnonzero(labels == label), columns) for label in classes]

    # one read for all classes: rows of a sharded set are near each other
    images = dataset.rows(np.concatenate(chosen))["image"]
    shown = show_planes(images, *dataset.schema.planes("image"))
    found = shown.split([len(rows) for rows in chosen])

    # (classes, columns, C, S, S); a class with fewer images ends in white
    shape = (len(classes), columns, *shown.shape[1:])
    lines = torch.full(shape, WHITE, dtype=torch.uint8)
    for line, pictures in zip(lines, found):
        line[: len(pictures)] = pictures

    names = [cut_text(dataset.classes[label], LONGEST_CLASS) for label in classes]
    return grids.make_grid(lines.flatten(0, 1), columns, row_names=names)


def _draw_rows(dataset: Dataset) -> Image.Image:
    """A few rows of a set with several columns, boxes and key points drawn, with words beside."""
    tables = [dataset, *([dataset.beside] if dataset.beside else [])]
    count = min(ROWS, *(len(table) for table in tables))

    columns: dict[str, Tensor] = {}
    for table in tables:
        rows = table.batch(spread_evenly(count, len(table)))
        for name, values in rows.items():
            if name in PICTURES:
                shown = show_planes(values, *dataset.schema.planes(name))
                columns[name] = _mark_parts(shown, rows)

    names = []
    for row in spread_evenly(count, len(dataset)):
        names.append(cut_text(_describe_row(dataset, int(row)), LONGEST_ROW))
    return grids.make_table(dict(sorted(columns.items())), names if any(names) else ())


def _mark_parts(pictures: Tensor, rows: Mapping[str, Tensor]) -> Tensor:
    """Images uint8 (N, C, H, W) with the boxes and the key points of their rows; RGB if there are
    any.
    """
    size = pictures.shape[-1]
    marked = []

    for number, picture in enumerate(pictures):
        canvas = images.to_pil(picture)
        if "box" in rows or "keypoints" in rows:
            canvas = canvas.convert("RGB")
        pen = ImageDraw.Draw(canvas)

        if "box" in rows:
            left, top, width, height = (rows["box"][number] * size).tolist()
            # a box of less than a pixel is drawn as one pixel
            right = max(left, left + width - 1)
            bottom = max(top, top + height - 1)
            pen.rectangle([left, top, right, bottom], outline=MARK)

        if "keypoints" in rows:
            for x, y, seen in rows["keypoints"][number].tolist():
                if seen:
                    # shares of the side become pixels
                    x *= size
                    y *= size
                    pen.ellipse([x - 1, y - 1, x + 1, y + 1], fill=MARK)

        marked.append(images.planes(np.array(canvas)))

    return torch.stack(marked)


def _describe_row(dataset: Dataset, row: int) -> str:
    """A row in words: its first caption, or the attributes that it has."""
    if "caption" in dataset.columns:
        return decode(dataset.columns["caption"][row, 0])
    if "attributes" in dataset.columns:
        values = dataset.columns["attributes"][row]
        return ", ".join(name for name, has in zip(dataset.names["attributes"], values) if has)
    return ""


def cut_text(text: str, length: int) -> str:
    """A text cut to a length."""
    return text if len(text) <= length else text[: length - 1] + "…"
