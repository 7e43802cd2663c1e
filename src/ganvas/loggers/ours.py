"""The loggers of Ganvas: TensorBoard, Weights & Biases, Trackio and SwanLab.

Each imports its package when it starts: `find_loggers` has seen that it is there.
"""

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.io.reading import read_bytes
from ganvas.loggers.logger import LoggedRun

__all__ = ["SwanLabLogger", "TensorBoardLogger", "TrackioLogger", "WandbLogger"]

PROJECT = "ganvas"


class TensorBoardLogger:
    """TensorBoard: event files in the run folder, which never leave this machine.

    A resumed run gets another one, and TensorBoard shows all as one run.
    """

    def start(self, run: LoggedRun) -> str:
        # Its own writer, not that of torch, which also imports what it does not need here.
        from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self.event, self.summary = Event, Summary
        self.writer = EventFileWriter(str(run.folder))
        return f"tensorboard --logdir {run.folder}"

    def write(self, images: int, values: Mapping[str, float]) -> None:
        self._add(images, [{"tag": name, "simple_value": value} for name, value in values.items()])

    def picture(self, images: int, file: Path) -> None:
        content = read_bytes(file)
        width, height = struct.unpack(">II", content[16:24])  # of the PNG's header
        image = {"height": height, "width": width, "encoded_image_string": content}
        self._add(images, [{"tag": "samples", "image": image}])

    def finish(self) -> None:
        self.writer.close()

    def _add(self, images: int, values: list[dict[str, Any]]) -> None:
        """Write values on the disk at once: a run that is killed later logs them only once."""
        summary = self.summary(value=values)
        self.writer.add_event(self.event(step=images, wall_time=time.time(), summary=summary))
        self.writer.flush()


class WandbLogger:
    """Weights & Biases: a run of the project "ganvas", or of $WANDB_PROJECT.

    Without a login, or with WANDB_MODE=offline, nothing is sent. It is told nothing of this
    machine: no code, git, console, hardware, packages, or reports of errors.
    """

    def start(self, run: LoggedRun) -> str:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it is read on import
        import wandb  # pyright: ignore[reportMissingImports]

        # Chosen here, since it would ask for a key on the terminal in the middle of a training.
        mode = os.environ.get("WANDB_MODE")
        if not mode:
            known = wandb.login(prompt=False, verify=False)
            mode = "online" if known else "offline"
        settings = wandb.Settings(
            silent=True,
            symlink=False,  # on Windows, links need rights of their own
            console="off",
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
        self.images = wandb.Image
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=run.name,
            id=run.identity,
            resume="allow" if mode == "online" else None,  # `wandb sync` joins the parts
            dir=run.folder,
            mode=mode,
            config=dict(run.settings),
            settings=settings,
        )
        # The steps of all curves are images shown.
        self.run.define_metric("*", step_metric="images")
        if mode == "online":
            return self.run.url or "online"
        return f"kept here; to send it: wandb sync {run.folder / 'wandb'}{os.sep}offline-run-*"

    def write(self, images: int, values: Mapping[str, float]) -> None:
        self.run.log({"images": images, **values}, step=images)

    def picture(self, images: int, file: Path) -> None:
        self.run.log({"samples": self.images(str(file))}, step=images)

    def finish(self) -> None:
        self.run.finish()


class TrackioLogger:
    """Trackio: a run of the project "ganvas" in a data base on this machine.

    Nothing leaves this machine, unless the user has named a Space in $TRACKIO_SPACE_ID or a server
    in $TRACKIO_SERVER_URL.
    """

    def start(self, run: LoggedRun) -> str:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # it is read on import
        import trackio  # pyright: ignore[reportMissingImports]

        self.images = trackio.Image
        self.run = trackio.init(
            project=PROJECT,
            name=f"{run.name}-{run.identity[:6]}",
            config=dict(run.settings),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        return f"trackio show --project {PROJECT}"

    def write(self, images: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=images)

    def picture(self, images: int, file: Path) -> None:
        self.run.log({"samples": self.images(file)}, step=images)

    def finish(self) -> None:
        self.run.finish()


class SwanLabLogger:
    """SwanLab: an experiment of the project "ganvas".

    Without a login, or with SWANLAB_MODE=offline, nothing is sent. It is told nothing of this
    machine: no git, terminal, hardware, or packages.
    """

    def start(self, run: LoggedRun) -> str:
        import swanlab

        settings = swanlab.Settings.model_validate(
            {
                "interactive": False,  # it would ask for a key in the middle of a training
                "terminal": {"proxy_type": "none"},
                "probe": dict.fromkeys(
                    ("hardware", "runtime", "requirements", "conda", "git", "monitor"), False
                ),
            }
        )
        mode: Any = os.environ.get("SWANLAB_MODE") or ("online" if settings.api_key else "offline")
        self.images = swanlab.Image
        self.run = swanlab.init(
            project=PROJECT,
            name=run.name,
            id=run.identity,
            resume="allow",
            log_dir=str(run.folder),
            mode=mode,
            config=dict(run.settings),
            settings=settings,
        )
        if mode == "online":
            return getattr(self.run, "url", None) or "online"
        return f"kept here; to send it: swanlab sync {run.folder}{os.sep}run-*"

    def write(self, images: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=images)

    def picture(self, images: int, file: Path) -> None:
        self.run.log({"samples": self.images(str(file))}, step=images)

    def finish(self) -> None:
        self.run.finish()
