"""The card of a run: the page that tells other people what it is, and how to use it."""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ganvas.data.kinds import is_everywhere
from ganvas.evaluation.formatting import describe_protocol, format_cell, head_column
from ganvas.evaluation.registry import BETTER
from ganvas.evaluation.titles import TITLES
from ganvas.export.public import PublicRun
from ganvas.gans.base import (
    GAN,
    AttributesInput,
    BoxInput,
    FeaturesInput,
    ImageInput,
    KeyPointsInput,
    MaskInput,
    TextInput,
)
from ganvas.inference.run import Run
from ganvas.io.console import count_noun
from ganvas.runs.usage import suggest_command

__all__ = ["write_card"]

EXTRAS = {"lite0": "lite0"}  # what else must be installed for features
SHOWN = 10  # sizes and classes of the data that are listed
# What a GAN is given beside noise and a class.
GIVEN: Mapping[type, str] = {
    ImageInput: "an image",
    MaskInput: "a mask of its hole",
    AttributesInput: "attributes",
    TextInput: "a caption",
    FeaturesInput: "a caption as an embedding",
    BoxInput: "a box",
    KeyPointsInput: "key points",
}
SETTINGS = ("name", "gan", "images", "batch", "seed", "ema_halflife", "flip", "held_out")


def write_card(public: PublicRun, name: str, licence: str, terms: str = "") -> str:
    """The card as Markdown, with the header that the Hub reads.

    Args:
        public: the run.
        name: by which others load it, such as "hf:owner/faces".
        licence: an identifier in `LICENCES`.
        terms: whose data it was trained on, and what that asks for, as Markdown; "": not known.
    """
    gan = public.run.gan
    sections = [
        _write_header(public, licence),
        f"# {name.rpartition('/')[2].rpartition(':')[2]}",
        _describe_gan(public),
        *_show_grid(public),
        "## Use it",
        *_explain_use(public.run, name),
        "## How good it is",
        *_list_metrics(public, name),
        "## Its data",
        *_describe_data(public),
        "## How it was trained",
        _list_settings(public),
        "Every setting is in `recipe.json`.",
        "## Licence",
        terms or f"{licence}, as chosen by whoever published this page.",
    ]
    if gan.kind == "image":
        sections.append(
            "A GAN may repeat images of its training data; the values of memorisation, where they "
            "were measured, say how often it does."
        )
    return "\n\n".join(sections) + "\n"


def _write_header(public: PublicRun, licence: str) -> str:
    """The lines that the Hub's search reads."""
    gan = public.run.gan
    kinds = {type(kind) for kind in gan.inputs.values()}
    task = "unconditional-image-generation"
    if TextInput in kinds:
        task = "text-to-image"
    elif kinds & {ImageInput, MaskInput}:
        task = "image-to-image"

    lines = [f"license: {licence}", "library_name: ganvas"]
    if gan.kind == "image":
        lines.append(f"pipeline_tag: {task}")
    lines += ["tags:", "- ganvas", "- gan", f"- {public.about['gan']['name']}"]
    return "\n".join(["---", *lines, "---"])


def _describe_gan(public: PublicRun) -> str:
    """What it is, in a sentence."""
    gan = public.run.gan
    what = "points in the plane"
    if gan.kind == "image":
        colours = {1: "grey", 3: "RGB"}.get(gan.channels, f"{gan.channels}-channel")
        what = f"{colours} images of {gan.size}x{gan.size} pixels"
    given = [GIVEN[type(kind)] for kind in gan.inputs.values() if type(kind) in GIVEN]
    from_ = f" from {' and '.join(given)}" if given else ""
    classes = ""
    if gan.classes and "label" in gan.inputs:
        classes = f" in {count_noun(len(gan.classes), 'class', 'classes')}"
    return (
        f"A GAN ({public.about['gan']['name']}) that generates {what}{from_}{classes}, "
        f"trained by Ganvas on {_as_code(public.about['data']['spec'])} until it had seen "
        f"{count_noun(public.about['images'], 'image')}."
    )


def _show_grid(public: PublicRun) -> Iterator[str]:
    """The samples that training drew, if there are some."""
    if public.grid:
        yield f"![samples](samples/{public.grid.name})"
        yield "Drawn while it was trained, at this checkpoint; none was picked."


def _explain_use(run: Run, name: str) -> Iterator[str]:
    """The lines that use it, for the shell and for Python."""
    gan = run.gan
    command = suggest_command(gan, name)
    install = _install("hub" if name.startswith("hf:") else "")
    commands = [shlex.join(command)]
    if example := _choose_class(gan):
        commands = [
            f"{commands[0]}  # all classes in turn",
            shlex.join([*command, "--label", example]),
        ]
    yield _fence("bash", install, *commands)
    yield _fence("python", "import ganvas", "", *_write_python(gan, name))
    if gan.kind == "point":
        return
    yield (
        "A training on other images may begin with its weights: "
        f"{_as_code(f'ganvas train auto --from {name} --data FOLDER')}."
    )


def _choose_class(gan: GAN) -> str:
    """A class for an example; "" where images are drawn without one."""
    if not gan.unconditional or "label" not in gan.inputs:
        return ""
    return gan.classes[len(gan.classes) // 2]


def _write_python(gan: GAN, name: str) -> list[str]:
    """The Python that uses a GAN."""
    if gan.kind == "point":
        return [f'run = ganvas.load("{name}")', "points = run.sample(1000)"]
    if example := _choose_class(gan):
        label = json.dumps(example, ensure_ascii=False)
        return [
            f'run = ganvas.load("{name}")',
            f"images = run.sample(16, label={label}, as_images=True)",
        ]
    if gan.unconditional:
        return [f'run = ganvas.load("{name}")', "images = run.sample(16, as_images=True)"]
    words = suggest_command(gan, name)
    verb = words[1] if words else "load"
    if verb in ("translate", "restore"):
        mask = ', mask="mask.png"' if verb == "restore" else ""
        return [f'results = ganvas.{verb}("{name}", "image.png"{mask})', "results[0].show()"]
    if verb == "sample" and "--caption" in words:
        return [f'results = ganvas.sample("{name}", caption="a red bird")', "results[0].show()"]
    return [f'run = ganvas.load("{name}")  # then run.make(inputs)']


def _install(extras: str) -> str:
    """The command that installs Ganvas with what else is needed."""
    return f"pip install 'ganvas[{extras}]'" if extras else "pip install ganvas"


def _fence(language: str, *lines: str) -> str:
    """Lines of code."""
    return "\n".join([f"```{language}", *lines, "```"])


def _list_metrics(public: PublicRun, name: str) -> Iterator[str]:
    """The newest evaluation with each kind of features: a table, and how its values came about."""
    if not public.evaluations:
        own = "" if is_everywhere(public.about["data"]["spec"]) else " --data FOLDER"
        yield f"It was not evaluated yet; {_as_code(f'ganvas evaluate {name}{own}')} does."
        return

    newest = {json.dumps(each["protocol"].get("features")): each for each in public.evaluations}
    for evaluation in newest.values():
        features = evaluation["protocol"]["features"]["extractor"]
        if len(newest) > 1:  # tables of the same values would look alike
            yield f"### With the features {_plain(str(features))}"
        yield from _show_evaluation(evaluation)
        if features in EXTRAS:
            yield f"To measure it again: {_as_code(_install(EXTRAS[features]))}."
    yield "↓ lower is better, ↑ higher is better, → 1 is best; ± standard error."


def _show_evaluation(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """The values of one evaluation as a table, and under it how they came about."""
    # a value that does not exist is null in JSON
    measured = evaluation["values"].items()
    values = {key: float("nan") if one is None else one for key, one in measured}
    rows = {}
    for key in values:
        if key in BETTER:
            rows[f"{TITLES.get(key, key)} ({_as_code(head_column(key))})"] = format_cell(
                values, key
            )
    yield _draw_table(("metric", "value"), rows)

    lines = [*describe_protocol(evaluation["protocol"]), *evaluation.get("notes", [])]
    when, version = evaluation["time"][:10], evaluation["versions"]["ganvas"]
    lines.append(f"measured on {when} by ganvas {version}")
    yield "\n".join(f"- {_plain(line)}" for line in lines)


def _describe_data(public: PublicRun) -> Iterator[str]:
    """The data report: counts, and what was done to the images."""
    data = public.data
    if data is None:
        yield f"{_as_code(public.about['data']['spec'])}; its report was not kept."
        return
    rows = {
        "name": _as_code(data["spec"]),
        "found": f"{data['found']:,}",
        "used": f"{data['used']:,}",
        "sizes": _list_counts(data.get("sizes", {})),
        "colours": _list_counts(data.get("modes", {})),
        "classes": _list_counts(data.get("classes", {})),
        "splits": _list_counts(data.get("splits", {})),
        "fingerprint": _as_code(data["fingerprint"]),
    }
    yield _draw_table(("data", ""), {key: value for key, value in rows.items() if value})
    if data["spec"].startswith("hub:"):
        yield f"To fetch it: {_as_code(_install('hub,parquet'))}."
    if data["steps"]:
        yield "\n".join(f"- {_plain(step)}" for step in data["steps"])


def _list_counts(counts: Mapping[str, int]) -> str:
    """The most frequent names with their counts."""
    shown = [f"{_plain(name)} ({count:,})" for name, count in [*counts.items()][:SHOWN]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])


def _list_settings(public: PublicRun) -> str:
    """The settings that say most, and the software."""
    recipe = public.recipe
    rows = {key: _write_value(recipe[key]) for key in SETTINGS if recipe.get(key) is not None}
    for player, adam in recipe.get("optimizers", {}).items():
        rows[f"learning rate of {player}"] = _write_value(adam.get("lr"))
    if origin := recipe.get("origin"):
        rows["began with the weights of"] = _as_code(origin["checkpoint"])
    parameters = sum(value.numel() for value in public.run.gan.parameters())
    rows["parameters"] = f"{parameters:,}"
    if kept := public.about.get("kept"):
        rows["kept of it"] = f"{' and '.join(kept['players'])}, as {kept['dtype']}"
    versions = public.about.get("versions", {})
    rows["software"] = ", ".join(
        f"{name} {versions[name]}" for name in ("ganvas", "torch", "python") if name in versions
    )
    return _draw_table(("setting", "value"), rows)


def _write_value(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return _plain(value) if isinstance(value, str) else json.dumps(value)


def _draw_table(head: tuple[str, str], rows: Mapping[str, str]) -> str:
    """A table in Markdown."""
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {key} | {value} |" for key, value in rows.items())])


def _plain(text: str) -> str:
    """A text that Markdown shows as it is, on one line of a table: names may hold anything."""
    escaped = "".join(f"\\{one}" if one in "\\`*_[]<>|#!" else one for one in text)
    return " ".join(escaped.split())


def _as_code(text: str) -> str:
    """A text as code, which ends where it should whatever it holds."""
    return f"`{' '.join(text.replace('`', chr(39)).replace('|', '/').split())}`"
