"""Tars of all formats are listed as `tarfile` lists them; damaged ones are refused, and end."""

import io
import tarfile

import pytest

from ganvas.io.tars import TarError, list_tar

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def make_tar(form: int, *names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "1.png"
        archive.addfile(link)
        for number, name in enumerate(names):
            header = tarfile.TarInfo(name)
            header.size = 300 * number
            archive.addfile(header, io.BytesIO(bytes(header.size)))
    return file.getvalue()


def list_all(content: bytes) -> list[tuple[str, int, int]]:
    return [tuple(member) for member in list_tar(io.BytesIO(content), len(content))]


def write_header(content: bytes, start: int, place: int, new: bytes) -> bytes:
    """A tar with other bytes in the header at `start`, and its right checksum."""
    header = bytearray(content[start : start + 512])
    header[place : place + len(new)] = new
    total = sum(header) - sum(header[148:156]) + 256
    header[148:156] = b"%06o\0 " % total
    return content[:start] + bytes(header) + content[start + 512 :]


@pytest.mark.parametrize("form", FORMATS)
def test_files_are_found_where_they_are(form: int):
    names = ["1.png", "é/2.png", "f" * 60 + "/" + "n" * 90 + ".png"]
    if form != tarfile.USTAR_FORMAT:
        names.append("long" * 100 + ".png")
    content = make_tar(form, *names)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        expected = [
            (member.name, member.size, member.offset_data) for member in archive if member.isreg()
        ]
    assert len(expected) == len(names)
    assert list_all(content) == expected
    # without the empty blocks at its end
    end = expected[-1][2] + -(-expected[-1][1] // 512) * 512
    assert list_all(content[:end]) == expected


def test_large_sizes_are_read():
    content = make_tar(tarfile.GNU_FORMAT, "1", "2")
    start = list_all(content)[1][2] - 512
    assert (
        list_all(write_header(content, start, 124, b"\x80" + (300).to_bytes(11, "big")))[1][1]
        == 300
    )


@pytest.mark.parametrize(
    "size",
    [
        b"\xff" * 10 + b"\xfe\x00",  # -512
        b"\x80" + b"\xff" * 11,
        b"77777777777\0",
        b"9\0",
        b"-1000\0",
    ],
)
def test_sizes_that_cannot_be_are_refused(size: bytes):
    content = make_tar(tarfile.GNU_FORMAT, "1.png", "2.png", "3.png")
    start = list_all(content)[1][2] - 512
    with pytest.raises(TarError, match=r"negative|cut off|no octal number"):
        list_all(write_header(content, start, 124, size.ljust(12, b"\0")))


def pax(records: bytes) -> bytes:
    """A tar whose only file has these records."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(records)
    file = tarfile.TarInfo("1.png")
    padded = records + bytes(-len(records) % 512)
    return header.tobuf(tarfile.USTAR_FORMAT) + padded + file.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    "records",
    [
        b"0 size=1\n",
        b"-5 size=1\n",
        b"99 path=a\n",
        b"size",
        b"14 size=-512\n",
        b"9" * 30 + b" path=a\n",
        b"17 size=99999999\n",
    ],
)
def test_records_that_cannot_be_are_refused(records: bytes):
    with pytest.raises(TarError):
        list_all(pax(records))


def test_damage_in_the_middle_is_no_end():
    content = make_tar(tarfile.USTAR_FORMAT, "1.png", "2.png", "3.png")
    start = list_all(content)[1][2] - 512
    with pytest.raises(TarError, match=f"no valid header at byte {start:,}"):
        list_all(content[:start] + b"x" + content[start + 1 :])
    for end in (0, 100, start + 100, start + 512):
        with pytest.raises(TarError, match=r"cut off|empty"):
            list_all(content[:end])
    long = write_header(content, 0, 124, b"00077777777\0")
    with pytest.raises(TarError, match="a long name"):
        list_all(write_header(long, 0, 156, b"L"))
