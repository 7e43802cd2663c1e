"""The runs whose weights a new one can begin with."""

from contextlib import suppress
from typing import Any

from ganvas.data.open import find_kind
from ganvas.errors import UserError
from ganvas.runs.record import read_run
from ganvas.studio.catalogue import Catalogue, read_gan

__all__ = ["list_starts"]


def list_starts(catalogue: Catalogue, spec: str) -> list[dict[str, Any]]:
    """The runs with a checkpoint whose data has the same columns as a set, by name.

    Args:
        catalogue: of all runs.
        spec: of the set.
    """
    found = []
    for run_id, folder in catalogue.scan().items():
        with suppress(UserError, OSError):  # one damaged folder hides no other
            run = read_run(folder)
            gan = read_gan(run)
            if gan is not None and _name_rows(run.data.spec) == _name_rows(spec):
                name = folder.relative_to(catalogue.root).as_posix()
                found.append({"id": run_id, "name": name, "gan": run.recipe.gan, "size": gan.size})
    return sorted(found, key=lambda run: run["name"])


def _name_rows(spec: str) -> str:
    """What the rows of a data set are, by its name."""
    kind = find_kind(spec)
    return kind.rows if kind else "image"
