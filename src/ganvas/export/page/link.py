"""Link ES modules into one script, so that a page needs no other file."""

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["link_modules"]

# The forms that our own modules use; anything else at the beginning of a line is an error.
IMPORT = re.compile(r'^import (?:(\w+)|\{([^}]*)\}|\* as (\w+)) from "(\.[^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def link_modules(entry: Path, replaced: Mapping[Path, Path]) -> str:
    """The source of a module and of all that it imports, as one module without imports.

    Each module becomes a function that is called once and returns what it exports, so names of
    different modules do not meet.

    Args:
        entry: the module that is run.
        replaced: modules in the place of others.

    Raises:
        ValueError: a module uses another form of import or export than `IMPORT`, `EXPORT` and
            `DEFAULT`, or imports itself in a circle.
    """
    linked: dict[Path, str] = {}

    def add(file: Path, above: tuple[Path, ...]) -> str:
        """Link a module after those that it imports; returns the name of its function's result."""
        file = replaced.get(file, file)
        if file in above:
            raise ValueError(f"{file.name} imports itself in a circle")
        if file not in linked:
            source = file.read_text(encoding="utf-8")
            for *_, place in IMPORT.findall(source):
                add((file.parent / place).resolve(), (*above, file))
            names = {other: f"$module{number}" for number, other in enumerate(linked)}
            linked[file] = _wrap(file, source, names, replaced, f"$module{len(linked)}")
        return file.name

    add(entry, ())
    return '"use strict";\n' + "".join(linked.values())


def _wrap(
    file: Path,
    source: str,
    names: Mapping[Path, str],
    replaced: Mapping[Path, Path],
    own: str,
) -> str:
    """A module as a constant that holds what it exports."""

    def take(match: re.Match[str]) -> str:
        default, several, whole, place = match.groups()
        other = (file.parent / place).resolve()
        module = names[replaced.get(other, other)]
        if default:
            return f"const {default} = {module}.default;"
        if whole:
            return f"const {whole} = {module};"
        return f"const {{{several.replace(' as ', ': ')}}} = {module};"

    exported = [name for _, name in EXPORT.findall(source)]
    code = IMPORT.sub(take, source)
    code = EXPORT.sub(r"\1 \2", code)
    code, defaults = DEFAULT.subn("const $default = ", code)
    if left := LEFT.search(code):
        raise ValueError(f"{file.name} cannot be linked: {left.group()}")

    given = ", ".join([*exported, *(["default: $default"] if defaults else [])])
    return f"// {file.name}\nconst {own} = (() => {{\n{code}\nreturn {{ {given} }};\n}})();\n"
