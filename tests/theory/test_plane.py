"""The game in the plane: who moves when, and what is seen of it."""

import numpy as np
import pytest
import torch

from ganvas.errors import UserError
from ganvas.theory.losses import LOSSES
from ganvas.theory.plane import CELLS, NET, PLANE_TARGETS, PlaneGame


def weights(game: PlaneGame, player: str) -> torch.Tensor:
    """All weights of a player as one vector."""
    return torch.cat([one.detach().flatten() for one in game.players[player].parameters()]).clone()


@pytest.mark.parametrize("loss", LOSSES)
def test_an_update_changes_one_player_alone(loss: str):
    game = PlaneGame("ring", loss)
    before = {player: weights(game, player) for player in game.players}
    game.update_discriminator()
    assert not torch.equal(weights(game, "discriminator"), before["discriminator"])
    assert torch.equal(weights(game, "generator"), before["generator"])

    before = {player: weights(game, player) for player in game.players}
    game.update_generator()
    assert torch.equal(weights(game, "discriminator"), before["discriminator"])
    assert not torch.equal(weights(game, "generator"), before["generator"])
    assert game.snapshot().steps == (1, 1)


@pytest.mark.parametrize("target", PLANE_TARGETS)
def test_what_is_seen_has_its_shape_and_changes_nothing(target: str):
    game, other = PlaneGame(target), PlaneGame(target)
    seen = game.snapshot()
    assert seen.discriminator.shape == (CELLS, CELLS) and seen.net.shape == (NET, NET, 2)
    assert ((seen.discriminator >= 0) & (seen.discriminator <= 1)).all()
    assert abs(seen.real).max() < 1.5 and 0 <= seen.covered <= 1
    for one in (game, other):
        one.update_discriminator()
    assert torch.equal(weights(game, "discriminator"), weights(other, "discriminator"))


def test_training_covers_the_data():
    game = PlaneGame("moons", penalty=0.5)
    before = game.snapshot().covered
    for _ in range(250):
        game.update_discriminator()
        game.update_generator()
    assert game.snapshot().covered > max(0.6, before)


def test_drawn_points_are_the_data():
    game = PlaneGame(np.array([[0.5, -0.5]]))
    torch.testing.assert_close(
        game.real(4000).mean(0), torch.tensor([0.5, -0.5]), atol=0.01, rtol=0
    )


def test_wrong_games_are_refused():
    with pytest.raises(UserError, match="unknown target 'rign'; did you mean ring"):
        PlaneGame("rign")
    with pytest.raises(UserError, match="unknown loss"):
        PlaneGame("ring", "hing")
    with pytest.raises(UserError, match="no points"):
        PlaneGame(np.zeros((0, 2)))
