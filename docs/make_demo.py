"""Write the page at the end of `make demo`: what was just trained, and the ready-made generators.

    python docs/make_demo.py runs/demo

All its pictures are drawn on this machine, and are inside the page.
"""

import sys
from io import BytesIO

import ganvas
from ganvas.inference.run import Run
from ganvas.io.files import write_text
from ganvas.io.html import escape, figure
from ganvas.runs.zoo import Generator

PAGE = "demo.html"
COUNT, COLUMNS = 40, 10  # images of a grid
STYLE = """\
:root { color-scheme: light dark; }
body { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; font: 16px/1.55 system-ui; }
h1 { margin: 2rem 0 0; line-height: 1.2; }
h2 { margin: 0; font-size: 1.1rem; }
section { margin-top: 1.25rem; padding: 1.25rem; border: 1px solid #8884; border-radius: 12px; }
section > div { width: 100%; }
img { width: 100%; border-radius: 6px; }
pre { padding: 0.7rem 0.9rem; background: #8881; border-radius: 8px; white-space: pre-wrap; }
.pairs { display: grid; gap: 0 1.25rem; }
@media (min-width: 50rem) { .pairs { grid-template-columns: 1fr 1fr; } }
"""


def draw(run: Run) -> str:
    """A grid of a run's images as HTML."""
    content = BytesIO()
    run.grid(COUNT, columns=COLUMNS).convert("RGB").save(content, "webp", quality=88, method=6)
    return figure(content.getvalue(), f"Samples of {run.name}; none was picked.", "webp")


def show(title: str, words: str, picture: str, commands: list[str]) -> str:
    """A section: a title, a sentence, a picture, and the commands that use it."""
    lines = escape_lines(commands)
    return (
        f"<section><h2>{escape(title)}</h2><p>{escape(words)}</p>{picture}<pre>{lines}</pre>"
        "</section>"
    )


def escape_lines(lines: list[str]) -> str:
    """Lines of text as HTML."""
    return "\n".join(map(escape, lines))


def show_generator(generator: Generator) -> str:
    """A ready-made generator as HTML."""
    side, colours = generator.images.split()
    words = (
        f"Draws {generator.shows}, {side}x{side} pixels, {colours}. It has learned from "
        f"{generator.data}; licence: {generator.licence}."
    )
    short = generator.name.removeprefix("zoo:")
    commands = [generator.example, f"ganvas zoo {short}  # its card"]
    return show(generator.name, words, draw(ganvas.load(generator.name)), commands)


def make_page(run: Run) -> str:
    """The whole page.

    Args:
        run: that was just trained.
    """
    own = show(
        f"{run.name}: trained here just now",
        f"From {run.about['images']:,} images shown. Open summary.html beside this page for its "
        "losses, its diagnosis and its time-lapse.",
        draw(run),
        [
            f"ganvas sample {run.name} --label 7",
            f"ganvas sample {run.name} --interpolate walk.webp",
            "ganvas train auto --data YOUR_IMAGES",
        ],
    )
    ready = "".join(show_generator(each) for each in ganvas.zoo())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Ganvas: demo</title><style>{STYLE}</style></head><body>"
        "<h1>What Ganvas has drawn on this machine</h1>"
        f"{own}<h1>Ready-made generators</h1><p>They came with Ganvas, and need no training, no "
        f'data and no network.</p><div class="pairs">{ready}</div></body></html>\n'
    )


def main() -> None:
    """Write the page into the run folder, and print where it is."""
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/make_demo.py RUN")
    run = ganvas.load(sys.argv[1])
    page = run.outputs / PAGE
    write_text(page, make_page(run))
    print(f"page of this run and of the ready-made generators: {page}")


if __name__ == "__main__":
    main()
