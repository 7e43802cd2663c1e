"""Where an export or a publication goes; checked without torch, before a run is loaded."""

from pathlib import Path

from ganvas.errors import UserError, nearest
from ganvas.io.files import refuse_unwritable, refuse_used
from ganvas.io.hub import Repo

__all__ = ["ENDINGS", "LICENCES", "check_export", "check_licence", "check_publication"]

# Of the file that each format is; "": it is a folder.
ENDINGS = {"onnx": ".onnx", "page": ".html", "safetensors": ""}

# As the Hub calls them, the usual ones first.
USUAL = ("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "mit", "apache-2.0", "openrail")
LICENCES = (
    *USUAL,
    *("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-3.0", "cc-by-sa-3.0", "cc"),
    *("bsd-2-clause", "bsd-3-clause", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0"),
    *("bigscience-openrail-m", "creativeml-openrail-m", "openrail++", "cdla-permissive-2.0"),
    *("odbl", "pddl", "unlicense", "wtfpl", "artistic-2.0", "isc", "zlib", "other"),
)


def check_export(to: str, out: Path | None) -> None:
    """Refuse a format that there is not, and a place that it is not written to.

    Args:
        to: a key of `ENDINGS`.
        out: the file or folder; None: a new folder of the run.

    Raises:
        UserError: the place has the ending of another format, is a file where a folder is needed
            or a folder where a file is, or is a folder that holds something.
    """
    if to not in ENDINGS:
        raise UserError(f"--to {to}: unknown format; {nearest(to, ENDINGS)}")
    if out is None:
        return

    ending, given = ENDINGS[to], out.suffix.lower()
    if ending and given == ending:
        refuse_unwritable(out, "--out")  # a file, which is replaced
        return
    if given in (".onnx", ".html", ".safetensors"):
        allowed = f"a {ending} file or a folder" if ending else "a folder"
        raise UserError(f"--out {out}: --to {to} writes {allowed}, not {given}; change the name")
    refuse_used(out)


def check_publication(to: str, licence: str | None) -> tuple[Repo, str]:
    """The repository to publish to, and the licence.

    Args:
        to: "hf:OWNER/NAME".
        licence: an identifier in `LICENCES`.

    Raises:
        UserError: the place is none, or the licence is none or was not named.
    """
    if not to.startswith("hf:") or "@" in to:
        raise UserError(f"{to!r} is no place to publish to; write hf:OWNER/NAME")
    repo = Repo.parse("model", to)
    return repo, check_licence(licence)


def check_licence(licence: str | None) -> str:
    """The licence, if it is one that the Hub knows.

    Raises:
        UserError: none was named, or it is unknown.
    """
    usual = ", ".join(USUAL)
    if not licence:
        raise UserError(
            f"--licence is needed: what others may do with the GAN is your decision; usual ones "
            f"are {usual}, or other"
        )
    if licence not in LICENCES:
        advice = nearest(licence.lower(), LICENCES).partition("known:")[0]
        start = f"{advice} " if advice else ""
        raise UserError(f"--licence {licence} is unknown; {start}usual ones are {usual}, or other")
    return licence
