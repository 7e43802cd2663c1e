"""The menu of the documentation site, from navigation.toml."""

import tomllib
from typing import Any

from pages import Site

__all__ = ["find_forgotten", "make_menu"]

FILE = "docs/website/navigation.toml"


def make_menu(site: Site) -> list[dict[str, Any]]:
    """The menu as zensical takes it; sections without pages are left out.

    Raises:
        ValueError: it names a page that is not there.
    """
    sections = tomllib.loads((site.root / FILE).read_text(encoding="utf-8"))["section"]
    menu = []
    for section in sections:
        entries: list[Any] = []
        for entry in section["pages"]:
            if isinstance(entry, str):
                entries += site.find_folder(entry.rstrip("/"))
            else:
                path, *names = entry
                entries.append({names[site.language.index]: site.name_page(path)})
        if entries:
            menu.append({section["names"][site.language.index]: entries})
    return menu


def find_forgotten(site: Site, menu: list[dict[str, Any]]) -> list[str]:
    """The pages that the menu does not lead to."""
    listed = set()
    for section in menu:
        for entries in section.values():
            for entry in entries:
                listed |= {entry} if isinstance(entry, str) else {*entry.values()}
    return sorted({*site.names.values()} - listed)
