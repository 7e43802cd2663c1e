"""Text for people: counts with their nouns, and all that is printed, safe for any terminal.

Names of files and classes, messages of servers and the like come from outside. They are shown as
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

Item = TypeVar("Item")

# Control characters (ESC, BEL, newlines, ...), marks that reverse the direction of text, and
# surrogates, which stand for bytes of file names that are not UTF-8. Other invisible characters
# belong to languages and emoji and do no harm.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape_text(text: str, encoding: str = "utf-8") -> str:
    r"""One line of text from anywhere, fit for a terminal of that encoding.

    Control characters and what the encoding cannot show become backslash escapes, such as `\u001b`.
    """
    escaped = UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return escaped.encode(encoding, "backslashreplace").decode(encoding)


def print_text(*lines: str, error: bool = False) -> None:
    """Print lines on stdout or, with `error`, on stderr.

    A newline inside a line is escaped: it came with a name.
    """
    file = sys.stderr if error else sys.stdout
    encoding = getattr(file, "encoding", None) or "utf-8"
    for line in lines:
        print(escape_text(line, encoding), file=file)
    file.flush()


def print_json(value: Any) -> None:
    """Print a value as JSON for programs; what a terminal must not get is escaped as JSON does it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))
    print_text(*text.split("\n"))


class PlainConsole(Console):
    """A console of rich on which text is only text: for tables and progress bars.

    Strings that are printed, or stand in tables and bars, are one line each and escaped; so is what
    other renderables hold.
    """

    def __init__(self, **settings: Any):
        super().__init__(markup=False, highlight=False, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """A string as text of rich, escaped before its width is measured."""
        return super().render_str(escape_text(text, self.encoding), **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments of a renderable; those that do not come from a string are escaped here, line by
        line.
        """
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment  # of rich itself: it moves the cursor
            else:
                lines = [escape_text(line, self.encoding) for line in segment.text.split("\n")]
                yield Segment("\n".join(lines), segment.style)


def track(
    items: Iterable[Item], what: str, total: int | None = None, shown: bool = True
) -> Iterator[Item]:
    """The items, with a progress bar on stderr while they are taken, if that is a terminal and the
    bar is `shown`.
    """
    console = PlainConsole(stderr=True)
    columns = (
        "{task.description}",
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as progress:
        yield from progress.track(items, total=total, description=what)


def count_noun(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun:

    "1 checkup", "2,000 checkups"; `plural` where it is not the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def describe_rate(rate: float) -> str:
    """Images a second:

    "412 images/s", below 10 with two digits, "? images/s" where none is known yet.
    """
    if rate <= 0:
        return "? images/s"
    return f"{rate:,.0f} images/s" if rate >= 10 else f"{float(f'{rate:.2g}'):g} images/s"
