"""Features by the Inception network, in which FID, KID and the Inception score are published.

Numbers are comparable where network, weights and resizing are equal; all three are in
`Inception.protocol`.
"""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import ImageFeatures, exact_convolutions
from ganvas.evaluation.metrics.inception_network import SIZE, InceptionNetwork
from ganvas.evaluation.metrics.weights import read_published_pth, read_safetensors
from ganvas.io.cache import cache_folder
from ganvas.io.download import Published, download
from ganvas.io.files import hash_file

__all__ = [
    "CHUNK",
    "FILE",
    "PUBLISHED",
    "SHA256",
    "Inception",
    "published_weights",
    "read_network",
    "resize_clean",
    "resize_legacy",
]

FILE = "pt_inception-2015-12-05-6726825d.pth"  # ends with the start of its SHA-256
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
PUBLISHED = Published(
    "the weights of the Inception network",
    ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/",),
    {FILE: f"sha256:{SHA256}"},
    f"name the file with --weights FILE; its sha256 is {SHA256}",
)
CHUNK = 32  # images per forward pass; at 299x299 each needs about 30 MB of activations

Resize = Literal["clean", "legacy"]
RESIZES: dict[Resize, str] = {
    "clean": f"clean: bicubic to {SIZE}x{SIZE}, antialiased, not rounded",
    "legacy": f"legacy: bilinear to {SIZE}x{SIZE} as TensorFlow 1 did, not antialiased",
}


class Inception:
    """2048 features, and logits of 1008 classes, by the network of 2015-12-05.

    Images of any size are resized, in one of two ways:

    - "clean", by Parmar et al. 2022 ("On aliased resizing and surprising subtleties in GAN
      evaluation"), as clean-fid does it: bicubic (a = -0.5), antialiased, computed in float,
      neither rounded nor clipped. For new comparisons.
    - "legacy", as the first FID did it (Heusel et al. 2017) and torch-fidelity does: TensorFlow 1's
      bilinear resizing, which aligns the corners at the top left only and skips pixels when it
      shrinks. For comparisons with numbers published that way. pytorch-fid resizes in a third way.

    Then (x - 128) / 128. The SHA-256 of the file of weights is in the protocol, and values are
    comparable only where that is equal.

    Args:
        weights: the published .pth file, or a .safetensors file with the same names and shapes;
            None: downloaded into the cache, once.
        resize: "clean" or "legacy".
        device: where the network runs.
        progress: show the download on stderr.

    Attributes:
        protocol: "extractor", "weights" (SHA-256 of the file), "resize".

    Raises:
        UserError: the weights cannot be downloaded, are damaged, or belong to another network.
    """

    def __init__(
        self,
        weights: Path | None = None,
        resize: Resize = "clean",
        device: torch.device | str = "cpu",
        progress: bool = False,
    ) -> None:
        path = published_weights(progress) if weights is None else weights
        self.network = read_network(path).to(device)
        self.device = torch.device(device)
        self.resize = resize_clean if resize == "clean" else resize_legacy

        digest = hash_file(path)
        self.protocol: dict[str, Any] = {
            "extractor": "inception",
            "weights": digest,
            "resize": RESIZES[resize],
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> ImageFeatures:
        """Extract features of images, on the CPU.

        Args:
            images: uint8 (N, 1 or 3, H, W); grey is repeated.

        Raises:
            UserError: the images are neither grey nor RGB.
        """
        channels = images.shape[1]
        if channels not in (1, 3):
            raise UserError(
                f"the Inception network takes grey or RGB images; these have {channels} channels"
            )

        with exact_convolutions():
            values, logits = zip(*(self.extract_chunk(part) for part in images.split(CHUNK)))
        return ImageFeatures(torch.cat(values), torch.cat(logits))

    def extract_chunk(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Values (n, 2048) and logits (n, 1008) of one chunk, on the CPU."""
        # By 128 and not 127.5, as the published graph does: white is 127 / 128.
        resized = (self.resize(images.to(self.device, torch.float32)) - 128) / 128
        # Grey is repeated after resizing: the same values for a third of the work.
        values, logits = self.network(resized.expand(-1, 3, -1, -1))
        return values.cpu(), logits.cpu()


def resize_clean(images: Tensor) -> Tensor:
    """Resize float32 (N, C, H, W) to (N, C, 299, 299): bicubic and antialiased.

    Within 0.01 of 255 levels of what Pillow makes of floats.
    """
    return functional.interpolate(images, (SIZE, SIZE), mode="bicubic", antialias=True)


def resize_legacy(images: Tensor) -> Tensor:
    """Resize float32 (N, C, H, W) to (N, C, 299, 299) by TensorFlow 1's bilinear resizing.

    Row y is read at y H / 299: between the rows above and below, or from the last row where none is
    below. Columns are read the same way.
    """
    for dimension in (3, 2):  # columns, then rows
        count = images.shape[dimension]
        place = torch.arange(SIZE, dtype=torch.float32, device=images.device) * (count / SIZE)
        before = place.long()
        after = (before + 1).clamp(max=count - 1)

        # The share of the later row; shaped (299,) for columns and (299, 1) for rows.
        share = (place - before).view(-1, *[1] * (3 - dimension))
        low, high = images.index_select(dimension, before), images.index_select(dimension, after)
        images = low + (high - low) * share
    return images


def published_weights(progress: bool = False) -> Path:
    """The published file in the cache, downloaded if it is missing.

    Raises:
        UserError: it cannot be downloaded, or another file is in its place.
    """
    folder = cache_folder() / "weights"
    download(PUBLISHED, folder, progress)
    path = folder / FILE

    # `download` leaves a file that is there as it is, so the digest is checked each time.
    found = f"sha256:{hash_file(path)}"
    if found != PUBLISHED.files[FILE]:
        raise UserError(
            f"{path} has {found}, published is {PUBLISHED.files[FILE]}: "
            "remove it, and it is downloaded again"
        )
    return path


def read_network(path: Path) -> InceptionNetwork:
    """Load the network with the weights of a file.

    Args:
        path: any .safetensors file with the right names and shapes, or the published .pth file.

    Raises:
        UserError: the file cannot be read, is a .pth file other than the published one, or holds
            the weights of another network.
    """
    if path.suffix == ".safetensors":
        tensors = read_safetensors(path)
    else:
        tensors = read_published_pth(path, SHA256)

    # PyTorch's own batch norm adds counters, which our frozen norm does not have.
    found = {
        name: value.float()
        for name, value in tensors.items()
        if not name.endswith(".num_batches_tracked")
    }
    with torch.device("meta"):  # no memory for weights that the file's replace
        network = InceptionNetwork()
    _check_names(path, found, network.state_dict())
    network.load_state_dict(found, assign=True)
    return network


def _check_names(path: Path, found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Refuse weights whose names or shapes are not those of the network."""
    wrong = [
        name
        for name, value in expected.items()
        if name not in found or found[name].shape != value.shape
    ]
    wrong += [name for name in found if name not in expected]
    if not wrong:
        return

    first = wrong[0]
    has, needs = (
        tuple(each[first].shape) if first in each else "absent" for each in (found, expected)
    )
    raise UserError(
        f"{path} holds the weights of another network: {first} is {has}, not {needs} "
        f"({len(wrong)} of {len(expected)} names differ); "
        f"give {FILE}, or its tensors as .safetensors"
    )
