"""The page of an experiment: one HTML file in two languages, which asks nothing of the network."""

import base64
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ganvas.io.files import write_text
from ganvas.io.html import data_address
from ganvas.io.images import save, to_png
from ganvas.runs.curves import Curves
from ganvas.runs.svg_curves import draw_svg_curves
from ganvas.whatif.comparison import Comparison
from ganvas.whatif.course import Course
from ganvas.whatif.sheet import draw_moment
from ganvas.whatif.texts import LABELS, MEANINGS, Text
from ganvas.whatif.words import describe_results, format_value, name_findings

__all__ = ["render_page", "write_results"]

# The language of the browser, until the button chooses the other one.
SCRIPT = """
const root = document.documentElement;
if ((navigator.language || "en").toLowerCase().startsWith("zh")) root.lang = "zh";
document.getElementById("language").addEventListener("click", () => {
  root.lang = root.lang === "zh" ? "en" : "zh";
});
"""
PARTS = ("changed", "see", "why", "notice")
CODE = re.compile(r"`([^`]+)`")
PLAYERS = {
    "generator": Text("generator", "生成器"),
    "discriminator": Text("discriminator", "判别器"),
}


def write_results(comparison: Comparison, folder: Path) -> tuple[Path, Path]:
    """Write the page and the picture of an experiment into a folder; returns their paths.

    Raises:
        UserError: the disk is full or read-only.
    """
    page, picture = folder / f"{comparison.name}.html", folder / f"{comparison.name}.png"
    write_text(page, render_page(comparison))
    save(comparison.image, picture)
    return page, picture


def render_page(comparison: Comparison) -> str:
    """The page, as HTML.

    Args:
        comparison: both sides, and what was measured of them.
    """
    story = comparison.story
    courses = comparison.courses
    strip = [_list_shots(course) for course in courses]
    longest = max(map(len, strip))
    for shots in strip:  # a training that broke off has fewer moments; its places stay empty
        shots += [{"side": "empty", "picture": ""}] * (longest - len(shots))

    return _template().render(
        name=comparison.name,
        policy=_make_policy(),
        script=Markup(SCRIPT),
        title=story.title,
        about=_describe_trainings(comparison),
        results=[_mark(text) for text in describe_results(comparison)],
        sides=[
            _describe_side(course, line) for course, line in zip(courses, story.lines, strict=True)
        ],
        parts=[{"heading": LABELS[key], "text": _mark(getattr(story, key))} for key in PARTS],
        strip=list(zip(*strip, strict=True)),
        curves=[*_draw_curves(comparison)],
        rows=[*_list_rows(comparison)],
        command=comparison.command,
        labels=LABELS,
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = files("ganvas.whatif").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(text)


def _make_policy() -> str:
    """The content security policy: nothing but what is in the file, and no connection at all."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return (
        "default-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )


def _mark(text: Text) -> Text:
    """A text as HTML, with what stands between grave accents as code."""

    def mark(plain: str) -> Markup:
        return Markup(CODE.sub(r"<code>\1</code>", html.escape(plain, quote=False)))

    return Text(mark(text.en), mark(text.zh))


def _break_at_dots(code: str) -> Markup:
    """A setting, which narrow columns break between its parts."""
    return Markup(html.escape(code, quote=False).replace(".", ".<wbr>"))


def _describe_trainings(comparison: Comparison) -> Text:
    """Data, length, seed and seconds, in a line."""
    broken, mended = comparison.courses
    recipe = mended.side.recipe
    return LABELS["about"].fill(
        data=recipe.data,
        count=f"{recipe.images:,}",
        seed=recipe.seed,
        broken=f"{broken.seconds:.0f}",
        mended=f"{mended.seconds:.0f}",
    )


def _describe_side(course: Course, line: Text) -> dict[str, Any]:
    """The card of a side: its setting, its last samples and what the doctor says."""
    name = course.side.name
    picture = draw_moment(course, course.moments[-1])
    return {
        "name": name,
        "title": LABELS[name],
        "line": Text(_break_at_dots(line.en), _break_at_dots(line.zh)),
        "picture": Markup(data_address(to_png(picture), "png")),
        "finding": name_findings(course),
    }


def _list_shots(course: Course) -> list[dict[str, Any]]:
    """The samples along a training, with their captions."""
    return [
        {
            "side": course.side.name,
            "title": LABELS[course.side.name],
            "picture": Markup(data_address(to_png(draw_moment(course, moment)), "png")),
            "caption": LABELS["images"].fill(count=f"{moment.images:,}"),
        }
        for moment in course.moments
    ]


def _draw_curves(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Losses of both sides, then the doctor's measures of both, each in both languages."""
    for course in comparison.courses:
        yield _draw_panel(course, "losses", course.losses, PLAYERS)
    keys = comparison.experiment.curves
    names = {key: MEANINGS[key][0] for key in keys}
    for course in comparison.courses:
        yield _draw_panel(course, "checkups", course.curves(keys), names)


def _draw_panel(
    course: Course, heading: str, curves: Curves, names: Mapping[str, Text]
) -> dict[str, Any]:
    """A panel of curves, under a heading of LABELS."""
    total = course.side.recipe.images
    english = {key: names[key].en for key in curves}
    chinese = {key: names[key].zh for key in curves}
    return {
        "side": course.side.name,
        "title": LABELS[heading].fill(side=LABELS[course.side.name]),
        "en": Markup(draw_svg_curves(curves, total, names=english)),
        "zh": Markup(draw_svg_curves(curves, total, "张图像", chinese)),
    }


def _list_rows(comparison: Comparison) -> Iterator[Mapping[str, Text]]:
    """The table of measures; what tells the weakness comes first."""
    for key in comparison.keys:
        values = [side.get(key) for side in comparison.measures]
        if values == [None, None]:
            continue
        label, meaning = MEANINGS[key]
        broken, mended = (format_value(comparison, key, value) for value in values)
        yield {
            "label": label,
            "meaning": meaning.fill(real=f"{comparison.brightness:.2f}"),
            "broken": Text(broken, broken),
            "mended": Text(mended, mended),
        }
