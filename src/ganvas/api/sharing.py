"""`ganvas.push` and `ganvas.zoo`: as the verbs."""

from pathlib import Path
from typing import overload

from ganvas.export.push import push_run
from ganvas.inference.run import Run, load
from ganvas.runs.zoo import ZOO, Generator, find_generator

__all__ = ["push", "zoo"]


def push(
    run: Run | str | Path,
    to: str,
    *,
    licence: str | None = None,
    private: bool = False,
    resumable: bool = False,
) -> str:
    """Publish a run on the Hugging Face Hub: its checkpoint, its recipe, its grid of samples, its
    evaluations, and a card that says how it was trained. No path and no name of a file of yours is
    among it.

    Args:
        run: a run, its folder, or one of its checkpoints.
        to: "hf:OWNER/NAME"; what an earlier call has put there is replaced.
        licence: what others may do with it, as the Hub calls it: "cc-by-4.0", "mit", ... It must be
            given.
        private: whether only its owner may see it.
        resumable: whether the states of the optimizers are published, too.

    Returns:
        the address of its page. `ganvas.load("hf:OWNER/NAME")` loads it.

    Raises:
        UserError: the name or the licence is none, there is no token, or the Hub refuses.
    """
    loaded = run if isinstance(run, Run) else load(run)
    return push_run(loaded, to, licence, private=private, resumable=resumable).url


@overload
def zoo(name: None = None) -> list[Generator]: ...


@overload
def zoo(name: str) -> Generator: ...


def zoo(name: str | None = None) -> list[Generator] | Generator:
    """List the ready-made generators that come with Ganvas, or describe one of them.

    Each has a `name`, such as "zoo:mnist", which stands wherever a run is accepted, what it
    `shows`, its `licence`, and a `card` that says how good it is, how it was trained and whose data
    it has learned from. `ganvas.load("zoo:mnist")` loads it.

    Args:
        name: of one, such as "zoo:mnist"; None: all of them, in a list.

    Raises:
        UserError: no generator has that name.
    """
    return [*ZOO.values()] if name is None else find_generator(name)
