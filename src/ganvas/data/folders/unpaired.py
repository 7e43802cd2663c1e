"""Open unpaired images of two domains, such as horses and zebras, or photographs and paintings."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ganvas.data.dataset import Dataset
from ganvas.data.decode import rows_of_files
from ganvas.data.folders.domain_names import find_domain_names
from ganvas.data.folders.labels import list_some
from ganvas.data.folders.rows import check_strict, describe_ignored, write_rows
from ganvas.data.folders.sizes import SizeSurvey, count_sizes, with_common_size
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.folders.spec import Place, parse_place
from ganvas.data.folders.splits import Part, choose_split, find_judges, report_parts
from ganvas.data.report import add_prefix, join_reports
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.files import write_json
from ganvas.io.reading import read_json

__all__ = ["Domain", "domain_of", "open_unpaired", "survey_unpaired"]

DOMAINS = ("a", "b")
LISTED = 6  # folders named in a message
HINT = (
    "name the domains' folders trainA and trainB (testA and testB), "
    "or give two folders as unpaired:ONE,OTHER"
)


@dataclass(frozen=True)
class Domain:
    """The images of one domain, before they are read.

    Attributes:
        column: "a" or "b".
        name: of its folder, for people.
        source: where they are.
        entries: the files.
    """

    column: str
    name: str
    source: FileSource
    entries: Sequence[Entry]


def open_unpaired(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """`unpaired:PLACE`, and `unpaired-test:PLACE` for its test set: columns "a" and "b", whose rows
    do not belong together.

    PLACE is a folder or zip with folders trainA, trainB, testA and testB, or train/A, train/B, ...,
    or only A and B, in capitals or not; or two folders or zips of images, with a comma between.
    Each domain is packed by itself.

    Returns:
        The larger domain, with the other beside it, and the names of both where the places tell
        them.

    Raises:
        SizeNeededError: the view has no size and the images do not share one.
        UserError: a domain is missing or empty; with `strict`, any unusable image.
    """
    place = parse_place(spec)

    with ExitStack() as stack:
        wholes = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        parts = [choose_split(whole, place.split) for whole in wholes]
        sources = [part.source for part in parts]
        domains, stray = _find_domains(sources, place)
        packed = _pack_domains(domains, view, progress)
        judge = _find_judge(parts, place)
        said = report_parts(parts, judge)
        said["notes"] += _describe_unused(sources, stray)
        test = place.other(judge) if judge else None
        names = find_domain_names(sources)

    # the names of the folders, since "a" and "b" mean nothing to a person
    reports = {
        f"{domain.column} ({domain.name})": dataset.report
        for domain, dataset in zip(domains, packed)
    }
    # what is said of a domain names it
    own = [add_prefix(f"{name}: ", note) for name, part in reports.items() for note in part.notes]
    said["notes"] = own + said["notes"]
    report = join_reports(spec, reports).model_copy(update=said | {"test": test})

    # epochs are counted by the larger domain, so that each of its images is shown
    main, beside = sorted(packed, key=len, reverse=True)  # of equal ones "a" stays first
    digests = "".join(dataset.fingerprint for dataset in packed)  # "a" first, whichever is larger
    joint = replace(
        main,
        names=names,
        report=report.model_copy(update={"parts": main.report.parts}),  # as its rows
        beside=beside.with_report(spec=spec, test=test),
        fingerprint=hashlib.blake2b(digests.encode(), digest_size=16).hexdigest(),
    )
    return check_strict(joint, strict)


def survey_unpaired(spec: str, view: View) -> SizeSurvey:
    """Measure the images of both domains, without decoding them.

    Raises:
        UserError: as `open_unpaired`.
    """
    place = parse_place(spec)
    with ExitStack() as stack:
        wholes = [
            stack.enter_context(FileSource(path, links=view.follow_links)) for path in place.paths
        ]
        sources = [choose_split(whole, place.split).source for whole in wholes]
        domains, _ = _find_domains(sources, place)
        return SizeSurvey(
            {domain.name: count_sizes(domain.source, domain.entries) for domain in domains}
        )


def _describe_unused(sources: Sequence[FileSource], stray: list[str]) -> list[str]:
    """Notes on images in no domain, and on other files."""
    notes = []
    if stray:
        notes.append(
            f"not used, since in no folder of a domain: {len(stray):,} ({list_some(stray)})"
        )

    # two places with the same kinds of other files give one note
    ignored = [note for source in sources for note in describe_ignored(source, set())]
    return notes + list(dict.fromkeys(ignored))


# Which image is of which domain


def _find_domains(
    sources: Sequence[FileSource], place: Place
) -> tuple[tuple[Domain, Domain], list[str]]:
    """The two domains of a split, and the images of it that lie in no domain.

    Raises:
        UserError: one has no images there.
    """
    if len(sources) == 2:
        a, b = (
            Domain(column, str(source.place), source, source.pictures)
            for column, source in zip(DOMAINS, sources)
        )
        return (a, b), []

    (source,) = sources
    found: dict[str, list[Entry]] = {column: [] for column in DOMAINS}
    stray = []
    for entry in source.pictures:
        column = domain_of(source.inside(entry.name))
        if column:
            found[column].append(entry)
        else:
            stray.append(entry.name)

    # a domain without images is most often a folder under another name, so all are listed
    for column, entries in found.items():
        if not entries:
            wanted = place.split + column.upper()
            raise UserError(
                f"{place.text} has no images in {wanted} for domain {column}; "
                f"it holds {_count_folders(source)}; {HINT}"
            )

    a, b = (
        Domain(column, place.split + column.upper(), source, entries)
        for column, entries in found.items()
    )
    return (a, b), stray


def domain_of(name: str) -> str:
    """The domain of an image, "a" or "b", by the folders in its path, those of splits apart; "" for
    none.
    """
    folders = [part.lower() for part in PurePosixPath(name).parts[:-1]]
    return next((column for column in DOMAINS if column in folders), "")


def _find_judge(parts: Sequence[Part], place: Place) -> str | None:
    """The split that judges what is trained, with images of both domains; None: there is none."""
    for split in find_judges(parts):
        with suppress(UserError):  # a domain is missing in it
            _find_domains([part.other(split) for part in parts], place)
            return split
    return None


def _count_folders(source: FileSource) -> str:
    """The folders of a source that hold images, with their counts: "trainA (330), testA (70)"."""
    names = [entry.name for entry in source.pictures] + sorted(source.elsewhere)
    counts = Counter(str(PurePosixPath(source.wrapper + name).parent) for name in names)

    listed = []
    for name, count in counts.most_common(LISTED):
        described = "images in no folder" if name == "." else name
        listed.append(f"{described} ({count:,})")

    more = len(counts) - len(listed)
    return ", ".join(listed) + (f" and {more:,} more" if more else "")


# The packed sets


def _pack_domains(domains: tuple[Domain, Domain], view: View, progress: bool) -> list[Dataset]:
    """Both domains, packed, of one size and with the same channels: if one has colour, the other
    becomes RGB too.

    Raises:
        SizeNeededError: the view has no size, and the images do not share one.
    """
    # sizes are known from the files' headers, colours only when the images are packed
    if not view.size:
        view = view.model_copy(update={"size": _find_common_side(domains, view)})
    packed = [_pack_domain(domain, view, progress) for domain in domains]

    if len({dataset.channels for dataset in packed}) == 1:
        return packed
    rgb = view.model_copy(update={"channels": 3})
    return [
        dataset if dataset.channels == 3 else _pack_domain(domain, rgb, progress)
        for domain, dataset in zip(domains, packed)
    ]


def _find_common_side(domains: tuple[Domain, Domain], view: View) -> int:
    """The side that all images of both domains share; kept, so that headers are read only once.

    Raises:
        SizeNeededError: they do not share one.
    """

    def find_side(file: Path) -> None:
        sets = {domain.name: count_sizes(domain.source, domain.entries) for domain in domains}
        write_json(file, {"size": with_common_size(view, lambda: sets).size})

    key = ["unpaired", [_list_identity(domain) for domain in domains]]
    return load_or_make(
        cache_entry("sizes", key, ".json"), find_side, lambda file: read_json(file)["size"]
    )


def _list_identity(domain: Domain) -> list[tuple[str, int, int]]:
    """What changes when the images of a domain do, without reading them."""
    return [(entry.name, entry.size, entry.mark) for entry in domain.entries]


def _pack_domain(domain: Domain, view: View, progress: bool) -> Dataset:
    """One domain as a data set of its own, with its column.

    Args:
        domain: the images.
        view: with its size resolved.
        progress: show a progress bar on stderr.
    """
    source, entries = domain.source, domain.entries

    # by its own files alone: the other domain may change, or be another one, without packing again
    key = ["unpaired", domain.column, _list_identity(domain), view.key()]

    def write_domain(folder: Path) -> Packed:
        rows = rows_of_files(source, entries)
        _, report, size = write_rows(folder, [domain.column], source.place, rows, view, progress)
        return Packed({}, report, size)

    return open_store(key, write_domain)
