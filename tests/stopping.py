"""Runs that are stopped, and what must be equal in two equal runs."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ganvas.runs.locate import find_checkpoints
from ganvas.runs.log import read_log
from ganvas.training.trainer import Trainer


def contents(run: Path) -> dict[str, bytes]:
    """All that must be equal in two equal runs: weights and training state, the log without its
    speeds, the grids.
    """
    newest = find_checkpoints(run / "checkpoints")[-1]
    files = {
        f"{newest.name}/{file.name}": file.read_bytes() for file in newest.glob("*.safetensors")
    }
    files |= {file.name: file.read_bytes() for file in (run / "samples").iterdir()}
    log = [entry for entry in read_log(run / "log.jsonl") if entry["kind"] != "speed"]
    return files | {"log": json.dumps(log).encode()}


@contextmanager
def interrupted_after(steps: int, run: Path) -> Iterator[None]:
    """A context in which this process gets SIGTERM in the step after `steps` steps."""
    original = Trainer.step

    def step(self: Trainer) -> dict[str, torch.Tensor]:
        values = original(self)
        if self.state.clock.steps == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    Trainer.step = step
    try:
        yield
    finally:
        Trainer.step = original
