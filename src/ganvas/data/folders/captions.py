"""Pictures with captions, boxes and key points: a folder or zip with one file of JSON lines, or in
COCO's format.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from ganvas.data.dataset import Dataset, Skipped, View
from ganvas.data.decode import Fate
from ganvas.data.folders.caption_table import Line, Table, read_table
from ganvas.data.folders.images import checked, common_size, ignored, write_pictures
from ganvas.data.folders.labels import describe_absent
from ganvas.data.folders.source import Entry, Source, extension
from ganvas.data.store import Packed, open_store
from ganvas.data.text import LENGTH, encode, plain
from ganvas.data.transforms import inside, visible
from ganvas.errors import UserError
from ganvas.io import images
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError
from ganvas.io.resizing import place_in_square

FEATURES = "captions.safetensors"
WHAT = {"captions": "caption", "box": "box", "keypoints": "key points"}
PIXELS = 1.5  # a box may reach so far over the picture's edge without a word: annotators round


def open_captions(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open "captions:PLACE", packed; see `ganvas.data.open_dataset`.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: no table or several, no usable lines, features that do not fit; with `strict`,
            any unusable picture.
    """
    kind, _, text = spec.partition(":")
    if kind != "captions":
        raise UserError(
            f"{spec}: captions have no test set of their own; write captions:PLACE, or hold pictures out"
        )
    place = Path(text).expanduser()
    if not place.exists():
        raise UserError(f"{spec}: there is no folder or zip {place}; write captions:PLACE")
    with Source(place) as source:
        name = find_table(source)
        content = read(source, name)
        features = read(source, FEATURES) if FEATURES in source.others else b""
        digests = [hashlib.sha256(part).hexdigest() for part in (content, features)]
        key = [
            "captions",
            LENGTH,
            source.identity(),
            view.model_dump(exclude={"labels", "attributes"}),
            name,
            digests,
        ]
        dataset = open_store(
            key, lambda folder: build(folder, source, name, content, features, view, progress)
        )
    return checked(
        replace(dataset, report=dataset.report.model_copy(update={"spec": spec})), strict
    )


def find_table(source: Source) -> str:
    """The name of the file that tells of the pictures: the .jsonl at the root, else the .json.

    Raises:
        UserError: there is none, or several.
    """
    for ending in (".jsonl", ".json"):
        found = [name for name in source.others if "/" not in name and extension(name) == ending]
        if len(found) > 1:
            raise UserError(
                f"{source.place} holds {', '.join(found)}; only one of them may lie beside the pictures"
            )
        if found:
            return found[0]
    raise UserError(
        f"{source.place} has no captions: beside the pictures must lie a .jsonl file with lines such as "
        '{"file": "1.png", "caption": "a red bird", "box": [10, 20, 50, 40]}, or a .json file in COCO\'s format'
    )


def read(source: Source, name: str) -> bytes:
    """The content of a file that is no picture.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return source.read(source.others[name])
    except UnreadableError as error:
        raise UserError(f"{source.place}, {name}: {error}") from error


def build(
    folder: Path,
    source: Source,
    name: str,
    content: bytes,
    features: bytes,
    view: View,
    progress: bool,
) -> Packed:
    """Read the table, decode its pictures, and write all columns into `folder`."""
    table = read_table(name, content)
    names = {entry.name: entry for entry in source.pictures}
    lines, notes = matched(table, names, source.wrapper)
    columns, lines, more = common_columns(table, lines)
    if not lines:
        raise UserError(
            f"{source.place}: {table.name} tells of no picture that can be used{first_reason(table, notes)}"
        )
    notes += more
    view = view.model_copy(
        update={"size": view.size or common_size(source, [names[line] for line in lines])}
    )
    if "box" in columns:
        lines, more = with_boxes_inside(table, lines, names, source, view)
        notes += more
    kept, report, size = write_pictures(
        folder / "image.npy", source, [names[name] for name in lines], view, progress
    )
    rows = [lines[fate.name] for fate in kept]
    if "captions" in columns:
        captions, more = caption_column(rows)
        notes += more
        np.save(folder / "caption.npy", captions)
        if features:
            np.save(
                folder / "caption_features.npy",
                feature_column(features, [line.number for line in rows], table.count),
            )
    if "box" in columns:
        boxes = [
            in_square(line.box or (), fate.width, fate.height, view)
            for line, fate in zip(rows, kept)
        ]
        np.save(folder / "box.npy", inside(torch.tensor(boxes)).numpy())
    if "keypoints" in columns:
        np.save(folder / "keypoints.npy", keypoint_column(rows, kept, table.parts, view))
    skipped = sorted(table.skipped + report.skipped, key=lambda item: item.file)
    notes += ignored(source, {table.name, FEATURES} if features else {table.name})
    report = report.model_copy(
        update={"found": len(source.pictures), "skipped": skipped, "notes": notes}
    )
    return Packed({"keypoints": table.parts} if "keypoints" in columns else {}, report, size)


def first_reason(table: Table, notes: Sequence[str]) -> str:
    """Why a table is of no use, as the end of a message."""
    reasons = [*notes, *(f"{item.file!r}: {item.reason}" for item in table.skipped)]
    return f"; {reasons[0]}" if reasons else ""


# Which pictures can be used


def own_name(file: str, names: Collection[str], wrapper: str) -> str:
    """A picture's name within its source, which has taken a folder that wraps all pictures off,
    from the one in the table.
    """
    file = file.replace("\\", "/").removeprefix("./")
    return file if file in names else file.removeprefix(wrapper)


def matched(
    table: Table, names: Collection[str], wrapper: str
) -> tuple[dict[str, Line], list[str]]:
    """The lines by the name of their picture, and notes; what is told of twice, or not at all, is
    skipped.
    """
    lines: dict[str, Line] = {}
    absent = []
    for line in table.lines:
        name = own_name(line.file, names, wrapper)
        if name not in names:
            absent.append(line.file)
        elif name in lines:
            table.skipped.append(
                Skipped(file=name, reason=f"named again in {table.name}; the first line counts")
            )
        else:
            lines[name] = line
    table.skipped += [
        Skipped(file=name, reason=f"not named in {table.name}")
        for name in names
        if name not in lines
    ]
    return lines, describe_absent(table.name, absent)


def common_columns(
    table: Table, lines: dict[str, Line]
) -> tuple[set[str], dict[str, Line], list[str]]:
    """What most lines tell of, the lines that tell all of that, and notes; the others are skipped."""
    counts = Counter(what for line in lines.values() for what in WHAT if getattr(line, what))
    columns = {what for what in WHAT if 2 * counts[what] > len(lines)}
    notes = [
        f"{counts[what]:,} of {len(lines):,} pictures {'has' if counts[what] == 1 else 'have'} a {WHAT[what]}: too few to be used".replace(
            "a key", "key"
        )
        for what in WHAT
        if counts[what] and what not in columns
    ]
    full: dict[str, Line] = {}
    for name, line in lines.items():
        lacking = [WHAT[what] for what in WHAT if what in columns and not getattr(line, what)]
        if lacking:
            table.skipped.append(
                Skipped(file=name, reason=f"has no {' and no '.join(lacking)}, as the others have")
            )
        else:
            full[name] = line
    return columns, full if columns else {}, notes


def with_boxes_inside(
    table: Table, lines: dict[str, Line], names: dict[str, Entry], source: Source, view: View
) -> tuple[dict[str, Line], list[str]]:
    """The lines whose box is in the picture and stays there when it becomes a square, and notes;
    the others are skipped.
    """
    good: dict[str, Line] = {}
    reaching = 0
    for name, line in lines.items():
        reason = ""
        assert line.box is not None
        left, top, width, height = line.box
        told = f"its box [{left:g}, {top:g}, {width:g}, {height:g}]"
        # what cannot be read is told when it is packed
        with suppress(UnreadableError), source.open(names[name]) as file:
            whole_width, whole_height = images.measure(file)
            if width <= 0 or height <= 0:
                reason = f"{told} has no area"
            elif (
                left >= whole_width or top >= whole_height or left + width <= 0 or top + height <= 0
            ):
                reason = f"{told} lies outside of its {whole_width}x{whole_height}"
            else:
                box = inside(torch.tensor([in_square(line.box, whole_width, whole_height, view)]))[
                    0
                ]
                reason = (
                    f"{told} is cut away with fit={view.fit}" if min(box[2:].tolist()) <= 0 else ""
                )
                over = max(-left, -top, left + width - whole_width, top + height - whole_height)
                reaching += not reason and over > PIXELS
        if reason:
            table.skipped.append(Skipped(file=name, reason=reason))
        else:
            good[name] = line
    boxes = count_noun(reaching, "box reaches", "boxes reach")
    return good, [f"{boxes} over the edge of the picture, where it is cut"] if reaching else []


# The columns


def in_square(box: Sequence[float], width: int, height: int, view: View) -> list[float]:
    """A box in pixels of a picture of width x height, in shares of the side of the square that it
    becomes.
    """
    left, top, box_width, box_height = box
    side = view.load_size()
    down, right, new_height, new_width = place_in_square(height, width, side, view.fit)
    across, along = new_width / width, new_height / height
    return [
        (right + left * across) / side,
        (down + top * along) / side,
        box_width * across / side,
        box_height * along / side,
    ]


def keypoint_column(
    rows: Sequence[Line], fates: Sequence[Fate], parts: Sequence[str], view: View
) -> np.ndarray:
    """float32 (N, P, 3): x and y in shares of the square's side, and whether it is seen."""

    def placed() -> Iterator[list[list[float]]]:
        for line, fate in zip(rows, fates):
            points = [(line.keypoints or {}).get(part, (0.0, 0.0, 0.0)) for part in parts]
            yield [
                [*in_square((x, y, 0, 0), fate.width, fate.height, view)[:2], seen]
                for x, y, seen in points
            ]

    return visible(torch.tensor(list(placed()))).numpy()


def caption_column(rows: Sequence[Line]) -> tuple[np.ndarray, list[str]]:
    """uint8 (N, K, LENGTH), shorter lists repeated in turn, and notes."""
    most = max(len(line.captions) for line in rows)
    cut = sum(
        len(plain(caption).encode(errors="replace")) > LENGTH
        for line in rows
        for caption in line.captions
    )
    column = np.stack(
        [np.stack([encode(text) for text in islice(cycle(line.captions), most)]) for line in rows]
    )
    return column, [
        f"{count_noun(cut, 'caption')} of more than {LENGTH} bytes {'is' if cut == 1 else 'are'} cut"
    ] if cut else []


def feature_column(content: bytes, numbers: Sequence[int], count: int) -> np.ndarray:
    """float32 (N, K, F) from the tensor "features", of shape (lines, F) or (lines, K, F), at the
    lines given.

    Raises:
        UserError: there is no such tensor.
    """
    try:
        features = load_tensors(content)["features"]
    except (SafetensorError, KeyError) as error:
        raise UserError(f'{FEATURES} holds no tensor "features": {error}') from error
    if features.ndim not in (2, 3) or len(features) != count:
        raise UserError(
            f"{FEATURES}: features of shape {features.shape}; wanted (lines, F) or (lines, K, F) with {count} lines"
        )
    features = features.astype(np.float32)[list(numbers)]
    return features[:, None] if features.ndim == 2 else features
