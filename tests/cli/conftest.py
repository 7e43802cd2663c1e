"""What the tests of the command line share: a way to call it, and a short run."""

from pathlib import Path

import pytest
from commands import Command
from short_runs import SELDOM

from ganvas.cli import main


@pytest.fixture
def ganvas(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process: (status, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        output = capfd.readouterr()
        return status, output.out, output.err

    return run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of the default recipe."""
    folder = tmp_path_factory.mktemp("run") / "digits"
    settings = SELDOM | {"options.width": 8, "ema_halflife": 500}
    changes = [f"--set={key}={value}" for key, value in settings.items()]
    fixed = ["--images", "1000", "--device", "cpu", "--quiet"]
    main(["train", "--out", str(folder), *fixed, *changes])
    return folder
