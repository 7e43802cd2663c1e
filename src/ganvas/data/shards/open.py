"""Open a sharded set: tars that are read one after another during training."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ganvas.data.dataset import Column, Dataset, Shards
from ganvas.data.decode import decode_images, reading_of_view
from ganvas.data.fates import ImageTraits, find_size_fault
from ganvas.data.folders.labels import list_some
from ganvas.data.folders.notes import describe_enlarged, describe_left_out
from ganvas.data.folders.rows import check_strict
from ganvas.data.folders.sizes import ImageSizes, SizeSurvey, with_common_size
from ganvas.data.folders.steps import describe_steps
from ganvas.data.parallel import PIECE, count_workers, map_in_order
from ganvas.data.report import WARNING, DataReport, Skipped
from ganvas.data.shards.cache import ShardCache, ShardColumn
from ganvas.data.shards.files import LocalShards, ShardFiles, ShardPlace, parse_shards
from ganvas.data.shards.index import INDEX, Index, Shard, make_index, read_index
from ganvas.data.shards.remote import RemoteShards
from ganvas.data.shards.scan import index_tars
from ganvas.data.shards.tar import Tar
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import count_noun
from ganvas.io.rasters import is_deep
from ganvas.io.reading import read_bytes

__all__ = ["MEMORY", "open_shards", "survey_shards"]

# Bytes of decoded pictures that are kept in memory. The order of training depends on it, so it is
# not a setting: a run must see the same order on every machine.
MEMORY = 2**30


def open_shards(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open "shards:PLACE"; see `ganvas.data.open_dataset`.

    No shard is read before its pictures are needed.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: no shards there, a shard that is missing, damaged or empty, fewer than two usable
            pictures.
    """
    index, files, notes = _find_index(parse_shards(spec), spec, progress)

    view = with_common_size(view, lambda: {spec: _count_sizes(index)})
    # Size and channels come from the index: no picture is read yet.
    view = view.model_copy(update={"channels": view.channels or index.channels})
    size, side, channels = view.size, view.load_size(), view.channels
    assert size is not None and channels is not None

    used = [_large_enough(shard, view) for shard in index.shards]  # by shard, bool (count,)
    starts = np.cumsum([0, *(int(mask.sum()) for mask in used)])  # int64 (shards + 1,)
    if starts[-1] < 2:
        pictures = count_noun(index.pictures, "image")
        raise UserError(
            f"{spec}: fewer than two of its {pictures} can be used at size {size}; "
            "choose a smaller size"
        )

    _check_channels(spec, channels)

    # At least two shards, so that one can be read while another is shown.
    largest = int(np.diff(starts).max())
    room = max(2, MEMORY // (largest * channels * side**2))  # by bytes of the largest, decoded
    cache = ShardCache(
        lambda number: _decode_shard(files, index.shards[number], used[number], view), room
    )
    columns: dict[str, Column] = {"image": ShardColumn(cache, starts, (channels, side, side))}
    names = {}
    if index.classes:
        labels = [
            shard.label[mask] for shard, mask in zip(index.shards, used) if shard.label is not None
        ]
        columns["label"] = np.concatenate(labels)
        names["label"] = index.classes

    # All that decides pixels and labels. The tars are not read, their digests are in the index.
    seen = [index.fingerprint, size, side, channels, view.fit, view.background]
    if view.range:
        seen.append(view.range)
    dataset = Dataset(
        columns,
        names,
        hashlib.blake2b(json.dumps(seen).encode(), digest_size=16).hexdigest(),
        _report_shards(spec, index, used, view, notes),
        size,
        shards=Shards(starts, room, cache.read_ahead),
    )
    return check_strict(dataset, strict)


def _check_channels(spec: str, channels: int) -> None:
    """Refuse numbers of channels that no file of a shard has.

    Raises:
        UserError: names those that there are.
    """
    if channels not in (1, 3, 4):
        raise UserError(
            f"{spec}: --channels {channels}: shards hold PNG, JPEG and WebP: grey (1), RGB (3), or "
            "RGB with transparency (4)"
        )


def survey_shards(spec: str) -> SizeSurvey:
    """The sizes of all pictures, from the index.

    Raises:
        UserError: as `open_shards`.
    """
    index, _, _ = _find_index(parse_shards(spec), spec, progress=False)
    return SizeSurvey({spec: _count_sizes(index)})


def _find_index(
    place: ShardPlace, spec: str, progress: bool
) -> tuple[Index, ShardFiles, list[str]]:
    """Find or make the index of the shards at a place.

    Returns:
        the index, the files, and notes for the report.

    Raises:
        UserError: there is no index and none can be made, or it does not list all of the tars.
    """
    if place.remote:
        files = RemoteShards(place.base)
        content, note = files.index()
        index = _select_shards(read_index(content, place.base + INDEX), place, spec)
        return index, files, [note] if note else []

    folder = Path(place.base)
    files = LocalShards(folder)
    # By name, since it is the order of the rows; unfinished and hidden files begin with a dot.
    present = sorted(path.name for path in folder.glob("*.tar") if not path.name.startswith("."))
    if not (folder / INDEX).is_file():
        names = place.files or present
        if not names:
            raise UserError(
                f"{spec}: {folder} holds no tars; "
                "write some with ganvas pack DATA --shards --out FOLDER"
            )
        return index_tars(folder, names, progress), files, []

    index = read_index(read_bytes(folder / INDEX), str(folder / INDEX))
    index = _select_shards(index, place, spec)
    files.check(index.shards)  # only those selected: the others may be missing
    listed = {shard.file for shard in index.shards}
    # A pattern leaves tars out on purpose.
    unlisted = [] if place.files else [name for name in present if name not in listed]
    notes = [f"{INDEX} does not list, so not used: {list_some(unlisted)}"] if unlisted else []
    return index, files, notes


def _select_shards(index: Index, place: ShardPlace, spec: str) -> Index:
    """Reduce an index to the tars that the place names.

    Raises:
        UserError: the index does not list one of them.
    """
    if place.files is None:
        return index
    known = {shard.file: shard for shard in index.shards}
    unknown = next((name for name in place.files if name not in known), None)
    if unknown:
        raise UserError(
            f"{spec}: the {INDEX} of {place.base} does not list {unknown}; "
            f"it lists {list_some(sorted(known))}"
        )

    shards = tuple(known[name] for name in dict.fromkeys(place.files))  # each once
    part = make_index(shards, index.classes, index.steps, index.notes)
    # A part of a set in colour stays in colour, even if all its own pictures are grey.
    return part.model_copy(update={"channels": index.channels})


def _count_sizes(index: Index) -> ImageSizes:
    """Count the pictures of each (width, height)."""
    sizes = ImageSizes()
    for shard in index.shards:
        for kind, count in shard.kinds_of(shard.kind).items():
            sizes[kind.width, kind.height] += count
    return sizes


def _large_enough(shard: Shard, view: View) -> np.ndarray:
    """Which pictures of a shard are large enough for the view, bool (count,)."""
    # Once per kind, bool (kinds,): there are few kinds and many pictures.
    large = np.array([not find_size_fault(kind.width, kind.height, view) for kind in shard.kinds])
    return large[shard.kind]


def _report_shards(
    spec: str, index: Index, used: Sequence[np.ndarray], view: View, notes: list[str]
) -> DataReport:
    """Report what the shards hold and what is done to it.

    Args:
        used: by shard, which pictures are used, bool (count,).
    """
    kinds, modes = Counter[ImageTraits](), Counter[str]()
    classes = np.zeros(len(index.classes), np.int64)
    skipped: list[Skipped] = []
    for shard, mask in zip(index.shards, used):
        skipped += _skipped_of(shard, mask, view)
        kinds.update(shard.kinds_of(shard.kind[mask]))
        for kind, count in shard.kinds_of(shard.kind).items():
            modes[kind.mode] += count
        if shard.label is not None:
            classes += np.bincount(shard.label[mask], minlength=len(classes))

    reading = reading_of_view(view)
    sizes = {
        f"{width}x{height}": count for (width, height), count in _count_sizes(index).most_common()
    }
    # `index.pictures` are the readable ones.
    found = index.pictures + sum(len(shard.left_out) for shard in index.shards)
    shorter = Counter[int]()
    for kind, count in kinds.items():
        shorter[min(kind.width, kind.height)] += count
    reasons = Counter(item.reason for item in skipped)
    small = [
        min(width, height)
        for (width, height), count in _count_sizes(index).items()
        if find_size_fault(width, height, view)
        for _ in range(count)
    ]
    return DataReport(
        spec=spec,
        found=found,
        used=kinds.total(),
        skipped=skipped,
        sizes=sizes,
        modes=dict(modes.most_common()),
        classes=dict(zip(index.classes, classes.tolist())),
        steps=[
            *(f"before they were packed: {step}" for step in index.steps),
            *describe_steps(kinds, view, reading),
        ],
        notes=[
            *describe_left_out(found, reasons, small, view),
            *describe_enlarged(shorter, view),
            *notes,
            *index.notes,
            *_warn_of_deep(kinds, view),
        ],
        ranges={"image": reading.range} if reading.range else {},
        alpha=reading.alpha,
        ignore_alpha=reading.ignore_alpha,
    )


def _warn_of_deep(kinds: Counter[ImageTraits], view: View) -> list[str]:
    """A warning of values whose range is not known: shards are not read through to find it."""
    deep = sum(count for kind, count in kinds.items() if is_deep(kind.mode))
    if not deep or view.range:
        return []
    return [
        f"{WARNING}{count_noun(deep, 'image')} of 16 bits: 0..65535 are taken for black and white, "
        "since shards are not read through to find their range; if it is another: --range LOW,HIGH"
    ]


def _skipped_of(shard: Shard, mask: np.ndarray, view: View) -> list[Skipped]:
    """List the pictures of a shard that are not used: unreadable ones, then those too small."""
    skipped = [
        Skipped(file=f"{shard.file}: {item.file}", reason=item.reason) for item in shard.left_out
    ]
    for place in np.flatnonzero(~mask):
        kind = shard.kinds[shard.kind[place]]
        reason = find_size_fault(kind.width, kind.height, view)
        skipped.append(Skipped(file=f"{shard.file}: image {place + 1}", reason=reason))
    return skipped


def _decode_shard(files: ShardFiles, shard: Shard, used: np.ndarray, view: View) -> np.ndarray:
    """Decode the usable pictures of a shard, uint8 (n, C, S, S), S the view's load size.

    Args:
        used: which of its pictures, bool (count,).

    Raises:
        UserError: the shard is missing or damaged, or does not hold what the index lists.
    """
    side, channels = view.load_size(), view.channels or 3
    with Tar(files.open(shard), shard.file) as tar:
        left_out = {item.file for item in shard.left_out}
        entries = [entry for entry in tar.pictures if entry.name not in left_out]
        # Labels belong to pictures by their places, so the number must agree.
        if len(entries) != shard.count:
            raise UserError(
                f"{shard.file} holds {count_noun(len(entries), 'image')}, "
                f"its index lists {shard.count:,}; write it again"
            )

        entries = [entry for entry, wanted in zip(entries, used) if wanted]
        pieces = [entries[rows] for rows in chunk_slices(len(entries), PIECE)]
        # Filled in place, since a joined list would need the memory of two shards.
        decoded = np.empty((len(entries), channels, side, side), np.uint8)
        done = 0
        with ThreadPoolExecutor(count_workers([entry.size for entry in entries])) as pool:
            for fates, pictures in map_in_order(
                pool, lambda piece: decode_images(tar, piece, view), pieces
            ):
                # Leaving one out would shift the rows and labels of all that follow.
                broken = next((fate for fate in fates if fate.reason), None)
                if broken:
                    raise UserError(
                        f"{shard.file}: {broken.name} cannot be used: {broken.reason}; "
                        "make the index again"
                    )
                decoded[done : done + len(pictures)] = pictures
                done += len(pictures)
        return decoded
