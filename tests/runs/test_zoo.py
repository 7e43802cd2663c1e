"""The ready-made generators: what they keep, what they lack, and that they are fit to be given."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from pages import ROOT
from run_files import edit, newest_checkpoint
from safetensors.torch import load_file
from short_runs import MLP, TINY, train_mlp
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.export.about import describe_export
from ganvas.export.card import write_card
from ganvas.export.graph import list_graphs
from ganvas.export.public import make_public
from ganvas.runs.zoo import ZOO, find_generator

SETTINGS = TINY | MLP | {"size": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_mlp(tmp_path_factory.mktemp("zoo") / "tiny", 12, ema_halflife=6)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "make_zoo.py"))


@pytest.fixture
def half(trained: ganvas.Run, script: dict[str, Any], tmp_path: Path) -> Path:
    """The run as the zoo has runs, without a discriminator."""
    script["reduce_run"](trained, tmp_path / "half", ("generator",))
    return tmp_path / "half"


# What a checkpoint says that it keeps


def test_half_of_the_digits_are_enough_for_the_same_images(trained, half, script):
    run = ganvas.load(half)
    assert (run.sample(8) - trained.sample(8)).abs().max() < 0.5 / 127.5  # half a level of 255
    file = newest_checkpoint(half) / "gan.safetensors"
    assert {value.dtype for value in load_file(file).values()} == {torch.float16}
    assert {value.dtype for value in run.gan.state_dict().values()} == {torch.float32}
    assert "8 samples" in script["describe_difference"](trained, run).replace("256", "8")


def test_players_that_were_not_kept_are_not_there(half):
    run = ganvas.load(half)
    assert [name for name, _ in run.gan.named_children()] == ["generator"]
    refused_in_one_line(lambda: ganvas.load(half, ema=False), "has averaged weights alone")


def test_a_training_that_begins_with_it_says_what_is_new(half, tmp_path):
    run = ganvas.train(
        from_=half, out=tmp_path / "new", data="digits", images=6, settings=SETTINGS, quiet=True
    )
    origin = json.loads((run.folder / "origin.json").read_text())
    assert origin["taken"]
    assert all(name.startswith("generator.") for name in origin["taken"])
    assert {name.partition(".")[0] for name in origin["new"]} == {"discriminator"}
    refused_in_one_line(
        lambda: ganvas.train(
            from_=half,
            out=tmp_path / "moments",
            data="digits",
            images=6,
            settings=SETTINGS | {"origin.optimizers": True},
            quiet=True,
        ),
        "has no moments of its optimizers",
    )


def test_it_cannot_be_resumed_and_the_error_says_what_can_be_done(half):
    refused_in_one_line(
        lambda: ganvas.train(out=half, images=24, quiet=True), "for use alone.* by --from"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("players", ["critic", "generator"], "no player critic"),
        ("players", ["discriminator"], "without its generator"),
        ("players", ["discriminator", "generator"], "discriminator.* is missing"),
        ("dtype", "float32", r"generator\S* is .*float16, not .*float32"),
        ("dtype", "int8", "dtype"),
        ("weights", "best", "weights"),
        ("more", 1, "more"),
    ],
)
def test_what_it_says_is_checked(half, key: str, value: Any, message: str):
    file = newest_checkpoint(half) / "about.json"
    edit(file, lambda about: about["kept"].update({key: value}))
    refused_in_one_line(lambda: ganvas.load(half), message)


def test_weights_that_half_precision_has_no_number_for_are_refused(trained, script, tmp_path):
    run = ganvas.load(trained.folder)
    next(run.gan.parameters()).data[0] = 1e5
    with pytest.raises(ValueError, match="has values beyond 65,504"):
        script["reduce_run"](run, tmp_path / "large", ("generator",))


# The generators of the package


@pytest.mark.parametrize("name", ZOO)
def test_every_generator_draws_and_has_a_card_with_its_terms(name: str):
    generator = ZOO[name]
    run = ganvas.load(generator.name)
    images = run.sample(2)
    assert images.isfinite().all()
    assert images[0].std() > 0.05
    size, colours = generator.images.split()
    assert (run.gan.size, run.gan.channels) == (int(size), {"grey": 1, "rgb": 3}[colours])

    assert f"license: {generator.licence}\n" in generator.card
    assert generator.terms in generator.card
    # it was measured with both kinds of features, each in a table of its own
    assert all(f"(`{value} ↓`)" in generator.card for value in ("fd", "fd_lite0"))
    if "`LICENSE`" in generator.terms:
        assert len((generator.folder / "LICENSE").read_text(encoding="utf-8")) > 1000


def test_together_they_are_small_and_name_nobody():
    assert sum(each.megabytes for each in ZOO.values()) < 6
    root = ZOO["mnist"].folder.parent
    assert {path.name for path in root.iterdir()} == {*ZOO}
    for file in root.rglob("*.[jmo]*"):  # JSON, cards
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.:/])/(home|work|tmp|root|Users)/", text), file


def test_the_list_fits_80_columns_and_names_all(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    main(["zoo"])
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(each.name) for line in lines) for each in ganvas.zoo())
    assert max(map(len, lines)) <= 80

    main(["zoo", "zoo:mnist"])
    assert capsys.readouterr().out.strip() == ZOO["mnist"].card.strip()
    refused_in_one_line(lambda: find_generator("mnst"), "did you mean mnist")


def test_a_card_on_a_terminal_is_laid_out(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any output for a terminal then
    monkeypatch.setenv("COLUMNS", "80")
    for name in ZOO:
        main(["zoo", name])
        shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
        assert max(map(len, shown.splitlines())) <= 80
        for sign in ("license:", "|---|", "## ", "![", "](", "```", "<http"):
            assert sign not in shown, (name, sign)
        assert shown.count("With the features") == 2
        for address in re.findall(r"<(http\S+)>", ZOO[name].card):
            assert "".join(shown.split()).count(address) == 1


def test_cards_show_a_class_where_there_are_some():
    for name, label in (("mnist", "5"), ("fashion", "sandal"), ("cartoon-faces", "")):
        commands = re.findall(r"--label (\S+)", ZOO[name].card)
        assert commands == ([label] if label else [])
        (python,) = re.findall(r"```python\n(.*?)```", ZOO[name].card, re.DOTALL)
        names: dict[str, Any] = {}
        exec(python, names)
        assert len(names["images"]) == 16


def test_the_cards_are_what_is_written_today():
    for name, generator in ZOO.items():
        run = ganvas.load(generator.name)
        card = write_card(make_public(run), generator.name, generator.licence, generator.terms)
        assert card == generator.card, name


def test_a_generator_is_found_by_name_and_meant_by_a_name_without_zoo():
    assert ganvas.zoo("zoo:mnist") == ganvas.zoo("mnist") == ganvas.zoo()[0]
    refused_in_one_line(lambda: ganvas.zoo("mnits"), "did you mean mnist?")
    refused_in_one_line(lambda: ganvas.load("MNIST"), "the ready-made one is zoo:mnist")
    refused_in_one_line(lambda: ganvas.load("faces"), "`ganvas train --out faces` makes one")


def test_what_is_made_of_it_keeps_its_licence():
    run = ganvas.load("zoo:cartoon-faces")
    (graph,) = list_graphs(run.gan)
    assert describe_export(run, graph, None)["licence"] == "cc-by-4.0"
    assert describe_export(run, graph, "mine")["licence"] == "mine"
    by_path = ganvas.load(find_generator("cartoon-faces").folder)
    assert describe_export(by_path, graph, None)["licence"] == "cc-by-4.0"
    refused_in_one_line(
        lambda: ganvas.push(run, "hf:me/faces", licence="mit"),
        "zoo:cartoon-faces is given under cc-by-4.0",
    )


def test_an_argument_that_sampling_lacks_is_named():
    run = ganvas.load("zoo:mnist")
    refused_in_one_line(lambda: run.sample(2, sed=3), "no argument 'sed'")  # pyright: ignore
