"""List the files of a folder or zip, with names that a person can read."""

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ganvas.data.folders.zip_names import read_zip_names

__all__ = ["Entry", "Listing", "list_folder", "list_zip", "show_name"]


@dataclass(frozen=True)
class Entry:
    """One file of a set.

    Attributes:
        name: path within the set, with forward slashes.
        size: bytes, as the folder or the zip declares.
        mark: what changes when the content does: modification time in ns, or the zip's CRC.
        where: how to open it: its path, its entry in the zip, or where it begins in the tar.
    """

    name: str
    size: int
    mark: int
    where: str | zipfile.ZipInfo | int


@dataclass(frozen=True)
class Listing:
    """What a place holds.

    Attributes:
        entries: its files.
        unseen: folders that were not looked into, and why.
        notes: what a person should know of how it was read.
    """

    entries: list[Entry]
    unseen: list[str]
    notes: list[str]


def list_folder(folder: Path, links: bool = False) -> Listing:
    """All files below a folder. Links to files are followed, and links to folders where these lie
    in the folder that holds this one, each folder once.

    Args:
        folder: that is listed.
        links: whether links to folders are followed wherever else they lead, too.
    """
    entries: list[Entry] = []
    unseen: list[str] = []
    followed: list[str] = []
    far: list[str] = []  # of these, the ones that lead out
    # strings, not Paths: a set may hold a million files
    start = len(os.path.join(folder, ""))  # noqa: PTH118
    root = folder.resolve()
    seen = {_identify(str(root)): "the set itself"}

    def note(error: OSError) -> None:
        unseen.append(f"{show_name(error.filename)} ({error.strerror})")

    for top, folders, names in os.walk(folder, onerror=note, followlinks=True):
        inside = os.path.join(top, "")[start:]  # noqa: PTH118
        # in place: `walk` goes into what stays
        folders[:] = sorted(folders)
        for name in list(folders):
            path = os.path.join(top, name)  # noqa: PTH118
            reason = _refuse_folder(path, root, seen)
            if not reason and _leads_out(path, root):
                if links:
                    far.append(f"{show_name(inside + name)}: {show_name(os.path.realpath(path))}")
                else:
                    reason = _explain_far(path, root)
            if reason:
                folders.remove(name)
                unseen.append(f"{show_name(path)} ({reason})")
                continue
            seen[_identify(path)] = show_name(inside + name)
            if os.path.islink(path):  # noqa: PTH114
                followed.append(show_name(inside + name))

        entries.extend(_list_files(top, names, start, unseen))

    notes = []
    if followed:
        some = ", ".join(followed[:3]) + (", ..." if len(followed) > 3 else "")
        notes.append(f"links to folders are followed: {len(followed):,} ({some})")
    if far:
        some = ", ".join(far[:3]) + (", ..." if len(far) > 3 else "")
        notes.append(
            f"of these links lead out of {show_name(str(root.parent))}, as requested: "
            f"{len(far):,} ({some})"
        )
    return Listing(entries, unseen, notes)


def _identify(path: str) -> tuple[int, int]:
    """Device and number of a folder: the same by whatever path it is reached."""
    state = os.stat(path)  # noqa: PTH116
    return state.st_dev, state.st_ino


def _refuse_folder(path: str, root: Path, seen: dict[tuple[int, int], str]) -> str:
    """Why a folder of a set is not looked into; "" if it is."""
    is_link = os.path.islink(path)  # noqa: PTH114
    try:
        known = seen.get(_identify(path))
    except OSError as error:
        return f"a link that cannot be followed: {error.strerror}" if is_link else ""
    # each folder once: links may lead in a circle, or to a folder that is there by itself
    if known is not None:
        return f"the same folder as {known}"
    if not is_link:
        return ""

    target = Path(path).resolve()
    if root.is_relative_to(target):
        return f"a link to {show_name(str(target))}, in which it lies itself"
    return ""


def _leads_out(path: str, root: Path) -> bool:
    """Whether a folder of a set is a link that leads out of the folder that holds the set: a folder
    of links is often made beside the folder that holds the files.
    """
    is_link = os.path.islink(path)  # noqa: PTH114
    return is_link and not Path(path).resolve().is_relative_to(root.parent)


def _explain_far(path: str, root: Path) -> str:
    """Why a link that leads out is not followed, and what to do."""
    target, around = show_name(os.path.realpath(path)), show_name(str(root.parent))
    return f"a link to {target}, outside of {around}: --follow-links follows it"


def _list_files(top: str, names: list[str], start: int, unseen: list[str]) -> Iterator[Entry]:
    """The files of one folder; `unseen` gets the links that lead nowhere."""
    for name in names:
        path = os.path.join(top, name)  # noqa: PTH118
        try:
            state = os.stat(path)  # noqa: PTH116
        except OSError:
            # a file that is no link was removed since it was listed
            if os.path.islink(path):  # noqa: PTH114
                unseen.append(f"{show_name(path)} (a link that leads nowhere)")
            continue

        # no pipes or devices: opening one may wait for ever
        if stat.S_ISREG(state.st_mode):
            inside = show_name(path[start:].replace(os.sep, "/"))
            yield Entry(inside, state.st_size, state.st_mtime_ns, path)


def show_name(name: str) -> str:
    r"""The name of a file as text: a part that is not UTF-8 has its bytes escaped, "\xd4\xb2.png".

    Python keeps such bytes as surrogates, which most of the world refuses.
    """
    if name.isascii():
        return name
    shown = []
    for part in name.split("/"):
        try:
            part.encode("utf-8")
        except UnicodeEncodeError:
            part = os.fsencode(part).decode("ascii", "backslashreplace")
        shown.append(part)
    return "/".join(shown)


def list_zip(archive: zipfile.ZipFile) -> Listing:
    """All files of a zip."""
    names, notes = read_zip_names(archive.infolist())
    # some programs for Windows write backslashes, against the format
    entries = [
        Entry(name.replace("\\", "/"), info.file_size, info.CRC, info)
        for info, name in zip(archive.infolist(), names)
        if info.filename and not info.is_dir()
    ]
    return Listing(entries, [], notes)
