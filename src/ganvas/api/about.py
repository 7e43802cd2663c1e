"""`ganvas.about`: this installation: versions, devices, cache, and what can be added."""

import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from ganvas.api.cache import cache, describe_size
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.console import count_noun, print_json, print_text
from ganvas.io.formats import install_hint
from ganvas.texts import localise

__all__ = ["About", "Extra", "about", "print_about"]

# What the extras are for. Which there are, and what each installs, is in the package's metadata.
PURPOSES: Mapping[str, str] = {
    "jpeg": "JPEGs read four times as fast",
    "heic": "photographs of iPhones",
    "video": "films, as data and as results",
    "parquet": "data sets in parquet files",
    "hub": "runs and data sets of the Hugging Face Hub",
    "onnx": "generators as ONNX files and as pages",
    "lite0": "evaluation with features of photographs",
    "tensorboard": "TensorBoard",
    "wandb": "Weights & Biases",
    "trackio": "Trackio",
    "swanlab": "SwanLab",
}
HIDDEN = {"dev", "docs", "mp4"}  # for those who change Ganvas; another name of an extra
# A line of the metadata: `pillow-heif>=1; extra == "heic"`.
REQUIREMENT = re.compile(r"([\w.-]+)[^;]*;.*extra == ['\"]([\w-]+)['\"]")


@dataclass(frozen=True)
class Extra:
    """Something that can be installed in addition.

    Attributes:
        name: of the extra.
        purpose: what it is for.
        installed: its packages that are there, with their versions.
        missing: its packages that are not.
    """

    name: str
    purpose: str
    installed: dict[str, str]
    missing: list[str]


@dataclass(frozen=True)
class About:
    """An installation of Ganvas.

    Attributes:
        versions: of "ganvas", "python", "torch" and others, and "system".
        devices: on which GANs can be trained, the best first, each with a few words.
        cores: of the CPU that this process may use.
        threads: that torch uses; 0 without torch.
        cache: folder of what is kept between runs.
        cache_size: in words; "unknown" where the cache cannot be read.
        extras: what can be installed in addition.
        notes: what is slower, missing or impossible here.
    """

    versions: dict[str, str]
    devices: dict[str, str]
    cores: int
    threads: int
    cache: Path
    cache_size: str
    extras: list[Extra]
    notes: list[str]

    def describe(self) -> list[str]:
        """What it is, in lines."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        devices = "; ".join(f"{name}: {words}" for name, words in self.devices.items())
        lines = [versions, f"devices: {devices}", f"cache: {self.cache}, {self.cache_size}", ""]
        width = max((len(extra.name) for extra in self.extras), default=0)
        for extra in self.extras:
            there = ", ".join(f"{name} {version}" for name, version in extra.installed.items())
            state = f"missing: {install_hint(extra.name)}" if extra.missing else there
            lines.append(f"{extra.name:<{width}}  {extra.purpose}: {state}")
        return [*lines, *(["", *self.notes] if self.notes else [])]

    def __repr__(self) -> str:
        return "\n".join(map(localise, self.describe()))


def about() -> About:
    """Describe this installation: versions, devices, cache, extras, and what is missing.

    Returns:
        an object with `versions`, `devices`, `cores`, `threads`, `cache`, `cache_size`, `extras`
        and `notes`; printed, it is what `ganvas about` prints.
    """
    devices, threads, trouble = _find_devices()
    cache_size, unread = _measure_cache()
    extras = _find_extras()
    return About(
        versions=_find_versions(),
        devices=devices,
        cores=_count_cores(),
        threads=threads,
        cache=cache_folder(),
        cache_size=cache_size,
        extras=extras,
        notes=[*trouble, *unread, *_find_notes(extras, sys.platform, platform.machine())],
    )


def print_about(as_json: bool) -> None:
    """Print what this installation is."""
    found = about()
    if as_json:
        print_json(asdict(found) | {"cache": str(found.cache)})
    else:
        print_text(*found.describe())


def _find_versions() -> dict[str, str]:
    """Versions of what decides how Ganvas behaves."""
    versions = {"ganvas": _find_version("ganvas"), "python": platform.python_version()}
    versions |= {name: _find_version(name) for name in ("torch", "numpy", "pillow")}
    return versions | {"system": f"{platform.system()} {platform.release()} {platform.machine()}"}


def _find_version(package: str) -> str:
    """The version of a package, or "missing"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _find_devices() -> tuple[dict[str, str], int, list[str]]:
    """The devices, the best first, the threads of torch, and why torch cannot be used."""
    cpu = {"cpu": count_noun(_count_cores(), "core")}
    try:
        import torch
    except (ImportError, OSError) as error:  # a library that it needs is missing
        reason = " ".join(str(error).split())
        return cpu, 0, [f"torch cannot be used: {reason}; install it again: pip install torch"]

    devices: dict[str, str] = {}
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_properties(number)
            words = f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
            devices["cuda" if number == 0 else f"cuda:{number}"] = words
    if torch.backends.mps.is_available():
        devices["mps"] = "the GPU of this Mac"
    threads = torch.get_num_threads()
    cpu["cpu"] += f", {count_noun(threads, 'thread')}"
    return devices | cpu, threads, []


def _measure_cache() -> tuple[str, list[str]]:
    """The size of the cache in words, and why it cannot be read."""
    try:
        entries = cache()
    except UserError as error:
        return "unknown", [str(error)]
    return f"{count_noun(len(entries), 'entry', 'entries')}, {describe_size(entries)}", []


def _count_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _find_extras() -> list[Extra]:
    """The extras of the installed package."""
    try:
        lines = metadata.requires("ganvas") or []
    except metadata.PackageNotFoundError:
        lines = []
    packages: dict[str, list[str]] = {}
    for line in lines:
        found = REQUIREMENT.match(line)
        if found and found[2] not in HIDDEN:
            packages.setdefault(found[2], []).append(found[1])

    extras = []
    for name, names in packages.items():
        versions = {package: _find_version(package) for package in names}
        missing = [package for package, version in versions.items() if version == "missing"]
        installed = {package: versions[package] for package in names if package not in missing}
        extras.append(Extra(name, PURPOSES.get(name, "no description"), installed, missing))
    return extras


def _find_notes(extras: list[Extra], system: str, machine: str) -> list[str]:
    """What is slower, missing or impossible here.

    Args:
        extras: that there are.
        system: as `sys.platform`.
        machine: as `platform.machine`.
    """
    notes = []
    if any(extra.name == "jpeg" and extra.missing for extra in extras):
        notes.append(
            "JPEGs are read by Pillow here, to the same images but four times as slowly: "
            f"{install_hint('jpeg')}"
        )
    if system == "darwin" and machine == "x86_64":
        notes.append("PyTorch is no longer made for Intel Macs; use another machine or a container")
    if system == "win32" and machine.upper() == "ARM64":
        notes.append(
            "PyTorch has no package for Windows on Arm at PyPI; use Python for x64, or WSL"
        )
    if not extras:
        notes.append("Ganvas is not installed as a package, so its extras are not known here")
    return notes
