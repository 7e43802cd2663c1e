"""How fast images are packed, against a plain Pillow loop, in turns within one run.

    python benchmarks/pack_speed.py [FOLDER_OR_ZIP] [--size 64] [--count 10000] [--repeats 3]

Without a folder or zip, smooth random images of 64 pixels are made and saved as JPEG. The loop
opens each file, converts it to RGB, resizes it with Pillow's bicubic filter and makes an array; it
writes nothing. Packing includes everything that a first `open_dataset` does: listing, decoding,
resizing, writing, syncing, the digest.
"""

import argparse
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.data.parallel import count_cores


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place", type=Path, nargs="?", help="a folder or zip of images")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument(
        "--count", type=int, default=10_000, help="how many images to make, without a place"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="how often each is measured; the best counts"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = arguments.place or make_pictures(Path(scratch) / "images", arguments.count)
        plain, packed = [], []
        for number in range(arguments.repeats):
            plain.append(measure_plain(place, arguments.size))
            packed.append(measure_packing(place, arguments.size, Path(scratch) / f"cache-{number}"))
        print(
            f"{place}: to {arguments.size}x{arguments.size} on {count_cores()} cores, "
            f"best of {arguments.repeats}"
        )
        print(f"plain Pillow loop  {max(plain):8,.0f} images/s")
        print(
            f"open_dataset       {max(packed):8,.0f} images/s   "
            f"{max(packed) / max(plain):.1f} times as fast"
        )


def make_pictures(folder: Path, count: int) -> Path:
    """Save smooth random images, 64x64, as JPEG."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        small = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        small.resize((64, 64), Image.Resampling.BICUBIC).save(
            folder / f"{number:05}.jpg", quality=90
        )
    return folder


def contents(place: Path) -> Iterator[bytes]:
    """The bytes of every image."""
    if place.is_dir():
        for path in sorted(place.rglob("*.jpg")):
            yield path.read_bytes()
        return
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".jpg"):
                yield archive.read(name)


def measure_plain(place: Path, size: int) -> float:
    """Images a second of the loop that everyone writes first."""
    start = time.perf_counter()
    count = 0
    for content in contents(place):
        image = Image.open(io.BytesIO(content)).convert("RGB")
        np.array(
            image.resize((size, size), Image.Resampling.BICUBIC)
            if image.size != (size, size)
            else image
        )
        count += 1
    return count / (time.perf_counter() - start)


def measure_packing(place: Path, size: int, cache: Path) -> float:
    """Images a second of a first `open_dataset`, with an empty cache."""
    os.environ["GANVAS_CACHE"] = str(cache)
    start = time.perf_counter()
    dataset = open_dataset(str(place), View(size=size))
    return len(dataset) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
