"""The parts of an expression of noise such as "a - b + c": seeds, and files of noise."""

import re
from pathlib import Path

import torch

from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.inference.latents import Latent, Point, Term
from ganvas.inference.noise_files import StoredNoise, check_fit, read_noise

__all__ = ["SIGN", "TermReader", "find_label", "find_own_label", "split_places"]

SIGN = re.compile(r"\s+([+-])\s+")  # with spaces, since names of files may have hyphens
PLACE = re.compile(r"(.+):(\d{1,6})")  # FILE:NUMBER


class TermReader:
    """Reads the parts of expressions; each file once.

    Args:
        gan: that draws the noise.
        device: where it is.
    """

    def __init__(self, gan: GAN, device: torch.device):
        self.gan, self.device = gan, device
        self.files: dict[Path, StoredNoise] = {}

    def read(self, text: str, whole: str) -> tuple[int | StoredNoise, int]:
        """A seed as (seed, 0); a file or FILE:NUMBER as (noise, row).

        Args:
            text: the part.
            whole: the expression, for messages.

        Raises:
            UserError: it is neither.
        """
        if text.isascii() and text.isdecimal() and len(text) <= 15:
            return int(text), 0
        if not text:
            raise UserError(f'{whole!r} is no sum; write files or seeds: --noise "3 - 5 + 8"')

        file, number = Path(text).expanduser(), 1
        if not file.exists() and (match := PLACE.fullmatch(text)):
            file, number = Path(match[1]).expanduser(), int(match[2])
        noise = self._open(file)
        if not 1 <= number <= len(noise):
            raise UserError(f"{text}: {file} holds the noise of images 1 to {len(noise)}")
        return noise, number - 1

    def read_all(self, text: str) -> list[Point]:
        """All images of a file; one, of a seed or FILE:NUMBER."""
        table, place = self.read(text, text)
        rows = [place]
        if isinstance(table, StoredNoise) and Path(text).expanduser() == table.file:
            rows = list(range(len(table)))
        latents = [Latent(((table, row, 1.0),)) for row in rows]
        return [Point(latent, find_label(latent.terms[0])) for latent in latents]

    def _open(self, file: Path) -> StoredNoise:
        if file not in self.files:
            noise = read_noise(file)
            check_fit(noise, self.gan, self.device)
            self.files[file] = noise
        return self.files[file]


def find_label(term: Term) -> int:
    """The class of a row of noise: as its file says; of a seed the first, as `--count 1` has it."""
    return find_own_label(term) or 0


def find_own_label(term: Term) -> int | None:
    """The class of a row of noise as its file says; None: it says none, or is the row of a seed."""
    table, row, _ = term
    return table.labels[row] if isinstance(table, StoredNoise) and table.labels else None


def split_places(value: str | Path) -> list[str]:
    """Expressions with commas between them; a file whose name has commas is one."""
    text = str(value).strip()
    match = PLACE.fullmatch(text)
    if any(Path(name).expanduser().exists() for name in (text, match[1] if match else text)):
        return [text]
    return [part.strip() for part in text.split(",")]
