"""Files that are kept between runs: downloads, decoded images, features, classifiers."""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from ganvas.errors import UserError
from ganvas.io.files import atomic_path, remove, remove_leftovers
from ganvas.io.reading import expand_home

__all__ = ["NAME", "OTHER_CACHE", "cache_entry", "cache_folder", "load_or_make"]

NAME = r"[0-9a-f]{32}(\.\w+)?"  # of an entry, as `cache_entry` makes it
OTHER_CACHE = "set GANVAS_CACHE to a folder elsewhere"

Content = TypeVar("Content")


def cache_folder() -> Path:
    """$GANVAS_CACHE, or the platform's folder for caches; whoever writes into it creates it."""
    chosen = os.environ.get("GANVAS_CACHE")
    if chosen:  # an empty variable counts as none
        return expand_home(chosen)
    # appauthor=False: else Windows would get ganvas/ganvas.
    return Path(platformdirs.user_cache_dir("ganvas", appauthor=False))


def cache_entry(kind: str, settings: Any, ending: str = "") -> Path:
    """The path of a cache entry, named by a hash of the settings that decide its content.

    Args:
        kind: folder inside the cache, such as "references".
        settings: any JSON value; the order of the keys of an object plays no part. Begin it with a
            version number that is raised when the same settings would give other content.
        ending: of the name, such as ".safetensors"; "" for a folder.
    """
    text = json.dumps(settings, sort_keys=True)
    # 128 bits. The cache of shards recognises its own folders by these 32 digits.
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return cache_folder() / kind / f"{name}{ending}"


def load_or_make(
    path: Path,
    make: Callable[[Path], None],
    read: Callable[[Path], Content],
    durable: bool = True,
) -> Content:
    """Read a cache entry; it is made first if it is missing, or damaged.

    Args:
        path: from `cache_entry`.
        make: writes the content to the path given, as a file or a folder; only a content that was
            written whole gets the entry's name.
        read: reads the content, and raises UserError if it is damaged.
        durable: as in `atomic_path`.

    Raises:
        UserError: the cache cannot be written, or what `make` raises.
    """
    if path.exists():
        try:
            content = read(path)
            with suppress(OSError):  # a cache that others share may be read-only
                os.utime(path)  # `ganvas cache` shows when it was last used
            return content
        except UserError:
            remove(path)  # damaged; it can be made again

    remove_leftovers(path.parent, NAME)  # first: each may take as much disk as the new entry
    # Without a lock: of two processes that make it at once, one's content stays, and it is whole.
    with atomic_path(path, durable, OTHER_CACHE) as partial:
        make(partial)
    return read(path)  # as every later call reads it, also in the first one
