"""The runs below one folder: found, numbered, and described for the page.

The page names a run by its id alone, never by a path, so it can only reach what was found here.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.io.files import atomic_path, explained
from ganvas.io.films import has_ffmpeg
from ganvas.io.reading import parse_json, read_text
from ganvas.runs.diagnosis import Diagnosis, schedule_of
from ganvas.runs.folder import is_going, is_stopping, read_data
from ganvas.runs.record import RunRecord, read_run
from ganvas.runs.zoo import Generator
from ganvas.studio.describe import describe_degradation, describe_inputs, list_views
from ganvas.studio.jobs import Jobs
from ganvas.studio.missing import MissingError, find_named

__all__ = ["BIN", "OWN_FOLDER", "Catalogue", "describe_gan", "read_gan"]

DEPTH = 3  # folders below the root in which runs are looked for
OWN_FOLDER = ".studio"  # in the root: uploads, logs, and the bin
BIN = "bin"
BIN_TIME = "%Y%m%d-%H%M%S-%f"  # of the names in it


class Catalogue:
    """All runs below a root.

    Args:
        root: the folder; it is made where it is missing.

    Attributes:
        jobs: the processes that this start of the studio has begun.
    """

    def __init__(self, root: Path):
        with explained(root):
            root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self.jobs = Jobs(self.own_folder / "logs")
        self.folders: dict[str, Path] = {}

    @property
    def own_folder(self) -> Path:
        """The studio's own folder in the root."""
        return self.root / OWN_FOLDER

    def scan(self) -> dict[str, Path]:
        """Look for runs, and return their folders by id."""
        self.folders = {make_id(self.root, folder): folder for folder in _find_runs(self.root)}
        return self.folders

    def folder(self, run_id: str) -> Path:
        """The folder of a run.

        Raises:
            MissingError: there is no such run.
        """
        if run_id not in self.folders:
            self.scan()
        return find_named(self.folders, run_id)

    def id_of(self, folder: Path) -> str:
        """The id of a folder below the root, whether a run is in it already or not."""
        return make_id(self.root, folder)

    def card(self, run_id: str) -> dict[str, Any]:
        """What the page shows of a run among others.

        A run that cannot be read is described by its error, so that one damaged folder hides no
        other.
        """
        folder = self.folder(run_id)
        name = folder.relative_to(self.root).as_posix()
        # Files of a new run in the place of a deleted one have the same names.
        mark = _read_time(folder / "data.json")
        base = {"id": run_id, "name": name, "changed": _last_change(folder), "mark": mark}
        try:
            described = describe_run(read_run(folder))
            going = described["state"] in ("training", "stopping")
            return base | described | self._describe_job(folder, going)
        except UserError as error:
            return base | {"state": "damaged", "error": str(error)}

    def _describe_job(self, folder: Path, going: bool) -> dict[str, Any]:
        """What a training that was begun here adds to a card: that it starts, or why it failed."""
        job = self.jobs.find("training", folder)
        if job is None:
            return {}
        if going:
            job.seen = True
        elif job.running and not job.seen:
            return {"state": "starting"}
        return {"failure": job.failure} if job.failure else {}

    def add_generator(self, generator: Generator) -> str:
        """Copy a ready-made generator to the runs; returns its id.

        Raises:
            UserError: the disk refuses.
        """
        name = generator.name.replace(":", "-")
        folder, number = self.root / name, 2
        while folder.exists():
            folder = self.root / f"{name}-{number}"
            number += 1
        with explained(folder), atomic_path(folder) as partial:
            shutil.copytree(generator.folder, partial)
        self.scan()
        return self.id_of(folder)

    def is_busy(self, folder: Path) -> bool:
        """Whether anything works on a run."""
        jobs = (self.jobs.find(kind, folder) for kind in ("training", "evaluation"))
        return is_going(folder) or any(job and job.running for job in jobs)

    def cards(self) -> list[dict[str, Any]]:
        """The cards of all runs that are there, the one that changed last first."""
        found = []
        for run_id in self.scan():
            with suppress(MissingError, OSError):  # it was deleted in between
                found.append(self.card(run_id))
        return sorted(found, key=lambda card: -card["changed"])

    def specs(self) -> list[str]:
        """The names of the data sets that runs were trained on."""
        found = []
        for folder in self.scan().values():
            with suppress(UserError, OSError):
                found.append(read_data(folder).spec)
        return found

    def record(self, run_id: str) -> RunRecord:
        """Everything that a run's folder holds.

        Raises:
            MissingError: there is no such run.
            UserError: it is damaged.
        """
        return read_run(self.folder(run_id))

    def delete(self, run_id: str) -> str:
        """Move a run into the bin; returns its name there.

        Raises:
            UserError: it is in training, or the disk refuses.
        """
        folder = self.folder(run_id)
        if not is_going(folder):
            # A training gives its folder free a moment before its process ends.
            self.jobs.await_end("training", folder)
        if self.is_busy(folder):
            raise UserError(f"{folder.name} is in training or measured; stop it first")
        name = f"{datetime.now().strftime(BIN_TIME)}-{run_id}"
        target = self.own_folder / BIN / name
        with explained(target):
            target.mkdir(parents=True)
            # beside it: where it came from
            (target / "place.txt").write_text(
                folder.relative_to(self.root).as_posix(), encoding="utf-8"
            )
            folder.rename(target / "run")
        # a new dictionary: another thread may be going through the old one
        self.folders = {key: path for key, path in self.folders.items() if key != run_id}
        return name

    def deleted(self) -> list[dict[str, Any]]:
        """What is in the bin, the run that was deleted last first."""
        found = []
        for name, source in sorted(self._find_deleted().items(), reverse=True):
            with suppress(UserError, ValueError):  # brought back or emptied in between
                place = read_text(source / "place.txt")
                time = datetime.strptime(name.rpartition("-")[0], BIN_TIME).timestamp()
                found.append({"bin": name, "name": place, "time": time})
        return found

    def _find_deleted(self) -> dict[str, Path]:
        """The folders in the bin by their names."""
        bin_folder = self.own_folder / BIN
        return {path.name: path for path in bin_folder.glob("*") if (path / "run").is_dir()}

    def restore(self, name: str) -> str:
        """Bring a deleted run back; returns its id.

        Raises:
            MissingError: nothing of that name is in the bin.
            UserError: there is a run in its place now, or the disk refuses.
        """
        source = find_named(self._find_deleted(), name)
        place = read_text(source / "place.txt")
        folder = self.root / place
        if not folder.resolve().is_relative_to(self.root) or folder.exists():
            raise UserError(f"{place} exists again; the deleted run is in {source}")
        with explained(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            (source / "run").rename(folder)
            shutil.rmtree(source)
        self.scan()
        return self.id_of(folder)


def make_id(root: Path, folder: Path) -> str:
    """The id of a folder: it stays the same as long as the folder's place does."""
    place = folder.relative_to(root).as_posix().encode("utf-8", "surrogateescape")
    return hashlib.blake2b(place, digest_size=6).hexdigest()


def _find_runs(root: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Folders that hold a run, not those inside a run; links that lead elsewhere are no runs."""
    try:
        inside = sorted(root.iterdir())
    except OSError:  # it may not be read
        return
    for folder in inside:
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir():
            continue
        if (folder / "recipe.json").is_file():
            yield folder
        elif depth > 1:
            yield from _find_runs(folder, depth - 1)


def _last_change(folder: Path) -> float:
    """When a run last wrote something, in seconds since 1970."""
    return max(_read_time(folder / name) for name in ("log.jsonl", "recipe.json", "samples"))


def _read_time(path: Path) -> float:
    """When a file or folder was last changed, in seconds since 1970; 0 where it is missing."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def describe_run(run: RunRecord) -> dict[str, Any]:
    """A run in a few values: what it is, how far it is, and how it is."""
    going = is_going(run.folder)
    state = run.state
    if going:
        state = "stopping" if is_stopping(run.folder) else "training"

    diagnosis = Diagnosis.of(run.log, schedule_of(run.recipe))
    gan = read_gan(run)
    rate = next((e["images_per_second"] for e in reversed(run.log) if e["kind"] == "speed"), None)
    left = max(0, run.recipe.images - run.images) / rate if going and rate else None
    return {
        "state": state,
        "recipe": run.recipe.name,
        "gan": run.recipe.gan,
        "spec": run.data.spec,
        "data": run.data.spec.rstrip("/").rpartition("/")[2],
        "size": gan.size if gan else run.recipe.size,
        "images": run.images,
        "total": run.recipe.images,
        "rate": rate,
        "seconds_left": left,
        "grids": [int(path.stem) for path in run.grids],
        "checkpoint": run.about.get("images"),
        "doctor": [
            {"name": finding.title, "evidence": finding.evidence, "action": finding.action}
            for finding in diagnosis.active.values()
        ],
        "health": diagnosis.verdict.state,
        "remarks": diagnosis.verdict.sentences,
        "views": list_views(gan) if gan else [],
        "reason": run.stopped,
    }


def read_gan(run: RunRecord) -> GAN | None:
    """The GAN of a run without its weights; None: there is no checkpoint yet."""
    return _outline(json.dumps(run.about["gan"])) if run.about else None


@lru_cache(maxsize=64)
def _outline(description: str) -> GAN:
    """A GAN of which only the inputs are needed; kept, since cards are made again and again."""
    # A stranger's file may describe anything, as in `load_gan`.
    try:
        with torch.device("meta"):
            return build_gan(**parse_json(description))
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"its checkpoint describes a GAN that cannot be built: {reason}") from error


def describe_gan(gan: GAN, about: Mapping[str, Any]) -> dict[str, Any]:
    """What the page must know of a GAN to build its controls.

    Args:
        gan: of a run.
        about: of a checkpoint of the run.
    """
    return {
        "size": gan.size,
        "channels": gan.channels,
        "kind": gan.kind,
        "classes": list(gan.classes),
        "inputs": describe_inputs(gan),
        "degradation": describe_degradation(gan, about),
        "views": list_views(gan),
        "films": ["webp", "gif", *(["mp4"] if has_ffmpeg() else [])],
    }
