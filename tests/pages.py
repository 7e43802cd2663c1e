"""The pages of the documentation, for the tests that read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for folder in ("*.md", "docs/**/*.md", "benchmarks/*.md")
    for path in sorted(ROOT.glob(folder))
}
# (language, text) of each fenced block
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(page: str) -> str:
    """A page by its path from the root, such as "docs/log.md"."""
    return PAGES[page].read_text(encoding="utf-8")
