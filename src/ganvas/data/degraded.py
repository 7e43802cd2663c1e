"""Pairs made of any images: what `pairs:grey:PLACE` and `pairs:small4x:PLACE` mean.

Side b holds the images as they are, side a the same images made worse by a degradation.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ganvas.data.dataset import Dataset
from ganvas.data.degradations import DEGRADATIONS, Degradation, parse_degradation
from ganvas.data.report import DataReport
from ganvas.data.store import Packed, open_store, write_images
from ganvas.data.view import PinnedView, View
from ganvas.errors import UserError, nearest
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import track
from ganvas.io.reading import expand_home

__all__ = [
    "PAIRS",
    "DegradedSpec",
    "check_degraded_view",
    "degrade_dataset",
    "find_degraded",
    "read_degraded",
    "view_of_base",
]

PAIRS = "pairs"  # the kind whose places may begin with a degradation
PIECE = 256  # rows that are read and written together
# To be raised when the same images would be made worse in another way.
VERSION = 1


class DegradedSpec(NamedTuple):
    """The name of pairs that are made of images.

    Attributes:
        kind: with the split: "pairs", "pairs-test".
        degradation: how side a is made.
        base: the name or place of the images.
    """

    kind: str
    degradation: Degradation
    base: str

    @property
    def text(self) -> str:
        """The name as people write it."""
        return f"{self.kind}:{self.degradation.name}:{self.base}"


def read_degraded(spec: str) -> DegradedSpec | None:
    """What a name such as "pairs:grey:./faces" means; None: it names no pairs to be made."""
    # also names of long ago, whose folders may be gone
    with suppress(UserError):
        return find_degraded(spec)
    return None


def find_degraded(spec: str) -> DegradedSpec | None:
    """As `read_degraded`, for names that are about to be opened.

    Raises:
        UserError: there is no such degradation, or its strength is not allowed.
    """
    kind, _, text = spec.partition(":")
    word, colon, base = text.partition(":")
    if kind.partition("-")[0] != PAIRS or not colon or not base:
        return None
    # a folder may be called "grey:1"
    if Path(spec).exists() or expand_home(text).exists():
        return None

    degradation = parse_degradation(word)
    if degradation is not None:
        return DegradedSpec(kind, degradation, base)
    # of one letter: the drive of a path
    if len(word) > 1 and word.isalnum():
        raise UserError(
            f"{spec}: {word!r} is no way to make pairs of images; {nearest(word, DEGRADATIONS)}"
        )
    return None


def view_of_base(view: View) -> View:
    """How the images are seen that pairs are made of: as side b will be."""
    changes: dict[str, Any] = {"labels": "none"}
    if isinstance(view, PinnedView):
        changes["ranges"] = {"image": view.ranges["b"]} if "b" in view.ranges else {}
    return view.model_copy(update=changes)


def check_degraded_view(spec: str, view: View) -> None:
    """Refuse settings that would have no effect, or no meaning.

    Raises:
        UserError: label maps are wanted, or transparency.
    """
    if view.categories:
        raise UserError(
            f"--categories {view.categories}: {spec} makes pairs of images, and label maps are "
            "none; leave it out"
        )


def degrade_dataset(
    spec: str, degraded: DegradedSpec, base: Dataset, progress: bool = False
) -> Dataset:
    """A set of pairs: b as the images are, a made of them; a is kept in the packed store.

    Args:
        spec: of the pairs, as it was given.
        degraded: what it means.
        base: the images.
        progress: show a progress bar on stderr.

    Raises:
        UserError: the set has no such images, or they are too small or of the wrong colours.
    """
    degradation = degraded.degradation
    _check_images(spec, degradation, base)

    key = ["degraded", VERSION, degradation.name, base.fingerprint]
    stored = open_store(key, lambda folder: _write_degraded(folder, degradation, base, progress))
    digest = hashlib.blake2b(
        repr((base.fingerprint, stored.fingerprint)).encode(), digest_size=16
    ).hexdigest()

    report = base.report
    ranges = {name: report.ranges["image"] for name in ("a", "b") if "image" in report.ranges}
    return replace(
        base,
        columns={"a": stored.columns["a"], "b": base.images},
        names={},
        fingerprint=digest,
        report=report.model_copy(
            update={
                "spec": spec,
                "classes": {},
                "steps": [*report.steps, f"side a: {degradation.words}"],
                "test": f"{PAIRS}:{degradation.name}:{report.test}" if report.test else None,
                "ranges": ranges,
                "degradation": degradation.name,
            }
        ),
    )


def _check_images(spec: str, degradation: Degradation, base: Dataset) -> None:
    """Refuse sets that the degradation cannot be applied to.

    Raises:
        UserError: says why, and what to do.
    """
    if base.kind == "point" or "image" not in base.columns:
        raise UserError(
            f"{spec}: pairs are made of plain images, and {base.report.spec} holds none"
        )
    if base.shards is not None:
        raise UserError(
            f"{spec}: pairs are made of images that are all at hand, and shards are read one after "
            "another; unpack them into a folder"
        )
    if base.report.alpha:
        raise UserError(f"{spec}: pairs cannot be made with transparency; use --channels 3")

    if degradation.kind == "grey" and base.channels != 3:
        raise UserError(
            f"{spec}: colours are learned from images in colour, and these are {base.describe()}"
        )
    if degradation.kind == "edges" and base.channels not in (1, 3):
        raise UserError(
            f"{spec}: edges are drawn of grey or RGB images, and these are {base.describe()}; "
            "use --channels 3"
        )
    least = 2 * degradation.strength if degradation.kind == "small" else 1
    if base.size < least:
        raise UserError(
            f"{spec}: {degradation.name} needs images of {least} pixels or more, and these have "
            f"{base.size}"
        )


def _write_degraded(
    folder: Path, degradation: Degradation, base: Dataset, progress: bool
) -> Packed:
    """Write side a of all rows into `folder`, as a.npy."""
    first = degradation.apply(torch.from_numpy(np.array(base.images[0])))

    def make_pieces() -> Iterator[np.ndarray]:
        slices = chunk_slices(len(base), PIECE)
        what = f"making {degradation.name}"
        for rows in track(slices, what, -(-len(base) // PIECE), shown=progress):
            # one by one, so that an image does not depend on its neighbours in the last digit
            images = torch.from_numpy(np.array(base.images[rows]))
            yield torch.stack([degradation.apply(image) for image in images]).numpy()

    write_images(folder / "a.npy", make_pieces(), tuple(first.shape))
    report = DataReport(spec=degradation.name, found=len(base), used=len(base))
    return Packed({}, report, base.size)
