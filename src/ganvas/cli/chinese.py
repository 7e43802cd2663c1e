"""The help of all verbs in Chinese. English needs none of this."""

import re
from typing import Any

from attrs import evolve
from cyclopts import App
from cyclopts.help import HelpEntry, HelpPanel, InlineText
from cyclopts.help.formatters import DefaultFormatter
from rich.console import ConsoleOptions, Group

from ganvas.io.console import BreakableText
from ganvas.texts import localise

__all__ = ["speak_chinese"]


def speak_chinese(app: App) -> None:
    """Let the help of an app and its verbs be Chinese."""
    app.help_formatter = ChineseFormatter()
    app.help_epilogue = localise(str(app.help_epilogue))
    for name in app:
        verb = app[name]
        if verb.help_epilogue:
            verb.help_epilogue = _localise_examples(verb.help_epilogue)


def _localise_examples(block: str) -> str:
    """A block of code: its commands stay, its heading and their comments do not."""
    block = block.replace("Examples:", localise("Examples:"))
    return re.sub(r"(?<=  )# .+", lambda comment: localise(comment[0]), block)


class ChineseFormatter(DefaultFormatter):
    """Draws the same panels as in English, with the texts of the table."""

    def __call__(self, console: Any, options: ConsoleOptions, panel: HelpPanel) -> None:
        entries = [_localise_entry(entry) for entry in panel.entries]
        # "Parameters" in the table are those of a network
        title = "选项" if panel.title == "Parameters" else localise(str(panel.title))
        super().__call__(console, options, evolve(panel, title=title, entries=entries))

    def render_usage(self, console: Any, options: ConsoleOptions, usage: Any) -> None:
        """Print how a verb is written."""
        if usage:
            console.print(BreakableText(f"{localise('Usage:')}{usage}", style="bold"))

    def render_description(self, console: Any, options: ConsoleOptions, description: Any) -> None:
        """Print what a verb does."""
        for paragraph in _read_text(description).split("\n\n"):
            if paragraph:
                # in a group, since the console joins texts into one that breaks only at spaces
                console.print(Group(BreakableText(localise(paragraph)), ""))


def _localise_entry(entry: HelpEntry) -> HelpEntry:
    """A row of a panel; what cyclopts adds to it in English is added here."""
    text = InlineText(BreakableText(localise(_read_text(entry.description))))
    if entry.choices:
        text.append(BreakableText(f"[可选：{', '.join(entry.choices)}]", "cyclopts.choices"))
    if entry.default not in (None, "False"):
        text.append(BreakableText(f"[默认：{entry.default}]", "cyclopts.default"))
    if entry.required:
        text.append(BreakableText("[必填]", "cyclopts.required"))
    return evolve(entry, description=text, choices=None, default=None, required=False)


def _read_text(description: Any) -> str:
    """The paragraphs of a description; its marks of code are left out."""
    inside = getattr(description, "primary_renderable", description)
    text = getattr(inside, "markup", None) or str(inside or "")
    paragraphs = text.replace("`", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
