"""HTML for notebooks: what comes from outside stays text."""

import base64
import io
import re

from PIL import Image

from ganvas.io.html import escape, fact_table, figure, html_list, html_table, side_by_side

NASTY = '<script>alert("1")</script>&\n\x1b'


def test_text_is_escaped_in_one_line():
    found = escape(NASTY)
    assert not set("<>\"'\n\x1b") & set(found)
    assert found.startswith("&lt;script&gt;alert(&quot;1")
    escape("\udcff").encode()  # a byte of a file name that is no text


def test_nothing_from_outside_is_markup():
    pages = [
        fact_table({NASTY: NASTY}),
        html_table([NASTY, "value"], [[NASTY, NASTY]]),
        html_list(NASTY, [NASTY] * 12),
        figure(Image.new("L", (2, 2)), NASTY),
    ]
    for page in pages:
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_tables_have_all_cells():
    page = html_table(["name", "value"], [["a", "1"], ["b", "2"]])
    assert re.findall(r"<t[dh] [^>]*>([^<]*)<", page) == ["name", "value", "a", "1", "b", "2"]


def test_long_lists_are_folded():
    lines = [str(number) for number in range(12)]
    page = html_list("lines", lines)
    assert re.findall(r"<li>(\d+)", page) == lines
    assert "2 more" in page
    assert "more" not in html_list("lines", lines[:10])
    assert html_list("lines", []) == ""


def test_images_are_inside_the_page():
    image = Image.new("CMYK", (3, 2), (0, 255, 255, 0))  # PNG has no CMYK
    (content,) = re.findall(r'src="data:image/png;base64,([^"]+)"', figure(image))
    with Image.open(io.BytesIO(base64.b64decode(content))) as again:
        assert again.size == (3, 2)
        assert again.convert("RGB").getpixel((0, 0)) == image.convert("RGB").getpixel((0, 0))
    assert base64.b64encode(b"file").decode() in figure(b"file", kind="webp")


def test_empty_parts_have_no_box():
    assert side_by_side(["", "one", "two"]).count("<div") == 3
