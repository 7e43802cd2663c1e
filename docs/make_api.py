"""Write docs/api.md, the page of the public names, from their docstrings.

Run `python docs/make_api.py` after a change of a public docstring or signature.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import ganvas

PAGE = Path(__file__).with_name("api.md")
ORDER = [
    "data",
    "train",
    "load",
    "sample",
    "directions",
    "inside",
    "translate",
    "restore",
    "export",
    "evaluate",
    "health",
    "push",
    "theory",
    "whatif",
    "about",
    "cache",
    "zoo",
    "Run",
    "Results",
    "Directions",
    "Inside",
    "Animation",
    "Exported",
    "Evaluation",
    "Examination",
    "Health",
    "Course",
    "Comparison",
    "About",
    "CacheEntry",
    "Recipe",
    "RECIPES",
    "GANS",
    "UserError",
    "InterruptedRun",
]
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises")
INTRODUCTION = """# The Python API

Everything public can be imported from `ganvas`.
This page is written by `python docs/make_api.py`; edit the docstrings instead.

```python
import ganvas

run = ganvas.train("digits", images=2_000, out="runs/digits")
images = run.sample(16, label=3)  # float32 (16, 1, 8, 8) in [-1, 1]
```

`Images` are images in memory: an array or a tensor (N, H, W), (N, H, W, C) or (N, C, H, W), or a
list of images.
"""


def make_page() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION.rstrip()]
    for name in ORDER:
        parts += ["", f"## {name}", "", *describe(name, getattr(ganvas, name))]
    return "\n".join(parts).rstrip() + "\n"


def describe(name: str, value: Any) -> Iterator[str]:
    """The lines about one public name."""
    if inspect.ismodule(value):
        value = value.function  # of a package that can be called
    if isinstance(value, Mapping):
        yield from describe_table(value)
    elif not inspect.isclass(value):
        yield from describe_function(name, value)
    else:
        yield from describe_docstring(value)
        if issubclass(value, BaseModel):
            yield from ["", *describe_fields(value, "setting" if name == "Recipe" else "field")]
        elif not issubclass(value, Exception):
            yield from describe_members(value)


def describe_table(table: Mapping[str, Any]) -> Iterator[str]:
    """A table of named classes or functions, each by the first sentence of its docstring."""
    kind = "classes" if all(map(inspect.isclass, table.values())) else "functions"
    yield from [f"A dictionary of {kind} by name.", "", "| name | what it is |", "|---|---|"]
    for name, value in table.items():
        first = (inspect.getdoc(value) or "").split("\n\n")[0]
        yield f"| `{name}` | {' '.join(first.split())} |"


def describe_function(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """A signature and its docstring."""
    yield from ["```python", *write_signature(name, function), "```", ""]
    yield from describe_docstring(function)


def describe_fields(model: type[BaseModel], noun: str) -> Iterator[str]:
    """The fields of a pydantic model with their defaults, under the heading `noun`."""
    yield from [f"| {noun} | default |", "|---|---|"]
    for name, field in model.model_fields.items():
        required = field.default is PydanticUndefined
        yield f"| `{name}` | {'required' if required else f'`{field.default!r}`'} |"


def describe_members(owner: type) -> Iterator[str]:
    """The public properties and methods that a class defines itself."""
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield from ["", f"### {owner.__name__}.{name}", "", *describe_docstring(member)]
        elif inspect.isfunction(member):
            yield from ["", f"### {owner.__name__}.{name}", "", *describe_function(name, member)]


def write_signature(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """A signature as Python, one parameter a line, types without the modules they come from."""
    signature = inspect.signature(function)
    result = shorten_types(inspect.formatannotation(signature.return_annotation))
    parameters, keywords_only = [], False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords_only:
            keywords_only = True
            # what follows `*kinds` is named as it is
            if not any(shown.startswith("*") for shown in parameters):
                parameters.append("*")
        # Groups of keywords are written as other words by each version of Python.
        grouped = parameter.kind is parameter.VAR_KEYWORD
        text = f"**{parameter.name}" if grouped else str(parameter)
        parameters.append(shorten_types(text))

    if len(parameters) <= 2:
        yield f"def {name}({', '.join(parameters)}) -> {result}: ..."
    else:
        yield f"def {name}("
        yield from (f"    {parameter}," for parameter in parameters)
        yield f") -> {result}: ..."


def shorten_types(text: str) -> str:
    """`pathlib.Path` as `Path`, images in memory as `Images`; strings as the formatter of code
    quotes them.
    """
    short = re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text).replace("'", '"')
    # as Python writes keyword arguments that a typed dictionary names
    short = re.sub(r'\*<class "(\w+)">', r"Unpack[\1]", short)
    return short.replace(
        "numpy.ndarray | Tensor | Sequence[Image | numpy.ndarray | Tensor]", "Images"
    )


def describe_docstring(value: Any) -> Iterator[str]:
    """A Google-style docstring as Markdown: paragraphs as they are, each section as a list."""
    section = ""
    for line in (inspect.getdoc(value) or "").splitlines():
        heading = re.fullmatch(rf"({'|'.join(SECTIONS)}):", line)
        entry = re.match(r"    ((?:\*\*)?\w+): (.*)", line)
        if heading:
            section = heading[1]
            yield from [f"{section}:", ""]
        elif section in ("Returns", "Yields"):
            yield line.strip()
        elif section and entry:
            yield f"- `{entry[1]}`: {entry[2]}"
        elif section and line:
            yield f"  {line.strip()}"
        else:
            yield line


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
