"""Build the documentation site in both languages: python docs/website [--out site].

For each language the pages are written into a folder of their own, with links that fit, and
zensical makes HTML of them. It stops at anything that zensical warns of, such as a broken link.
"""

import json
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from formulas import replace_formulas
from navigation import find_forgotten, make_menu
from pages import Language, Site

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LANGUAGES = (Language("en", 0, "zh/"), Language("zh", 1, "../"))
NAMES = {"en": "English", "zh": "中文"}
DESCRIPTIONS = {
    "en": "Train, evaluate and use generative adversarial networks on your own images.",
    "zh": "用您自己的图像训练、评估和使用生成对抗网络。",
}
# What the button says while the page is light or dark.
SWITCHES = {
    "en": {"light": "Switch to dark", "dark": "Switch to light"},
    "zh": {"light": "切换到深色", "dark": "切换到浅色"},
}
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # colours in what zensical prints
# As few as our pages need: others change text, such as 1/2 to a sign.
EXTENSIONS: dict[str, Any] = {
    "attr_list": {},
    "md_in_html": {},
    "sane_lists": {},
    "tables": {},
    # Headings get the anchors that code hosts give them.
    "toc": {
        "permalink": True,
        "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}},
    },
    "pymdownx.highlight": {"use_pygments": True},
    "pymdownx.superfences": {},
    "pymdownx.arithmatex": {"generic": True},
}


def make_settings(site: Site) -> dict[str, Any]:
    """The settings of zensical for one language.

    Raises:
        ValueError: the menu lacks a page, or names one that is not there.
    """
    menu = make_menu(site)
    if forgotten := find_forgotten(site, menu):
        raise ValueError(f"navigation.toml does not name {', '.join(forgotten)}")

    language = site.language
    (other,) = [code for code in NAMES if code != language.code]
    # As the system has it; a press changes it.
    modes = (("light", "default", "lucide/sun"), ("dark", "slate", "lucide/moon"))
    return {
        "site_name": "Ganvas",
        "site_description": DESCRIPTIONS[language.code],
        "docs_dir": "pages",
        "site_dir": "site",
        "use_directory_urls": False,
        "strict": True,
        "nav": menu,
        "extra_css": ["style.css"],
        "extra": {
            "alternate": [{"name": NAMES[other], "link": language.other, "lang": other}],
        },
        "theme": {
            "language": language.code,
            "font": False,  # fonts would be loaded from outside
            "custom_dir": "overrides",
            "favicon": "icon.svg",
            "logo": "icon.svg",
            "features": [
                *("content.code.copy", "navigation.sections", "navigation.tabs"),
                *("navigation.footer", "navigation.top", "toc.follow", "search.highlight"),
            ],
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {mode})",
                    "scheme": scheme,
                    "toggle": {"icon": icon, "name": SWITCHES[language.code][mode]},
                }
                for mode, scheme, icon in modes
            ],
        },
        "markdown_extensions": EXTENSIONS,
    }


def write_toml(settings: dict[str, Any]) -> str:
    """Settings as TOML: of JSON, tables within tables become inline ones."""

    def write(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {write(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(write, value)) + "]"
        return json.dumps(value, ensure_ascii=False)

    lines = [f"{json.dumps(key)} = {write(value)}" for key, value in settings.items()]
    return "\n".join(["[project]", *lines, ""])


def build(root: Path, language: Language, folder: Path) -> Path:
    """Build the site of one language in an empty folder; returns where it is.

    Raises:
        ValueError: zensical warned of something, or the menu is wrong.
    """
    site = Site(root, language, folder / "pages")
    settings = make_settings(site)
    site.write()
    shutil.copy(HERE / "style.css", folder / "pages")
    shutil.copy(ROOT / "src" / "ganvas" / "studio" / "static" / "icon.svg", folder / "pages")
    shutil.copytree(HERE / "overrides", folder / "overrides")
    (folder / "zensical.toml").write_text(write_toml(settings), encoding="utf-8")

    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    said = ESCAPES.sub("", done.stdout + done.stderr)
    if done.returncode or "Warning" in said:
        raise ValueError(f"the {NAMES[language.code]} site was not built:\n{said}")

    for file in (folder / "site").rglob("*.html"):
        file.write_text(replace_formulas(file.read_text(encoding="utf-8")), encoding="utf-8")
    return folder / "site"


def main() -> int:
    """Read the command, build both languages, and replace the old site when all went well."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="of the repository")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder to be replaced")
    given = parser.parse_args()

    with TemporaryDirectory() as place:
        try:
            built = []
            for language in LANGUAGES:
                folder = Path(place).resolve() / language.code
                folder.mkdir()
                built.append(build(given.root.resolve(), language, folder))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1

        shutil.rmtree(given.out, ignore_errors=True)
        shutil.copytree(built[0], given.out)
        shutil.copytree(built[1], given.out / "zh")
    print(f"{given.out / 'index.html'}, {given.out / 'zh' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
