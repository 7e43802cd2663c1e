"""What of a run may be given away: no paths, no names of files, no single images of the data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvas.data.degraded import read_degraded
from ganvas.data.kinds import is_everywhere
from ganvas.data.names import NAMED, find_kind_name
from ganvas.errors import UserError, describe_validation
from ganvas.evaluation.evaluate import RECORD
from ganvas.evaluation.sources import OTHER_DATA
from ganvas.inference.run import Run
from ganvas.io.reading import read_json, read_json_lines
from ganvas.runs.checkpoint import read_checkpoint_recipe
from ganvas.runs.folder import grid_path, read_data

__all__ = ["Hider", "PublicRun", "hide_places", "make_public"]

# Of a data report: what says nothing of single files. Its notes are for the owner alone.
REPORTED = (
    *("found", "used", "sizes", "modes", "classes", "steps", "side_by_side", "splits"),
    *("ranges", "categories", "alpha", "fingerprint", "degradation"),
)
ADDRESS = r"https?://\S+"
BEGINNING = r"(?<![\w/.\\])(?:\w+:///?|[A-Za-z]:[\\/]|~?/|\\\\|\.\.?[\\/])(?=[^\s,;:'\"()])"
# A folder's name may hold spaces, between other characters; the last part ends at the first space.
FOLDERS = r"(?:[^\s/\\,;:'\"()](?:[^/\\,;:'\"()\n]*[^\s/\\,;:'\"()])?[/\\]+)*"
PATH = rf"{BEGINNING}{FOLDERS}[^\s,;:'\"()]*"
FILE_NAME = r"\w\.[A-Za-z]\w{1,4}\b"  # "photo.png", but not "0.5" or "e.g."


@dataclass(frozen=True)
class PublicRun:
    """A run as others may see it.

    Attributes:
        run: itself.
        about: of its checkpoint.
        recipe: all settings.
        data: the data report; None: the checkpoint lies outside its run.
        evaluations: of this checkpoint, the newest last.
        grid: the file of samples drawn at this checkpoint; None: there is none.
    """

    run: Run
    about: dict[str, Any]
    recipe: dict[str, Any]
    data: dict[str, Any] | None
    evaluations: list[dict[str, Any]]
    grid: Path | None


class ComparedWith(BaseModel):
    """What a protocol says of the real images."""

    model_config = ConfigDict(extra="allow")

    name: str
    split: Literal["train", "test", "all"]
    fingerprint: str
    count: int
    size: int
    channels: int


class Protocol(BaseModel):
    """What every protocol says; metrics add more."""

    model_config = ConfigDict(extra="allow")

    features: dict[str, Any]
    reference: ComparedWith
    count: int
    seed: int


class Versions(BaseModel):
    """The software that measured."""

    model_config = ConfigDict(extra="allow")

    ganvas: str


class EvaluationLine(BaseModel):
    """What may be seen of an evaluation. All else of its line stays with the owner."""

    about: dict[str, Any]
    values: dict[str, int | float | None]
    by_class: dict[str, Any] = {}
    protocol: Protocol
    notes: list[str] = []
    versions: Versions
    time: str


def make_public(run: Run) -> PublicRun:
    """Take out of a run what is its owner's.

    Raises:
        UserError: a file of it is damaged, or of another version of ganvas.
    """
    recipe = read_checkpoint_recipe(run.path, run.about)
    hide = Hider(run.folder, run.name, recipe.data or "", run.about["data"]["spec"])

    # The GAN's own names, such as those of classes, are in its weights' order and stay.
    about = hide.values(run.about) | {"gan": run.about["gan"]}
    about["data"]["spec"] = hide_places(run.about["data"]["spec"])
    about["recipe"] = _hide_recipe(run.about["recipe"], hide)
    file = run.folder / "data.json"
    grid = grid_path(run.folder, run.about["images"])
    return PublicRun(
        run,
        about,
        about["recipe"],
        _hide_data(file, hide) if file.is_file() else None,
        _find_evaluations(run, hide),
        grid if grid.is_file() else None,
    )


class Hider:
    """Removes from texts the places that a run knows, and all that looks like a path.

    Args:
        folder: of the run.
        specs: names of the run and of data that may hold paths.
    """

    def __init__(self, folder: Path, *specs: str):
        known = {spec: hide_places(spec) for spec in (str(folder), *specs)}
        whole = folder.resolve()
        known[str(whole)] = whole.name
        # the longest first, since one may be a part of another
        longest = sorted(known.items(), key=lambda item: -len(item[0]))
        self.known = {place: name for place, name in longest if name not in (place, "")}

    def text(self, text: str) -> str:
        """A text with the last parts of paths and addresses in their place."""
        for place, name in self.known.items():
            text = text.replace(place, name)
        return re.sub(f"{ADDRESS}|{PATH}", lambda found: _last_part(found[0]), text)

    def values(self, value: Any) -> Any:
        """A JSON value, all its texts without places."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.values(item) for key, item in value.items()}
        return [self.values(item) for item in value] if isinstance(value, list | tuple) else value


def _last_part(place: str) -> str:
    """The name of a file or folder, without where it is; of an address without its query."""
    return PurePosixPath(re.split(r"[?#]", place)[0].replace("\\", "/")).name


def hide_places(spec: str) -> str:
    """The name of a data set without where it is: "pairs:/home/me/maps" as "pairs:maps"."""
    if degraded := read_degraded(spec):
        return degraded._replace(base=hide_places(degraded.base)).text
    kind, colon, places = "", "", spec
    if re.match(r"[\w-]{2,}:", spec):  # not the drive of a path
        kind, colon, places = spec.partition(":")
    known = find_kind_name(spec)
    if known and not NAMED[known].place_needed:
        return kind or spec  # everybody can fetch it: "mnist:FOLDER" is "mnist"
    if is_everywhere(spec):
        return spec
    parts = places.split(",") if kind else [places]  # a folder's name may hold a comma
    return f"{kind}{colon}{','.join(map(_last_part, parts))}"


def _hide_recipe(values: Mapping[str, Any], hide: Hider) -> dict[str, Any]:
    """The settings of a run without places."""
    recipe = hide.values(values)
    for key in ("data", "labels"):
        if isinstance(values.get(key), str):
            recipe[key] = hide_places(values[key])
    if origin := values.get("origin"):
        recipe["origin"]["checkpoint"] = _last_part(origin["checkpoint"])
    return recipe


def _hide_data(file: Path, hide: Hider) -> dict[str, Any]:
    """A data report without names of files.

    Raises:
        UserError: it is damaged.
    """
    read_data(file.parent)  # checks it
    values = read_json(file)
    report = {key: values[key] for key in REPORTED if key in values}
    steps = [hide.text(step) for step in report.get("steps", [])]
    report["steps"] = [step for step in steps if not re.search(FILE_NAME, step)]
    return {"spec": hide_places(values["spec"])} | report


def _find_evaluations(run: Run, hide: Hider) -> list[dict[str, Any]]:
    """The evaluations of a run's checkpoint: what may be seen of them, without places.

    Raises:
        UserError: the file is damaged.
    """
    file = run.folder / RECORD
    if not file.is_file():
        return []
    found = []
    for number, entry in read_json_lines(file):
        try:
            line = EvaluationLine.model_validate(entry)
        except ValidationError as error:
            raise UserError(
                f"{file} is damaged: line {number} is no evaluation "
                f"({describe_validation(error)}); remove the line"
            ) from None
        if line.about.get("checkpoint") == run.path.name:
            line.about.pop("run", None)  # where it lay, as a person wrote it
            line.notes = [note for note in line.notes if OTHER_DATA not in note]
            found.append(hide.values(line.model_dump()))
    return found
