"""Features by a small classifier, trained once on the labelled data set itself.

Inception was trained on photographs of 299x299 pixels; on scanned digits it is slow and sees
little. This network is trained on the data set in question, on the images that a GAN may see too
and never on those that it is evaluated with (`classifier_training`), and kept in the cache.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import ImageFeatures, exact_convolutions
from ganvas.io.files import hash_file
from ganvas.io.images import to_float
from ganvas.io.reading import check_values, parse_json
from ganvas.io.tensors import read_notes, read_tensor_file

__all__ = ["VERSION", "Classifier", "ClassifierNetwork", "StackedClassifier", "read_classifier"]

VERSION = 1  # to be raised when the network or its training changes
FEATURES = 128


class Notes(BaseModel):
    """What the file of a classifier must say of it, besides more for protocols."""

    size: Annotated[int, Field(ge=1, le=4096, strict=True)]
    channels: Literal[1, 3]
    classes: Annotated[list[str], Field(min_length=1, max_length=10**6)]


class ClassifierNetwork(nn.Module):
    """Strided convolutions down to 4x4 or less, then two linear layers.

    The first convolution is 5x5, all others 3x3; 32, 64, 128, 128, ... channels.

    Args:
        size: side of the images in pixels.
        channels: of the images.
        classes: how many.
    """

    def __init__(self, size: int, channels: int, classes: int):
        super().__init__()
        modules: list[nn.Module] = []
        inputs, side, width, kernel = channels, size, 32, 5
        # Two convolutions at least (six modules), however small the images are.
        while side > 4 or len(modules) < 6:
            modules += [
                nn.Conv2d(inputs, width, kernel, 2, kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(True),
            ]
            # stride 2 with this padding rounds the side up
            inputs, side, width, kernel = width, -(-side // 2), min(128, 2 * width), 3

        modules += [
            nn.Flatten(),
            nn.Linear(inputs * side**2, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(True),
        ]
        self.features = nn.Sequential(*modules).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float32 (N, C, H, W) to features (N, FEATURES), 0 or more, and logits (N, classes)."""
        # Channels last: the fastest layout of small convolutions on a CPU.
        features = self.features(images.contiguous(memory_format=torch.channels_last))
        return features, self.head(features)


class Classifier:
    """The extractor: 128 features, before the last layer, and logits.

    Args:
        network: trained.
        protocol: "extractor", "version", "trained_on" (name of the data set), "fingerprint" (its
            content), "accuracy" (share of `tested` images, never trained on, that it classifies
            correctly), "size", "channels", "classes" (names), "sha256" (of the file of weights).
        device: where the network runs.
    """

    def __init__(
        self,
        network: ClassifierNetwork,
        protocol: dict[str, Any],
        device: torch.device | str = "cpu",
    ):
        self.device = torch.device(device)
        # In evaluation mode batch norm uses stored statistics: no image depends on its batch.
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.protocol = protocol

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the logits."""
        return tuple(self.protocol["classes"])

    @torch.no_grad()
    def __call__(self, images: Tensor) -> ImageFeatures:
        """Features and logits of uint8 (N, C, size, size), on the CPU.

        Raises:
            UserError: images of another size or other channels than it was trained on.
        """
        shape = (self.protocol["channels"], self.protocol["size"], self.protocol["size"])
        if tuple(images.shape[1:]) != shape:
            raise UserError(
                f"the classifier was trained on images of {shape}, "
                f"these are {tuple(images.shape[1:])}"
            )

        with exact_convolutions():
            values, logits = self.network(to_float(images.to(self.device)))
        return ImageFeatures(values.cpu(), logits.cpu())


class StackedClassifier:
    """The extractor for Stacked-MNIST: the digit classifier is applied to each channel.

    384 features, and logits of 1000 classes: log-probabilities of the three digits, summed.
    """

    def __init__(self, digits: Classifier):
        self.digits = digits
        self.protocol = digits.protocol | {"extractor": "stacked classifier"}

    def __call__(self, images: Tensor) -> ImageFeatures:
        """Features (N, 384) and logits (N, 1000) of uint8 (N, 3, H, W)."""
        count, channels = images.shape[:2]
        single = self.digits(images.flatten(0, 1).unsqueeze(1))  # of (3 N, 1, H, W)
        assert single.logits is not None

        # (N, 10) each; class 123 is a 1 in red, a 2 in green and a 3 in blue.
        red, green, blue = single.logits.log_softmax(1).view(count, channels, -1).unbind(1)
        # (N, 10, 10, 10): the probabilities of three digits multiply, so their logarithms add
        logits = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return ImageFeatures(single.values.view(count, -1), logits.flatten(1))


def read_classifier(path: Path, device: torch.device | str = "cpu") -> Classifier:
    """Read a classifier from its file.

    Raises:
        UserError: the file is missing, damaged, or holds another network.
    """
    try:
        about = parse_json(read_notes(path).get("about", "{}"))
    except ValueError as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    tensors = read_tensor_file(path)

    # Another version has other weights for the same images, which do not compare.
    if (
        not isinstance(about, dict)
        or about.get("extractor") != "classifier"
        or about.get("version") != VERSION
    ):
        raise UserError(
            f"{path} holds the weights of another network, "
            f"not of ganvas's classifier, version {VERSION}"
        )

    notes = check_values(Notes, about, path)
    with torch.device("meta"):  # no first weights, which would be drawn at random
        network = ClassifierNetwork(notes.size, notes.channels, len(notes.classes))
    expected = {name: (value.shape, value.dtype) for name, value in network.state_dict().items()}
    if {name: (value.shape, value.dtype) for name, value in tensors.items()} != expected:
        raise UserError(f"{path} is damaged: its weights do not fit what it says of itself")
    network.load_state_dict(tensors, assign=True)  # weights on meta cannot be copied into
    # assigned weights have the layout of the file
    network.features.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    # Of the file, not of the tensors: anybody can compute it.
    return Classifier(network, about | {"sha256": hash_file(path)}, device)
