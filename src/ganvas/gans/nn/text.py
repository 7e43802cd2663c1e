"""Small networks that embed captions."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, pad

from ganvas.gans.nn.networks import VectorNorm

__all__ = [
    "CharacterReader",
    "FeatureReader",
    "TextKind",
    "WordReader",
    "choose_captions",
    "make_reader",
]

TextKind = Literal["characters", "words", "features"]


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


class WordReader(nn.Module):
    """Reads captions word by word, so that captions which share words share what these mean.

    A word is its own vector plus the mean of the vectors of its letters in threes (Bojanowski et
    al. 2017, "Enriching Word Vectors with Subword Information"), so that a word which training
    never saw still resembles those that are spelt alike. There is no list of words: a hash of the
    letters says which vector of a table is meant. Then a convolution over three neighbouring words,
    by which "no glasses" differs from "glasses" and "a red bird with blue wings" from "a blue bird
    with red wings" → the mean over the words → a linear layer, batch norm.

    Letters are a to z, digits, apostrophes and everything beyond ASCII; all else separates words.
    Each Chinese or Japanese character or mark is a word of its own, since there are no spaces.

    Args:
        width: numbers of a word.
        outputs: numbers of an embedded caption.
    """

    BUCKETS = 4_096  # vectors in the table; a few words of a large vocabulary share one
    WORDS = 40  # of a caption that are read

    def __init__(self, width: int, outputs: int):
        super().__init__()
        self.vectors = nn.Embedding(self.BUCKETS, width)
        self.phrases = nn.Conv1d(width, width, 3, padding=1)
        # As in `CharacterReader`: without the norm texts would differ little at first.
        self.meaning = nn.Sequential(nn.Linear(width, outputs, bias=False), VectorNorm(outputs))

    def forward(self, caption: Tensor) -> Tensor:
        """uint8 (N, K, L) to (N, outputs), the mean over K captions."""
        letters = caption.flatten(0, 1).long()  # (M, L) with M = N * K
        written = _is_letter(letters)
        letters = letters * written
        begins = _begins_word(letters)
        # the letters beside each one, 0 beyond its word
        before = _delay(letters) * ~begins
        after = pad(letters * ~begins, (0, 1))[:, 1:]

        # which letter belongs to which word: (M, WORDS, L)
        word = begins.cumsum(1) - 1  # the number of each letter's word
        numbers = torch.arange(self.WORDS, device=caption.device)[:, None]
        belongs = (word[:, None] == numbers) & written[:, None]
        count = belongs.sum(2)  # (M, WORDS), letters of each word

        # The sum does not depend on the order of the letters; their threes do.
        threes = _hash(before, letters, after)  # (M, L)
        words = _hash((belongs * threes[:, None]).sum(2), count, count)  # (M, WORDS)

        dtype = self.vectors.weight.dtype
        parts = belongs.to(dtype) @ self.vectors(threes % self.BUCKETS)  # (M, WORDS, width)
        parts = parts / count.clamp(min=1)[:, :, None]
        present = (count > 0).to(dtype)[:, :, None]  # (M, WORDS, 1)
        vectors = (self.vectors(words % self.BUCKETS) + parts) * present

        phrases = self.phrases(vectors.mT).relu().mT * present  # (M, WORDS, width)
        mean = phrases.sum(1) / present.sum(1).clamp(min=1)  # (M, width)
        return self.meaning(mean.view(*caption.shape[:2], -1).mean(1))


def _is_letter(bytes_: Tensor) -> Tensor:
    """Which bytes, int64 of any shape, belong to a word."""
    small = (bytes_ >= ord("a")) & (bytes_ <= ord("z"))
    digit = (bytes_ >= ord("0")) & (bytes_ <= ord("9"))
    return small | digit | (bytes_ == ord("'")) | (bytes_ >= 128)


def _begins_word(letters: Tensor) -> Tensor:
    """Where a word begins, of bytes int64 (M, L) that are 0 between words.

    Those of Chinese and Japanese have three bytes in UTF-8, of which the first is 0xE3 to 0xE9
    (U+3000 to U+9FFF) or 0xEF (full-width marks).
    """
    first = ((letters >= 0xE3) & (letters <= 0xE9)) | (letters == 0xEF)
    second = _delay(first)
    single = first | second | _delay(second)  # bytes of characters that are words
    follows = (_delay(letters) > 0) & ~_delay(single)  # a letter that is no word of its own
    return (letters > 0) & (first | ~(single | follows))


def _delay(values: Tensor) -> Tensor:
    """(M, L) one place later, with 0 at the beginning."""
    return pad(values, (1, 0))[:, :-1]


def _hash(*numbers: Tensor) -> Tensor:
    """One number from 0 to 2^31 - 1 of several, int64 of one shape; the same on every machine."""
    mixed = torch.zeros_like(numbers[0])
    for number in numbers:
        # below 2^62: no overflow
        mixed = ((mixed ^ (number & 0x7FFFFFFF)) * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        mixed = mixed ^ (mixed >> 15)
    return mixed


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


def make_reader(text: TextKind, length: int, width: int, outputs: int) -> nn.Module:
    """The network that embeds captions of a kind.

    Args:
        text: "characters" or "words" of bytes (N, K, length), "features": numbers of that shape.
        length: of a caption in the data.
        width: channels inside, of characters or words.
        outputs: numbers of an embedded caption.
    """
    if text == "features":
        return FeatureReader(length, outputs)
    return CharacterReader(width, outputs) if text == "characters" else WordReader(width, outputs)
