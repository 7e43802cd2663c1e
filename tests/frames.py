"""The frames of an animation, for tests that look at them."""

from pathlib import Path

from PIL import Image


def read_frames(path: Path) -> list[tuple[Image.Image, int]]:
    """Each frame's image and milliseconds."""
    with Image.open(path) as film:
        found = []
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            film.load()
            found.append((film.convert("RGB"), film.info["duration"]))
        return found
