"""Open a sharded set: tars of pictures that are read one after another while training goes on,
since they exceed the disk.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganvas.data.dataset import DataReport, Dataset, Shards, Skipped, View
from ganvas.data.decode import Fate, ImageTraits, decode_images, find_size_fault
from ganvas.data.folders.labels import list_some, sort_classes
from ganvas.data.folders.rows import check_strict
from ganvas.data.folders.sizes import common_side
from ganvas.data.folders.source import Entry
from ganvas.data.folders.steps import describe_steps
from ganvas.data.parallel import (
    PIECE,
    count_workers,
    map_in_order,
    progress_bar,
    start_threads,
)
from ganvas.data.shards.cache import DecodedShards, ShardColumn
from ganvas.data.shards.files import (
    LocalShards,
    RemoteShards,
    ShardFiles,
    ShardPlace,
    digest_of,
    parse_shards,
)
from ganvas.data.shards.index import INDEX, Index, Shard, make_index, read_index
from ganvas.data.shards.tar import Tar
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.console import count_noun
from ganvas.io.files import write_text

# bytes of decoded pictures that are kept; the order of training follows from it, so it is no
# setting
MEMORY = 2**30
VERSION = 1  # to be raised when the same tars would get another index


def open_shards(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open "shards:PLACE"; see `ganvas.data.open_dataset`. No shard is read before its pictures are
    asked for.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: no shards there, a shard that is missing, damaged or empty, fewer than two usable
            pictures.
    """
    if view.labels != "none":
        raise UserError(
            f"{spec} carries its own labels; --labels {view.labels} is for folders and zips of pictures"
        )
    place = parse_shards(spec)
    index, files, notes = find_index(place, spec, progress)
    sizes = Counter[tuple[int, int]]()
    for shard in index.shards:
        for kind, number in shard.kinds_of(shard.kind).items():
            sizes[kind.width, kind.height] += number
    size = view.size or common_side(spec, sizes)
    view = view.model_copy(update={"size": size, "channels": view.channels or index.channels})
    used = [usable(shard, view) for shard in index.shards]
    starts = np.cumsum([0, *(int(mask.sum()) for mask in used)])
    if starts[-1] < 2:
        pictures = count_noun(index.pictures, "picture")
        raise UserError(
            f"{spec}: fewer than two of its {pictures} can be used at size {size}; give less"
        )
    side, channels = view.load_size(), view.channels
    assert channels is not None
    room = max(2, MEMORY // (int(np.diff(starts).max()) * channels * side**2))
    decoded = DecodedShards(
        lambda number: decode(files, index.shards[number], used[number], view), room
    )
    columns = {"image": ShardColumn(decoded, starts, (channels, side, side))}
    labels = [
        shard.label[mask] for shard, mask in zip(index.shards, used) if shard.label is not None
    ]
    names = {"label": index.classes} if index.classes else {}
    seen = [index.fingerprint, size, side, channels, view.fit, view.background]
    dataset = Dataset(
        columns | ({"label": np.concatenate(labels)} if labels else {}),
        names,
        hashlib.blake2b(json.dumps(seen).encode(), digest_size=16).hexdigest(),
        report(spec, index, used, view, notes),
        size,
        shards=Shards(starts, room, decoded.ahead),
    )
    return check_strict(dataset, strict)


def find_index(place: ShardPlace, spec: str, progress: bool) -> tuple[Index, ShardFiles, list[str]]:
    """The index of the shards that a place names, their files, and notes.

    Raises:
        UserError: there is none and none can be made, or it does not tell of all of them.
    """
    if place.remote:
        files = RemoteShards(place.base)
        content, note = files.index()
        return (
            chosen(read_index(content, place.base + INDEX), place, spec),
            files,
            [note] if note else [],
        )
    folder = Path(place.base)
    files = LocalShards(folder)
    if (folder / INDEX).is_file():
        index = chosen(read_index((folder / INDEX).read_bytes(), str(folder / INDEX)), place, spec)
        files.check(index.shards)
        named = {shard.file for shard in index.shards}
        more = (
            []
            if place.files
            else sorted(path.name for path in folder.glob("*.tar") if path.name not in named)
        )
        return (
            index,
            files,
            [f"{INDEX} does not name, so not used: {list_some(more)}"] if more else [],
        )
    names = place.files or tuple(
        sorted(path.name for path in folder.glob("*.tar") if not path.name.startswith("."))
    )
    if not names:
        raise UserError(
            f"{spec}: {folder} holds no tars; make some with ganvas pack DATA --shards --out FOLDER"
        )
    return index_of_tars(folder, names, progress), files, []


def chosen(index: Index, place: ShardPlace, spec: str) -> Index:
    """The index of the tars alone that the place names.

    Raises:
        UserError: it does not know one of them.
    """
    if place.files is None:
        return index
    known = {shard.file: shard for shard in index.shards}
    unknown = next((name for name in place.files if name not in known), None)
    if unknown:
        raise UserError(
            f"{spec}: {place.base} has no shard {unknown} by its {INDEX}; it has {list_some(sorted(known))}"
        )
    shards = tuple(known[name] for name in dict.fromkeys(place.files))
    made = make_index(shards, index.classes, index.steps, index.notes)
    # a part of a set in colour is not grey
    return made.model_copy(update={"channels": index.channels})


def usable(shard: Shard, view: View) -> np.ndarray:
    """Which pictures of a shard are large enough, bool (count,)."""
    large = np.array([not find_size_fault(kind.width, kind.height, view) for kind in shard.kinds])
    return large[shard.kind]


def report(
    spec: str, index: Index, used: Sequence[np.ndarray], view: View, notes: list[str]
) -> DataReport:
    """What there is in the shards, and what is done to it."""
    kinds, sizes, modes = Counter[ImageTraits](), Counter[str](), Counter[str]()
    skipped: list[Skipped] = []
    for shard, mask in zip(index.shards, used):
        skipped += [
            Skipped(file=f"{shard.file}: {item.file}", reason=item.reason)
            for item in shard.left_out
        ]
        for place in np.flatnonzero(~mask):
            kind = shard.kinds[shard.kind[place]]
            reason = find_size_fault(kind.width, kind.height, view)
            skipped.append(Skipped(file=f"{shard.file}: picture {place + 1}", reason=reason))
        kinds.update(shard.kinds_of(shard.kind[mask]))
        for kind, number in shard.kinds_of(shard.kind).items():
            sizes[f"{kind.width}x{kind.height}"] += number
            modes[kind.mode] += number
    classes = np.zeros(len(index.classes), np.int64)
    for shard, mask in zip(index.shards, used):
        if shard.label is not None:
            classes += np.bincount(shard.label[mask], minlength=len(classes))
    return DataReport(
        spec=spec,
        found=index.pictures + sum(len(shard.left_out) for shard in index.shards),
        used=kinds.total(),
        skipped=skipped,
        sizes=dict(sizes.most_common()),
        modes=dict(modes.most_common()),
        classes=dict(zip(index.classes, classes.tolist())),
        steps=[
            *(f"before they were packed: {step}" for step in index.steps),
            *describe_steps(kinds, view),
        ],
        notes=[*notes, *index.notes],
    )


def decode(files: ShardFiles, shard: Shard, used: np.ndarray, view: View) -> np.ndarray:
    """The usable pictures of a shard, uint8 (n, C, S, S) with the view's load size as S.

    Raises:
        UserError: it is missing or damaged, or does not hold what the index tells.
    """
    with Tar(files.open(shard), shard.file) as tar:
        out = {item.file for item in shard.left_out}
        entries = [entry for entry in tar.pictures if entry.name not in out]
        if len(entries) != shard.count:
            found = count_noun(len(entries), "picture")
            raise UserError(
                f"{shard.file} holds {found}, its index tells of {shard.count:,}; make it again"
            )
        entries = [entry for entry, wanted in zip(entries, used) if wanted]
        pieces = [entries[start : start + PIECE] for start in range(0, len(entries), PIECE)]
        found, done = (
            np.empty(
                (len(entries), view.channels or 3, view.load_size(), view.load_size()), np.uint8
            ),
            0,
        )
        with ThreadPoolExecutor(count_workers([entry.size for entry in entries])) as pool:
            for fates, pictures in map_in_order(
                pool, lambda piece: decode_images(tar, piece, view), pieces
            ):
                broken = next((fate for fate in fates if fate.reason), None)
                if broken:
                    raise UserError(
                        f"{shard.file}: {broken.name} cannot be used: {broken.reason}; make the index again"
                    )
                found[done : done + len(pictures)] = pictures
                done += len(pictures)
        return found


# An index of tars that come without


class Found(NamedTuple):
    """What was found in a tar.

    Attributes:
        shard: without classes.
        classes: of its pictures as written there; None: of none.
        notes: what a person should know.
        others: files by ending that are not looked at.
    """

    shard: Shard
    classes: list[str | None]
    others: Counter[str]


def index_of_tars(folder: Path, names: Sequence[str], progress: bool) -> Index:
    """The index of tars that come without one, from the cache or made: every picture is decoded
    once to see that it can be.

    Raises:
        UserError: a tar is missing, damaged, or holds no usable picture.
    """
    states, names = [], list(dict.fromkeys(names))
    for name in names:
        path = folder / name
        if name.startswith("."):
            raise UserError(f"{path} is hidden; rename it without the dot")
        if not path.is_file():
            several = (
                "; several are named as {000000..000041}, or by their folder"
                if set("*?[") & set(name)
                else ""
            )
            raise UserError(
                f"{path} is missing; bring it back, or name those that are there{several}"
            )
        states.append([name, path.stat().st_size, path.stat().st_mtime_ns])
    key = hashlib.sha256(json.dumps([VERSION, states]).encode()).hexdigest()[:32]
    kept = cache_folder() / "shard-indexes" / f"{key}.json"
    if kept.is_file():
        try:
            return read_index(kept.read_bytes(), str(kept))
        except UserError:
            kept.unlink()  # it can be made again
    found = []
    with progress_bar(len(names), progress, "looking into tars") as advance:
        for name in names:
            found.append(look_into(folder / name))
            advance(1)
    index = joined(found)
    write_text(kept, json.dumps(index.model_dump()))
    return index


def look_into(path: Path) -> Found:
    """What a tar holds.

    Raises:
        UserError: it is damaged, or holds no usable picture.
    """
    file = path.open("rb")
    digest = digest_of(file)
    with Tar(file, str(path)) as tar:
        fates = examine(tar, tar.pictures)
        used = [(entry, fate) for entry, fate in zip(tar.pictures, fates) if not fate.reason]
        if not used:
            first = f"; {fates[0].name}: {fates[0].reason}" if fates else ""
            raise UserError(
                f"{path} holds no picture that can be used (png, jpg, jpeg, webp){first}; remove it"
            )
        kinds = list(dict.fromkeys(fate.traits for _, fate in used))
        places = {kind: place for place, kind in enumerate(kinds)}
        shard = Shard(
            file=path.name,
            count=len(used),
            bytes=len(tar.bytes),
            sha256=digest,
            kinds=tuple(kinds),
            which=" ".join(str(places[fate.traits]) for _, fate in used) if len(kinds) > 1 else "",
            left_out=tuple(
                Skipped(file=fate.name, reason=fate.reason) for fate in fates if fate.reason
            ),
        )
        return Found(shard, [tar.label(entry) for entry, _ in used], tar.others)


def examine(tar: Tar, entries: Sequence[Entry]) -> list[Fate]:
    """What becomes of pictures at their own sizes."""

    def look(piece: Sequence[Entry]) -> list[Fate]:
        return [fate for entry in piece for fate in decode_images(tar, [entry], View(size=1))[0]]

    pieces = [entries[start : start + PIECE] for start in range(0, len(entries), PIECE)]
    with start_threads([entry.size for entry in entries]) as pool:
        return [fate for found in map_in_order(pool, look, pieces) for fate in found]


def joined(found: Sequence[Found]) -> Index:
    """The index of all tars; with classes, if every picture has one."""
    missing = sum(name is None for one in found for name in one.classes)
    total = sum(one.shard.count for one in found)
    others = sum((one.others for one in found), Counter[str]())
    notes = []
    if others:
        listed = ", ".join(f"{ending} ({number:,})" for ending, number in sorted(others.items()))
        notes.append(f"other files are ignored: {listed}")
    if 0 < missing < total:
        notes.append(
            f"{missing:,} of {total:,} pictures {'has' if missing == 1 else 'have'} no class, so classes are not used"
        )
    if missing:
        return make_index([one.shard for one in found], (), notes=notes)
    names = sort_classes(Counter(name for one in found for name in one.classes if name is not None))
    numbers = {name: number for number, name in enumerate(names)}
    shards = []
    for one in found:
        labels = " ".join(str(numbers[name or ""]) for name in one.classes)
        shards.append(Shard.model_validate(one.shard.model_dump() | {"labels": labels}))
    return make_index(shards, names, notes=notes)
