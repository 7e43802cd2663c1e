"""The theory lab: begin games and play them."""

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from ganvas.studio.api.answers import Body, answer, parse, studio_of

__all__ = ["ROUTES"]


class GameBody(Body):
    """A game to begin; see `Lab.begin`."""

    kind: Literal["line", "plane"] = "line"
    target: str | list[Any] = "gaussian"
    loss: str = "non-saturating"
    penalty: float = Field(0.05, ge=0, le=100)
    seed: int = Field(0, ge=0, lt=2**31)


class PlayBody(Body):
    """Updates to play; see `Lab.play`. Rates are multiples of the usual ones."""

    d: int = Field(1, ge=0, le=50)
    g: int = Field(1, ge=0, le=50)
    turns: int = Field(1, ge=1, le=100)
    rates: dict[Literal["discriminator", "generator"], float] = {}


def describe_lab(request: Request, _: bytes) -> Any:
    """GET /api/lab: targets and losses."""
    return studio_of(request).lab.describe()


def begin_game(request: Request, body: bytes) -> Any:
    """POST /api/lab: begin a game."""
    wanted = parse(GameBody, body)
    lab = studio_of(request).lab
    return lab.begin(wanted.kind, wanted.target, wanted.loss, wanted.penalty, wanted.seed)


def play_game(request: Request, body: bytes) -> Any:
    """POST /api/lab/ID: play some updates."""
    wanted = parse(PlayBody, body)
    game_id = request.path_params["id"]
    rates = {str(player): rate for player, rate in wanted.rates.items()}
    return studio_of(request).lab.play(game_id, wanted.d, wanted.g, wanted.turns, rates)


ROUTES = [
    Route("/api/lab", answer(describe_lab), methods=["GET"]),
    Route("/api/lab", answer(begin_game), methods=["POST"]),
    Route("/api/lab/{id}", answer(play_game), methods=["POST"]),
]
