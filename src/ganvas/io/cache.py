"""Where downloaded files and packed pictures are kept between runs."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """$GANVAS_CACHE, or the platform's folder for caches; made by whoever writes into it."""
    chosen = os.environ.get("GANVAS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
            / "ganvas"
            / "cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ganvas"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganvas"
