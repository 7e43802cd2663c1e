"""Run the parts of the GPU benchmark, each in a process of its own and with a budget of time.

    bash benchmarks/gpu.sh [--device cuda] [--minutes 8] [--out gpu.json] [--mnist FOLDER]
    [--cifar PLACE] [--parts PART ...] [--tiny]

What is measured is in `gpu_parts.py`. This file needs nothing but Python, so that even a machine on
which Ganvas cannot be imported gets a report that says so. A part that fails, crashes or is out of
time stops no other: its status, its error and what it had measured by then are in the report. The
report is written whole every few seconds, so a run that is killed leaves all it has measured.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# What each part gets of the whole time. A part that needs less leaves the rest to the others.
SHARES = {"machine": 0.06, "contract": 0.19, "speed": 0.4, "mnist-fast": 0.15, "r3gan": 0.2}
TICK = 1.0  # seconds between two looks at a part
GRACE = 10.0  # seconds that a part may need beyond its budget to end by itself
LAST_LINES = 30  # of what a part printed, kept where it did not end well


def main() -> int:
    """Run the parts and write the report.

    Returns:
        The exit status: 1 if a part did not end well.
    """
    arguments = parse_arguments()
    # As an exception, so that the running part is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    end = time.monotonic() + 60 * arguments.minutes
    about = {"device": arguments.device, "tiny": arguments.tiny, "minutes": arguments.minutes}
    report: dict[str, Any] = {"about": about, "parts": {}}

    waiting = [part for part in SHARES if part in arguments.parts]
    with tempfile.TemporaryDirectory() as folder:
        while waiting:
            # What is left is shared in proportion, so that time saved by one part helps the rest.
            left = end - time.monotonic()
            budget = left * SHARES[waiting[0]] / sum(SHARES[part] for part in waiting)
            part = waiting.pop(0)
            entry = report["parts"][part] = {"status": "running", "budget_s": round(budget, 1)}
            file = Path(folder) / f"{part}.json"
            command = make_command(part, arguments, max(0.0, budget), file)
            run_part(command, budget, file, entry, lambda: write_report(arguments.out, report))
            errors = count_errors(entry.get("results", {}))
            faults = f", with {errors} errors" if errors else ""
            print(f"{part}: {entry['status']} after {entry['seconds']:.0f} s{faults}", flush=True)

    print(f"written: {arguments.out}")
    return int(any(entry["status"] != "done" for entry in report["parts"].values()))


def parse_arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--minutes", type=float, default=8, help="for all parts together")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="file of the report")
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's files; drawn images without")
    parser.add_argument("--cifar", type=Path, help="place of CIFAR-10; drawn images without")
    parser.add_argument("--parts", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--tiny", action="store_true", help="smallest settings, to try the script")
    return parser.parse_args()


def make_command(part: str, given: argparse.Namespace, seconds: float, file: Path) -> list[str]:
    """The command that runs one part and writes what it measures to `file`."""
    script = Path(__file__).with_name("gpu_parts.py")
    command = [sys.executable, str(script), part, "--device", given.device, "--out", str(file)]
    command += ["--seconds", f"{seconds:.1f}"]
    for name in ("mnist", "cifar"):
        if getattr(given, name):
            command += [f"--{name}", str(getattr(given, name))]
    return command + ["--tiny"] * given.tiny


def run_part(
    command: Sequence[str],
    budget: float,
    file: Path,
    entry: dict[str, Any],
    report: Callable[[], None],
) -> None:
    """Run a part in a process of its own, and bring its entry of the report up to date.

    Args:
        command: of the part.
        budget: seconds after which it should have ended by itself; GRACE later it is killed.
        file: JSON that the part writes, whole, whenever it has measured something.
        entry: of the report: gets "status" ("done", "failed" or "out of time"), "seconds",
            "results" and, where it failed, "error".
        report: called whenever the entry has changed.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        # A session of its own, so that processes which the part has started end with it.
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            while (status := _wait(process)) is None:
                _take_results(entry, file, began)
                report()
                if time.monotonic() > began + budget + GRACE:
                    break
        finally:
            _end(process)

        _take_results(entry, file, began)
        entry["status"] = "done" if status == 0 else "failed"
        if status is None:
            entry["status"] = "out of time"
        if entry["status"] != "done":
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()
            entry.setdefault("error", f"exit status {status}\n" + "\n".join(lines[-LAST_LINES:]))
    report()


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """The exit status of a process that ends within a tick, or None."""
    try:
        return process.wait(TICK)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not ended, and all that it has started."""
    # No such process is the usual case: it has ended, and nothing that it started is left.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _take_results(entry: dict[str, Any], file: Path, began: float) -> None:
    """Take over what a part has written so far."""
    if file.exists():
        entry |= json.loads(file.read_text(encoding="utf-8"))
    entry["seconds"] = round(time.monotonic() - began, 1)


def count_errors(results: Any) -> int:
    """How many of the trials in a part's results ended in an error that stopped no other."""
    if not isinstance(results, dict):
        return 0
    return 1 if "error" in results else sum(map(count_errors, results.values()))


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
