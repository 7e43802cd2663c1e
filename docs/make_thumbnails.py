"""Write small copies of the pictures of measured runs, which the studio shows beside a time.

python docs/make_thumbnails.py
"""

from pathlib import Path

from PIL import Image

from ganvas.recipes.expectations import MEASURED

PICTURES = Path(__file__).parent / "pictures"
TARGET = Path(__file__).parents[1] / "src" / "ganvas" / "studio" / "static" / "expect"
SIDE = 640  # pixels of the longer side, at most


def main() -> None:
    """Replace all copies."""
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.webp"):
        old.unlink()
    for name in {run.picture for run in MEASURED}:
        with Image.open(PICTURES / name) as file:
            picture = file.convert("RGB")
        picture.thumbnail((SIDE, SIDE))
        picture.save(TARGET / f"{Path(name).stem}.webp", quality=70, method=6)


if __name__ == "__main__":
    main()
