"""The pictures that a user gives to a trained GAN: a file, or all of a folder or zip."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ganvas.data.folders.source import FileSource
from ganvas.errors import UserError

Content = Callable[[], bytes]  # raises `UnreadableError` where the file cannot be read


def contents(place: Path) -> Iterator[tuple[str, Content]]:
    """Names, each once and without their endings, and what reads the content of a file, or of all
    pictures of a folder or zip.

    Raises:
        UserError: there is no such place, or no picture in it.
    """
    if not place.exists():
        raise UserError(f"there is no picture or folder {place}")
    if not (place.is_dir() or place.suffix.lower() == ".zip"):
        yield place.stem, place.read_bytes
        return
    with FileSource(place) as source:
        # In a zip anything may be written; what leads out of the folder is left out.
        paths = [
            Path(*(part for part in entry.name.split("/") if part not in ("", "..")))
            for entry in source.pictures
        ]
        stems = [path.with_suffix("").as_posix() for path in paths]
        counts = Counter(stems)
        for path, stem, entry in zip(paths, stems, source.pictures):
            name = stem if counts[stem] == 1 else path.as_posix().replace(".", "-")
            yield name, lambda entry=entry: source.read(entry)


def check_out(out: Path, places: Iterable[Path]) -> None:
    """Refuse to write over the pictures given, as NAME.png.

    Raises:
        UserError: `out` is one of the folders, or one of the files would be written anew.
    """
    for place in places:
        written = out if place.is_dir() else out / f"{place.stem}.png"
        if place.exists() and written.resolve() == place.resolve():
            raise UserError(
                f"--out {out} holds pictures that were given, which would be written over; choose another folder"
            )
