"""What an experiment showed, in words of both languages: its result, and the doctor's findings."""

import re

from ganvas.whatif.comparison import Comparison
from ganvas.whatif.course import Course
from ganvas.whatif.judge import MEASURES
from ganvas.whatif.texts import CONDITIONS, LABELS, MEANINGS, Text

__all__ = ["describe_results", "format_value", "name_findings"]

MISSING = re.compile(r"(?P<name>.+) \(class(?:es)? (?P<classes>.+) missing\)")


def describe_results(comparison: Comparison) -> list[Text]:
    """What the main measure was on both sides, and whether that shows the weakness."""
    key = comparison.experiment.told_by
    label, _ = MEANINGS[key]
    broken, mended = (side.get(key) for side in comparison.measures)
    lines = []
    for course in comparison.courses:
        if course.stopped:
            lines.append(LABELS["stopped"].fill(count=f"{course.images:,}"))
    if broken is None or mended is None:
        return [*lines, LABELS["unmeasured"].fill(label=label)]

    told = LABELS["told"].fill(
        label=label,
        broken=format_value(comparison, key, broken),
        mended=format_value(comparison, key, mended),
    )
    state = comparison.compare(key)
    return [*lines, told, *([] if state == "plain" else [LABELS[state]])]


def format_value(comparison: Comparison, key: str, value: float | None) -> str:
    """A measured value as a person reads it; a dash where there is none."""
    if value is None:
        return "–"
    style = MEASURES[key].style
    if style == "percent":
        return f"{value:.0%}"
    if style == "count":
        return f"{value:.0f} / {comparison.classes}"
    rounded = round(value, 2) + 0.0  # never -0.00
    return f"{rounded:.2f}" if abs(value) < 100 else f"{value:.0f}"


def name_findings(course: Course) -> Text:
    """What the doctor finds at the end, or what it had found before."""
    active = [finding.title for finding in course.diagnosis.active.values()]
    passed = [change.finding.name for change in course.diagnosis.changes]
    over = [name for name in dict.fromkeys(passed) if name not in course.diagnosis.active]
    if course.stopped and "diverging" not in active:
        active = ["diverging", *active]

    texts = [_list_names("found", active) if active else LABELS["healthy"]]
    if over:
        texts.append(_list_names("passed", over))
    return Text(" ".join(each.en for each in texts), "".join(each.zh for each in texts))


def _list_names(key: str, titles: list[str]) -> Text:
    """A sentence with the names of conditions."""
    return Text(
        LABELS[key].en.format(names="; ".join(titles)),
        LABELS[key].zh.format(names="；".join(map(_translate, titles))),
    )


def _translate(title: str) -> str:
    """The Chinese name of a condition, with the classes that are missing."""
    if found := MISSING.fullmatch(title):
        return f"{CONDITIONS[found['name']]}（缺少类别 {found['classes']}）"
    return CONDITIONS.get(title, title)
