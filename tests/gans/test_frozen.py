"""Blocks of discriminators that stay as they are."""

import pytest
import torch
from tiny import copy_weights, make_batch, make_context, make_gan, refused_in_one_line
from tiny import take_first_step as take_step

from ganvas.gans import GANS
from ganvas.gans.frozen import freeze_blocks, list_blocks


@pytest.mark.parametrize("name", GANS)
def test_frozen_weights_stay_and_all_others_move(name: str):
    gan = make_gan(name, size=16, channels=3)
    for parameter in gan.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)  # or nothing passes them back
    every = {player: len(values) for player, values in gan.players().items()}
    frozen = freeze_blocks(gan, 1)
    before = copy_weights(gan)
    take_step(make_context(gan, lr=1e-2), make_batch(gan, 6))

    same = {key for key, value in gan.named_parameters() if torch.equal(value, before[key])}
    assert frozen and set(frozen) <= same
    # Biases before a norm have no effect, so they may rest, too.
    assert all(key.endswith("bias") for key in same - set(frozen))
    for player, values in gan.players().items():
        lost = sum(key.startswith(f"{player}.") for key in frozen)
        assert len(values) == every[player] - lost
        assert bool(lost) == ("discriminator" in player)


@pytest.mark.parametrize(
    ("name", "kinds"),
    {
        "mlp": ["Linear", "Linear"],
        "dcgan": ["Conv2d", "Conv2d BatchNorm2d", "Conv2d"],  # a norm follows its layer
        "relativistic": ["Conv2d", "Conv2d", "Linear", "Linear", "Embedding"],
        "r3gan": ["Conv2d", *["Block"] * 6, "Conv2d", "Linear", "Embedding"],
    }.items(),
)
def test_blocks_are_layers_or_residual_blocks_from_the_image_on(name: str, kinds: list[str]):
    gan = make_gan(name, size=16, channels=3)
    blocks = list_blocks(gan.get_submodule("discriminator"))
    found = [
        " ".join(
            type(module).__name__ for module in block if any(True for _ in module.parameters())
        )
        for block in blocks
    ]
    assert found == kinds


def test_one_block_must_learn():
    gan = make_gan("mlp")
    refused_in_one_line(
        lambda: freeze_blocks(gan, 2),
        r"origin\.frozen=2: the discriminator has 2 blocks, and one must learn; at most 1 can stay",
    )
    assert all(parameter.requires_grad for parameter in gan.parameters())
    assert freeze_blocks(gan, 0) == []
