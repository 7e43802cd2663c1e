"""Find the encoding of a text that does not name it: UTF-8, UTF-16, or those of East Asia before
them.
"""

import codecs
from collections.abc import Callable
from typing import NamedTuple

from ganvas.errors import UserError

__all__ = ["DecodedText", "decode_text"]

# Their first bytes name the encoding; the codec "utf-16" reads its own mark.
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
COMMON = 0.7  # share of the other characters that must be usual ones in an encoding of East Asia
MOST_CONTROL = 0.05  # share of a text in UTF-8: a name may hold even an escape character
ENOUGH = 20_000  # characters by which an encoding is judged
# characters that tables hardly ever hold: most bytes make some text in a one-byte encoding
CONTROL = frozenset(chr(code) for code in range(32)) - set("\t\n\r\f\v")


class DecodedText(NamedTuple):
    """A text, and how it was read.

    Attributes:
        text: without a byte order mark.
        encoding: Python's name of it.
    """

    text: str
    encoding: str

    @property
    def notes(self) -> list[str]:
        """What a person should know of the encoding; nothing where it is UTF-8."""
        if self.encoding.startswith("utf-8"):
            return []
        if self.encoding == "cp1252":
            return ["it is not UTF-8 and was read as Latin-1 (cp1252); check names with accents"]
        return [f"it was read in the encoding {self.encoding}"]


def decode_text(content: bytes, name: str) -> DecodedText:
    """The text of a file.

    Raises:
        UserError: it is no text, or in no encoding that is known.
    """
    found = _decode_unicode(content)
    most = MOST_CONTROL
    if found is None:
        most = 0.0
        # more than one of them may read it without a fault: the one with the most usual characters
        shares = [(_measure_share(content, *row), row[0]) for row in EAST_ASIAN]
        share, encoding = max(shares, key=lambda item: item[0])  # of equal ones the first
        if share < COMMON:
            encoding = "cp1252"
        # its five bytes without a meaning become marks, so that the rest can be read
        found = DecodedText(content.decode(encoding, errors="replace"), encoding)

    control = sum(map(found.text.count, CONTROL))
    if "\0" in found.text or control > most * len(found.text):
        raise UserError(f"{name} is not text; a table is a text file, such as CSV UTF-8")
    return found


def _decode_unicode(content: bytes) -> DecodedText | None:
    """The text where it is UTF-8 or UTF-16; None where it is neither."""
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    # without a mark: of ASCII characters every other byte is 0, on one side or the other
    if encoding == "utf-8" and content[:200].count(0) > len(content[:200]) // 4:
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    try:
        return DecodedText(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        return None


def _measure_share(content: bytes, encoding: str, usual: Callable[[bytes], bool]) -> float:
    """The share of the characters beyond ASCII that are usual in an encoding; 0 where the bytes are
    no text in it.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    # so many stand for all: a table may name a million files
    others = [char.encode(encoding) for char in text if not char.isascii()][:ENOUGH]
    return sum(map(usual, others)) / max(1, len(others))


def _is_usual_chinese(char: bytes) -> bool:
    """Level 1 of GB 2312, by pronunciation, and its punctuation."""
    return (
        len(char) == 2 and char[1] >= 0xA1 and (char[0] in (0xA1, 0xA3) or 0xB0 <= char[0] < 0xD8)
    )


def _is_usual_traditional(char: bytes) -> bool:
    """Level 1 of Big5, and its punctuation."""
    return len(char) == 2 and (0xA1 <= char[0] <= 0xA2 or 0xA4 <= char[0] <= 0xC6)


def _is_usual_japanese(char: bytes) -> bool:
    """Kana, punctuation, and level 1 of the kanji of JIS X 0208."""
    return len(char) == 2 and (0x81 <= char[0] <= 0x83 or 0x88 <= char[0] <= 0x97)


# the commonest first: bytes that are usual in several are taken for it
EAST_ASIAN = (
    ("gbk", _is_usual_chinese),
    ("big5", _is_usual_traditional),
    ("shift_jis", _is_usual_japanese),
)
