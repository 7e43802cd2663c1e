"""Read the names of the files in a zip: as it declares them, else in the encoding that they fit.

Old programs write names in the code page of their own computer and do not say which. What is
declared is taken at its word: the UTF-8 flag, and Info-ZIP's field with the name in UTF-8.
"""

import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["read_zip_names"]

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075  # Info-ZIP's extra field
WESTERN = "cp437"  # the format's own encoding, in which zipfile decodes what is not declared
LETTERS = range(0x80, 0xA9)  # of cp437: accented letters; what follows are frames and signs


class CodePage(NamedTuple):
    """An encoding in which two bytes are a character, and where its everyday characters lie.

    Attributes:
        name: for people.
        codec: Python's name.
        first: first bytes of the everyday characters.
        second: the smallest second byte of an everyday character.
        size: how many everyday characters there are.
        prior: how much rarer such zips are than those in GBK.
    """

    name: str
    codec: str
    first: range
    second: int
    size: int
    prior: float = 1.0


# Level 1 of GB 2312, of JIS X 0208 with kana, and of Big5; Hangul syllables, which all lie where
# GB 2312 has Chinese characters too.
PAGES = (
    CodePage("GBK", "gbk", range(0xB0, 0xD8), 0xA1, 3755),
    CodePage("Shift JIS", "cp932", range(0x82, 0x99), 0x40, 3300, 0.05),
    CodePage("Big5", "big5", range(0xA4, 0xC7), 0x40, 5401, 0.05),
    CodePage("EUC-KR", "cp949", range(0xB0, 0xC9), 0xA1, 2350, 0.05),
)
EVERYDAY = 0.9  # share of everyday characters in names
RARE = 20_000  # characters that are not
NEAR = math.log(100)  # an encoding that is less likely by more is out of the question


def read_zip_names(infos: Sequence[zipfile.ZipInfo]) -> tuple[list[str], list[str]]:
    """The names of the entries, in their order, and a note if an encoding had to be found."""
    names: list[str] = []
    raw: dict[int, bytes] = {}
    for number, info in enumerate(infos):
        declared = _read_declared(info)
        names.append(info.filename if declared is None else declared)
        if declared is None and not info.orig_filename.isascii():
            raw[number] = _raw_name(info)
    if not raw:
        return names, []

    fitting = _rank_encodings(raw.values())
    name, codec = fitting[0]
    for number, content in raw.items():
        names[number] = content.decode(codec)
    note = f"the zip does not say how its names are written; they are read as {name}"
    if len(fitting) > 1:
        note += f"; they would also fit {', '.join(other for other, _ in fitting[1:])}"
    return names, [note]


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """The bytes of a name that is not declared to be UTF-8, up to a zero."""
    return info.orig_filename.partition("\0")[0].encode(WESTERN)


def _read_declared(info: zipfile.ZipInfo) -> str | None:
    """The name as the zip declares it to be in UTF-8; None: it declares nothing."""
    if info.flag_bits & UTF8_FLAG:
        return info.filename

    rest = info.extra
    while len(rest) >= 4:
        kind, length = struct.unpack_from("<HH", rest)
        field, rest = rest[4 : 4 + length], rest[4 + length :]
        # version 1, the CRC of the plain name, the name: by the CRC we see whether both still agree
        if kind == UNICODE_PATH and len(field) > 5 and field[0] == 1:
            (crc,) = struct.unpack_from("<L", field, 1)
            if crc == zlib.crc32(_raw_name(info)):
                return field[5:].decode("utf-8", "replace")
    return None


def _rank_encodings(names: Iterable[bytes]) -> list[tuple[str, str]]:
    """The encodings that names fit, the likeliest first: the name for people, and Python's."""
    # a folder once: one of a thousand files says no more than one of two
    parts = {part for name in names for part in name.split(b"/") if not part.isascii()}
    if all(_decodes(part, "utf-8") for part in parts):
        return [("UTF-8", "utf-8")]

    weights = {("CP437", WESTERN): sum(map(_weigh_western, parts))}
    for page in PAGES:
        if all(_decodes(part, page.codec) for part in parts):
            weight = sum(_weigh_double(part, page) for part in parts) + math.log(page.prior)
            weights[page.name, page.codec] = weight
    best = max(weights.values())
    ranked = sorted(weights, key=lambda page: -weights[page])
    return [page for page in ranked if weights[page] > best - NEAR]


def _weigh_western(content: bytes) -> float:
    """The logarithm of how likely a name is as one in a western language."""
    weight = 0.0
    for byte in content:
        if byte < 0x80:
            weight += _weigh_ascii(byte)
        elif byte in LETTERS:
            weight += math.log(EVERYDAY / len(LETTERS))
        else:
            weight += math.log(1 / RARE)  # frames and signs
    return weight


def _weigh_double(content: bytes, page: CodePage) -> float:
    """The logarithm of how likely a name is as one in an encoding of two bytes a character."""
    weight = 0.0
    for character in content.decode(page.codec):
        code = character.encode(page.codec)
        if len(code) == 2 and code[0] in page.first and code[1] >= page.second:
            weight += math.log(EVERYDAY / page.size)
        elif character.isascii():
            weight += _weigh_ascii(code[0])
        else:
            # the rare ones, and of half-width katakana each byte
            weight += math.log((1 - EVERYDAY) / (RARE if len(code) == 2 else 100))
    return weight


def _weigh_ascii(byte: int) -> float:
    """The logarithm of how likely a letter, digit or sign is."""
    return math.log(1 / 40 if chr(byte).isalnum() else 1 / 100)


def _decodes(content: bytes, codec: str) -> bool:
    """Whether bytes are a text in an encoding."""
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
