"""Print Markdown for people: laid out on a terminal, as it is in a file or a pipe."""

import re

from ganvas.io.console import PlainConsole, print_raw

__all__ = ["print_markdown"]

WIDEST = 100  # columns; longer lines are hard to read
HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # what a page's search reads
ADDRESS = re.compile(r"<(https?://[^>\s]+)>")
PICTURE = re.compile(r"^!\[[^\]\n]*\]\([^)\n]*\)\n+(?:Drawn [^\n]*\n+)?", re.MULTILINE)


def print_markdown(text: str) -> None:
    """Print Markdown on stdout.

    A terminal gets headings, tables and lists in its width, without the header and the pictures,
    which it cannot show. A file or a pipe gets the text as it is.
    """
    console = PlainConsole()
    if not console.is_terminal:
        print_raw(*text.splitlines())
        return

    # Here, since it takes a while to import.
    from rich.markdown import Markdown

    shown = PICTURE.sub("", HEADER.sub("", text))
    # Addresses are written out, since not every terminal can follow a link that is hidden. One that
    # is its own text would be written twice.
    shown = ADDRESS.sub(r"\1", shown)
    laid_out = Markdown(shown, hyperlinks=False, code_theme="ansi_dark")
    console.print(laid_out, width=min(console.width, WIDEST))
