"""From files to pictures ready for training."""

from pathlib import Path

from ganvas.data.builtin.birds import open_figures
from ganvas.data.builtin.cifar10 import CIFAR, open_cifar
from ganvas.data.builtin.digits_mnist import open_digits, open_idx, open_mnist
from ganvas.data.builtin.points import MIXTURES, open_points
from ganvas.data.builtin.stacked_mnist import STACKED, open_stacked
from ganvas.data.dataset import DataReport, Dataset, Skipped, View
from ganvas.data.folders.attributes import open_attributes
from ganvas.data.folders.captions import open_captions
from ganvas.data.folders.images import open_images
from ganvas.data.folders.pairs import open_pairs
from ganvas.data.folders.unpaired import open_unpaired
from ganvas.data.shards.open import open_shards
from ganvas.errors import UserError, nearest
from ganvas.io.images import colour
from ganvas.schema import kind_of_channels

__all__ = ["DataReport", "Dataset", "Skipped", "View", "open_dataset"]

MNIST = ("mnist", "mnist-test", "fashion-mnist", "fashion-mnist-test")
CIFARS = (CIFAR, f"{CIFAR}-test")
SHARDS = "shards:"
KINDS = {
    "pairs": open_pairs,
    "unpaired": open_unpaired,
    "attributes": open_attributes,
    "captions": open_captions,
}
PLACES = ("idx:FOLDER", "shards:PLACE", *(f"{kind}:FOLDER" for kind in KINDS))
NAMES = ("digits", "figures", *MNIST, STACKED, *CIFARS, *MIXTURES, *PLACES)


def open_dataset(spec: str, view: View, *, strict: bool = False, progress: bool = False) -> Dataset:
    """Open a data set by its name or its place.

    Args:
        spec: "digits"; "mnist", "fashion-mnist", "cifar10" or their "-test" splits, or
            "stacked-mnist", alone or with ":FOLDER"; "rings" or "grid", which are points;
            "figures", drawn birds with captions, boxes and key points; "idx:FOLDER"; a kind of data
            with its place, such as "pairs:FOLDER"; "shards:" with a folder, an address or a pattern
            of tars; or the path of a folder or zip of pictures.
        view: size, channels, fit and labels that training wants.
        strict: make an error of the first file that must be left out.
        progress: show a progress bar on stderr while pictures are packed or downloaded.

    Raises:
        UserError: nothing of that name, or no usable pictures there.
    """
    name = spec.partition(":")[0]
    colour(view.background)  # a wrong name is told even where no picture needs it
    if view.labels != "none" and (
        name in (*MNIST, STACKED, *CIFARS, "digits") or spec in MIXTURES or spec.startswith("idx:")
    ):
        raise UserError(
            f"{spec} carries its own labels; --labels {view.labels} is for folders and zips of pictures"
        )
    if spec in MIXTURES:
        return open_points(spec, view)
    if kind_of_channels(view.channels) == "point":
        raise UserError(
            f"channels=2 is for points, {' and '.join(MIXTURES)}; pictures have 1, grey, or 3, rgb"
        )
    if spec == "digits":
        return open_digits(view)
    if spec == "figures":
        return open_figures(view)
    if name in MNIST:
        return open_mnist(spec, view, progress)
    if name == STACKED:
        return open_stacked(spec, view, progress)
    if name in CIFARS:
        return open_cifar(spec, view, progress)
    if spec.startswith("idx:"):
        return open_idx(spec, view)
    if spec.startswith(SHARDS):
        return open_shards(spec, view, strict=strict, progress=progress)
    kind = name.partition("-")[0]
    if kind in KINDS and ":" in spec and not Path(spec).exists():
        return KINDS[kind](spec, view, strict=strict, progress=progress)
    place = Path(spec).expanduser()
    if not place.exists():
        raise UserError(
            f"no data set and no file or folder is called {spec!r}; {nearest(name, NAMES)}"
        )
    return open_images(place, view, strict=strict, progress=progress)
