"""Features by the Inception network, in which FID, KID and the Inception score are published.

Numbers are comparable where network, weights and resizing are the same; all three are in
`Inception.protocol`.
"""

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import Features
from ganvas.evaluation.metrics.inception_network import SIZE, InceptionNetwork
from ganvas.evaluation.metrics.torch_file import read_torch_file
from ganvas.io.cache import cache_folder
from ganvas.io.download import Published, download, file_digest

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
PUBLISHED = Published(
    "the weights of the Inception network",
    ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/",),
    {FILE: f"sha256:{SHA256}"},
    f"name the file with --weights FILE; its sha256 is {SHA256}",
)
CHUNK = 32  # pictures looked at together

Resize = Literal["clean", "legacy"]
RESIZES: dict[Resize, str] = {
    "clean": f"clean: bicubic to {SIZE}x{SIZE}, antialiased, not rounded",
    "legacy": f"legacy: bilinear to {SIZE}x{SIZE} as TensorFlow 1 did, not antialiased",
}


class Inception:
    """Values of 2048 features, and logits of 1008 classes, by the network of 2015-12-05.

    Pictures of any size are resized, in one of two ways:

    - "clean", by Parmar et al. 2022 ("On aliased resizing and surprising subtleties in GAN
      evaluation"), as clean-fid does it: bicubic (a = -0.5), antialiased, computed in float,
      neither rounded nor clipped. For new comparisons.
    - "legacy", as the first FID did it (Heusel et al. 2017) and torch-fidelity does: TensorFlow 1's
      bilinear resizing, which puts corner on corner at the top left alone and does not look at the
      pixels in between when it shrinks. For comparisons with numbers so published. pytorch-fid
      resizes in a third way.

    Then (x - 128) / 128. The weights may come from any file with the right names and shapes; its
    SHA-256 is in the protocol, and values are comparable only where that is the same.

    Args:
        weights: the published .pth file, or its tensors as .safetensors; None: downloaded into the
            cache, once.
        resize: "clean" or "legacy".
        device: where it looks.
        progress: show the download on stderr.

    Attributes:
        protocol: "extractor", "weights" (SHA-256 of the file), "resize".

    Raises:
        UserError: the weights cannot be had, are damaged, or belong to another network.
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
        digest = file_digest(path, "sha256").removeprefix("sha256:")
        self.protocol: dict[str, Any] = {
            "extractor": "inception",
            "weights": digest,
            "resize": RESIZES[resize],
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Features of pictures, on the CPU.

        Args:
            images: uint8 (N, 1 or 3, H, W); grey is repeated.

        Raises:
            UserError: the pictures are neither grey nor RGB.
        """
        channels = images.shape[1]
        if channels not in (1, 3):
            raise UserError(
                f"the Inception network looks at grey or RGB pictures; these have {channels} channels"
            )
        # Without TF32: it is the default of convolutions on newer GPUs, and keeps 10 of 23 bits.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            values, logits = zip(*(self.look(part) for part in images.split(CHUNK)))
        return Features(torch.cat(values), torch.cat(logits))

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Values and logits of one chunk."""
        pictures = (self.resize(images.to(self.device, torch.float32)) - 128) / 128
        values, logits = self.network(pictures.expand(-1, 3, -1, -1))
        return values.cpu(), logits.cpu()


def resize_clean(images: Tensor) -> Tensor:
    """float32 (N, C, H, W) to (N, C, 299, 299): bicubic and antialiased, within 0.01 of 255 of what
    Pillow makes of floats.
    """
    return functional.interpolate(images, (SIZE, SIZE), mode="bicubic", antialias=True)


def resize_legacy(images: Tensor) -> Tensor:
    """float32 (N, C, H, W) to (N, C, 299, 299) by TensorFlow 1's bilinear resizing.

    Row y is read at y H / 299: between the rows above and below, or from the last row where none is
    below. Columns likewise.
    """
    for dimension in (3, 2):
        count = images.shape[dimension]
        place = torch.arange(SIZE, dtype=torch.float32, device=images.device) * (count / SIZE)
        before = place.long()
        after = (before + 1).clamp(max=count - 1)
        share = (place - before).view(-1, *[1] * (3 - dimension))
        low, high = images.index_select(dimension, before), images.index_select(dimension, after)
        images = low + (high - low) * share
    return images


def published_weights(progress: bool = False) -> Path:
    """The published file in the cache, downloaded if it is not there.

    Raises:
        UserError: it cannot be downloaded, or another file is in its place.
    """
    folder = cache_folder() / "weights"
    download(PUBLISHED, folder, progress)
    path = folder / FILE
    found = file_digest(path, "sha256")
    if found != PUBLISHED.files[FILE]:
        raise UserError(
            f"{path} has {found}, published is {PUBLISHED.files[FILE]}: remove it, and it is downloaded again"
        )
    return path


def read_network(path: Path) -> InceptionNetwork:
    """The network with the weights of a file, .safetensors or .pth.

    Raises:
        UserError: the file cannot be read, or holds the weights of another network.
    """
    tensors = read_safetensors(path) if path.suffix == ".safetensors" else read_torch_file(path)
    with torch.device("meta"):
        network = InceptionNetwork()
    wanted = network.state_dict()
    found = {
        name: value.float()
        for name, value in tensors.items()
        if not name.endswith(".num_batches_tracked")
    }
    wrong = [
        name for name in wanted if name not in found or found[name].shape != wanted[name].shape
    ]
    wrong += [name for name in found if name not in wanted]
    if wrong:
        first = wrong[0]
        has, needs = (
            tuple(each[first].shape) if first in each else "absent" for each in (found, wanted)
        )
        raise UserError(
            f"{path} holds the weights of another network: {first} is {has}, not {needs} ({len(wrong)} of {len(wanted)} names "
            f"differ); give {FILE}, or its tensors as .safetensors"
        )
    network.load_state_dict(found, assign=True)
    return network


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
