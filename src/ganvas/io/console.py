"""Print text for people, safely on any terminal.

Names of files and classes, messages of servers and the like come from outside. They are printed as
they are: never parsed as markup, and with control characters escaped, so that a name cannot send
commands to the terminal.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, TextIO, TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.containers import Lines
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

from ganvas.texts import localise

__all__ = [
    "BreakableText",
    "PlainConsole",
    "count_noun",
    "describe_duration",
    "describe_rate",
    "escape_text",
    "print_json",
    "print_raw",
    "print_text",
    "track",
    "wrap_words",
    "write_at_once",
]

Item = TypeVar("Item")

# Control characters (ESC, BEL, newlines, ...), marks that reverse the direction of text, and
# surrogates, which represent bytes of file names that are not UTF-8. Other invisible characters
# belong to languages and emoji and are harmless.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# A word with the spaces before it. Of Chinese it is one character with the marks beside it.
CHINESE = "\u2e80-\u9fff\uff00-\uffef"
OPENING, CLOSING = "（“《【", "，。；：！？、）”》】…"
MARKS = OPENING + CLOSING
WORDS = re.compile(
    rf"\s*(?:[{OPENING}]*(?:[^\s{CHINESE}{MARKS}]+|[^\s{MARKS}])[{CLOSING}]*|[{MARKS}]+)"
)
HAS_CHINESE = re.compile(f"[{CHINESE}]")
USUAL_WIDTH = 80  # columns of a terminal that does not say


def escape_text(text: str, encoding: str = "utf-8") -> str:
    r"""Escape text from anywhere into one line that is safe for a terminal.

    Control characters, and characters that the encoding lacks, become escapes such as `\u001b`.
    """
    # JSON's escapes, without the quotes around them.
    escaped = UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return escaped.encode(encoding, "backslashreplace").decode(encoding)


def print_text(*lines: str, error: bool = False, wrap: bool = True) -> None:
    """Print lines on stdout or, with `error`, on stderr, in the user's language.

    A newline inside a line is escaped, since it came from outside.

    Args:
        lines: to print.
        error: whether they go to stderr.
        wrap: whether a line that is too long for the terminal is broken between words. Where the
            output is no terminal, a line always stays one.
    """
    file = sys.stderr if error else sys.stdout
    encoding = getattr(file, "encoding", None) or "utf-8"  # a stream in memory has none
    width = _find_width(file) if wrap else None
    _print_lines((localise(line, encoding) for line in lines), file, encoding, width)


def print_raw(*lines: str) -> None:
    """Print lines for programs on stdout: never wrapped, in no other language than they are."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _print_lines(lines, sys.stdout, encoding, None)


def _print_lines(lines: Iterable[str], file: TextIO, encoding: str, width: int | None) -> None:
    """Print lines, escaped, and broken where they are wider than `width`."""
    for line in lines:
        for part in wrap_words(escape_text(line, encoding), width):
            print(part, file=file)
    file.flush()  # a pipe would show lines late, in blocks


def _find_width(file: TextIO) -> int | None:
    """Columns of the terminal that a stream goes to; None: it goes to a file or a pipe."""
    if not file.isatty():
        return None
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    with suppress(OSError):  # also of streams that have no number
        return os.get_terminal_size(file.fileno()).columns or USUAL_WIDTH
    return USUAL_WIDTH


def wrap_words(line: str, width: int | None) -> list[str]:
    """Break a line between words where it is wider than `width` columns.

    Chinese may be broken between two characters. The parts after the first are indented by two
    more. A word that is too wide for a line, such as a path, stays whole, so that it can be copied.

    Args:
        line: without control characters.
        width: columns; None: any number.
    """
    if width is None or cell_len(line) <= width:
        return [line]

    indent = " " * (len(line) - len(line.lstrip()) + 2)
    parts = [""]
    # Each word with the spaces before it, which disappear where the line is broken.
    for word in WORDS.findall(line):
        if parts[-1].strip() and cell_len(parts[-1] + word) > width:
            parts.append(indent + word.lstrip())
        else:
            parts[-1] += word
    return parts


def write_at_once(message: str) -> None:
    """Write a line to stderr from a signal handler, which may interrupt any other output.

    Python's own streams refuse to be written to while they are writing.
    """
    with suppress(OSError, ValueError):  # the terminal is gone, or stderr is no file
        os.write(sys.stderr.fileno(), f"{message}\n".encode(errors="backslashreplace"))


def print_json(value: Any) -> None:
    """Print a value as JSON for programs; unsafe characters become JSON's escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # For ASCII, `escape_text` would write \xe9, which is no JSON.
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.lower().startswith("utf"))
    # A newline inside a line would be escaped.
    print_raw(*text.split("\n"))


class BreakableText(Text):
    """Text that may be broken between two Chinese characters; rich breaks only at spaces."""

    @classmethod
    def of(cls, text: Text) -> "BreakableText":
        """A text as one that can be broken."""
        made = cls(style=text.style, justify=text.justify, overflow=text.overflow, end=text.end)
        return made.append_text(text)  # type: ignore[return-value]  # it returns itself

    def wrap(self, console: Console, width: int, **settings: Any) -> Lines:
        """Break into lines of at most `width` columns, with a break before what is too wide."""
        if settings.get("no_wrap"):
            return super().wrap(console, width, **settings)

        offsets, place, used = [], 0, 0
        for word in WORDS.findall(self.plain):
            wide = cell_len(word)
            if used and used + wide > width:
                offsets.append(place + len(word) - len(word.lstrip()))
                wide = cell_len(word.lstrip())
                used = 0
            place, used = place + len(word), used + wide
        lines = Lines()
        for line in self.divide(offsets):
            line.rstrip()
            # each is narrow enough, but for words such as paths
            lines.extend(Text.wrap(line, console, width, **settings))
        return lines


class PlainConsole(Console):
    """A console of rich for tables and progress bars that prints text as it is.

    Each string, printed or in a table or bar, is one line and escaped; so is the text of other
    renderables.
    """

    def __init__(self, **settings: Any):
        # In the name of a file, [red] is no markup and :cat: no emoji.
        super().__init__(markup=False, highlight=False, emoji=False, **settings)

    def on_broken_pipe(self) -> None:
        """Raise what happened, as `print` does; rich would end the process, training or not."""
        raise BrokenPipeError

    def render_str(self, text: str, **settings: Any) -> Text:
        """Convert a string to text of rich, escaped before its width is measured."""
        rendered = super().render_str(escape_text(text, self.encoding), **settings)
        return BreakableText.of(rendered) if HAS_CHINESE.search(text) else rendered

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

    def print_line(self, line: str) -> None:
        """Print a line in the user's language, broken between words on a narrow terminal."""
        width = self.width if self.is_terminal else None
        for part in wrap_words(escape_text(self.localise(line), self.encoding), width):
            self.print(part, soft_wrap=True)

    def localise(self, text: str) -> str:
        """A text in the user's language. Tables and bars hold names, too, which must stay."""
        return localise(text, self.encoding)


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
        yield from progress.track(items, total=total, description=console.localise(what))


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


def describe_duration(seconds: float) -> str:
    """Seconds in words: "45 seconds", "12 minutes", "3.5 hours", "4.2 days"."""
    if seconds < 120:
        return count_noun(round(seconds), "second")
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"
