"""Films: frames, paces, odd sides, and what is said where ffmpeg is missing."""

import importlib.util
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.errors import UserError
from ganvas.io.animation import Animation
from ganvas.io.films import encode_film

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra mp4 is not installed")
COLOURS = ("red", "white", "#123456")


def read_film(path: Path) -> tuple[str, np.ndarray]:
    """What ffmpeg says of a film, and its frames, uint8 (N, H, W, 3)."""
    tool = imageio_ffmpeg.get_ffmpeg_exe()
    words = [tool, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(words, capture_output=True, check=True)
    about = done.stderr.decode()
    width, height = re.search(r"h264.*?, (\d+)x(\d+)", about).groups()
    return about, np.frombuffer(done.stdout, np.uint8).reshape(-1, int(height), int(width), 3)


def test_frames_come_back_in_order_and_pace(tmp_path: Path):
    frames = [Image.new("RGB", (32, 24), colour) for colour in COLOURS]
    Animation(frames, 40).save(tmp_path / "walk.mp4")
    about, found = read_film(tmp_path / "walk.mp4")
    assert " 25 fps" in about
    assert len(found) == 3
    for frame, read in zip(frames, found, strict=True):
        np.testing.assert_allclose(read.astype(int), np.array(frame, int), atol=12)


def test_a_frame_that_stays_longer_is_repeated(tmp_path: Path):
    frames = [Image.new("L", (16, 16), grey) for grey in (0, 255)]
    Animation(frames, [100, 300]).save(tmp_path / "walk.mp4")
    about, found = read_film(tmp_path / "walk.mp4")
    assert " 10 fps" in about
    assert [round(frame.mean() / 255) for frame in found] == [0, 1, 1, 1]


def test_odd_sides_get_one_pixel_more(tmp_path: Path):
    frame = Image.new("RGB", (15, 9), "white")
    Animation([frame] * 2, 50).save(tmp_path / "walk.mp4")
    _, found = read_film(tmp_path / "walk.mp4")
    assert found.shape == (2, 10, 16, 3)
    assert found.min() > 240


def test_without_ffmpeg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "ganvas\[video\]"'):
        encode_film([Image.new("RGB", (8, 8))], 50)
