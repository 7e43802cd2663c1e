"""Read parquet files in the layout of the Hugging Face Hub: a column of image files, and perhaps
one of classes.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganvas.data.arrays.images import read_labels
from ganvas.data.arrays.pack import pack_source
from ganvas.data.dataset import Dataset
from ganvas.data.folders.rows import check_strict
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import EXTENSIONS, MAX_BYTES, Entry, FileSource, extension
from ganvas.data.folders.tables import LABEL_WORDS
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError, nearest
from ganvas.io.console import count_noun
from ganvas.io.images import UnreadableError
from ganvas.io.reading import parse_json

__all__ = ["PARQUET", "ParquetSource", "find_parquet", "open_parquet", "survey_parquet"]

PARQUET = ".parquet"
IMAGES = ("image", "img", "picture", "jpg", "png")  # names of columns, the first that is there
GROUPS = 4  # groups of rows that are kept in memory; threads read neighbouring ones
MOST_GROUP = 2**31  # bytes of a group of rows
TRAIN = "train"
OTHERS = ("test", "validation", "valid", "val", "dev")  # as the names of other splits' files begin


def find_parquet(folder: Path) -> list[Path]:
    """The parquet files of a folder without images of its own, or in its folder `data`."""
    for place in (folder, folder / "data"):
        if place.is_dir():
            files = [path for path in sorted(place.iterdir()) if not path.name.startswith(".")]
            found = [path for path in files if path.suffix.lower() == PARQUET and path.is_file()]
            if found and not any(extension(path.name) in EXTENSIONS for path in files):
                return found
    return []


class Split(NamedTuple):
    """The files that are trained on.

    Attributes:
        files: of the training images.
        others: of other splits.
    """

    files: list[Path]
    others: list[Path]


def _choose_split(place: Path) -> Split:
    """The training files of a place; all of them where their names do not tell."""
    files = [place] if place.is_file() else find_parquet(place)
    train = [path for path in files if path.name.lower().startswith(TRAIN)]
    others = [path for path in files if path.name.lower().startswith(OTHERS)]
    return Split(train, others) if train and others else Split(files, [])


class Group(NamedTuple):
    """A group of rows, the unit in which parquet is read.

    Attributes:
        file: number of its file.
        number: within the file.
        start: its first row among all.
    """

    file: int
    number: int
    start: int


class ParquetSource(FileSource):
    """The images of parquet files, in the order of their rows.

    Attributes:
        labels: the names of the columns that could be labels.

    Raises:
        UserError: pyarrow is missing, a file is damaged, or none of the columns holds images.
    """

    def __init__(self, place: Path, files: list[Path]) -> None:
        self.place = place
        self.zip = None
        self.unseen = []
        self.films = 0
        self.wrapper = ""
        self.others = {}
        self.pictures = []
        self.files = [_open_file(path) for path in files]
        self.paths = files
        self.column = _find_images(self.files[0], place)
        self.classes = _read_classes(self.files[0])
        self.labels = _list_labels(self.files[0], self.classes)
        self.lock = threading.Lock()
        self.kept: OrderedDict[int, Any] = OrderedDict()  # columns of images, by number of group
        self.groups: list[Group] = []
        self._list_rows()
        self.starts = [group.start for group in self.groups]

    def _list_rows(self) -> None:
        """Find the groups, and an entry for each row."""
        for number, (file, path) in enumerate(zip(self.files, self.paths)):
            if file.schema_arrow.names != self.files[0].schema_arrow.names:
                raise UserError(f"{path} has other columns than {self.paths[0]}")
            row = 0
            for group in range(file.metadata.num_row_groups):
                facts = file.metadata.row_group(group)
                if facts.total_byte_size > MOST_GROUP:
                    raise UserError(f"{path}: a group of rows has more than 2 GiB; write it again")
                self.groups.append(Group(number, group, len(self.pictures)))
                size = facts.total_byte_size // max(1, facts.num_rows)
                for _ in range(facts.num_rows):
                    name = f"{path.name}: row {row}"
                    self.pictures.append(Entry(name, size, 0, len(self.pictures)))
                    row += 1

    def read(self, entry: Entry) -> bytes:
        """The bytes of an image file.

        Raises:
            UnreadableError: the row holds none, or only its name.
        """
        assert isinstance(entry.where, int)
        number = bisect_right(self.starts, entry.where) - 1
        value = self._read_group(number)[entry.where - self.starts[number]].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if content is None:
            named = isinstance(value, dict) and value.get("path")
            raise UnreadableError("only the name of a file" if named else "no image in this row")
        if len(content) > MAX_BYTES:
            raise UnreadableError(f"{len(content) / 2**30:.1f} GiB is too large for an image")
        return content

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of an image file."""
        return BytesIO(self.read(entry))

    def _read_group(self, number: int) -> Any:
        """The images of a group of rows; the latest ones are kept."""
        with self.lock:
            if number not in self.kept:
                group = self.groups[number]
                try:
                    table = self.files[group.file].read_row_group(group.number, [self.column])
                except (OSError, ValueError) as error:
                    raise UnreadableError(f"damaged: {error}") from error
                self.kept[number] = table.column(0)
                while len(self.kept) > GROUPS:
                    self.kept.popitem(last=False)
            self.kept.move_to_end(number)
            return self.kept[number]

    def read_column(self, name: str) -> list[Any]:
        """The values of a column, None where there is none."""
        values = []
        for file in self.files:
            values += file.read([name]).column(0).to_pylist()
        return values

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.close()


def open_parquet(
    place: Path, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """Open a parquet file or a folder of them, packed.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: it cannot be read, or holds no images.
    """
    files, others = _choose_split(place)
    source = ParquetSource(place, files)
    with source:
        column, notes = _choose_labels(source, view.labels)
        labels, classes = _read_labels(source, column) if column else (None, ())
        states = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]
        key = ["parquet", states, column, view.key()]

        def build(folder: Path) -> Packed:
            return pack_source(folder, source, labels, classes, view, progress)

        dataset = open_store(key, build)

    if others:
        names = ", ".join(path.name for path in others[:3])
        listed = count_noun(len(others), "file is", "files are")
        notes.append(f"{listed} not trained on, since of other splits: {names}")
    report = dataset.report
    test = [path for path in others if path.name.lower().startswith("test")]
    dataset = dataset.with_report(
        spec=str(place),
        notes=notes + report.notes,
        test=str(test[0]) if len(test) == 1 else None,
    )
    return check_strict(dataset, strict)


def survey_parquet(place: Path) -> SizeSurvey:
    """The sizes of the images, which are not decoded for it."""
    with ParquetSource(place, _choose_split(place).files) as source:
        return survey_files([source])


# What the columns are


def _open_file(path: Path) -> Any:
    """A parquet file.

    Raises:
        UserError: pyarrow is missing, or the file is damaged.
    """
    try:
        from pyarrow.lib import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UserError(
            f"{path}: parquet files are read by pyarrow; install it: pip install 'ganvas[parquet]'"
        ) from error
    try:
        return ParquetFile(path, memory_map=True)
    except (OSError, ArrowException) as error:
        raise UserError(f"{path} cannot be read as parquet: {error}; fetch it again") from error


def _find_images(file: Any, place: Path) -> str:
    """The column that holds image files: bytes, or bytes with a path.

    Raises:
        UserError: there is none, or several.
    """
    from pyarrow import types

    found = []
    for field in file.schema_arrow:
        kind = field.type
        if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            kind = kind.field("bytes").type
        if types.is_binary(kind) or types.is_large_binary(kind):
            found.append(field.name)
    named = [name for name in IMAGES if name in found]
    if named or len(found) == 1:
        return (named or found)[0]
    columns = ", ".join(file.schema_arrow.names)
    raise UserError(
        f"{place} has the columns {columns}; images are a column image that holds the bytes of "
        "image files"
    )


def _read_classes(file: Any) -> dict[str, tuple[str, ...]]:
    """The names of classes by column, as the Hub writes them into the file."""
    metadata = file.schema_arrow.metadata or {}
    try:
        features = parse_json(metadata.get(b"huggingface", b"{}").decode())["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # another program's


def _list_labels(file: Any, classes: dict[str, tuple[str, ...]]) -> list[str]:
    """The columns that could be labels: those with names of classes, else those called so."""
    from pyarrow import types

    found = []
    for field in file.schema_arrow:
        usual = types.is_integer(field.type) or types.is_string(field.type)
        if field.name in classes or (usual and field.name.lower() in LABEL_WORDS):
            found.append(field.name)
    named = [name for name in found if name in classes]
    return named or found


def _choose_labels(source: ParquetSource, wanted: str) -> tuple[str, list[str]]:
    """The column of the labels, "" for none; and notes.

    Raises:
        UserError: there is no such column.
    """
    names = source.files[0].schema_arrow.names
    if wanted != "none":
        if wanted not in names:
            raise UserError(f"{source.place} has no column {wanted!r}; {nearest(wanted, names)}")
        return wanted, []
    if len(source.labels) > 1:
        listed = ", ".join(source.labels)
        return "", [
            f"several columns could be labels ({listed}), which are not used; to train with one of "
            f"them, name it: --labels {source.labels[0]}"
        ]
    return (source.labels[0] if source.labels else ""), []


def _read_labels(
    source: ParquetSource, column: str
) -> tuple[list[int | None] | None, tuple[str, ...]]:
    """The class of each row, and the names of all; no labels where none is known.

    Raises:
        UserError: the values are no classes.
    """
    values = source.read_column(column)
    # the Hub writes -1 into test sets without labels
    known = [value for value in values if value is not None and value != -1]
    if not known:
        return None, ()
    numbers, found = read_labels(np.array(known), len(known), f"the column {column}")

    names = source.classes.get(column)
    if names:
        if any(int(one) >= len(names) or int(one) < 0 for one in found):
            raise UserError(
                f"the column {column} has the class {found[-1]}, and there are {len(names)} names"
            )
        found = tuple(names[int(one)] for one in found)
    following = iter(numbers.tolist())
    labels = [next(following) if value is not None and value != -1 else None for value in values]
    return labels, found
