"""Every text for people in the package, as templates: found in the source, so that none is missed.

A literal or f-string with two words or more counts as a text, unless it stands where only
programmers see it, or in a module whose texts stay English (`ENGLISH`).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ganvas.cli.examples import EXAMPLES
from ganvas.data.report import WARNING

SOURCE = Path(__file__).parents[2] / "src" / "ganvas"

# Modules whose texts stay English, and why.
ENGLISH = {
    "cli/examples.py": "commands",
    "export/card.py": "the model card is for the Hub",
    "export/readme.py": "the readme lies beside files for programs",
    "export/page/assemble.py": "the exported page has a table of its own",
    "io/html.py": "HTML and CSS",
    "runs/svg_curves.py": "SVG",
    "evaluation/html.py": "HTML",
    "texts/table.py": "JavaScript",
    "theory/pictures.py": "inside pictures, whose fonts have no Chinese characters",
    "runs/plot.py": "inside pictures",
    "runs/curves.py": "inside pictures",
    "inference/inside/sheet.py": "inside pictures",
    "whatif/page.py": "JavaScript, HTML",
    "whatif/texts.py": "both languages stand there",
    "whatif/stories_data.py": "both languages stand there",
    "whatif/stories_training.py": "both languages stand there",
}
# Errors of programmers, not of users.
INTERNAL = {
    "TypeError",
    "AssertionError",
    "NotImplementedError",
    "KeyError",
    "RuntimeError",
    "AttributeError",
}
# Functions whose arguments nobody reads.
UNREAD = {
    "compile",
    "findall",
    "sub",
    "split",
    "partition",
    "TypeVar",
    "Literal",
    "getattr",
    "match",
}
WORDS = re.compile(r"[A-Za-z]{2,}")
PLACE = re.compile(r"\{\w+\}")
# One word beside a place, such as "data: {spec}" or "{value} left"; not the name of a file.
SINGLE = re.compile(r"(?<![-./\w])[a-z]{3,}[ :,]|[ :(][a-z]{3,}$|[ (][a-z]{3,}\)?(?![\w./=])")
CODE = re.compile(r"[<>]\w|\w+=\"|^--[\w-]+( [A-Z{]\S*)?$|^\S+/\S+$")
MANY = 16  # variants of one f-string


@dataclass(frozen=True)
class Found:
    """A text of the source.

    Attributes:
        template: with places such as {n} and {path}.
        where: file and line.
    """

    template: str
    where: str


def collect_texts() -> list[Found]:
    """Every text of the package, each once."""
    found: dict[str, Found] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        name = file.relative_to(SOURCE).as_posix()
        if name in ENGLISH:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
        for node in _find_texts(tree):
            if name == "cli/meant.py" and node in names:  # of flags of other tools
                continue
            for template in _write_templates(node):
                if _is_text(template):
                    found.setdefault(
                        template, Found(template, f"{name}:{node.lineno}:{node.col_offset}")
                    )
        for noun in _find_nouns(tree):
            found.setdefault(noun.template, Found(noun.template, f"{name}:{noun.where}"))
    return list(found.values())


def _is_text(template: str) -> bool:
    """Whether a template has words for people, rather than keys, paths or code."""
    bare = PLACE.sub(" ", template)
    if len(WORDS.findall(bare)) < 2 and not (PLACE.search(template) and SINGLE.search(template)):
        return False
    return " " in template and not CODE.search(template)


def collect_help() -> list[Found]:
    """What the help of the verbs says: a text for each paragraph and each parameter."""
    found = []
    for file in sorted((SOURCE / "cli").glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            text = ast.get_docstring(node) or ""
            head, parameters, tail = text.partition("Parameters\n----------\n")
            where = f"cli/{file.name}:{node.lineno}"
            if parameters and isinstance(node, ast.FunctionDef):
                found += [Found(_join_lines(part), where) for part in head.split("\n\n")]
            for entry in re.split(r"^\w+\n(?=    )", tail, flags=re.MULTILINE)[1:]:
                found.append(Found(_join_lines(entry), where))
    return [text for text in found if text.template]


def collect_examples() -> list[Found]:
    """The comments of commands at the end of a verb's help."""
    lines = [line for lines in EXAMPLES.values() for line in lines]
    return [Found(line.split("  # ")[1], "cli/examples.py") for line in lines if "  # " in line]


def collect_page() -> list[Found]:
    """The texts of the page of a run that stand in its template."""
    source = (SOURCE / "runs" / "summary.html").read_text(encoding="utf-8")
    texts = re.findall(r"\"([^\"]+)\" \| say", source)
    return [Found(text, "runs/summary.html") for text in texts]


def _join_lines(text: str) -> str:
    """A paragraph on one line, without marks of code."""
    return " ".join(text.replace("`", "").split())


def _find_texts(tree: ast.AST) -> Iterator[ast.expr]:
    """The outermost strings and f-strings that people may see."""
    skipped = _find_unread(tree)
    for node in ast.walk(tree):
        if node not in skipped and _is_string(node):
            assert isinstance(node, ast.expr)
            yield node


def _is_string(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.JoinedStr)


def _find_unread(tree: ast.AST) -> set[ast.AST]:
    """The nodes of docstrings, types, errors of programmers, and parts of f-strings."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                skipped.add(first.value)
        if isinstance(node, ast.Call):
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name in INTERNAL | UNREAD:
                skipped |= set(ast.walk(node)) - {node}
        if isinstance(node, ast.FunctionDef) and node.returns:
            skipped |= set(ast.walk(node.returns))
        if isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
            for value in node.values:
                if isinstance(value, ast.FormattedValue) and value.format_spec:
                    skipped.add(value.format_spec)
                    skipped |= set(ast.walk(value.format_spec))
        if isinstance(node, ast.Subscript | ast.AnnAssign):
            part = node.slice if isinstance(node, ast.Subscript) else node.annotation
            skipped |= set(ast.walk(part))
    return skipped


def _write_templates(node: ast.expr) -> Iterator[str]:
    """A literal as templates: several, if a choice between words is written inside it."""
    if isinstance(node, ast.Constant):
        yield _tidy(str(node.value))
        return
    assert isinstance(node, ast.JoinedStr)
    names: dict[str, int] = {}
    pieces = [_list_pieces(value, names) for value in node.values]
    for number, chosen in enumerate(product(*pieces)):
        if number < MANY:
            yield _tidy("".join(chosen))


def _tidy(text: str) -> str:
    """A text on one line, as it is printed."""
    places = text.replace("VALUE", "{value}").replace("{}", "{n}")
    return places.strip(" ;,:")


def _list_pieces(value: ast.expr, names: dict[str, int]) -> list[str]:
    """What can stand at a place of an f-string."""
    if isinstance(value, ast.Constant):
        return [str(value.value)]
    assert isinstance(value, ast.FormattedValue)
    inside = value.value
    if ast.unparse(inside) == "WARNING":
        return [WARNING]
    if isinstance(inside, ast.IfExp):
        ends = [inside.body, inside.orelse]
        if all(isinstance(end, ast.Constant) for end in ends):
            return [str(end.value) for end in ends]  # type: ignore[attr-defined]
    counted = _read_count(inside)
    spec = ast.unparse(value.format_spec) if value.format_spec else ""
    number = (re.search(r"[,.\d][gf%d]?'?$", spec) and "<" not in spec) or _is_number(inside)
    if counted:
        place = _name_place("n", names)
        return [f"{place} {noun}" for noun in counted]
    return [_name_place("n" if number else _name(inside), names)]


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("len", "sum", "round")


def _name(node: ast.expr) -> str:
    """A name for a place, from the expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Call):
        inner = [_name(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            return "names"
        return inner[0] if inner else _name(node.func)
    return "value"


def _name_place(name: str, names: dict[str, int]) -> str:
    """A place of a name that the template does not have yet."""
    name = name.strip("_").lower() or "value"
    if name == "n":
        number = names["n"] = names.get("n", 0) + 1
        return "{" + "nmkji"[min(number, 5) - 1] + "}"
    number = names[name] = names.get(name, 0) + 1
    return "{" + (name if number == 1 else f"{name}{number}") + "}"


def _read_count(node: ast.expr) -> list[str]:
    """The words of `count_noun(count, "noun", "nouns")`: of many first."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "count_noun"):
        return []
    words = [str(word.value) for word in node.args[1:] if isinstance(word, ast.Constant)]
    if len(words) != len(node.args) - 1:
        return []
    one, many = (words[0], words[1] if len(words) > 1 else f"{words[0]}s")
    return [many, one]


def _find_nouns(tree: ast.AST) -> Iterator[Found]:
    """Templates such as "{n} images", of every noun that is counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for noun in _read_count(node):
                yield Found(f"{{n}} {noun}", str(node.lineno))
