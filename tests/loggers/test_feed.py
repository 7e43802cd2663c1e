"""Loggers get what a run logs: each number and each grid once, afterwards and live."""

import io
import json
import shutil
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from lines_logger import install, read_lines
from short_runs import MLP, TINY
from stopping import contents, interrupted_after
from written_runs import losses, write_log, write_run

import ganvas
from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.loggers import live
from ganvas.runs.folder import lock_folder
from ganvas.runs.log import Log, LogFollower, read_log

SETTINGS = TINY | MLP | {"size": 8, "report_every": 12}


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch)
    monkeypatch.setattr(live, "PERIOD", 0.001)


def train(out: Path, log_to: str | None = None) -> ganvas.Run:
    return ganvas.train(
        "mnist-mlp",
        data="digits",
        out=out,
        images=48,
        device="cpu",
        settings=SETTINGS,
        log_to=log_to,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run that was never stopped and fed a good logger and four bad ones, and what it printed."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(printed):
        install(tmp_path_factory.mktemp("site"), patch)
        patch.setattr(live, "PATIENCE", 1.0)
        names = "lines,fails-at-start,fails-at-write,fails-at-finish,hangs"
        return train(tmp_path_factory.mktemp("runs") / "whole", names).folder, printed.getvalue()


def numbers(lines: list[list]) -> list[list]:
    """What was written, without the speed, which is never the same."""
    kept = []
    for _, images, values in lines:
        values = {key: value for key, value in values.items() if not key.startswith("speed/")}
        kept.append([images, values])
    return [entry for entry in kept if entry[1]]


def merge(lines: list[list]) -> dict[int, dict[str, float]]:
    """All numbers by images; a number that was given twice fails."""
    found: dict[int, dict[str, float]] = {}
    for images, values in numbers(lines):
        row = found.setdefault(images, {})
        assert not row.keys() & values.keys(), images
        row |= values
    return found


# Afterwards


def test_a_log_is_handed_over_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = write_run(tmp_path / "a run")
    main(["log", str(run), "--to", "lines"])
    assert capsys.readouterr().out == (
        "lines: sent the numbers of 10 moments, 0 grids\n  look into lines.jsonl\n"
    )
    written = read_lines(run, "write")
    assert [images for _, images, _ in written] == list(range(100, 1001, 100))
    first = written[0][2]
    assert (first["losses/generator"], first["losses/discriminator/real"]) == (2.0, 0.5)
    assert read_lines(run)[0][3] == "a run" and read_lines(run)[-1] == ["finish"]

    main(["log", str(run), "--to", "lines"])
    assert capsys.readouterr().out == "lines: nothing new\n  look into lines.jsonl\n"
    assert read_lines(run, "write") == written

    # where it was is not where it is
    moved = run.rename(tmp_path / "moved")
    main(["log", str(moved), "--to", "lines"])
    assert capsys.readouterr().out == f"lines: nothing new\n  {moved / 'loggers' / 'lines'}\n"
    moved.rename(run)

    # the run was trained further
    Log(run / "log.jsonl").add(1100, "losses", {"generator": 0.25})
    Log(run / "log.jsonl").add(1000, "samples", {})
    main(["log", str(run), "--to", "lines"])
    assert read_lines(run, "write")[10:] == [["write", 1100, {"losses/generator": 0.25}]]
    identities = [line[1:3] for line in read_lines(run, "start")]
    assert identities == [[identities[0][0], False], [identities[0][0], True]]


def test_settings_that_name_places_are_not_told(tmp_path: Path):
    run = write_run(tmp_path / "run")
    main(["log", str(run), "--to", "lines"])
    settings = read_lines(run, "start")[0][4]
    assert settings["batch"] == json.loads((run / "recipe.json").read_text())["batch"]
    assert not {"data", "origin", "labels", "reasons"} & settings.keys()


def test_grids_go_with_their_entries(tmp_path: Path):
    run = write_run(tmp_path / "run")
    entries = [{"images": 250 * n, "kind": "samples"} for n in range(5)]
    (run / "samples" / "000000000500.png").unlink()  # by the user
    write_log(run, [*entries, losses(1000, 0.5)])
    main(["log", str(run), "--to", "lines"])
    assert [images for _, images, _ in read_lines(run, "picture")] == [0, 250, 750, 1000]


def test_a_logger_that_fails_is_named_and_the_others_are_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = write_run(tmp_path / "run")
    with pytest.raises(SystemExit) as ended:
        main(["log", str(run), "--to", "fails-at-write,lines"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "ganvas: fails-at-write failed: no route to the server\n"
    assert len(read_lines(run, "write")) == 10
    assert not (run / "loggers" / "fails-at-write" / "sent.json").exists()


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    def refuse(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        assert ended.value.code == 2
        return capsys.readouterr().err

    run = write_run(tmp_path / "run")
    assert "did you mean tensorboard?" in refuse("log", str(run), "--to", "tensorbord")
    assert "give one of them" in refuse("log", str(run), "--to", "lines", "--csv")
    with lock_folder(run):
        assert "train with --log-to lines" in refuse("log", str(run), "--to", "lines")

    (run / "loggers" / "lines").mkdir(parents=True)
    (run / "loggers" / "lines" / "sent.json").write_text('{"identity": "a", "last": [3]}')
    assert "sent.json is damaged; remove" in refuse("log", str(run), "--to", "lines")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "ganvas[wandb]"' in refuse("log", str(run), "--to", "lines,wandb")


def test_a_follower_reads_whole_lines_once(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    follower = LogFollower(path)
    assert follower.read() == []
    path.write_bytes(b'{"images": 1, "kind": "a"}\n[1]\n{"images": 2, "ki')
    assert follower.read() == [{"images": 1, "kind": "a"}]
    assert follower.read() == []
    with path.open("ab") as file:
        file.write(b'nd": "b"}\n')
    assert follower.read() == [{"images": 2, "kind": "b"}]


# Live


def test_a_run_feeds_its_logger_while_it_trains(whole: tuple[Path, str]):
    run, printed = whole
    log = read_log(run / "log.jsonl")
    reports = [entry["images"] for entry in log if entry["kind"] == "losses"]
    written = merge(read_lines(run, "write"))
    assert [images for images in written if "losses/generator" in written[images]] == reports
    grids = [entry["images"] for entry in log if entry["kind"] == "samples"]
    assert [images for _, images, _ in read_lines(run, "picture")] == grids == [0, 24, 48]
    assert read_lines(run)[-1] == ["finish"]
    assert printed.count("lines: look into lines.jsonl") == 1


def test_loggers_that_fail_or_hang_are_named_once(whole: tuple[Path, str]):
    run, printed = whole
    for name in ("fails-at-start", "fails-at-write", "fails-at-finish"):
        assert printed.count(f"{name} failed: no route to the server; the run goes on") == 1
        assert printed.count(f"ganvas log {run} --to {name} sends the rest") == 1
    assert printed.count("hangs has not finished within 1 seconds and is left behind") == 1


def test_a_resumed_run_gives_nothing_twice_and_loggers_change_nothing(
    whole: tuple[Path, str], tmp_path: Path
):
    run = tmp_path / "run"
    with pytest.raises(ganvas.InterruptedRun), interrupted_after(5, run):
        train(run, "lines")
    # As after a kill: the newest checkpoint is older than what the logger has.
    for newest in sorted((run / "checkpoints").iterdir())[-2:]:
        shutil.rmtree(newest)
    assert max(images for _, images, _ in read_lines(run, "write")) == 24
    train(run)  # without a logger, which gets the rest afterwards
    main(["log", str(run), "--to", "lines"])

    assert merge(read_lines(run, "write")) == merge(read_lines(whole[0], "write"))
    assert read_lines(run, "picture") == read_lines(whole[0], "picture")
    assert len({line[1] for line in read_lines(run, "start")}) == 1
    assert contents(run) == contents(whole[0])


def test_names_are_checked_before_all_else(tmp_path: Path):
    with pytest.raises(UserError, match="did you mean lines"):
        train(tmp_path / "run", "line")
    with pytest.raises(UserError, match=r"absent \(lines_logger:NoSuchLogger\) cannot be used"):
        train(tmp_path / "run", "lines,absent")
    assert not (tmp_path / "run").exists()
