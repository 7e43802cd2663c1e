"""The plan of a run: recorded, read again on resuming, shown by a dry run."""

import json
from pathlib import Path

import pytest
import torch
from fast_runs import make_recipe, make_trainer
from short_runs import train_mlp

import ganvas
from ganvas.errors import UserError
from ganvas.runs.locate import find_checkpoints
from ganvas.runs.log import read_log
from ganvas.training.dry_run import print_plan
from ganvas.training.request import Request
from ganvas.training.speed import autotune as adapt
from ganvas.training.speed import im2col as products
from ganvas.training.speed.autotune import (
    ExecutionPlan,
    choose_plan,
    read_plan,
)


def run(folder: Path, images: int, **changes: object) -> dict[str, bytes]:
    """Train, and return what the newest checkpoint holds."""
    ganvas.train(make_recipe(**changes), images=images, out=folder, device="cpu", quiet=True)
    newest = find_checkpoints(folder / "checkpoints")[-1]
    return {file.name: file.read_bytes() for file in newest.glob("*.safetensors")}


@pytest.mark.slow
def test_the_choice_is_recorded_and_used_on_resuming(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    whole = run(tmp_path / "whole", 48)
    assert read_plan(tmp_path / "whole") == ExecutionPlan(
        device="cpu",
        speed="channels_last",
        reason="known, not measured",
        threads=torch.get_num_threads(),
    )

    run(tmp_path / "parts", 24)
    assert run(tmp_path / "parts", 48) == whole

    lines = [
        entry
        for entry in read_log(tmp_path / "parts" / "log.jsonl")
        if entry["kind"] == "autotuned"
    ]

    assert lines == [
        {
            "images": 0,
            "kind": "autotuned",
            "device": "cpu",
            "speed": "channels_last",
            "reason": "known, not measured",
        }
    ]

    ganvas.train(out=tmp_path / "parts", images=54, device="cpu")
    assert "speed: channels_last (known, not measured)" in capfd.readouterr().err


@pytest.mark.slow
def test_a_run_with_products_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "WEIGHTS", 1)
    whole = run(tmp_path / "whole", 24)
    record = read_plan(tmp_path / "whole")
    assert record and record.speed == "channels_last+im2col"
    run(tmp_path / "parts", 12)
    assert run(tmp_path / "parts", 24) == whole


@pytest.mark.slow
def test_a_record_counts_more_than_what_would_be_chosen_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As when it was measured, or by another version."""
    whole = run(tmp_path / "whole", 48, speed="plain")
    with monkeypatch.context() as patch:
        patch.setattr(
            adapt,
            "plan_from_experience",
            lambda *_: ExecutionPlan(device="cpu", speed="plain", measured={"plain": 7.0}),
        )
        run(tmp_path / "parts", 24)
    assert run(tmp_path / "parts", 48) == whole
    assert json.loads((tmp_path / "parts" / "speed.json").read_text())["measured"] == {"plain": 7.0}
    assert run(tmp_path / "other", 48) != whole  # else this test would see nothing


def test_a_record_of_another_device_does_not_count(tmp_path: Path):
    trainer = make_trainer(tmp_path, make_recipe())
    (tmp_path / "speed.json").write_text(
        ExecutionPlan(device="cuda", speed="plain").model_dump_json()
    )
    assert choose_plan(trainer.context, trainer.state, trainer.loader).speed == "channels_last"
    (tmp_path / "speed.json").write_text(
        ExecutionPlan(device="cpu", speed="graphs").model_dump_json()
    )
    assert choose_plan(trainer.context, trainer.state, trainer.loader).speed == "channels_last"


@pytest.mark.slow
def test_a_run_may_resume_in_another_way(tmp_path: Path):
    run(tmp_path / "run", 24)
    run(tmp_path / "run", 48, speed="plain")
    assert read_plan(tmp_path / "run") == ExecutionPlan(
        device="cpu", speed="plain", reason="requested", threads=torch.get_num_threads()
    )


def test_another_number_of_threads_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    train_mlp(tmp_path / "run", 12)
    plan = read_plan(tmp_path / "run")
    assert plan is not None and plan.threads == torch.get_num_threads()
    more = plan.model_copy(update={"threads": plan.threads + 1})
    (tmp_path / "run" / "speed.json").write_text(more.model_dump_json())

    ganvas.train(out=tmp_path / "run", images=24, device="cpu")
    said = " ".join(capfd.readouterr().err.split())
    assert f"began with {more.threads} threads and is resumed with {plan.threads}, so" in said
    ganvas.train(out=tmp_path / "run", images=30, device="cpu")
    assert "no longer bit for bit" not in capfd.readouterr().err
    assert read_plan(tmp_path / "run") == plan


def test_a_damaged_record_is_an_error(tmp_path: Path):
    (tmp_path / "speed.json").write_text('{"speed": 3}')
    with pytest.raises(UserError, match=r"speed\.json is damaged: .* delete it"):
        read_plan(tmp_path)


def test_the_dry_run_shows_the_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    print_plan(Request(make_recipe()), tmp_path, "cpu")
    assert "speed: channels_last (known, not measured)" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
