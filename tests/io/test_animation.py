"""Animations: frames, order, durations, sizes, colours."""

import base64
import io
import re

import numpy as np
import pytest
from frames import read_frames
from PIL import Image
from written_runs import draw_grid

from ganvas.errors import UserError
from ganvas.io.animation import Animation, pick_evenly, write_timelapse


def test_a_timelapse_keeps_order_first_last_and_durations(tmp_path):
    grids = [tmp_path / f"{number:012d}.png" for number in range(130)]
    for number, grid in enumerate(grids):
        picture = Image.new("L", (132, 20), "white")
        picture.paste("black", (number, 0, number + 3, 20))
        picture.save(grid)
    write_timelapse(grids, tmp_path)
    for name, count, pace in (("timelapse.gif", 40, 150), ("timelapse.webp", 60, 100)):
        frames = read_frames(tmp_path / name)
        places = [int(np.array(frame.convert("L")).mean(axis=0).argmin()) for frame, _ in frames]
        assert len(frames) == count
        np.testing.assert_allclose(places, np.linspace(1, 130, count), atol=2)
        assert [milliseconds for _, milliseconds in frames] == [pace] * (count - 1) + [2000]


def test_a_timelapse_is_scaled_to_the_last_grid(tmp_path):
    grids = [tmp_path / "1.png", tmp_path / "2.png"]
    draw_grid(grids[0], 1, size=(300, 300), mode="RGB")
    draw_grid(grids[1], 2, size=(1440, 720))
    write_timelapse(grids, tmp_path)
    assert {frame.size for frame, _ in read_frames(tmp_path / "timelapse.gif")} == {(480, 240)}
    assert {frame.size for frame, _ in read_frames(tmp_path / "timelapse.webp")} == {(720, 360)}


def test_greys_of_a_gif_stay_exact(tmp_path):
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    turned = ramp.rotate(180)
    Animation([ramp, turned], 50).save(tmp_path / "walk.gif")
    found = read_frames(tmp_path / "walk.gif")
    for frame, (read, milliseconds) in zip([ramp, turned], found, strict=True):
        np.testing.assert_array_equal(np.array(read), np.array(frame.convert("RGB")))
        assert milliseconds == 50


def test_colours_of_a_gif_come_near(tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "white", "#123456")]
    Animation(frames, [50, 60, 70]).save(tmp_path / "walk.gif")
    found = read_frames(tmp_path / "walk.gif")
    assert [milliseconds for _, milliseconds in found] == [50, 60, 70]
    for frame, (read, _) in zip(frames, found, strict=True):
        np.testing.assert_allclose(np.array(read, int), np.array(frame, int), atol=4)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"'walk\.avi'.*\.webp or \.mp4"):
        Animation([Image.new("L", (2, 2))], 50).save(tmp_path / "walk.avi")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 57])
def test_evenly_keeps_the_ends(count):
    found = pick_evenly(range(count), 10)
    assert len(found) == min(count, 10)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, count - 1)


def test_a_notebook_plays_an_animation():
    frames = [Image.new("L", (8, 4), 60 * number) for number in range(4)]
    animation = Animation(frames, 50)
    assert "4 frames, 8x4 pixels" in repr(animation)

    (content,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', animation._repr_html_())
    with Image.open(io.BytesIO(base64.b64decode(content))) as film:
        assert film.n_frames == len(animation) == 4  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_repeats_or_is_shown_once(tmp_path, kind):
    frames = [Image.new("L", (4, 4), value) for value in (0, 255)]
    for repeat, loops in ((True, 0), (False, {"gif": None, "webp": 1}[kind])):
        Animation(frames, 50, repeat=repeat).save(tmp_path / f"walk.{kind}")
        with Image.open(tmp_path / f"walk.{kind}") as written:
            assert written.info.get("loop") == loops
