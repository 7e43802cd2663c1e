"""The theory lab: games on a line and in the plane that a person plays one update at a time."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import asdict
from typing import Any

import numpy as np

from ganvas.errors import UserError
from ganvas.studio.missing import find_named
from ganvas.theory import mathematics
from ganvas.theory.game import Game, Settings
from ganvas.theory.losses import LOSSES
from ganvas.theory.plane import PLANE_TARGETS, REACH, PlaneGame
from ganvas.theory.targets import BINS, CENTRES, STEP, TARGETS, Target

__all__ = ["Lab"]

MOST_GAMES = 16
MOST_UPDATES = 200  # of one request
LEAST_MASS = 1e-9  # of a drawn density


class Lab:
    """The games that are open, the last used kept."""

    def __init__(self) -> None:
        self.games: OrderedDict[str, Game | PlaneGame] = OrderedDict()
        self.lock = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """Which targets and losses there are, and where the points of curves lie."""
        return {
            "x": CENTRES.tolist(),
            "reach": REACH,
            "targets": {name: (t.masses / STEP).tolist() for name, t in TARGETS.items()},
            "plane_targets": list(PLANE_TARGETS),
            "losses": {name: loss.kind for name, loss in LOSSES.items()},
        }

    def begin(
        self, kind: str, target: str | list[Any], loss: str, penalty: float, seed: int
    ) -> Any:
        """Begin a game; returns its id and how it stands.

        Args:
            kind: "line" or "plane".
            target: a name; or what was drawn: the density at the `BINS` points of the line, or
                points of the plane.
            loss: of both players.
            penalty: weight of the penalty on the discriminator's slope.
            seed: random seed.

        Raises:
            UserError: a name is unknown, or nothing was drawn.
        """
        with self.lock:
            if kind == "plane":
                drawn = target if isinstance(target, str) else _read_points(target)
                game: Game | PlaneGame = PlaneGame(drawn, loss, penalty, seed)
            elif isinstance(target, str):
                game = Game(Settings(target, loss, penalty=penalty, seed=seed))
            else:
                settings = Settings(loss=loss, penalty=penalty, seed=seed)
                game = Game(settings, _read_density(target))
            game_id = secrets.token_hex(6)
            self.games[game_id] = game
            while len(self.games) > MOST_GAMES:
                self.games.popitem(last=False)
            return {"id": game_id} | _look(game, 0)

    def play(self, game_id: str, d: int, g: int, turns: int, rates: dict[str, float]) -> Any:
        """Update the discriminator `d` times, then the generator `g` times, and so on for a number
        of turns; returns how the game stands.

        Raises:
            MissingError: there is no such game, or it was closed for newer ones.
            UserError: too many updates, or a number is not finite.
        """
        if (d + g) * turns > MOST_UPDATES:
            raise UserError(f"at most {MOST_UPDATES} updates in one request")
        with self.lock:
            game = find_named(self.games, game_id)
            self.games.move_to_end(game_id)
            for player, rate in rates.items():
                game.set_rate(player, rate)
            for _ in range(turns):
                for _ in range(d):
                    game.update_discriminator()
                for _ in range(g):
                    game.update_generator()
            return _look(game, turns)


def _look(game: Game | PlaneGame, step: int) -> dict[str, Any]:
    """How a game stands, as plain values."""
    if isinstance(game, PlaneGame):
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(game.snapshot()).items()
        }

    moment = game.snapshot(step, 3)
    p_data = game.target.masses / STEP
    best = mathematics.optimal_discriminator(p_data, moment.p_g)
    return {
        "p_data": p_data.tolist(),
        "p_g": moment.p_g.tolist(),
        "discriminator": moment.discriminator.tolist(),
        "best": best.tolist(),
        "arrows": moment.arrows.tolist(),
        "value": moment.value,
        "js": moment.js,
        "distance": moment.distance,
        "unsure": moment.unsure,
        "modes": [moment.modes, len(game.target.modes)],
    }


def _read_density(drawn: list[Any]) -> Target:
    """A density that was drawn, at the `BINS` points of the line.

    Raises:
        UserError: other than so many numbers of 0 or more, or all are 0.
    """
    values = _read_array(drawn, (BINS,), f"a drawn density has {BINS} numbers of 0 or more")
    if values.min() < 0 or values.max() < LEAST_MASS:
        raise UserError("nothing was drawn; draw a hill above the line")
    masses = values / values.max()  # first, since the sum may be too large for a number
    masses = masses / masses.sum()
    return Target("drawn by hand", masses, _find_hills(masses))


def _find_hills(masses: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Where hills of a density begin and end: above a twentieth of its highest point."""
    high = np.concatenate([[False], masses > masses.max() / 20, [False]])
    edges = np.flatnonzero(high[1:] != high[:-1])  # begin, end, begin, end, ...
    return tuple(
        (float(CENTRES[begin]), float(CENTRES[end - 1]))
        for begin, end in zip(edges[::2], edges[1::2])
    )


def _read_points(drawn: list[Any]) -> np.ndarray:
    """Points that were drawn, float64 (P, 2).

    Raises:
        UserError: other than pairs of numbers within the plane.
    """
    points = _read_array(drawn, (len(drawn), 2), "drawn points are pairs of numbers")
    if len(points) == 0 or abs(points).max() > REACH:
        raise UserError("draw at least one point, inside the square")
    return points


def _read_array(values: list[Any], shape: tuple[int, ...], expected: str) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(expected) from None
    if array.shape != shape or not np.isfinite(array).all():
        raise UserError(expected)
    return array
