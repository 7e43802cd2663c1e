"""Make the columns of captions, features, boxes and key points."""

from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np
import torch

from ganvas.data.fates import Fate
from ganvas.data.folders.caption_table import CaptionLine
from ganvas.data.text import LENGTH, encode, plain
from ganvas.data.transforms import clip_boxes, hide_outside
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.resizing import place_in_square
from ganvas.io.tensors import parse_tensors

__all__ = [
    "FEATURES",
    "make_boxes",
    "make_captions",
    "make_features",
    "make_keypoints",
    "place_box",
]

FEATURES = "captions.safetensors"


def make_captions(lines: Sequence[CaptionLine]) -> tuple[np.ndarray, list[str]]:
    """Captions as bytes, uint8 (N, K, LENGTH), and notes.

    K is the largest number of captions of an image; shorter lists are repeated in turn.
    """
    most = max(len(line.captions) for line in lines)
    rows = []
    cut = 0

    # a column is one array, so every image needs as many captions as the one with the most
    for line in lines:
        captions = islice(cycle(line.captions), most)
        rows.append(np.stack([encode(text) for text in captions]))  # (K, LENGTH)
        # replace: JSON may hold half a surrogate pair, which has no UTF-8
        cut += sum(len(plain(text).encode(errors="replace")) > LENGTH for text in line.captions)

    notes = []
    if cut:
        verb = "is" if cut == 1 else "are"
        notes = [f"{count_noun(cut, 'caption')} of more than {LENGTH} bytes {verb} cut"]
    return np.stack(rows), notes


def make_features(content: bytes, numbers: Sequence[int], count: int) -> np.ndarray:
    """Sentence features of the captions, float32 (N, K, F).

    Args:
        content: a safetensors file with the tensor "features", (lines, F) or (lines, K, F).
        numbers: the lines that are used, (N,).
        count: all lines of the table.

    Raises:
        UserError: there is no such tensor.
    """
    tensors = parse_tensors(content, FEATURES)
    if "features" not in tensors:
        raise UserError(f'{FEATURES} holds no tensor "features"')
    features = tensors["features"].float().numpy()

    if features.ndim not in (2, 3) or len(features) != count:
        raise UserError(
            f"{FEATURES}: features of shape {features.shape}; "
            f"wanted (lines, F) or (lines, K, F) with {count} lines"
        )
    # the rows of the lines that are used; one feature a line becomes K = 1
    features = features[list(numbers)]
    return features[:, None] if features.ndim == 2 else features


def make_boxes(lines: Sequence[CaptionLine], fates: Sequence[Fate], view: View) -> np.ndarray:
    """Boxes cut at the edge, float32 (N, 4), in shares of the square's side."""
    # an image is cropped or padded, and its box with it
    boxes = [
        place_box(line.box or (), fate.width, fate.height, view) for line, fate in zip(lines, fates)
    ]
    return clip_boxes(torch.tensor(boxes)).numpy()


def make_keypoints(
    lines: Sequence[CaptionLine], fates: Sequence[Fate], parts: Sequence[str], view: View
) -> np.ndarray:
    """Key points, float32 (N, P, 3): x and y in shares of the square's side, and 1 if visible."""
    rows = []

    for line, fate in zip(lines, fates):
        row = []
        for part in parts:
            # a part that the line leaves out is not visible
            x, y, seen = (line.keypoints or {}).get(part, (0.0, 0.0, 0.0))
            # a point is a box without area
            left, top, _, _ = place_box((x, y, 0, 0), fate.width, fate.height, view)
            row.append([left, top, seen])
        rows.append(row)

    return hide_outside(torch.tensor(rows)).numpy()


def place_box(box: Sequence[float], width: int, height: int, view: View) -> list[float]:
    """A box in pixels of an image of width x height, as shares of the side of the square that the
    image becomes.
    """
    left, top, box_width, box_height = box
    side = view.load_size()
    # as `decode` calls `to_square`, or boxes would miss their objects; negative: cut off
    down, right, new_height, new_width = place_in_square(height, width, side, view.fit)
    across = new_width / width  # pixels of the square for one of the file
    along = new_height / height

    return [
        (right + left * across) / side,
        (down + top * along) / side,
        box_width * across / side,
        box_height * along / side,
    ]
