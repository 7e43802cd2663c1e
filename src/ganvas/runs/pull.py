"""Runs of the Hugging Face Hub: fetched into the cache, from which they are used."""

import re
from pathlib import Path

from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.hub import Repo, list_content
from ganvas.io.hub_files import fetch_files

__all__ = ["CHECKPOINT_FILE", "RUN_FILE", "pull_run", "pulled_folder"]

MOST = "4G"  # of a run, with the states of its optimizers
# Of a repository only these files are fetched, so no other can do any harm.
RUN_FILE = r"recipe\.json|data\.json|evaluations\.jsonl|README\.md|samples/[0-9]{12}\.png"
CHECKPOINT_FILE = (
    r"checkpoints/([0-9]{12})/((about|training)\.json|(gan|ema|checkup|training)\.safetensors)"
)


def pulled_folder() -> Path:
    """The folder of all runs that were fetched."""
    return cache_folder() / "hub" / "models"


def pull_run(name: str) -> Path:
    """Fetch a run of the Hub, unless it is in the cache.

    Its checkpoint is from a stranger, and is checked whenever it is read, as any other one.

    Args:
        name: OWNER/NAME, perhaps with @REVISION.

    Returns:
        its run folder.

    Raises:
        UserError: there is none, it cannot be fetched, or it is too large.
    """
    repo = Repo.parse("model", f"hf:{name}")
    content = list_content(repo)

    # the newest checkpoint alone, where somebody has put several there
    found = [path for path in content.files if re.fullmatch(CHECKPOINT_FILE, path)]
    newest = max((path.split("/")[1] for path in found), default="")
    wanted = [path for path in found if path.split("/")[1] == newest]
    if f"checkpoints/{newest}/about.json" not in wanted or "recipe.json" not in content.files:
        raise UserError(
            f"{repo.written} is no run of ganvas: it has no recipe.json with a checkpoint; "
            "`ganvas push` writes both"
        )

    wanted += [path for path in content.files if re.fullmatch(RUN_FILE, path)]
    folder = repo.folder / content.commit
    fetch_files(repo, content.commit, [content.files[path] for path in wanted], folder, MOST)
    return folder
