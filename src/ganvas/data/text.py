"""Turn captions into bytes and back, and cut tables into lines."""

import numpy as np
from torch import Tensor

__all__ = ["LENGTH", "decode", "encode", "plain", "split_lines"]

LENGTH = 128  # bytes that are kept of a caption


def encode(text: str, length: int = LENGTH) -> np.ndarray:
    """A caption as uint8 (length,): small letters, single spaces, UTF-8, cut between characters,
    padded with zeros.
    """
    # the second round trip drops a character that the cut has left in half
    content = plain(text).encode(errors="replace")[:length].decode(errors="ignore").encode()
    return np.frombuffer(content.ljust(length, b"\0"), np.uint8)


def decode(caption: Tensor | np.ndarray) -> str:
    """The text of bytes (length,); the inverse of `encode` for what it kept."""
    return bytes(caption.tolist()).rstrip(b"\0").decode(errors="replace")


def plain(text: str) -> str:
    """A caption in small letters, with single spaces and without zeros, which would end it."""
    return " ".join(text.replace("\0", " ").lower().split())


def split_lines(text: str) -> list[str]:
    """The lines of a table, without their ends: \\n, \\r\\n or \\r.

    `str.splitlines` also cuts at characters that may stand inside a caption, such as U+2028.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # an end of line ends the last one, and begins none
    return lines[:-1] if lines[-1] == "" else lines
