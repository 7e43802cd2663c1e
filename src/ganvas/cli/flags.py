"""Flags that several verbs have."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.errors import UserError

Device = Literal["auto", "cpu", "cuda", "mps"]
Switch = Annotated[bool, Parameter(negative="")]  # no --no-...
Pairs = Annotated[list[str] | None, Parameter(name="--set", negative="")]


@Parameter(name="*")
@dataclass(frozen=True)
class Look:
    """How pictures are to be seen.

    Parameters
    ----------
    size
        Side in pixels to which pictures are brought.
    channels
        1 for grey, 3 for colour.
    fit
        How pictures become square: crop (usually), pad or stretch.
    labels
        Classes of a folder or zip: none (usually), folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded pictures, usually white.
    """

    size: int | None = None
    channels: int | None = None
    fit: str | None = None
    labels: str | None = None
    background: str | None = None

    def given(self) -> dict[str, Any]:
        """The flags that were given, with their values."""
        return {key: value for key, value in asdict(self).items() if value is not None}


AS_IT_IS = Look()


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["batch=64"]` as `{"batch": 64}`."""
    from ganvas.recipes.recipe import parse_value

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair} has no value; write --set {pair}=VALUE")
        found[key] = parse_value(value)
    return found
