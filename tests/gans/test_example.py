"""The example of docs/add-a-gan.md: it trains, resumes and meets the contract of all GANs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import FENCE, ROOT, text

import ganvas
from ganvas.gans import GANS
from ganvas.gans.options import option_defaults
from ganvas.recipes import RECIPES


def example() -> list[str]:
    return [
        block
        for language, block in FENCE.findall(text("docs/add-a-gan.md"))
        if language == "python"
    ]


@pytest.fixture
def tables() -> Iterator[None]:
    """Take what the example enters into the tables out again."""
    gans, known = dict(GANS), dict(RECIPES)
    yield
    GANS.clear()
    GANS.update(gans)
    RECIPES.clear()
    RECIPES.update(known)


@pytest.mark.slow
def test_the_example_trains_and_resumes(
    tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "my_gan"}
    for block in example():
        exec(compile(block, "docs/add-a-gan.md", "exec"), space)
    run = space["run"]

    assert isinstance(run, ganvas.Run)
    assert space["images"].shape == (16, 1, 8, 8)
    assert run.about["images"] >= 2_000
    assert option_defaults("mlp-wasserstein").keys() == {
        "hidden",
        "noise_size",
        "penalty_weight",
        "n_critic",
    }
    assert (
        ganvas.train("digits-wasserstein", out="runs/wasserstein", images=2_500, quiet=True).about[
            "images"
        ]
        >= 2_500
    )

    check_files(Path("runs/wasserstein"))


def check_files(run: Path) -> None:
    """Every file of a run, and every key of its JSON in the row of that file, stands in the
    architecture's page.
    """
    page = text("docs/architecture.md")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = [path.name for path in [*run.iterdir(), *newest.iterdir()]]
    about, training, data = (
        json.loads(file.read_text())
        for file in (newest / "about.json", newest / "training.json", run / "data.json")
    )
    keys_of = {
        "about.json": [*about, *about["gan"], *about["data"], *about["versions"]],
        "training.json": [*training],
        "data.json": [*data],
    }
    for file, keys in keys_of.items():
        (row,) = [row for row in rows if row.startswith(f"| `{file}`")]
        assert [key for key in keys if f"`{key}`" not in row] == [], f"the row of {file}"

    for name in files:
        assert f"`{name}" in page, f"{name} is not in docs/architecture.md"
    log = (run / "log.jsonl").read_text().splitlines()
    for kind in {json.loads(line)["kind"] for line in log}:
        assert [row for row in rows if row.startswith(f"| `{kind}` |")], f"no row of {kind}"


@pytest.mark.slow
def test_the_contract_holds_for_the_example(tmp_path: Path):
    """Its tests run by themselves once it is in the table, as the page says."""
    options = re.search(r'`("mlp-wasserstein": \{.*?\})`', text("docs/add-a-gan.md"))
    assert options

    (tmp_path / "my_gan.py").write_text("\n".join(example()[:2]), encoding="utf-8")
    (tmp_path / "entered.py").write_text(
        f"import my_gan, tiny\ntiny.OPTIONS |= {{{options[1]}}}\n", encoding="utf-8"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")]),
        "OMP_NUM_THREADS": "1",
    }
    chosen = "mlp-wasserstein and not papers_formulas or every_gan_is_tested"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "entered",
        "-p",
        "no:cacheprovider",
        "tests/gans/test_contract.py",
        "-k",
        chosen,
    ]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stdout

    passed = re.search(r"(\d+) passed", answer.stdout)
    assert passed
    assert int(passed[1]) >= 10
