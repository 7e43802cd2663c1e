"""Pictures of two domains without pairs: summer and winter, horses and zebras, photographs and
paintings.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ganvas.data.dataset import Dataset, View, joined
from ganvas.data.folders.images import SizeNeededError, checked, ignored, write_pictures
from ganvas.data.folders.labels import shorten
from ganvas.data.folders.source import Entry, Source
from ganvas.data.folders.spec import Place, parse_place
from ganvas.data.store import Packed, open_store
from ganvas.errors import UserError

DOMAINS = ("a", "b")
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Domain:
    """The pictures of one domain before they are read.

    Attributes:
        column: "a" or "b".
        name: of its folder, for people.
        source: where they are.
        entries: the files.
    """

    column: str
    name: str
    source: Source
    entries: Sequence[Entry]


def open_unpaired(
    spec: str, view: View, *, strict: bool = False, progress: bool = False
) -> Dataset:
    """`unpaired:PLACE`, and `unpaired-test:PLACE` for its test set: columns "a" and "b", whose rows
    belong to none of each other.

    PLACE is a folder or zip with folders trainA, trainB, testA and testB, or train/A, train/B, ...,
    or only A and B, in capitals or not; or two folders or zips of pictures, with a comma between.
    Each domain is packed by itself.

    Returns:
        The larger domain, with the other beside it.

    Raises:
        SizeNeededError: the view has no size and the pictures do not share one.
        UserError: a domain is missing or empty; with `strict`, any picture cannot be used.
    """
    place = parse_place(spec)
    if place.split not in SPLITS:
        raise UserError(
            f"{spec}: there is no split {place.split!r}; write {place.other('train')} or {place.other('test')}"
        )
    with ExitStack() as stack:
        sources = [stack.enter_context(Source(path)) for path in place.paths]
        domains, stray = find_domains(sources, place)
        packed = in_one_kind(domains, view, progress)
        notes = (
            [f"not used, since in no folder of a domain: {len(stray):,} ({shorten(stray)})"]
            if stray
            else []
        )
        notes += dict.fromkeys(note for source in sources for note in ignored(source, set()))
        test = (
            place.other("test")
            if place.split == "train" and len(sources) == 1 and has_test(sources[0])
            else None
        )
    report = joined(
        spec,
        {
            f"{domain.column} ({domain.name})": dataset.report
            for domain, dataset in zip(domains, packed)
        },
    )
    report = report.model_copy(update={"notes": notes, "test": test})
    main, beside = sorted(packed, key=len, reverse=True)
    beside = replace(beside, report=beside.report.model_copy(update={"spec": spec, "test": test}))
    both = hashlib.blake2b(
        "".join(dataset.fingerprint for dataset in packed).encode(), digest_size=16
    ).hexdigest()
    return checked(replace(main, report=report, beside=beside, fingerprint=both), strict)


def find_domains(
    sources: Sequence[Source], place: Place
) -> tuple[tuple[Domain, Domain], list[str]]:
    """The two domains of a split, and the pictures that lie in neither of any split.

    Raises:
        UserError: one has no pictures there.
    """
    if len(sources) == 2:
        if place.split != "train":
            raise UserError(
                f"{place.text} are two places without a test set; name the places of the test pictures instead"
            )
        a, b = (
            Domain(column, str(source.place), source, source.pictures)
            for column, source in zip(DOMAINS, sources)
        )
        return (a, b), []
    (source,) = sources
    found: dict[str, list[Entry]] = {column: [] for column in DOMAINS}
    stray = []
    for entry in source.pictures:
        split, column = domain_of(source.wrapper + entry.name)
        if split == place.split:
            found[column].append(entry)
        elif not split:
            stray.append(entry.name)
    for column, entries in found.items():
        if not entries:
            wanted = place.split + column.upper()
            raise UserError(
                f"{place.text} has no pictures in {wanted} for domain {column}; it holds {folders(source)}; {HINT}"
            )
    a, b = (
        Domain(column, place.split + column.upper(), source, entries)
        for column, entries in found.items()
    )
    return (a, b), stray


HINT = "name the domains' folders trainA and trainB (testA and testB), or give two folders as unpaired:ONE,OTHER"


def domain_of(name: str) -> tuple[str, str]:
    """Split and domain of a picture by the folders in its path:

    "trainA/1.jpg" is ("train", "a"); ("", ""): neither.
    """
    parts = [part.lower() for part in PurePosixPath(name).parts[:-1]]
    both = [(split, column) for split in SPLITS for column in DOMAINS]
    for split, column in both:
        if split + column in parts or (split, column) in pairwise(parts):
            return split, column
    return next((("train", column) for column in DOMAINS if column in parts), ("", ""))


def has_test(source: Source) -> bool:
    """Whether there are test pictures of both domains."""
    return {("test", column) for column in DOMAINS} <= {
        domain_of(source.wrapper + entry.name) for entry in source.pictures
    }


def folders(source: Source) -> str:
    """The folders of a source that hold pictures, with their numbers:

    "trainA (330), testA (70)".
    """
    counts = Counter(
        str(PurePosixPath(source.wrapper + entry.name).parent) for entry in source.pictures
    )
    shown = [
        f"{'pictures in no folder' if name == '.' else name} ({count:,})"
        for name, count in counts.most_common(6)
    ]
    return ", ".join(shown) + (
        f" and {len(counts) - len(shown):,} more" if len(counts) > len(shown) else ""
    )


def in_one_kind(domains: tuple[Domain, Domain], view: View, progress: bool) -> list[Dataset]:
    """Both domains, packed, of one size and with the same channels: where one has colour, the other
    gets it.

    Raises:
        SizeNeededError: the view has no size, and each domain has its own.
    """
    packed = [packed_domain(domain, view, progress) for domain in domains]
    sizes = [dataset.size for dataset in packed]
    if len(set(sizes)) > 1:
        told = " and ".join(
            f"{domain.name} pictures of {size}x{size}" for domain, size in zip(domains, sizes)
        )
        raise SizeNeededError(
            f"{told}; say which size both should have, for instance --size {min(sizes)}", min(sizes)
        )
    if len({dataset.channels for dataset in packed}) > 1:
        view = view.model_copy(update={"channels": 3})
        packed = [packed_domain(domain, view, progress) for domain in domains]
    return packed


def packed_domain(domain: Domain, view: View, progress: bool) -> Dataset:
    """One domain as a set of its own, with its column."""
    identity = [(entry.name, entry.size, entry.mark) for entry in domain.entries]
    key = ["unpaired", domain.column, identity, view.model_dump(exclude={"labels", "attributes"})]

    def build(folder: Path) -> Packed:
        _, report, size = write_pictures(
            folder / f"{domain.column}.npy", domain.source, domain.entries, view, progress
        )
        return Packed({}, report, size)

    return open_store(key, build)
