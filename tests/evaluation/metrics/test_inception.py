"""The Inception network with weights made up here: names, sizes, conventions, and the numbers of
torch-fidelity.
"""

import hashlib
import json

import numpy as np
import pytest
import torch
from inception_weights import SHAPES
from PIL import Image
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics import inception
from ganvas.evaluation.metrics.inception import (
    Inception,
    resize_clean,
    resize_legacy,
)

# By torch-fidelity 0.4.0, see below: every 207th value and every 144th logit.
GOLDEN_VALUES = [
    0.0,
    0.240633,
    0.355193,
    1.193736,
    0.684815,
    0.183081,
    0.788955,
    0.13076,
    0.218726,
    0.765208,
]
GOLDEN_LOGITS = [-1.726929, 0.008661, -1.89604, 0.946452, 1.031959, -2.172555, -2.257982]


def pictures(count: int, channels: int, height: int, width: int) -> Tensor:
    """uint8 (N, C, H, W): slanted ramps, another slant in each image."""
    number, channel, row, column = torch.meshgrid(
        *(torch.arange(n) for n in (count, channels, height, width)), indexing="ij"
    )
    return ((row * (3 + 4 * number) + column * (11 - 5 * number) + 70 * channel) % 256).to(
        torch.uint8
    )


def close(a: Tensor, b: Tensor, relative: float) -> bool:
    return bool((a - b).abs().max() <= relative * b.abs().max())


# The network


def test_names_and_shapes():
    counts = {name: shape.numel() for name, shape in SHAPES.items()}
    assert len(counts) == 94 * 5 + 2
    assert sum(counts.values()) == 23_885_392
    assert sum(count for name, count in counts.items() if ".running_" in name) == 34_432

    convolutions = sum(count for name, count in counts.items() if ".conv." in name)
    assert convolutions == 23_885_392 - 4 * 34_432 // 2 - 2049 * 1008

    expected = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_1a_3x3.bn.weight": (32,),
        "Conv2d_1a_3x3.bn.bias": (32,),
        "Conv2d_1a_3x3.bn.running_mean": (32,),
        "Conv2d_1a_3x3.bn.running_var": (32,),
        "Conv2d_2a_3x3.conv.weight": (32, 32, 3, 3),
        "Conv2d_2b_3x3.conv.weight": (64, 32, 3, 3),
        "Conv2d_3b_1x1.conv.weight": (80, 64, 1, 1),
        "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3),
        "Mixed_5b.branch1x1.conv.weight": (64, 192, 1, 1),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_5c.branch3x3dbl_1.conv.weight": (64, 256, 1, 1),
        "Mixed_5d.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
        "Mixed_6a.branch3x3dbl_3.bn.bias": (96,),
        "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
        "Mixed_6b.branch7x7_3.conv.weight": (192, 128, 7, 1),
        "Mixed_6c.branch7x7dbl_2.conv.weight": (160, 160, 7, 1),
        "Mixed_6d.branch7x7dbl_5.conv.weight": (192, 160, 1, 7),
        "Mixed_6e.branch_pool.conv.weight": (192, 768, 1, 1),
        "Mixed_7a.branch3x3_2.conv.weight": (320, 192, 3, 3),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7b.branch3x3_2a.conv.weight": (384, 384, 1, 3),
        "Mixed_7b.branch3x3_2b.conv.weight": (384, 384, 3, 1),
        "Mixed_7b.branch3x3dbl_1.conv.weight": (448, 1280, 1, 1),
        "Mixed_7c.branch3x3dbl_3b.bn.running_var": (384,),
        "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1),
        "fc.weight": (1008, 2048),
        "fc.bias": (1008,),
    }

    assert {name: tuple(SHAPES[name]) for name in expected} == expected


def test_the_numbers_of_torch_fidelity(file):
    """What torch-fidelity 0.4.0 answers ("2048", "logits_unbiased") to the same weights and
    image.

    Reproduce it with `FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"],
    feature_extractor_weights_path=...)`.
    """
    seen = Inception(file, resize="legacy")(pictures(1, 3, 45, 28))
    assert seen.logits is not None
    torch.testing.assert_close(
        seen.values[0, ::207], torch.tensor(GOLDEN_VALUES), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        seen.logits[0, ::144], torch.tensor(GOLDEN_LOGITS), rtol=1e-4, atol=1e-5
    )


# The extractor


@pytest.mark.parametrize(("channels", "height", "width"), [(3, 37, 501), (1, 1, 1)])
def test_any_size(clean, channels, height, width):
    seen = clean(pictures(1, channels, height, width))
    assert (seen.values.shape, seen.logits.shape) == ((1, 2048), (1, 1008))
    assert seen.values.dtype == seen.logits.dtype == torch.float32
    assert seen.values.isfinite().all() and seen.values.min() >= 0 and seen.values.std() > 0.01


def test_training_mode_changes_nothing(clean):
    images = pictures(1, 3, 30, 30)
    before = clean(images)
    clean.network.train()
    assert clean.network.training
    after = clean(images)
    assert torch.equal(before.values, after.values) and torch.equal(before.logits, after.logits)
    assert not any(parameter.requires_grad for parameter in clean.network.parameters())


def test_an_image_does_not_depend_on_the_others(clean, monkeypatch):
    monkeypatch.setattr(inception, "CHUNK", 2)
    images = pictures(3, 3, 30, 30)
    together = clean(images)
    for number in (1, 2):
        alone = clean(images[number : number + 1])
        assert close(alone.values[0], together.values[number], 1e-5)
        assert close(alone.logits[0], together.logits[number], 1e-5)
    assert not close(together.values[0], together.values[1], 1e-3)


def test_grey_is_repeated(clean):
    grey = pictures(1, 1, 30, 30)
    assert close(clean(grey).values, clean(grey.expand(-1, 3, -1, -1)).values, 1e-5)


def test_other_channels(clean):
    with pytest.raises(UserError, match="grey or RGB images; these have 4 channels"):
        clean(pictures(1, 4, 30, 30))


def test_the_protocol_describes_what_decides_the_values(file, clean):
    legacy = Inception(file, resize="legacy")
    assert json.loads(json.dumps(clean.protocol)) == clean.protocol
    assert clean.protocol["extractor"] == "inception"
    assert (
        clean.protocol["weights"]
        == legacy.protocol["weights"]
        == hashlib.sha256(file.read_bytes()).hexdigest()
    )
    assert (clean.protocol["resize"].split(":")[0], legacy.protocol["resize"].split(":")[0]) == (
        "clean",
        "legacy",
    )


# Resizing


@pytest.mark.parametrize(("height", "width"), [(32, 48), (400, 310)])
def test_clean_is_pillows_bicubic_in_float(height, width):
    images = pictures(1, 3, height, width)
    planes = [
        Image.fromarray(plane.float().numpy()).resize((299, 299), Image.Resampling.BICUBIC)
        for plane in images[0]
    ]
    wanted = torch.tensor(np.stack([np.asarray(plane) for plane in planes]))
    found = resize_clean(images.float())[0]
    assert found.min() < 0 and found.max() > 255  # neither clipped nor rounded
    torch.testing.assert_close(found, wanted, rtol=0, atol=0.01)


def test_legacy_is_tensorflows_bilinear():
    ramp = torch.tensor([0.0, 100.0]).view(1, 1, 1, 2)
    wanted = (100 * torch.arange(299) * 2 / 299).clamp(max=100)
    assert torch.allclose(resize_legacy(ramp), wanted.expand(1, 1, 299, 299), atol=1e-4)
    assert torch.allclose(resize_legacy(ramp.mT), wanted[:, None].expand(1, 1, 299, 299), atol=1e-4)


def test_only_clean_looks_at_every_pixel():
    board = (
        (torch.arange(598)[:, None] + torch.arange(598))
        .remainder(2)
        .mul(255.0)
        .expand(1, 1, 598, 598)
    )
    assert torch.equal(resize_legacy(board), torch.zeros(1, 1, 299, 299))
    assert (resize_clean(board) - 127.5).abs().mean() < 1


def test_images_of_the_right_size_stay():
    images = pictures(1, 3, 299, 299).float()
    assert torch.equal(resize_legacy(images), images)
    assert torch.allclose(resize_clean(images), images, atol=1e-3)
