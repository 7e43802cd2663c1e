"""Index tars that come without an index: look through each once and keep what was found."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ganvas.data.decode import decode_images
from ganvas.data.fates import Fate
from ganvas.data.folders.labels import sort_classes
from ganvas.data.folders.source import Entry
from ganvas.data.parallel import map_pieces, progress_bar
from ganvas.data.report import Skipped
from ganvas.data.shards.files import hash_content
from ganvas.data.shards.index import Index, Shard, make_index, read_index
from ganvas.data.shards.keys import PICTURES
from ganvas.data.shards.tar import Tar
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.reading import read_bytes

__all__ = ["TarScan", "index_tars"]

VERSION = 2  # to be raised when the same tars would get another index


class TarScan(NamedTuple):
    """What a tar holds.

    Attributes:
        shard: the tar, without classes.
        classes: class of each usable picture as it is written there; None where there is none.
        others: files that are neither pictures nor classes, counted by ending.
    """

    shard: Shard
    classes: list[str | None]
    others: Counter[str]


def index_tars(folder: Path, names: Sequence[str], progress: bool) -> Index:
    """Index tars that come without an index, or read the index that an earlier call kept.

    Every picture is decoded once, since only that shows whether it can be.

    Args:
        folder: where the tars are.
        names: of the tars; repeated ones count once.
        progress: show a bar on stderr.

    Raises:
        UserError: a tar is missing, damaged, or holds no usable picture.
    """
    names = list(dict.fromkeys(names))

    def scan(path: Path) -> None:
        scans = []
        with progress_bar(len(names), progress, "scanning tars") as advance:
            for name in names:
                scans.append(_scan_tar(folder / name))
                advance(1)
        path.write_text(json.dumps(_join_scans(scans).model_dump()), encoding="utf-8")

    entry = cache_entry("shard-indexes", [VERSION, _describe_tars(folder, names)], ".json")
    return load_or_make(entry, scan, lambda path: read_index(read_bytes(path), str(path)))


def _describe_tars(folder: Path, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Name, bytes and time of each tar: what changes when a tar does.

    Raises:
        UserError: a tar is missing or hidden.
    """
    states = []
    for name in names:
        path = folder / name
        if name.startswith("."):  # an index may not list it; see `Shard.file`
            raise UserError(f"{path} is hidden; rename it without the dot")
        if not path.is_file():
            # People who know shells try faces-*.tar.
            has_wildcard = bool(set("*?[") & set(name))
            hint = "; for several, write {000000..000041} or their folder" if has_wildcard else ""
            raise UserError(f"{path} is missing; restore it, or name those that are there{hint}")
        states.append((name, path.stat().st_size, path.stat().st_mtime_ns))
    return states


def _scan_tar(path: Path) -> TarScan:
    """Look through a tar.

    Raises:
        UserError: it is damaged, or holds no usable picture.
    """
    try:
        file = path.open("rb")
        digest = hash_content(file)  # before `Tar`, which moves the file's position
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    with Tar(file, str(path)) as tar:
        fates = _decode_all(tar, tar.pictures)
        used = [(entry, fate) for entry, fate in zip(tar.pictures, fates) if not fate.reason]
        if not used:
            raise UserError(
                f"{path} holds no usable image ({', '.join(PICTURES)}){_explain(tar, fates)}"
            )

        # Most tars hold pictures of few kinds, so each picture only names the place of its kind.
        kinds = list(dict.fromkeys(fate.traits for _, fate in used))
        places = {kind: str(place) for place, kind in enumerate(kinds)}
        which = " ".join(places[fate.traits] for _, fate in used) if len(kinds) > 1 else ""
        left_out = [Skipped(file=fate.name, reason=fate.reason) for fate in fates if fate.reason]
        shard = Shard(
            file=path.name,
            count=len(used),
            bytes=len(tar.bytes),
            sha256=digest,
            kinds=tuple(kinds),
            which=which,
            left_out=tuple(left_out),
        )
        return TarScan(shard, [tar.label(entry) for entry, _ in used], tar.others)


def _explain(tar: Tar, fates: Sequence[Fate]) -> str:
    """Why a tar has no usable picture, and what to do, as the end of a message."""
    if fates:
        return f"; {fates[0].name}: {fates[0].reason}; write it again, or remove it"
    if tar.others:
        listed = ", ".join(f"{ending} ({count:,})" for ending, count in tar.others.most_common(3))
        return f", only {listed}; write its images as PNG or JPEG, or remove it"
    return "; remove it"


def _decode_all(tar: Tar, entries: Sequence[Entry]) -> list[Fate]:
    """Decode pictures of any size to see whether they can be; returns what became of each."""
    sizes = [entry.size for entry in entries]
    # At 1x1 no picture is too small, so only unreadable ones are left out.
    found = map_pieces(
        entries, lambda piece: decode_images(tar, piece, View(size=1))[0], sizes, progress=False
    )
    return [fate for fates in found for fate in fates]


def _join_scans(scans: Sequence[TarScan]) -> Index:
    """Make one index of all scanned tars, with classes if every picture has one."""
    notes = []
    others = sum((scan.others for scan in scans), Counter[str]())
    if others:
        listed = ", ".join(f"{ending} ({number:,})" for ending, number in sorted(others.items()))
        notes.append(f"other files are ignored: {listed}")

    found = Counter(name for scan in scans for name in scan.classes)
    missing, total = found.pop(None, 0), sum(scan.shard.count for scan in scans)  # None: no class
    if 0 < missing < total:
        have = "has" if missing == 1 else "have"
        notes.append(f"{missing:,} of {total:,} images {have} no class, so classes are not used")
    if missing:
        return make_index([scan.shard for scan in scans], (), notes=notes)

    names = sort_classes(Counter({name: count for name, count in found.items() if name}))
    numbers = {name: str(number) for number, name in enumerate(names)}
    shards = []
    for scan in scans:
        labels = " ".join(numbers[name] for name in scan.classes if name)
        # Not model_copy, which would keep the cached absence of labels.
        shards.append(Shard.model_validate(scan.shard.model_dump() | {"labels": labels}))
    return make_index(shards, names, notes=notes)
