"""Data sets of the Hugging Face Hub: "hub:OWNER/NAME", fetched into the cache, opened as files."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from ganvas.data.arrays.parquet import PARQUET, open_parquet, survey_parquet
from ganvas.data.dataset import Dataset
from ganvas.data.folders.images import open_images
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import FileSource
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.hub import Content, RemoteFile, Repo, flatten_path, list_content
from ganvas.io.hub_files import fetch_files

__all__ = ["HUB", "open_hub_set", "survey_hub_set"]

HUB = "hub"
MOST = "5G"  # of the files of a split
ZIP = ".zip"
TRAIN, TEST, VAL = "train", "test", "val"
# How the names of a split's files begin.
BEGINNINGS = {TRAIN: ("train",), TEST: ("test",), VAL: ("val", "dev")}
FILE = r"[\w][\w.,+=@ -]{0,199}"  # names that are safe on every disk
FOLDER = r"[\w][\w./-]{0,199}"


@dataclass(frozen=True)
class HubSet:
    """A set of the Hub, as a person named it.

    Attributes:
        repo: the repository.
        part: a folder in it, or a file; "": the only one with images.
        split: "train", "test" or "val".
    """

    repo: Repo
    part: str
    split: str

    @classmethod
    def parse(cls, spec: str) -> "HubSet":
        """Read "hub:OWNER/NAME", "hub-test:OWNER/NAME/FOLDER@REVISION" and the like.

        Raises:
            UserError: it is none.
        """
        prefix, _, place = spec.partition(":")
        where, at, revision = place.partition("@")
        words = where.split("/", 2)
        part = words[2].strip("/") if len(words) > 2 else ""
        repo = Repo.parse("dataset", f"{HUB}:{'/'.join(words[:2])}{at}{revision}")
        if part and (not re.fullmatch(FOLDER, part) or ".." in part):
            raise UserError(f"{spec}: {part!r} is no folder on the Hub")
        return cls(repo, part, prefix.partition("-")[2] or TRAIN)

    def name(self, split: str, commit: str) -> str:
        """The name of a split of it, at a commit: what it means never changes."""
        prefix = HUB if split == TRAIN else f"{HUB}-{split}"
        inside = f"/{self.part}" if self.part else ""
        return f"{prefix}:{self.repo.name}{inside}@{commit}"


@dataclass(frozen=True)
class Fetched:
    """A split on the disk.

    Attributes:
        place: a folder of parquet files, or a zip of images.
        splits: that the set has.
        commit: of which it is.
    """

    place: Path
    splits: tuple[str, ...]
    commit: str


def open_hub_set(spec: str, view: View, *, strict: bool, progress: bool) -> Dataset:
    """Open a data set of the Hub. Its report names the commit.

    The fingerprint is that of the images, as of all data: a commit that changes only a page of the
    repository makes no other data.

    Raises:
        UserError: there is none, it cannot be fetched or read, or it is too large.
    """
    asked = HubSet.parse(spec)
    found = _fetch(asked)
    if found.place.suffix == ZIP:
        dataset = open_images(str(found.place), view, strict=strict, progress=progress)
        return dataset.with_report(spec=asked.name(asked.split, found.commit))

    dataset = open_parquet(found.place, view, strict=strict, progress=progress)
    judges = [split for split in (TEST, VAL) if split in found.splits and asked.split == TRAIN]
    return dataset.with_report(
        spec=asked.name(asked.split, found.commit),
        test=asked.name(judges[0], found.commit) if judges else None,
    )


def survey_hub_set(spec: str) -> SizeSurvey:
    """The sizes of the images, which are not decoded for it, but fetched."""
    place = _fetch(HubSet.parse(spec)).place
    if place.suffix == ZIP:
        with FileSource(place) as source:
            return survey_files([source])
    return survey_parquet(place)


def _fetch(asked: HubSet) -> Fetched:
    """Fetch the files of a split, as far as the cache lacks them.

    Raises:
        UserError: the set has no such split, or no images in files that can be read.
    """
    content = list_content(asked.repo)
    splits = _find_splits(asked, content)
    if asked.split not in splits:
        raise UserError(
            f"{asked.repo.written} has no split {asked.split!r}; it has {', '.join(splits)}"
        )

    files = splits[asked.split]
    place = flatten_path(asked.part or "data")
    folder = asked.repo.folder / content.commit / place / asked.split
    # before gigabytes are fetched in vain
    if files[0].path.lower().endswith(PARQUET) and find_spec("pyarrow") is None:
        raise UserError(
            f"{asked.repo.written}: parquet files are read by pyarrow; install it: "
            "pip install 'ganvas[parquet]'"
        )
    fetch_files(
        asked.repo, content.commit, files, folder, MOST, lambda path: PurePosixPath(path).name
    )
    if files[0].path.lower().endswith(ZIP):
        folder = folder / PurePosixPath(files[0].path).name
    return Fetched(folder, tuple(splits), content.commit)


def _find_splits(asked: HubSet, content: Content) -> Mapping[str, list[RemoteFile]]:
    """The files of each split.

    Raises:
        UserError: there are none, or it is not clear which of them are meant.
    """
    written = asked.repo.written
    found = []
    for file in content.files.values():
        path = PurePosixPath(file.path)
        inside = asked.part in ("", file.path, *map(str, path.parents))
        if inside and re.fullmatch(FILE, path.name):
            found.append(file)

    parquet = [file for file in found if file.path.lower().endswith(PARQUET)]
    zips = [file for file in found if file.path.lower().endswith(ZIP)]
    if parquet:
        return _group_by_split(_choose_folder(asked, parquet))
    if len(zips) == 1:
        return {TRAIN: zips}
    if zips:
        names = ", ".join(file.path for file in zips[:5])
        raise UserError(
            f"{written} has {len(zips)} zips ({names}); name one: {HUB}:{asked.repo.name}/FILE"
        )
    raise UserError(
        f"{written} has neither parquet files nor a zip of images{' there' if asked.part else ''}; "
        f"fetch it by `hf download {asked.repo.name} --repo-type dataset --local-dir FOLDER` and "
        "give the folder"
    )


def _choose_folder(asked: HubSet, files: list[RemoteFile]) -> list[RemoteFile]:
    """The files of one folder: each is a set of its own.

    Raises:
        UserError: there are several, and none of them is the usual one.
    """
    folders: dict[str, list[RemoteFile]] = {}
    for file in files:
        folders.setdefault(file.path.rpartition("/")[0], []).append(file)
    for usual in (asked.part, "data"):
        if usual in folders:
            return folders[usual]
    if len(folders) == 1:
        return next(iter(folders.values()))
    names = ", ".join([*folders][:5])
    raise UserError(
        f"{asked.repo.written} has several sets ({names}); name one: "
        f"{HUB}:{asked.repo.name}/{next(iter(folders))}"
    )


def _group_by_split(files: list[RemoteFile]) -> Mapping[str, list[RemoteFile]]:
    """The files of each split by how their names begin; all train where no name tells."""
    splits: dict[str, list[RemoteFile]] = {}
    for split, beginnings in BEGINNINGS.items():
        own = [file for file in files if file.path.rpartition("/")[2].startswith(beginnings)]
        if own:
            splits[split] = own
    return splits or {TRAIN: files}
