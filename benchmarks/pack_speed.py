"""How fast images are packed, against a plain Pillow loop, in turns within one run.

    python benchmarks/pack_speed.py [FOLDER_OR_ZIP] [--size 64] [--count 10000] [--repeats 3]
    python benchmarks/pack_speed.py --photos 120

Without a folder or zip, smooth random images of 64 pixels are made and saved as JPEG. The loop
opens each file, converts it to RGB, resizes it with Pillow's bicubic filter and makes an array; it
writes nothing. Packing includes everything that a first `open_dataset` does: listing, decoding,
resizing, writing, syncing, the digest.

With --photos that many photographs of 12 megapixels are drawn, of which every second one lies on
its side, as EXIF says. Each is read whole and at a fraction of its size, in turns, and both results
are compared.
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
from PIL import Image, ImageDraw

from ganvas.data import View, open_dataset
from ganvas.data.parallel import count_cores
from ganvas.data.parts import ENOUGH
from ganvas.io import image_files
from ganvas.io.resizing import to_square


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
    parser.add_argument(
        "--photos", type=int, default=0, help="how many photographs to read instead"
    )
    arguments = parser.parse_args()
    if arguments.photos:
        compare_photos(arguments.photos)
        return
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


def draw_photo(number: int) -> bytes:
    """A JPEG of 4000x3000: noise of all sizes, discs and rectangles; every second one turned."""
    random = np.random.default_rng(number)
    layers = []
    for side in (8, 40, 200, 1000, 4000):
        noise = random.integers(0, 256, (side * 3 // 4, side, 3), np.uint8)
        layers.append(Image.fromarray(noise).resize((4000, 3000)))
    photo = layers[0]
    for layer, weight in zip(layers[1:], (0.5, 0.3, 0.2, 0.06)):
        photo = Image.blend(photo, layer, weight)

    pen = ImageDraw.Draw(photo)
    for shape in range(200):
        left, top, side = (int(random.integers(0, most)) for most in (4000, 3000, 400))
        draw = pen.ellipse if shape % 2 else pen.rectangle
        colour = tuple(random.integers(0, 256, 3).tolist())
        draw((left, top, left + side, top + side), fill=colour)

    exif = Image.Exif()
    exif[0x0112] = 6 if number % 2 else 1
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=92, exif=exif)
    return file.getvalue()


def compare_photos(count: int) -> None:
    """Print how much faster photographs are read at a fraction, and how much that changes."""
    sizes = (64, 128)
    whole_seconds = dict.fromkeys(sizes, 0.0)
    part_seconds = dict.fromkeys(sizes, 0.0)
    differences: dict[int, list[np.ndarray]] = {size: [] for size in sizes}

    for number in range(count):
        content = draw_photo(number)
        for size in sizes:
            start = time.perf_counter()
            whole = read_square(content, size, 0)
            middle = time.perf_counter()
            part = read_square(content, size, ENOUGH * size)
            part_seconds[size] += time.perf_counter() - middle
            whole_seconds[size] += middle - start
            differences[size].append(np.abs(whole.astype(int) - part))

    print(f"{count} photographs of 12 megapixels, read whole and at a fraction, in turns")
    for size in sizes:
        found = np.stack(differences[size])
        print(
            f"to {size}x{size}: {count / whole_seconds[size]:.2f} and "
            f"{count / part_seconds[size]:.2f} images/s, "
            f"{whole_seconds[size] / part_seconds[size]:.1f} times as fast; "
            f"levels of 255 differ by {found.mean():.2f} in the mean, {found.max()} at most, "
            f"{(found > 4).mean():.2%} by more than 4"
        )


def read_square(content: bytes, size: int, least: int) -> np.ndarray:
    """A photograph as training sees it, uint8 (3, size, size)."""
    pixels = image_files.read(content, 3, least=least).pixels
    return to_square(pixels[None], size, "crop", "white")[0].numpy()


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
