"""The data that the page offers: built-in sets, folders named at the start, uploads, and what
runs were trained on. The page names them by id, never by a path.
"""

import hashlib
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ganvas.data.arrays.open import holds_arrays
from ganvas.data.degraded import read_degraded
from ganvas.data.folders.no_images import is_idx
from ganvas.data.folders.source import EXTENSIONS, extension
from ganvas.data.hints import guess_kind
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.files import explained
from ganvas.io.reading import expand_home
from ganvas.studio.missing import find_named

__all__ = [
    "ARRAYS",
    "BUILT_IN",
    "DEGRADED",
    "IDX",
    "KINDS",
    "MOST_FILES",
    "Place",
    "Places",
    "guess_spec",
]

# Sets that need no download.
BUILT_IN = ("digits", "figures", "rings", "grid")
# Pairs that are made of plain images; each is a prefix of a data set's name, too.
DEGRADED = tuple(f"pairs:{name}" for name in ("grey", "small4x", "edges", "noise", "blur"))
# Prefixes of the names of data sets that a folder or zip can have; "": plain images.
KINDS = ("", "pairs", *DEGRADED, "unpaired", "attributes", "captions")
# Of those that are no images: files in MNIST's format, and files of arrays.
IDX, ARRAYS = "idx", "arrays"
FILES = (".zip", ".npy", ".npz", ".parquet")  # that are data sets by themselves
MOST_LISTED = 200  # folders and zips in one named folder
MOST_FILES = 20_000  # images of one upload
DEEPEST = 2  # folders of an uploaded file that are kept
LONGEST_STEM = 60  # characters, of up to four bytes each


@dataclass(frozen=True)
class Place:
    """A data set that the page offers.

    Attributes:
        id: by which the page names it.
        name: for people.
        spec: name or path of the data set.
        origin: "built-in", "folder", "upload" or "run".
    """

    id: str
    name: str
    spec: str
    origin: str


class Places:
    """All data sets that the page offers.

    Args:
        folders: that were named at the start; each is offered itself, with the folders and zips
            in it.
        uploads: folder for what the page sends.
    """

    def __init__(self, folders: Sequence[Path], uploads: Path):
        self.folders = [expand_home(folder).resolve() for folder in folders]
        for folder in self.folders:
            if not folder.exists():
                raise UserError(f"--data {folder}: there is no such folder or zip")
        self.uploads = uploads

    def list(self, specs_of_runs: Iterable[str] = ()) -> list[Place]:
        """All places, each once.

        Args:
            specs_of_runs: the names of the data sets that runs were trained on.
        """
        places = [Place(_make_id(name), name, name, "built-in") for name in BUILT_IN]
        places += [_as_place(path, "upload") for path in _list_uploads(self.uploads)]
        for folder in self.folders:
            if folder.is_dir():
                places += [_as_place(path, "folder", folder) for path in _list_inside(folder)]
            if not folder.is_dir() or _holds_data(folder):
                places.append(_as_place(folder, "folder"))
        for spec in specs_of_runs:
            if degraded := read_degraded(spec):
                spec = degraded.base
            named = spec.split(":")[0] in (*KINDS[1:], IDX)
            path = Path(spec.partition(":")[2] if named else spec)
            if path.exists():
                places.append(_as_place(path.resolve(), "run"))
        return list({place.spec: place for place in reversed(places)}.values())[::-1]

    def find(self, place_id: str, specs_of_runs: Iterable[str] = ()) -> Place:
        """A place by its id.

        Raises:
            MissingError: there is none.
        """
        return find_named({place.id: place for place in self.list(specs_of_runs)}, place_id)

    def receive(
        self, files: Iterable[tuple[str, BinaryIO]], name: str, into: str | None = None
    ) -> Place:
        """Keep uploaded images, or one zip of images, as a data set.

        Args:
            files: names, which may begin with folders, and contents.
            name: of the set, from letters, digits, `-`, `_` and `.`; may be empty.
            into: id of an upload that these images are added to; None: a new one.

        Raises:
            MissingError: there is no such upload.
            UserError: no image is among them, the zip is none, or the disk refuses.
        """
        if into is not None:
            uploads = [_as_place(path, "upload") for path in _list_uploads(self.uploads)]
            place = find_named({one.id: one for one in uploads if Path(one.spec).is_dir()}, into)
            with explained(Path(place.spec)):
                _write_files(Path(place.spec), files)
            return place

        target = self.uploads / f"{name or 'upload'}-{secrets.token_hex(3)}"
        with explained(target):
            target.mkdir(parents=True)
            try:
                path = _write_files(target, files)
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                raise
        return _as_place(path, "upload")


def guess_spec(place: Place, kind: str | None) -> tuple[str, str]:
    """The name of a place as a data set, and its kind.

    Args:
        place: that is meant.
        kind: one of `KINDS`; None: guessed.

    Raises:
        UserError: the kind does not exist, or there are no images.
    """
    if place.origin == "built-in":
        return place.spec, ""
    if holds_arrays(Path(place.spec)):
        return place.spec, ARRAYS
    if _holds_idx(Path(place.spec)):
        return f"{IDX}:{place.spec}", IDX
    if kind is None:
        kind = guess_kind(Path(place.spec)).replace("shards", "")  # the page opens these as images
    if kind not in KINDS:
        raise UserError(f"{kind!r} is no kind of data; choose from {', '.join(KINDS[1:])}")
    return (f"{kind}:{place.spec}" if kind else place.spec), kind


def _make_id(spec: str) -> str:
    return hashlib.blake2b(spec.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def _as_place(path: Path, origin: str, above: Path | None = None) -> Place:
    """A folder or zip as a place; its name begins with the folder above it that was named."""
    name = path.relative_to(above.parent).as_posix() if above else path.name
    return Place(_make_id(str(path)), name, str(path), origin)


def _list_inside(folder: Path) -> Iterator[Path]:
    """The folders and files that lie directly in a folder and are data sets."""
    if not folder.is_dir():
        return
    listed = 0
    for path in sorted(_read_folder(folder)):
        if path.name.startswith(".") or listed == MOST_LISTED:
            continue
        if path.suffix.lower() in FILES or (path.is_dir() and _holds_data(path)):
            listed += 1
            yield path
        elif path.is_dir():  # sets often lie in folders of their own
            files = [one for one in _read_folder(path) if one.suffix.lower() in FILES]
            listed += len(files)
            yield from sorted(files)


def _list_uploads(folder: Path) -> Iterator[Path]:
    """The data sets that the page has sent: of a folder that holds one zip, the zip."""
    for upload in sorted(_read_folder(folder)):
        zips = [path for path in _read_folder(upload) if path.suffix.lower() == ".zip"]
        yield zips[0] if zips else upload


def _read_folder(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it may not be read, or is none."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _holds_data(folder: Path) -> bool:
    """Whether a folder is a data set by itself."""
    return _has_images(folder) or _holds_idx(folder)


def _holds_idx(folder: Path) -> bool:
    """Whether a folder holds files in MNIST's format, and no images beside them."""
    names = [path.name for path in _read_folder(folder)]
    return any(map(is_idx, names)) and not _has_images(folder)


def _has_images(folder: Path) -> bool:
    """Whether a folder, or one directly in it, holds an image; looks at no more than needed."""
    inside = []
    for number, path in enumerate(_read_folder(folder)):
        if extension(path.name) in EXTENSIONS:
            return True
        if path.is_dir() and number < MOST_LISTED and not path.is_symlink():
            inside.append(path)
    return any(
        extension(path.name) in EXTENSIONS
        for one in inside
        for path in _read_folder(one)
        if path.is_file()
    )


def _write_files(target: Path, files: Iterable[tuple[str, BinaryIO]]) -> Path:
    """Write uploaded files into a folder; returns the place of the data set in it.

    Raises:
        UserError: no image is among them, the zip is none, or there are too many images.
    """
    held = sum(path.is_file() for path in target.rglob("*"))
    taken = left_out = 0
    for given, content in files:
        *folders, name = [_clean_part(part) for part in re.split(r"[/\\]", given)]
        ending = extension(given)
        if ending == ".zip" and not held and not taken:
            path = target / ((Path(name).stem.strip(".-") or "images") + ".zip")
            _copy(content, path)
            if not zipfile.is_zipfile(path):
                raise UserError(f"{given!r} is not a zip that can be read")
            return path
        if ending not in EXTENSIONS:
            left_out += 1
            continue
        if held + taken >= MOST_FILES:
            raise UserError(
                f"one set holds at most {MOST_FILES:,} images; send larger ones as a zip"
            )
        # The folders may be classes or domains; those above them are only the sender's disk.
        folder = target.joinpath(*[part for part in folders if part][-DEEPEST:])
        folder.mkdir(parents=True, exist_ok=True)
        _copy(content, _find_free(folder, Path(name).stem[:LONGEST_STEM] or "image", ending))
        taken += 1

    if not taken:
        raise UserError(
            f"none of {count_noun(left_out, 'file')} is an image; images end in"
            f" {', '.join(sorted(EXTENSIONS))}; or send one zip"
        )
    return target


def _clean_part(part: str) -> str:
    """A part of a path with harmless characters alone; empty where nothing is left."""
    return re.sub(r"[^\w.-]+", "-", part)[-100:].lstrip(".-")


def _find_free(folder: Path, stem: str, ending: str) -> Path:
    """A file that is not there yet: the name, or the name with a number."""
    path, number = folder / f"{stem}{ending}", 2
    while path.exists():
        path = folder / f"{stem}-{number}{ending}"
        number += 1
    return path


def _copy(content: BinaryIO, path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(content, file)
