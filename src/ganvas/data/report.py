"""What was found in a data set, and what was done to it before training."""

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from ganvas.io.console import count_noun
from ganvas.io.html import fact_table, html_list

__all__ = ["WARNING", "DataReport", "Skipped", "add_prefix", "join_reports"]

WARNING = "WARNING: "  # how a note on data begins that nobody may miss


class Skipped(BaseModel):
    """A file that training will not see."""

    file: str
    reason: str


class DataReport(BaseModel):
    """What was found and what was done to it; written beside a run and shown by the data doctor."""

    spec: str
    found: int  # files or pictures that claim to be pictures
    used: int
    skipped: list[Skipped] = []
    sizes: dict[str, int] = {}  # "96x96" (width x height): count, as found
    modes: dict[str, int] = {}  # "RGB", "L", "P", "CMYK", ...: count, as found
    classes: dict[str, int] = {}  # class name: count, as used
    steps: list[str] = []  # what is done to the pictures, in order, one sentence each
    # what a person should know: labels that are not used, enlarged pictures, ...
    notes: list[str] = []
    side_by_side: bool = False  # whether each file holds the two images of a pair
    degradation: str = ""  # how side a of pairs was made of side b, such as "grey"; "": it was not
    # groups of files whose images are equal, pixel by pixel; None: nobody looked for them
    copies: list[list[str]] | None = None
    # how many rows each file gave, in their order: frames or tiles; empty: one each
    parts: list[int] = []
    test: str | None = None  # name of the test set that belongs to it
    splits: dict[str, int] = {}  # "train", "test", "val": count, as found; empty without splits
    # By image column: the values in files that became 0 and 255, and whether files of 8 bits were
    # read so, too.
    ranges: dict[str, tuple[float, float, bool]] = {}
    categories: dict[str, tuple[str, ...]] = {}  # of label maps, by image column
    alpha: bool = False  # whether the fourth of four channels is opacity
    ignore_alpha: bool = False  # whether opacity that files declare was ignored
    # What of the files other settings could use: transparent images, files of several frames or
    # pages, and the most bands of one.
    transparent: int = 0
    paged: int = 0
    bands: int = 0

    def meanings(self) -> dict[str, tuple[str, ...]]:
        """What values mean, as far as pixels do not show it: by column, for the fingerprint."""
        found = {f"range of {name}": tuple(map(str, value)) for name, value in self.ranges.items()}
        found |= {f"categories of {name}": value for name, value in self.categories.items()}
        return found | ({"alpha": ("yes",)} if self.alpha else {})

    def _repr_html_(self) -> str:
        counts = {
            "splits": self.splits,
            "sizes": self.sizes,
            "modes": self.modes,
            "classes": self.classes,
        }
        facts = {"data": self.spec, "found": f"{self.found:,}", "used": f"{self.used:,}"}
        for name, numbers in counts.items():
            facts[name] = ", ".join(f"{key} ({count:,})" for key, count in numbers.items())
        skipped = [f"{item.file}: {item.reason}" for item in self.skipped]
        lists = {"What is done to them": self.steps, "Left out": skipped, "Notes": self.notes}
        parts = [html_list(title, lines) for title, lines in lists.items()]
        return f"<div>{fact_table(facts)}{''.join(parts)}</div>"


def add_prefix(prefix: str, note: str) -> str:
    """A note with a word before it, such as the part of a set that it is about."""
    if note.startswith(WARNING):
        return f"{WARNING}{prefix}{note.removeprefix(WARNING)}"
    return prefix + note


def join_reports(spec: str, reports: Mapping[str, DataReport]) -> DataReport:
    """One report of several parts, by their names for people; each step names its part.

    Classes and the published test set are left to the caller: what they mean for the whole differs
    from one kind of data to another.
    """
    parts = list(reports.values())

    # files of different parts may share a name, so each one carries its part's name
    skipped = []
    steps = []
    copies = []
    for name, part in reports.items():
        for group in part.copies or []:
            copies.append([f"{name}: {file}" for file in group])
        for item in part.skipped:
            skipped.append(Skipped(file=f"{name}: {item.file}", reason=item.reason))
        for step in [count_noun(part.used, "image"), *part.steps]:
            steps.append(f"{name}: {step}")

    return DataReport(
        spec=spec,
        found=sum(part.found for part in parts),
        used=sum(part.used for part in parts),
        skipped=skipped,
        sizes=_add_counts(part.sizes for part in parts),
        modes=_add_counts(part.modes for part in parts),
        steps=steps,
        parts=_join_parts(parts),
        copies=None if any(part.copies is None for part in parts) else copies,
        # a dict, not a set: the order stays, and what holds for all parts is said once
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
        ranges={column: found for part in parts for column, found in part.ranges.items()},
        categories={column: names for part in parts for column, names in part.categories.items()},
        alpha=any(part.alpha for part in parts),
        ignore_alpha=any(part.ignore_alpha for part in parts),
        transparent=sum(part.transparent for part in parts),
        paged=sum(part.paged for part in parts),
        bands=max((part.bands for part in parts), default=0),
    )


def _join_parts(reports: Iterable[DataReport]) -> list[int]:
    """How many rows each file gave, of several sets whose rows follow one another."""
    reports = list(reports)
    if not any(report.parts for report in reports):
        return []
    return [count for report in reports for count in report.parts or [1] * report.used]


def _add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of several counts, the commonest first."""
    total = Counter[str]()
    for one in counts:
        total += Counter(one)
    return dict(total.most_common())
