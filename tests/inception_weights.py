"""Weights for the Inception network: every name and size, with numbers made up here."""

import math

import numpy as np
import torch
from torch import Tensor

from ganvas.evaluation.metrics.inception_network import InceptionNetwork

with torch.device("meta"):
    SHAPES = {name: value.shape for name, value in InceptionNetwork().state_dict().items()}


def made_up() -> dict[str, Tensor]:
    """Random weights that keep the size of what they are given;

    NumPy promises the same ones for ever.
    """
    random = np.random.RandomState(0)
    state = {}
    for name, shape in sorted(SHAPES.items()):
        spread = torch.from_numpy(random.random_sample(shape).astype(np.float32)).mul_(2).sub_(1)
        if len(shape) > 1:
            state[name] = spread * math.sqrt(6 / shape[1:].numel())
        else:
            state[name] = spread / 4 + name.endswith(("bn.weight", "running_var"))
    return state
