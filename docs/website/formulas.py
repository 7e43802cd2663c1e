"""Formulas of built pages, from LaTeX to MathML, which browsers draw without a script."""

import re
from html import unescape

from latex2mathml.converter import convert

__all__ = ["replace_formulas"]

# What the Markdown extension `arithmatex` makes of $...$ and $$...$$.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def replace_formulas(page: str) -> str:
    """Replace the formulas of a page of HTML."""

    def draw(found: re.Match[str]) -> str:
        display = "block" if found[2] == "[" else "inline"
        return convert(unescape(found[3]).strip(), display=display)

    return FORMULA.sub(draw, page)
