"""`ganvas push`: publish a run on the Hugging Face Hub, in one commit."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import UserError
from ganvas.evaluation.evaluate import RECORD
from ganvas.export.card import write_card
from ganvas.export.destination import check_publication
from ganvas.export.public import PublicRun, make_public
from ganvas.inference.run import Run
from ganvas.io.files import hash_file
from ganvas.io.hub import Repo, hub_errors, open_hub
from ganvas.runs.checkpoint import CheckpointError
from ganvas.runs.pull import CHECKPOINT_FILE, RUN_FILE
from ganvas.runs.zoo import find_licence

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["Pushed", "collect_files", "push_run"]

WEIGHTS = ("gan.safetensors", "ema.safetensors")  # what using a GAN needs
OURS = f"{CHECKPOINT_FILE}|{RUN_FILE}"


@dataclass(frozen=True)
class Pushed:
    """A run that was published.

    Attributes:
        name: by which it is loaded: "hf:owner/name".
        url: of its page.
        files: their sizes in bytes, by path.
    """

    name: str
    url: str
    files: Mapping[str, int]


def push_run(
    run: Run, to: str, licence: str | None, *, private: bool = False, resumable: bool = False
) -> Pushed:
    """Publish a run: its checkpoint, its recipe, its grid of samples, its evaluations and a card.

    Args:
        run: at the checkpoint that is published.
        to: "hf:OWNER/NAME"; what an earlier call has put there is replaced.
        licence: what others may do with it, as the Hub calls it.
        private: whether only its owner may see it.
        resumable: whether the states of the optimizers are published, too.

    Raises:
        UserError: the name or the licence is none, there is no token, or the Hub refuses.
    """
    repo, licence = check_publication(to, licence)
    if (given := find_licence(run.folder)) and licence != given:
        raise UserError(f"{run.name} is given under {given}; publish it with --licence {given}")
    hub = open_hub(to)
    if not hub.token and not _find_token():
        raise UserError(
            f"{to}: publishing needs a token: log in by `hf auth login`, or set HF_TOKEN"
        )

    files = dict(collect_files(make_public(run), to, licence, resumable=resumable))
    with hub_errors(to):
        before = _claim_repository(hub, repo, private)
        commit = _commit(hub, repo, files, before)
    sizes = {
        path: content.stat().st_size if isinstance(content, Path) else len(content)
        for path, content in files.items()
    }
    return Pushed(to, commit, sizes)


def _find_token() -> str | None:
    """The token of the user, from the environment or from a login."""
    from huggingface_hub import get_token

    return get_token()


def collect_files(
    public: PublicRun, name: str, licence: str, terms: str = "", *, resumable: bool = False
) -> Iterator[tuple[str, Path | bytes]]:
    """What is published: the path of each file, and the file itself or its content.

    Args:
        public: the run.
        name: by which others load it.
        licence: what they may do with it.
        terms: of that licence, as in `write_card`.
        resumable: whether the states of the optimizers are among it.

    Raises:
        CheckpointError: a file of the checkpoint was changed.
    """
    run, about = public.run, public.about
    kept = {}
    for file, digest in about["files"].items():
        if resumable or file in WEIGHTS:
            # what is damaged here must not be published as whole
            if not (run.path / file).is_file() or hash_file(run.path / file) != digest:
                raise CheckpointError(f"{run.path / file} is missing or damaged; nothing was sent")
            kept[file] = digest

    place = f"checkpoints/{about['images']:012d}"
    yield f"{place}/about.json", _to_json(about | {"files": kept})
    yield from ((f"{place}/{file}", run.path / file) for file in kept)
    yield "recipe.json", _to_json(public.recipe)
    yield "README.md", write_card(public, name, licence, terms).encode("utf-8", "backslashreplace")
    if public.data is not None:
        yield "data.json", _to_json(public.data)
    if public.grid:
        yield f"samples/{public.grid.name}", public.grid
    if public.evaluations:
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in public.evaluations]
        yield RECORD, "".join(lines).encode("utf-8", "backslashreplace")


def _to_json(value: Any) -> bytes:
    """A JSON file."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _claim_repository(hub: "HfApi", repo: Repo, private: bool) -> list[str]:
    """Create the repository, if there is none; the files that are in it already.

    Raises:
        UserError: it holds something else than a run, or others may see it and should not.
    """
    if not hub.repo_exists(repo.name):
        hub.create_repo(repo.name, private=private or None)
        return []

    info = hub.model_info(repo.name)
    if private and not info.private:
        raise UserError(
            f"{repo.written} is there already, and public; make it private on its page, or choose "
            "another name"
        )
    files = [one.rfilename for one in info.siblings or []]
    foreign = [file for file in files if not re.fullmatch(OURS, file) and file != ".gitattributes"]
    if foreign and "recipe.json" not in files:
        raise UserError(
            f"{repo.written} holds something else than a run of ganvas ({foreign[0]}); choose "
            "another name"
        )
    return files


def _commit(hub: "HfApi", repo: Repo, files: Mapping[str, Path | bytes], before: list[str]) -> str:
    """Send all files in one commit, which also removes what an older push has left.

    Returns:
        the address of the repository's page.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    old = [file for file in before if re.fullmatch(OURS, file) and file not in files]
    info = hub.create_commit(
        repo.name,
        [
            *(CommitOperationAdd(path, content) for path, content in files.items()),
            *(CommitOperationDelete(path) for path in old),
        ],
        commit_message="Publish a run of ganvas",
    )
    return str(info.repo_url)
