"""Names of the files of samples."""

import re
from dataclasses import dataclass

from ganvas.errors import UserError, shorten
from ganvas.io.numbers import check_numbers

__all__ = ["AS_NUMBERED", "Naming"]

NUMBER = re.compile(r"\{n(?::(0?\d))?\}")  # {n}, and {n:3} or {n:03} with zeros in front
# what no file may be called on some system, or what leads out of the folder
FORBIDDEN = re.compile(r'[/\\:*?"<>|{}\x00-\x1f]')
ENDINGS = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg"}
OTHER = re.compile(r"\.[A-Za-z]{2,5}$")  # the ending of another format
MOST_CHARACTERS = 100


@dataclass(frozen=True)
class Naming:
    """Names of samples.

    Attributes:
        pattern: name of a file, {n} in it is its number, {n:03} the same with zeros; it may end in
            .png or .jpg. None: the number alone, with zeros so that files sort by it.
        start: number of the first.
    """

    pattern: str | None = None
    start: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.start < 0:
            raise UserError(f"--start {self.start}: give 0 or more")
        if self.pattern is None:
            return
        plain = NUMBER.sub("0", self.pattern)
        if FORBIDDEN.search(plain) or plain.startswith(".") or len(plain) > MOST_CHARACTERS:
            raise UserError(
                f"--names {shorten(self.pattern)}: write the name of a file with {{n}} for its"
                " number and without a folder, such as {n}.jpg or face-{n:04}.png"
            )
        stem, kind = self._split()
        if plain != plain.strip() or not stem or (not kind and OTHER.search(plain)):
            raise UserError(
                f"--names {shorten(self.pattern)}: end it in .png or .jpg, or leave the ending out"
            )

    def check(self, count: int) -> None:
        """Refuse a pattern that gives `count` files one name.

        Raises:
            UserError: it has no {n}.
        """
        if self.pattern is not None and count != 1 and not NUMBER.search(self.pattern):
            raise UserError(
                f"--names {self.pattern} would give all files one name; put {{n}} where their"
                " numbers go"
            )

    def choose_format(self, given: str) -> str:
        """The format of the files: as the pattern ends, or else as given.

        Raises:
            UserError: the pattern ends in another format.
        """
        wanted = self._split()[1]
        if wanted == "png" and given == "jpg":
            raise UserError(f"--names {self.pattern} and --format jpg: give one format")
        return wanted or given

    def name(self, number: int, count: int) -> str:
        """The name of one of `count` samples, without ending."""
        number += self.start
        if self.pattern is None:
            return f"{number:0{max(5, len(str(self.start + count - 1)))}}"
        stem, _ = self._split()
        return NUMBER.sub(lambda match: f"{number:{match[1] or ''}}", stem)

    def _split(self) -> tuple[str, str]:
        """The pattern without ending, and the format; "" where it has none."""
        pattern = self.pattern or ""
        for ending, kind in ENDINGS.items():
            if pattern.lower().endswith(ending):
                return pattern[: -len(ending)], kind
        return pattern, ""


AS_NUMBERED = Naming()  # frozen, so one object may be the default of all
