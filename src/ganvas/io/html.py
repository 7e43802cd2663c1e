"""Pieces of HTML for notebooks: escaped text, tables, and images inside the page.

Names of files and classes come from outside, so all text is escaped here and nowhere else.
"""

import base64
import html
from collections.abc import Collection, Iterable, Mapping, Sequence

from PIL import Image

from ganvas.io.console import escape_text
from ganvas.io.images import to_png

__all__ = [
    "data_address",
    "escape",
    "fact_table",
    "figure",
    "html_list",
    "html_table",
    "side_by_side",
]

# The colours of the page stay as they are, light or dark; only spaces are set.
CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
NUMBER = "text-align:right;padding:2px 0 2px 14px"
CAPTION = "font-size:90%;opacity:0.7"


def escape(text: str) -> str:
    """Escape text from anywhere for HTML, in one line."""
    return html.escape(escape_text(text))


def data_address(content: bytes, kind: str) -> str:
    """The content of an image file as a `data:` address, so that the page needs no other file.

    Args:
        content: of the file.
        kind: png, webp or gif.
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def figure(image: Image.Image | bytes, caption: str = "", kind: str = "png") -> str:
    """An image with a line under it.

    Args:
        image: a Pillow image, or the content of a file.
        caption: what it shows, as plain text.
        kind: of the file's content.
    """
    content = image if isinstance(image, bytes) else to_png(image)
    words = escape(caption)
    # `pixelated` would make enlarged images of 8 pixels ugly; the browser only ever shrinks here.
    tag = f'<img src="{data_address(content, kind)}" alt="{words}" style="max-width:100%">'
    line = f'<div style="{CAPTION}">{words}</div>' if caption else ""
    return f'<div style="display:inline-block;max-width:100%">{tag}{line}</div>'


def fact_table(facts: Mapping[str, str]) -> str:
    """A table of names and values, one a row, as plain text."""
    rows = "".join(
        f'<tr><th style="{CELL}">{escape(name)}</th><td style="{CELL}">{escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f"<table>{rows}</table>"


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[int] = (0,)
) -> str:
    """A table of plain texts.

    Args:
        headings: one per column.
        rows: cells.
        words: numbers of the columns that hold words; the others hold values.
    """

    def make_row(tag: str, cells: Sequence[str]) -> str:
        styles = [CELL if number in words else NUMBER for number in range(len(cells))]
        inside = (
            f'<{tag} style="{style}">{escape(cell)}</{tag}>' for style, cell in zip(styles, cells)
        )
        return f"<tr>{''.join(inside)}</tr>"

    body = "".join(make_row("td", row) for row in rows)
    return f"<table><thead>{make_row('th', headings)}</thead><tbody>{body}</tbody></table>"


def html_list(title: str, lines: Sequence[str], shown: int = 10) -> str:
    """A title and a list of plain texts; what is beyond the first ones is folded. Nothing without
    lines.
    """
    if not lines:
        return ""
    items = [f"<li>{escape(line)}</li>" for line in lines]
    text = f"<ul>{''.join(items[:shown])}</ul>"
    if len(items) > shown:
        more = f"<summary>{len(items) - shown:,} more</summary><ul>{''.join(items[shown:])}</ul>"
        text += f"<details>{more}</details>"
    return f"<div><b>{escape(title)}</b>{text}</div>"


def side_by_side(parts: Iterable[str]) -> str:
    """Pieces of HTML beside each other; images shrink where the page is narrow."""
    boxes = "".join(f'<div style="min-width:0">{part}</div>' for part in parts if part)
    return f'<div style="display:flex;gap:16px;align-items:flex-start">{boxes}</div>'
