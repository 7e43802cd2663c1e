"""JPEGs are the same images with and without the fast decoder, which is optional."""

import importlib
import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.io import image_files, jpeg
from ganvas.io.resizing import resize

pytest.importorskip("simplejpeg", reason='needs pip install "ganvas[jpeg]"')


def encode(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    """A picture of waves, with noise as of a camera."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 15 + y / 29 + phase) * np.cos(y / (14 + phase)) for phase in (0, 1, 2)]
    noise = np.random.default_rng(0).normal(0, 8, (height, width, 3))
    values = (np.stack(waves, 2) * 100 + 128 + noise).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).convert(mode).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def read_both(
    content: bytes, channels: int, least: int, patch: pytest.MonkeyPatch
) -> tuple[image_files.Picture, image_files.Picture]:
    """A picture as the fast decoder and as Pillow alone reads it."""
    assert jpeg.decode_jpeg(content, least, 10**9) is not None
    fast = image_files.read(content, channels, least=least)
    with patch.context() as without:
        without.setattr(jpeg, "simplejpeg", None)
        assert jpeg.decode_jpeg(content, least, 10**9) is None
        slow = image_files.read(content, channels, least=least)
    assert (fast.mode, fast.size, fast.turned) == (slow.mode, slow.size, slow.turned)
    return fast, slow


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_whole_image_is_the_same_in_every_bit(mode, channels, options, monkeypatch):
    fast, slow = read_both(encode(123, 77, mode, **options), channels, 0, monkeypatch)
    assert torch.equal(fast.pixels, slow.pixels)


@pytest.mark.parametrize(("side", "least", "most"), [(512, 128, 0.0), (800, 300, 0.6)])
def test_a_large_image_is_nearly_the_same(side, least, most, monkeypatch):
    """Read at a quarter by both, it is the same; at 3/8, which Pillow alone cannot, nearly."""
    fast, slow = read_both(encode(side, side), 3, least, monkeypatch)
    small = [resize(each.pixels[None], least // 2, least // 2).float() for each in (fast, slow)]
    difference = (small[0] - small[1]).abs().mean().item()
    assert difference <= most
    assert (difference > 0) == (fast.pixels.shape != slow.pixels.shape)


def test_images_are_read_where_the_decoder_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "simplejpeg", None)
        importlib.reload(jpeg)
        assert image_files.read(encode(20, 10), 3).pixels.shape == (3, 10, 20)
        assert jpeg.simplejpeg is None
    assert importlib.reload(jpeg).simplejpeg is not None
