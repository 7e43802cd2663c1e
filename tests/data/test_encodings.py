"""The encoding of a text that does not name it."""

import pytest
from tiny import refused_in_one_line

from ganvas.data.encodings import decode_text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "a.png,été\n"),
        ("utf-8-sig", "a.png,猫\n"),
        ("utf-16", "a.png,猫\n"),
        ("utf-16-le", "a.png,cat\n"),
        ("utf-16-be", "a.png,cat\n"),
        ("gbk", "文件,类别\n0000.png,圆形\n"),
        ("big5", "檔案,類別\n0.png,圓形\n1.png,方形\n"),
        ("shift_jis", "ファイル,分類\n0.png,円\n"),
        ("shift_jis", "a.png,猫\nb.png,犬\n"),
        ("cp1252", "fichier,classe\n1.png,été\n2.png,mañana\n"),
        ("cp1252", "a.png,Größe\n"),
    ],
)
def test_the_encoding_is_found(encoding: str, text: str):
    found = decode_text(text.encode(encoding), "labels.csv")

    assert found == (text, encoding)
    assert bool(found.notes) == (not encoding.startswith("utf-8"))


def test_what_is_no_text_is_refused():
    for content in (b"\x7fELF\x02\x01\x01", b"\x93NUMPY\x01\x00v\x00{'descr'", b"PK\x03\x04\x14"):
        refused_in_one_line(lambda content=content: decode_text(content, "x.csv"), "is not text")
