"""Give a run the weights of another one, as far as they fit by name, shape and type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans.base import GAN, count_classes
from ganvas.gans.frozen import freeze_blocks
from ganvas.io.files import hash_file
from ganvas.recipes.origin import Origin
from ganvas.runs.checkpoint import CheckpointError, load_gan, read_checkpoint_recipe
from ganvas.training.state import TrainingState, read_moments, set_moments

__all__ = ["ORIGIN_FILE", "Beginning", "begin_with"]

ORIGIN_FILE = "origin.json"  # in the run folder: what was taken, tensor by tensor
MOST_NAMED = 3  # tensors that a line names


@dataclass
class Beginning:
    """The tensors of a new run that come from another one, and those that do not.

    Attributes:
        checkpoint: that they come from.
        taken: names of those that are equal.
        partly: names of embeddings of which some classes are taken, and the names of these.
        new: names of the others, and why.
    """

    checkpoint: str
    taken: list[str] = field(default_factory=list)
    partly: dict[str, list[str]] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)

    def describe(self) -> list[str]:
        """What was taken, in a line a player."""
        names = [*self.taken, *self.partly, *self.new]
        players = dict.fromkeys(name.partition(".")[0] for name in names)
        return [f"from: {self.checkpoint}", *(self._describe_player(each) for each in players)]

    def _describe_player(self, player: str) -> str:
        """How many of a player's tensors were taken, and which were not."""
        start = f"{player}."
        taken = sum(name.startswith(start) for name in self.taken)
        partly = [
            f"{name.removeprefix(start)} the {'class' if len(classes) == 1 else 'classes'} "
            f"{', '.join(classes[:MOST_NAMED])}{_count_more(classes)}"
            for name, classes in self.partly.items()
            if name.startswith(start)
        ]
        new = [
            f"{name.removeprefix(start)} ({reason})"
            for name, reason in self.new.items()
            if name.startswith(start)
        ]
        words = f"{player}: {taken} of {taken + len(partly) + len(new)} tensors taken"
        if partly:
            words += f"; and of {', '.join(partly)}"
        if new:
            words += f"; new: {', '.join(new[:MOST_NAMED])}{_count_more(new)}"
        return words

    def record(self) -> dict[str, Any]:
        """Everything, for `origin.json`."""
        return {
            "checkpoint": self.checkpoint,
            "taken": self.taken,
            "partly": self.partly,
            "new": self.new,
        }


def _count_more(names: Sequence[str]) -> str:
    """How many of several things are not named."""
    return f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""


def begin_with(state: TrainingState, origin: Origin) -> Beginning:
    """Give a run the weights and buffers of another one that fit it by name, shape and type.

    Args:
        state: with first weights; it is changed in place.
        origin: the other run's checkpoint, and what is taken from it.

    Raises:
        UserError: it is gone, was changed or is damaged, nothing in it fits, or what shall stay
            as it is was not taken.
    """
    path = Path(origin.checkpoint)
    _check_unchanged(path, origin)
    other, about = load_gan(path, ema=origin.weights == "ema")
    beginning, values = _match_tensors(state.gan, other, origin)
    _check_frozen(state.gan, beginning)

    # In place: optimizers and EMA hold these very tensors.
    state.gan.load_state_dict(values, strict=False)
    if state.ema:
        state.ema.gan.load_state_dict(values, strict=False)
    if origin.optimizers:
        _take_moments(state, other, about, path, set(beginning.taken))
    return beginning


def _check_unchanged(path: Path, origin: Origin) -> None:
    """Refuse a checkpoint that is not the one that the recipe names.

    Raises:
        UserError: it is gone or another one.
    """
    file = path / "about.json"
    if not file.is_file():
        raise UserError(
            f"{path} is gone: a run begins with its weights, and needs it until its own first "
            "checkpoint; bring it back, or begin with another --from and another --out"
        )
    if hash_file(file) != origin.digest:
        raise CheckpointError(
            f"{file} is not what it was when this run was begun; begin another one, with "
            "another --out"
        )


def _match_tensors(gan: GAN, other: GAN, origin: Origin) -> tuple[Beginning, dict[str, Tensor]]:
    """Compare the tensors of a GAN with those of another one.

    Returns:
        What fits, and the values to load, by name.

    Raises:
        UserError: nothing does.
    """
    found = Beginning(origin.checkpoint)
    values: dict[str, Tensor] = {}
    theirs = other.state_dict()
    embeddings = _list_class_tensors(gan) if gan.classes != other.classes else set()

    for name, own in gan.state_dict().items():
        given = theirs.get(name)
        if "." not in name:
            # Not of a player but of the game, such as how often images are augmented, which
            # follows from the data.
            continue
        if given is None:
            found.new[name] = "not there"
        elif name in embeddings and own.shape[1:] == given.shape[1:]:
            # The rows belong to classes, so they are found by the names of these.
            values[name], shared = _match_rows(own, given, gan, other)
            if shared:
                found.partly[name] = shared
            else:
                found.new[name] = "other classes"
        elif own.shape != given.shape or own.dtype != given.dtype:
            found.new[name] = f"{_describe_shape(own)}, there {_describe_shape(given)}"
        else:
            values[name] = given
            found.taken.append(name)

    if not any(name in dict(gan.named_parameters()) for name in (*found.taken, *found.partly)):
        name, reason = next(iter(found.new.items()))
        raise UserError(
            f"no weights of {origin.checkpoint} fit, e.g. {name}: {reason}; use its --size, "
            "--channels and options, as ganvas train auto --from does"
        )
    return found, values


def _list_class_tensors(gan: GAN) -> set[str]:
    """The names of tensors with a row for each class: weights of embeddings."""
    return {
        name
        for place, module in gan.named_modules()
        if isinstance(module, nn.Embedding) and module.num_embeddings == count_classes(gan)
        for name in (f"{place}.weight", f"{place}.parametrizations.weight.original")
    }


def _match_rows(own: Tensor, given: Tensor, gan: GAN, other: GAN) -> tuple[Tensor, list[str]]:
    """An embedding (classes, E) with the rows of classes that have the same name in both GANs.

    Returns:
        The embedding, and the names of these classes.
    """
    rows = own.detach().cpu().clone()
    shared = [name for name in gan.classes if name in other.classes]
    for name in shared:
        rows[gan.classes.index(name)] = given[other.classes.index(name)]
    return rows, shared


def _describe_shape(tensor: Tensor) -> str:
    """The shape of a tensor: "24x48x4x4"."""
    return "x".join(str(side) for side in tensor.shape) or "a number"


def _check_frozen(gan: GAN, beginning: Beginning) -> None:
    """Refuse to freeze weights that are random.

    Raises:
        UserError: names the first one.
    """
    for name, parameter in gan.named_parameters():
        if not parameter.requires_grad and name in beginning.new:
            raise UserError(
                f"origin.frozen: {name} would stay random, since it does not fit "
                f"({beginning.new[name]}); freeze fewer blocks, or none"
            )


def _take_moments(
    state: TrainingState, other: GAN, about: Mapping[str, Any], path: Path, taken: set[str]
) -> None:
    """Give the optimizers the moments of those weights that were taken whole.

    Raises:
        UserError: the checkpoint has no moments.
    """
    if "training.safetensors" not in about["files"]:
        raise UserError(
            f"{path} has no moments of its optimizers, since it is for use alone: leave out "
            "origin.optimizers"
        )
    theirs = read_checkpoint_recipe(path, dict(about)).origin
    freeze_blocks(other, theirs.frozen if theirs else 0)
    moments = read_moments(path, dict(about), other.players())
    by_name = {
        name: moments[player][index]
        for player in moments
        for index, name in enumerate(_list_learned(other, player))
    }
    found = {
        player: {
            index: by_name[name]
            for index, name in enumerate(_list_learned(state.gan, player))
            if name in taken and name in by_name
        }
        for player in state.optimizers
    }
    set_moments(state.optimizers, found)


def _list_learned(gan: GAN, player: str) -> list[str]:
    """The names of the parameters that a player learns, in the order of its optimizer."""
    network = gan.get_submodule(player)
    return [
        f"{player}.{name}"
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    ]
