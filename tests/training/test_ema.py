"""Moving averages of weights."""

import copy

import torch
from tiny import make_gan

from ganvas.training.ema import EMA


def test_loaded_and_laid_out_weights_are_still_followed():
    gan = make_gan("dcgan")
    ema = EMA(gan, halflife=10, burn_in=1)
    other = {
        name: torch.randn_like(value) if value.is_floating_point() else value + 7
        for name, value in gan.state_dict().items()
    }
    ema.gan.load_state_dict(copy.deepcopy(ema.gan.state_dict()))
    gan.load_state_dict(other)
    for each in (gan, ema.gan):  # as the layout "channels_last" does
        for parameter in each.parameters():
            parameter.data = parameter.data.clone()

    before = copy.deepcopy(ema.state_dict())
    ema.update(images=10, batch=10)  # a half-life in one step
    after = ema.state_dict()
    for name, value in after.items():
        wanted = (before[name] + other[name]) / 2 if value.is_floating_point() else other[name]
        assert torch.allclose(value, wanted, rtol=1e-5, atol=1e-6), name
