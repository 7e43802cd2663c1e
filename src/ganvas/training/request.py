"""What a user asks to be trained."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.errors import UserError
from ganvas.io.numbers import check_numbers
from ganvas.recipes.recipe import Recipe
from ganvas.training.budget import Budget
from ganvas.training.origin import find_start

__all__ = ["Request"]

DEFAULT = "digits"  # the recipe of those who name none
# Settings with a flag of their own; all others are written with --set.
FLAGS = (
    *(
        "data",
        "images",
        "seed",
        "size",
        "channels",
        "fit",
        "labels",
        "background",
        "split",
        "subset",
    ),
    "categories",
    *("evaluate_every", "log"),
)


@dataclass(frozen=True)
class Request:
    """What a user asks to be trained.

    Attributes:
        recipe: a recipe or its name; None: the run folder's own, that of `from_`, or DEFAULT.
        changes: settings that were given, by dotted key, "data", "images" and "seed" among them.
        epochs: length of the run, in passes through the data; None: in images.
        strict: whether a broken image file is an error.
        budget: the time that a new run may take; None: its length is given otherwise.
        from_: the run or checkpoint whose weights a new run begins with; None: random ones.

    Raises:
        UserError: the length is given twice.
    """

    recipe: str | Recipe | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    epochs: float | None = None
    strict: bool = False
    budget: Budget | None = None
    from_: Path | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        lengths = {
            "images": "images" in self.changes,
            "epochs": self.epochs is not None,
            self.budget.flag if self.budget else "": self.budget is not None,
        }
        named = [name for name, given in lengths.items() if given]
        if len(named) > 1:
            raise UserError(
                f"{' and '.join(named)} both set the length of the run; give one of them"
            )

    @property
    def name(self) -> str:
        """The recipe's name."""
        if self.recipe is None and self.from_:
            return find_start(self.from_).recipe.name
        return self.recipe.name if isinstance(self.recipe, Recipe) else self.recipe or DEFAULT

    def begin_anew(self, folder: Path) -> str:
        """The command that trains what is asked for in a new folder, from a run's weights.

        Args:
            folder: of the run that has other settings or data.
        """
        number = 2
        while (new := folder.with_name(f"{folder.name}-{number}")).exists():
            number += 1
        if isinstance(self.recipe, Recipe):
            return f"ganvas.train(recipe, ..., from_={str(folder)!r}, out={str(new)!r})"

        words = ["ganvas", "train", *([self.recipe] if self.recipe else [])]
        words += ["--from", str(folder), *self._list_flags(), "--out", str(new)]
        return shlex.join(words)

    def _list_flags(self) -> Iterator[str]:
        """The words of the command line that give what was asked for."""
        for key, value in self.changes.items():
            text = value if isinstance(value, str) else json.dumps(value)
            if key in FLAGS:
                yield from (f"--{key.replace('_', '-')}", text)
            else:
                yield from ("--set", f"{key}={text}")
        if self.epochs is not None:
            yield from ("--epochs", f"{self.epochs:g}")
        if self.budget:
            yield from (f"--{self.budget.flag}", self.budget.value)
        if self.strict:
            yield "--strict"
