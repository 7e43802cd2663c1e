"""Write docs/index.md and docs/index.zh.md, the start pages with the gallery, and its pictures.

    python docs/make_gallery.py

What recipes do and where their pictures come from is in gallery.toml; times are those of the
catalogue and of the measured runs; the words above the gallery are those of the README.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from ganvas.recipes.catalogue import CATALOGUE, YOURS
from ganvas.recipes.expectations import MEASURED

DOCS = Path(__file__).parent
CARDS = DOCS / "gallery.toml"
PICTURES = DOCS / "pictures"
TARGET = PICTURES / "gallery"
SIDE = 256  # pixels of a picture of the gallery
# What --data names as an example, by the kind of data.
EXAMPLES = {
    YOURS: "./faces",
    "yours": "./faces",
    "image pairs": "pairs:./facades",
    "two folders": "unpaired:./seasons",
    "attributes": "attributes:./celeba",
    "captions": "captions:./portraits",
}
SECONDS = {run[0] + "/" + run.picture: run.seconds for run in reversed(MEASURED)}
README = ("README.md", "README.zh.md")
PAGES = ("index.md", "index.zh.md")
# In English and in Chinese.
HEADINGS = ("Gallery", "画廊")
INTRODUCTIONS = (
    "Each recipe with the time that its whole run takes on one CPU core, where that was measured "
    "([how](results.md)), its command, and what it has learned. `ganvas recipes` lists them, too.",
    "每个配方都附有命令、它学到的东西，以及完整运行在单个 CPU 核上的用时（若测量过，"
    "见[怎样测量](results.md)）。`ganvas recipes` 也会列出它们。",
)
COLUMNS = ("| picture | recipe, time, command |", "| 图像 | 配方、用时、命令 |")
WHOLE = ("whole run: {}", "完整运行：{}")
UNKNOWN = ("whole run: not measured", "完整运行：没有测量")
SHOWN = ("picture: {}", "图像：{}")
AFTER = ("after {:,} s", "{:,} 秒后")
MISSING = ("no picture yet", "还没有图像")
COMMA, COLON, UNITS = (", ", "，"), (": ", "："), {"min": "分钟", "s": "秒"}


def read_groups() -> list[dict[str, Any]]:
    """The groups of the gallery, each with its cards."""
    return tomllib.loads(CARDS.read_text(encoding="utf-8"))["group"]


def make_command(recipe: str) -> str:
    """The command that trains a recipe, with a folder as an example where it needs one."""
    data = "yours" if recipe == "auto" else CATALOGUE[recipe].data
    named = f" --data {EXAMPLES[data]}" if data in EXAMPLES else ""
    return f"ganvas train {recipe}{named}"


def describe_time(card: dict[str, Any], language: int) -> str:
    """How long the whole run takes, and after how long the picture was made.

    Args:
        card: of gallery.toml.
        language: 0 for English, 1 for Chinese.
    """
    parts = []
    recipe = card["recipe"]
    if recipe != "auto":  # it takes as long as it is given
        amount, _, unit = CATALOGUE[recipe].cpu_time.partition(" ")
        unit = UNITS[unit] if unit and language else unit
        parts.append(WHOLE[language].format(f"{amount} {unit}") if unit else UNKNOWN[language])
    if "source" in card:
        seconds = card.get("seconds") or SECONDS.get(f"{recipe}/{card['source']}")
        shown = [AFTER[language].format(seconds)] if seconds else []
        shown += [card["note"][language]] if "note" in card else []
        parts.append(SHOWN[language].format(COMMA[language].join(shown)))
    return "<br>".join(parts)


def write_card(card: dict[str, Any], language: int) -> str:
    """A row of the table: the picture, and beside it what the recipe does."""
    recipe, text = card["recipe"], card["texts"][language]
    picture = MISSING[language]
    if "source" in card:
        picture = f"![{recipe}{COLON[language]}{text}](pictures/gallery/{recipe}.webp)"
    what = f"**{recipe}**{COLON[language]}{text}"
    command = f"`{make_command(recipe)}`"
    return f"| {picture} | {what}<br>{describe_time(card, language)}<br>{command} |"


def read_introduction(language: int) -> Iterator[str]:
    """What the README says first, and its first section as far as the ready-made generators."""
    text = (DOCS.parent / README[language]).read_text(encoding="utf-8")
    text = text.replace("](docs/", "](")
    beginning, start, *_ = text.split("\n## ")
    first = beginning.split("\n\n")[1]
    other = "English" if language else "中文说明"
    yield first.replace(f"[{other}]({README[1 - language]})", f"[{other}]({PAGES[1 - language]})")
    yield from f"## {start}".split("\n\n")[:4]


def make_page(language: int) -> str:
    """A start page as Markdown: 0 in English, 1 in Chinese."""
    blocks = ["# Ganvas", *read_introduction(language)]
    blocks += [f"## {HEADINGS[language]}", INTRODUCTIONS[language]]
    for group in read_groups():
        rows = [write_card(card, language) for card in group["card"]]
        blocks.append(f"### {group['names'][language]}")
        # Code hosts show a table; the site makes cards of it.
        blocks += [
            '<div class="gallery" markdown>',
            "\n".join([COLUMNS[language], "|---|---|", *rows]),
        ]
        blocks.append("</div>")
    return "\n\n".join(blocks) + "\n"


def write_picture(card: dict[str, Any]) -> None:
    """Write the picture of a recipe: its parts side by side."""
    with Image.open(PICTURES / card["source"]) as file:
        source = file.convert("RGB")
    boxes = card.get("parts") or [(0, 0, *source.size)]
    parts = [source.crop(box) for box in boxes]
    whole = Image.new("RGB", (sum(part.width for part in parts), parts[0].height))
    left = 0
    for part in parts:
        whole.paste(part, (left, 0))
        left += part.width
    small = whole.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    small.save(TARGET / f"{card['recipe']}.webp", quality=80, method=6)


def main() -> None:
    """Replace both pages and all pictures."""
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.webp"):
        old.unlink()
    for group in read_groups():
        for card in group["card"]:
            if "source" in card:
                write_picture(card)
    for language, name in enumerate(PAGES):
        (DOCS / name).write_text(make_page(language), encoding="utf-8")


if __name__ == "__main__":
    main()
