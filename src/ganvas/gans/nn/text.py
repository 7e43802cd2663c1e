"""Small networks that embed captions."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from ganvas.gans.nn.networks import VectorNorm

__all__ = ["CharacterReader", "FeatureReader", "choose_captions"]


class CharacterReader(nn.Module):
    """Reads captions letter by letter: convolutions, then recurrence.

    As in Reed et al. 2016, "Learning Deep Representations of Fine-Grained Visual Descriptions", but
    smaller: embedding of the bytes → two convolutions of width 5, each followed by a pooling of 2 →
    a recurrent layer → the mean over its states → a linear layer, batch norm. The zeros after a
    caption have no effect, however many there are.

    Args:
        width: channels inside.
        outputs: numbers of an embedded caption.
    """

    def __init__(self, width: int, outputs: int):
        super().__init__()
        self.letters = nn.Embedding(256, width)  # one vector for each byte
        self.words = nn.ModuleList([nn.Conv1d(width, width, 5, padding=2) for _ in range(2)])
        self.sentence = nn.GRU(width, width, batch_first=True)
        # Without the norm the texts of a batch would differ little at first, and both players would
        # learn to ignore them.
        self.meaning = nn.Sequential(nn.Linear(width, outputs, bias=False), VectorNorm(outputs))

    def forward(self, caption: Tensor) -> Tensor:
        """uint8 (N, K, L) to (N, outputs), the mean over K captions."""
        flat = caption.flatten(0, 1)  # (N * K, L)
        written = (flat > 0)[:, None].to(self.letters.weight.dtype)  # (N * K, 1, L)

        # (N * K, width, L), then L / 2 and L / 4; zeroed after each layer where nothing is written
        maps = self.letters(flat.long()).mT * written
        for convolution in self.words:
            # `ceil_mode` keeps the last letter of an odd length.
            maps = max_pool1d(convolution(maps).relu() * written, 2, ceil_mode=True)
            written = max_pool1d(written, 2, ceil_mode=True)
            maps = maps * written  # the next convolution reads across the caption's end

        # It reads forwards, so the zeros at the end change no state before them.
        states = self.sentence(maps.mT)[0]  # (N * K, L / 4, width)
        # (N * K, width); clamped for empty captions
        mean = (states * written.mT).sum(1) / written.sum(2).clamp(min=1)
        return self.meaning(mean.view(*caption.shape[:2], -1).mean(1))


class FeatureReader(nn.Module):
    """Brings numbers of a sentence encoder to another size, with mean 0 and variance 1.

    A linear layer, batch norm.

    Args:
        inputs: numbers of a caption in the data.
        outputs: numbers of an embedded caption.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.meaning = nn.Sequential(nn.Linear(inputs, outputs, bias=False), VectorNorm(outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Float (N, K, inputs) to (N, outputs), the mean over K captions."""
        return self.meaning(features.mean(1))


def choose_captions(captions: Tensor, shares: Tensor, most: int) -> Tensor:
    """At most `most` of each row's captions, chosen by random numbers.

    Args:
        captions: (N, K, ...).
        shares: (N, K) in [0, 1).
        most: captions to keep.

    Returns:
        (N, min(K, most), ...).
    """
    order = shares.argsort(1)[:, :most]  # (N, most), without repetition
    return torch.stack([row[chosen] for row, chosen in zip(captions, order)])
