"""Print text for people, safely on any terminal.

Names of files and classes, messages of servers and the like come from outside. They are printed as
they are: never parsed as markup, and with control characters escaped, so that a name cannot send
commands to the terminal.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

__all__ = [
    "PlainConsole",
    "count_noun",
    "describe_rate",
    "escape_text",
    "print_json",
    "print_text",
    "track",
]

Item = TypeVar("Item")

# Control characters (ESC, BEL, newlines, ...), marks that reverse the direction of text, and
# surrogates, which represent bytes of file names that are not UTF-8. Other invisible characters
# belong to languages and emoji and are harmless.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_text(text: str, encoding: str = "utf-8") -> str:
    r"""Escape text from anywhere into one line that is safe for a terminal.

    Control characters, and characters that the encoding lacks, become escapes such as `\u001b`.
    """
    # JSON's escapes, without the quotes around them.
    escaped = UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return escaped.encode(encoding, "backslashreplace").decode(encoding)


def print_text(*lines: str, error: bool = False) -> None:
    """Print lines on stdout or, with `error`, on stderr.

    A newline inside a line is escaped, since it came from outside.
    """
    file = sys.stderr if error else sys.stdout
    encoding = getattr(file, "encoding", None) or "utf-8"  # a stream in memory has none
    for line in lines:
        print(escape_text(line, encoding), file=file)
    file.flush()  # a pipe would show lines late, in blocks


def print_json(value: Any) -> None:
    """Print a value as JSON for programs; unsafe characters become JSON's escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # For ASCII, `escape_text` would write \xe9, which is no JSON.
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))
    print_text(*text.split("\n"))  # a newline inside a line would be escaped


class PlainConsole(Console):
    """A console of rich for tables and progress bars that prints text as it is.

    Each string, printed or in a table or bar, is one line and escaped; so is the text of other
    renderables.
    """

    def __init__(self, **settings: Any):
        # In the name of a file, [red] is no markup and :cat: no emoji.
        super().__init__(markup=False, highlight=False, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Convert a string to text of rich, escaped before its width is measured."""
        return super().render_str(escape_text(text, self.encoding), **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render to segments; text that does not come from a string is escaped here."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment  # from rich itself: it moves the cursor
            else:
                # A newline between segments is rich's own, so it stays.
                lines = [escape_text(line, self.encoding) for line in segment.text.split("\n")]
                yield Segment("\n".join(lines), segment.style)


def track(
    items: Iterable[Item], what: str, total: int | None = None, shown: bool = True
) -> Iterator[Item]:
    """Iterate over items with a progress bar on stderr, if that is a terminal.

    Args:
        items: to iterate over.
        what: text before the bar.
        total: number of items, if they have no length.
        shown: whether to show the bar.
    """
    console = PlainConsole(stderr=True)
    columns = (
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    hidden = not (shown and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield from progress.track(items, total=total, description=what)


def count_noun(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun, such as "1 checkup" or "2,000 checkups".

    Args:
        count: of the things.
        noun: for one of them.
        plural: if it is not the noun with an s.
    """
    word = noun if count == 1 else plural or noun + "s"
    return f"{count:,} {word}"


def describe_rate(rate: float) -> str:
    """A speed such as "412 images/s", with two digits below 10; "? images/s" if it is unknown."""
    if rate <= 0:
        return "? images/s"
    if rate >= 10:
        return f"{rate:,.0f} images/s"
    two_digits = float(f"{rate:.2g}")
    return f"{two_digits:g} images/s"
