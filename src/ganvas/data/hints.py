"""Guess of which kind a folder or zip of images is: pairs, two domains, captions, attributes."""

from contextlib import suppress
from pathlib import Path, PurePosixPath

from ganvas.data.folders.caption_table import read_caption_table
from ganvas.data.folders.source import FileSource, extension
from ganvas.data.folders.table_survey import survey_tables
from ganvas.data.folders.unpaired import domain_of
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError, measure

__all__ = ["guess_kind"]

MOST_INSIDE = 0.9  # share of the images that must lie in the two folders
LOOKED_AT = 12  # images whose shape is measured
CAPTION_TABLES = (".jsonl", ".json")


def guess_kind(place: Path) -> str:
    """The likely kind of a folder or zip: "pairs", "unpaired", "attributes", "captions", or ""
    for plain images.

    It looks at names, and at the shapes of a few images. A person should confirm it.

    Raises:
        UserError: it is neither a folder nor a zip, or holds no images.
    """
    with FileSource(place) as source:
        for name, entry in source.others.items():
            if "/" not in name and extension(name) in CAPTION_TABLES:
                with suppress(UserError, UnreadableError):
                    if read_caption_table(name, source.read(entry)).lines:
                        return "captions"
        kinds = [table.kind for table in survey_tables(source)]
        if kinds in (["attributes"], ["captions"]):
            return kinds[0]

        names = [source.wrapper + entry.name for entry in source.pictures]
        if domains := _compare_domains(names):
            return domains
        return "pairs" if _are_wide(source) else ""


def _compare_domains(names: list[str]) -> str:
    """Of folders A and B: "pairs" where most files have a partner of the same name, "unpaired"
    where not; "" without such folders.
    """
    stems: dict[str, set[str]] = {"a": set(), "b": set()}
    for name in names:
        _, domain = domain_of(name)
        if domain:
            stems[domain].add(PurePosixPath(name).stem)
    a, b = stems.values()
    inside = sum(bool(domain_of(name)[1]) for name in names)
    if not a or not b or inside < MOST_INSIDE * len(names):
        return ""  # such as 26 folders of letters, of which two are called A and B
    return "pairs" if len(a & b) > max(len(a), len(b)) / 2 else "unpaired"


def _are_wide(source: FileSource) -> bool:
    """Whether images are twice as wide as high, as two side by side are."""
    step = max(1, len(source.pictures) // LOOKED_AT)
    shapes = []
    for entry in source.pictures[::step][:LOOKED_AT]:
        with suppress(UnreadableError), source.open(entry) as file:
            shapes.append(measure(file))
    return bool(shapes) and all(width == 2 * height for width, height in shapes)
