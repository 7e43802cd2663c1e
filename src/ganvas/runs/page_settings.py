"""The settings of a run as its page shows them: what was chosen or changed first."""

import json
from dataclasses import dataclass
from typing import Any

from ganvas.recipes import RECIPES
from ganvas.recipes.auto import describe_setting
from ganvas.recipes.explain import explain_choices
from ganvas.recipes.recipe import Recipe, all_settings

__all__ = ["ChangedSetting", "Choice", "PageSettings", "collect_settings"]


@dataclass(frozen=True)
class Choice:
    """A setting that `ganvas train auto` chose, or `--minutes`.

    Attributes:
        reason: why, in sentences.
    """

    key: str
    value: str
    reason: str


@dataclass(frozen=True)
class ChangedSetting:
    """A setting that differs from the recipe.

    Attributes:
        usual: the value in the recipe.
    """

    key: str
    value: str
    usual: str


@dataclass(frozen=True)
class PageSettings:
    """All settings of a run.

    Attributes:
        sentences: the most important choices, with reasons.
        choices: all choices.
        changed: what differs from the recipe.
        others: values by their dotted keys.
    """

    sentences: list[str]
    choices: list[Choice]
    changed: list[ChangedSetting]
    others: dict[str, str]


def collect_settings(recipe: Recipe) -> PageSettings:
    """All settings of a run, by how much a person must know of them."""
    own = all_settings(recipe)
    # Of `auto`, and of a user's own recipe, there is nothing to compare with.
    usual = all_settings(RECIPES[recipe.name]()) if recipe.name in RECIPES else own

    changed = []
    others = {}
    for key, value in own.items():
        shown = _format_setting(value)
        if value == usual.get(key):
            others[key] = shown
        else:
            changed.append(ChangedSetting(key, shown, _format_setting(usual.get(key))))

    choices = [
        Choice(key, describe_setting(recipe, key), reason) for key, reason in recipe.reasons.items()
    ]
    return PageSettings(explain_choices(recipe), choices, changed, others)


def _format_setting(value: Any) -> str:
    """A setting as a person writes it: 50,000, true, "–" for none."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)
