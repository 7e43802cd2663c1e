"""What is wrong in a command, found before torch is imported, which takes seconds.

Each check raises the same error as the code that it precedes, so leaving one out only costs time.
"""

from collections.abc import Sequence
from pathlib import Path

from ganvas.io.lists import split_list

__all__ = [
    "check_data",
    "check_loggers",
    "check_recipe",
    "check_run",
    "check_run_folder",
    "check_sets",
]


def check_run(run: str | Path) -> None:
    """Refuse a run that cannot be loaded, because there is none.

    Raises:
        UserError: see `refuse_missing_run`.
    """
    from ganvas.runs.locate import refuse_missing_run

    refuse_missing_run(run)


def check_run_folder(run: Path) -> None:
    """Refuse a folder that is no run's, with a checkpoint or without.

    Raises:
        UserError: see `find_run`.
    """
    from ganvas.runs.locate import find_run
    from ganvas.runs.places import is_named

    if not is_named(run):
        find_run(run)


def check_recipe(name: str | None) -> None:
    """Refuse a recipe that there is not; None: none is named.

    Raises:
        UserError: see `refuse_unknown_recipe`.
    """
    if name is not None:
        from ganvas.recipes.catalogue import refuse_unknown_recipe

        refuse_unknown_recipe(name)


def check_data(spec: str | None) -> None:
    """Refuse data that is neither a name nor a file or folder; None: none is named.

    Raises:
        UserError: see `refuse_missing_data`.
    """
    if spec is not None:
        from ganvas.data.names import refuse_missing_data

        refuse_missing_data(spec)


def check_loggers(names: Sequence[str] | None) -> None:
    """Refuse loggers that there are not, or whose packages are not installed.

    Raises:
        UserError: see `find_loggers`.
    """
    if names:
        from ganvas.loggers.find import find_loggers

        find_loggers(split_list(names))


def check_sets(sets: Sequence[str]) -> None:
    """Refuse sets to evaluate that are neither runs nor data.

    Raises:
        UserError: see `refuse_missing` and `refuse_missing_data`.
    """
    from ganvas.data.names import NOISE, find_kind_name
    from ganvas.runs.places import is_named, refuse_missing

    for one in sets:
        if is_named(one):
            check_run(one)
        elif len(sets) == 1 and not Path(one).exists() and find_kind_name(one) is None:
            refuse_missing(one)  # who names one set means a run
        elif one != NOISE:
            check_data(one)
