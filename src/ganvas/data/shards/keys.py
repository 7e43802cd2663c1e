"""Which files of a tar belong to one image: those that share a key, in webdataset's layout.

webdataset cuts a name at the first dot of its last part. Tars whose keys hold dots themselves
("v1.000012.jpg") would lose images that way, so there the key is all before the last ending.
"""

from collections.abc import Callable, Sequence

__all__ = ["LABELS", "PICTURES", "SplitName", "choose_split"]

PICTURES = ("png", "jpg", "jpeg", "webp")
LABELS = ("cls", "json")
# a function from a name to what the files of an image share, and the ending in small letters
SplitName = Callable[[str], tuple[str, str]]


def choose_split(names: Sequence[str]) -> SplitName:
    """How the names of a tar are cut: at the first dot, unless images would vanish that way.

    "12.left.png" beside "12.png" or "12.cls" is a second image of "12": its ending "left.png"
    occurs for many keys. In "v1.000012.jpg" it is the other way round: one key has many endings,
    or other files share all before the last dot.
    """
    pictures = [name for name in names if _last(name)[1] in PICTURES]
    lost = [name for name in pictures if _first(name)[1] not in PICTURES]
    if not lost:
        return _first

    # none would be left, or the first parts are not what tells images apart
    keys = {_first(name)[0] for name in lost}
    endings = {_first(name)[1] for name in lost}
    if len(lost) == len(pictures) or len(endings) > len(keys):
        return _last

    # "a.1.jpg" with "a.1.cls": they belong together
    wholes = {_last(name)[0] for name in lost}
    others = {_last(name)[0] for name in names if _last(name)[1] not in PICTURES}
    return _last if wholes & others else _first


def _first(name: str) -> tuple[str, str]:
    """ "a/12.left.png" becomes "a/12" and "left.png", as webdataset has it."""
    folder, slash, file = name.rpartition("/")
    key, _, ending = file.partition(".")
    return folder + slash + key, ending.lower()


def _last(name: str) -> tuple[str, str]:
    """ "a/v1.12.png" becomes "a/v1.12" and "png"."""
    folder, slash, file = name.rpartition("/")
    key, dot, ending = file.rpartition(".")
    return (folder + slash + key, ending.lower()) if dot else (name, "")
