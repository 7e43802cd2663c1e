"""The splits of a set: which images are for training, for validation and for tests.

Folders say it, at any depth ("train/cats", "cats/train", "trainA"), or a table of partitions such
as CelebA's. All kinds of data in folders, zips and tars learn it here.
"""

import copy
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.data.folders.partition import WORDS, read_partition
from ganvas.data.folders.source import FileSource
from ganvas.errors import UserError

__all__ = [
    "ALL",
    "SPLITS",
    "Part",
    "Splits",
    "choose_split",
    "find_judges",
    "find_splits",
    "parse_split",
    "report_parts",
]

SPLITS = ("train", "test", "val")  # in the order in which reports name them
ALL = "all"  # asks for all images, whatever their split
JUDGES = ("test", "val")  # the first that is there judges what was trained
# "train", "Valid", "trainA", "test_B": the folders that a split may have
FOLDER = re.compile(
    r"(training|train|testing|test|validation|valid|val)(?:[ _-]?([ab]))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Splits:
    """Which image of a set is in which split.

    Attributes:
        of: split of each image that is in one, by its name in the set.
        inner: name of each such image without the folder of its split: of "train/cats/1.png" it is
            "cats/1.png", of "trainA/1.png" it is "A/1.png".
        outside: images that are in no split, in a set that has splits.
        table: name of the table that says so; "" where folders do.
    """

    of: Mapping[str, str]
    inner: Mapping[str, str]
    outside: Sequence[str] = ()
    table: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many images each split has; empty for a set without splits."""
        counts = Counter(self.of.values())
        return {split: counts[split] for split in SPLITS if counts[split]}


@dataclass(frozen=True)
class Part:
    """The images of one split of a set.

    Attributes:
        whole: the set.
        source: the set with the images of the split alone.
        splits: all splits of the set.
        split: the one that was chosen.
    """

    whole: FileSource
    source: FileSource
    splits: Splits
    split: str

    def other(self, split: str) -> FileSource:
        """The set with the images of another split alone."""
        return _choose(self.whole, self.splits, split).source


def parse_split(word: str) -> str:
    """The split that a word names, in any case: "valid" is "val"; "all" asks for all images; ""
    is "train".

    Raises:
        UserError: there is no such split.
    """
    small = word.lower()
    if small in ("", ALL):
        return small or "train"
    if small not in WORDS:
        raise UserError(f"there is no split {word!r}; write {', '.join(SPLITS)} or {ALL}")
    return WORDS[small]


def choose_split(source: FileSource, split: str) -> Part:
    """The images of a split; of a set without splits all of them are for training.

    Raises:
        UserError: the set has no such split.
    """
    return _choose(source, find_splits(source), split)


def _choose(source: FileSource, splits: Splits, split: str) -> Part:
    """The images of a split, where all splits are known."""
    if not splits.of:
        if split not in ("train", ALL):
            raise UserError(f"{source.place} has no folder {split}; its images are in one place")
        return Part(source, source, splits, split)

    if split != ALL and split not in splits.counts:
        there = ", ".join(splits.counts)
        remedy = "choose one of them with --split"
        if split == "train":
            remedy = f"to train on them all the same: --split {next(iter(splits.counts))}"
        raise UserError(
            f"{source.place} has no folder {split}; its images are in {there}; {remedy}"
        )

    chosen = copy.copy(source)
    chosen.read_already = {splits.table} if splits.table else set()
    if split == ALL:
        # "cats/train 1.png": two splits often hold files of equal names
        chosen.inner = {
            name: f"{inner[: inner.rfind('/') + 1]}{splits.of[name]} {inner.rpartition('/')[2]}"
            for name, inner in splits.inner.items()
        }
        return Part(source, chosen, splits, split)

    chosen.pictures = [entry for entry in source.pictures if splits.of.get(entry.name) == split]
    chosen.inner = splits.inner
    chosen.elsewhere = {entry.name for entry in source.pictures} - {
        entry.name for entry in chosen.pictures
    }
    return Part(source, chosen, splits, split)


def find_judges(parts: Sequence[Part]) -> list[str]:
    """The splits that could judge what is trained on these parts, the best first."""
    # one image is no set; a person who asks for all images has none left to judge with
    return [
        split
        for split in JUDGES
        if all(part.split == "train" and part.splits.counts.get(split, 0) > 1 for part in parts)
    ]


def report_parts(parts: Sequence[Part], judge: str | None) -> dict[str, Any]:
    """What a data report says of places and their splits: counts, and notes.

    None of it is kept in the packed store, since equal images may lie elsewhere in another way.

    Args:
        parts: of each place.
        judge: the split that judges what is trained; None: there is none.
    """
    counts: Counter[str] = Counter()
    notes = []
    for part in parts:
        counts.update(part.splits.counts)
        outside = part.splits.outside
        if outside and part.split != ALL:
            some = ", ".join(outside[:3]) + (", ..." if len(outside) > 3 else "")
            notes.append(f"not used, since in no split: {len(outside):,} ({some})")

    # where all is for training, there is nothing to say
    splits = {split: counts[split] for split in SPLITS if counts[split]}
    if len(splits) > 1 or notes or (splits and "train" not in splits):
        notes.insert(0, _describe_splits(parts, splits, judge))

    for part in parts:
        notes += part.whole.notes
        if part.whole.unseen:
            notes.append(f"not looked into: {', '.join(part.whole.unseen)}")
    return {"splits": splits, "notes": list(dict.fromkeys(notes))}


def _describe_splits(parts: Sequence[Part], splits: Mapping[str, int], judge: str | None) -> str:
    """The note on the splits of a set: by what, how many images, and what each is used for."""
    listed = ", ".join(f"{split} ({count:,})" for split, count in splits.items())
    table = next((part.splits.table for part in parts if part.splits.table), "")
    split = parts[0].split
    used = {"train": "train is trained on", ALL: "all of them are used"}
    sentence = (
        f"the images are in splits, by {table or 'their folders'}: {listed}; "
        f"{used.get(split, f'{split} is used')}"
    )
    return f"{sentence}; {judge} judges" if judge else sentence


def find_splits(source: FileSource) -> Splits:
    """The splits of a set, by its folders, else by a table of partitions at its root."""
    by_folders = _find_folders(source)
    if by_folders.of:
        return by_folders

    partition = read_partition(source)
    if partition is None:
        return Splits({}, {})
    of = partition.of
    outside = [entry.name for entry in source.pictures if entry.name not in of]
    return Splits(of, {name: name for name in of}, outside, partition.table)


# By folders


def _find_folders(source: FileSource) -> Splits:
    """The splits that folders name."""
    # by folder, not by image: there may be a million images
    names = defaultdict(list)
    for entry in source.pictures:
        names[(source.wrapper + entry.name).rpartition("/")[0]].append(entry.name)

    parents = _find_parents(list(names))
    wrapped = source.wrapper.count("/")
    of: dict[str, str] = {}
    inner: dict[str, str] = {}
    outside: list[str] = []
    for folder, inside in names.items():
        split, rest = _cut_split(folder.split("/") if folder else [], parents, wrapped)
        if not split:
            outside += inside
            continue
        for name in inside:
            of[name] = split
            inner[name] = rest + name.rpartition("/")[2]

    # a folder "train" alone, beside others, is a class; "trainA" and "trainB" never are
    alone = len(set(of.values())) == 1 and outside
    if alone and not any(_has_domains(names) for names in parents.values()):
        return Splits({}, {})
    # A and B beside testA and testB: what is not for tests is for training
    if alone and "train" not in of.values():
        of |= dict.fromkeys(outside, "train")
        return Splits(of, inner)
    return Splits(of, inner, outside)


def _find_parents(folders: Sequence[str]) -> dict[str, list[str]]:
    """The folders whose sub-folders are splits, with the names of these."""
    children: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        parts = folder.split("/") if folder else []
        for number, part in enumerate(parts):
            children["/".join(parts[:number])].add(part)

    parents = {}
    for parent, names in children.items():
        matched = [name for name in names if FOLDER.fullmatch(name)]
        splits = {_parse_folder(name)[0] for name in matched}
        # "train" beside "bus" and "plane" is a class
        all_are = len(matched) == len(names)
        several = len(splits) > 1 and "train" in splits
        if matched and (all_are or several or _has_domains(matched)):
            parents[parent] = matched
    return parents


def _has_domains(names: Sequence[str]) -> bool:
    """Whether folders of both domains of a split are among these, such as testA and testB."""
    found = {_parse_folder(name) for name in names}
    return any({(split, "a"), (split, "b")} <= found for split in SPLITS)


def _parse_folder(name: str) -> tuple[str, str]:
    """Split and domain that the name of a folder means; "" for no domain."""
    found = FOLDER.fullmatch(name)
    assert found is not None
    return WORDS[found[1].lower()], (found[2] or "").lower()


def _cut_split(parts: list[str], parents: Mapping[str, list[str]], wrapped: int) -> tuple[str, str]:
    """The split of a folder, and its path without the folder of the split, with a slash at the end.

    Args:
        parts: of the folder's path.
        parents: folders whose sub-folders are splits, with the names of these.
        wrapped: how many parts wrap the whole set and are no part of the names in it.
    """
    for number, part in enumerate(parts):
        if part not in parents.get("/".join(parts[:number]), ()):
            continue
        split, domain = _parse_folder(part)
        kept = parts[wrapped:number] + ([domain.upper()] if domain else [])
        kept += parts[max(wrapped, number + 1) :]
        return split, "".join(f"{one}/" for one in kept)
    return "", ""
