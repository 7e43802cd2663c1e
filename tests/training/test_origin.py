"""Runs that begin with the weights of another one: what fits, exact resume, refusals."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from short_runs import TINY
from stopping import contents, interrupted_after
from tiny import copy_weights, refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.gans.options import build_gan
from ganvas.recipes.origin import Origin
from ganvas.runs.checkpoint import load_gan
from ganvas.runs.folder import read_recipe
from ganvas.runs.locate import find_checkpoints
from ganvas.schema import Schema
from ganvas.training.beginning import begin_with
from ganvas.training.clock import RunClock
from ganvas.training.ema import EMA
from ganvas.training.origin import find_start
from ganvas.training.signals import InterruptedRun
from ganvas.training.state import TrainingState

SETTINGS = TINY | {"options.width": 2, "keep": 2}
DIGITS = tuple("0123456789")


def train(out: Path, images: int, recipe: str | None = "digits", /, **more: Any) -> ganvas.Run:
    """A run on the digits, in batches of six; what is no argument is a setting."""
    arguments = {key: more.pop(key) for key in ("from_", "data", "size") if key in more}
    settings = SETTINGS | more if recipe else more
    return ganvas.train(
        recipe, out=out, images=images, settings=settings, device="cpu", quiet=True, **arguments
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that others begin with; its averaged weights differ from its last ones."""
    run = tmp_path_factory.mktemp("origin") / "base"
    train(run, 24)
    return run


@pytest.fixture
def moved(base: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(base, tmp_path / "base"))


def make_state(base: Path, classes: tuple[str, ...] = DIGITS, size: int = 8) -> TrainingState:
    """First weights of a GAN with the options of the run, but its own seed."""
    recipe = find_start(base).recipe
    schema = Schema(size=size, channels={"image": 1}, names={"label": classes})
    torch.manual_seed(1)
    gan = build_gan(recipe.gan, schema, recipe.options)
    optimizers = {
        player: torch.optim.Adam(parameters, fused=True)
        for player, parameters in gan.players().items()
    }
    return TrainingState(gan, EMA(gan, 100), optimizers, RunClock(6, 24))


def origin_of(base: Path, **settings: Any) -> Origin:
    """The newest checkpoint of a run."""
    return find_start(base).origin.model_copy(update=settings)


# What fits


@pytest.mark.parametrize("weights", ["ema", "last"])
def test_weights_and_averages_begin_with_those_of_the_run(base: Path, weights: str):
    state = make_state(base)
    beginning = begin_with(state, origin_of(base, weights=weights))
    other, _ = load_gan(find_checkpoints(base / "checkpoints")[-1], ema=weights == "ema")
    wanted = other.state_dict()

    assert state.ema
    for values in (state.gan.state_dict(), state.ema.gan.state_dict()):
        assert all(torch.equal(values[name], wanted[name]) for name in wanted)
    assert beginning.taken == list(wanted) and not beginning.new
    assert not any(optimizer.state for optimizer in state.optimizers.values())


def test_averages_and_last_weights_are_not_the_same(base: Path):
    newest = find_checkpoints(base / "checkpoints")[-1]
    one, other = (load_gan(newest, ema=ema)[0].state_dict() for ema in (True, False))
    differs = {name.split(".")[0] for name in one if not torch.equal(one[name], other[name])}
    assert differs == {"generator"}


def test_classes_are_found_by_their_names(base: Path):
    state = make_state(base, ("7", "cat", "2"))
    before = copy_weights(state.gan)
    beginning = begin_with(state, origin_of(base))
    other, _ = load_gan(find_checkpoints(base / "checkpoints")[-1])
    theirs = other.state_dict()

    for name in ("generator.embedding.weight", "discriminator.embedding.weight"):
        own = state.gan.state_dict()[name]
        assert torch.equal(own[[0, 2]], theirs[name][[7, 2]])
        assert torch.equal(own[1], before[name][1])
        assert beginning.partly[name] == ["7", "2"]
    assert beginning.describe()[1:] == [
        "generator: 6 of 7 tensors taken; and of embedding.weight the classes 7, 2",
        "discriminator: 5 of 6 tensors taken; and of embedding.weight the classes 7, 2",
    ]


def test_as_many_classes_of_other_names_are_other_classes(base: Path):
    state = make_state(base, tuple("abcdefghij"))
    before = copy_weights(state.gan)
    beginning = begin_with(state, origin_of(base))
    name = "generator.embedding.weight"
    assert torch.equal(state.gan.state_dict()[name], before[name])
    assert beginning.new[name] == "other classes"


def test_at_another_size_the_layers_that_match_are_taken(base: Path):
    state = make_state(base, size=10)
    before = copy_weights(state.gan)
    beginning = begin_with(state, origin_of(base))
    new = [name for name in beginning.new if "weight" in name]
    # The layers that know how many places the smallest map has: 16 at 8 pixels, 25 at 10.
    assert new == ["generator.layers.0.weight", "discriminator.layers.3.weight"]
    assert all(torch.equal(state.gan.state_dict()[name], before[name]) for name in new)
    assert "generator: 5 of 7 tensors taken; new: layers.0.weight (" in beginning.describe()[1]


def test_nothing_that_fits_is_an_error(base: Path):
    state = make_state(base)
    state.gan.generator = state.gan.discriminator = torch.nn.Linear(3, 3)
    before = copy_weights(state.gan)
    refused_in_one_line(
        lambda: begin_with(state, origin_of(base)),
        r"no weights of .* fit, e\.g\. generator\.weight: not there; use its --size",
    )
    assert all(torch.equal(value, before[name]) for name, value in copy_weights(state.gan).items())


def test_moments_follow_the_weights_that_were_taken(base: Path):
    state = make_state(base, ("7", "cat", "2"))
    begin_with(state, origin_of(base, optimizers=True))
    for player, optimizer in state.optimizers.items():
        named = dict(state.gan.get_submodule(player).named_parameters())
        kept = {name for name, parameter in named.items() if parameter in optimizer.state}
        assert kept == named.keys() - {"embedding.weight"}
        assert all(values["step"] == 4 for values in optimizer.state.values())
        assert all(values["exp_avg_sq"].any() for values in optimizer.state.values())


# Runs


FROM = {"origin.optimizers": True, "origin.frozen": 1, "options.augmentation": "adaptive"}


def test_stopped_and_resumed_without_the_other_run_equals_uninterrupted(
    base: Path, moved: Path, tmp_path: Path
):
    train(tmp_path / "whole", 54, from_=moved, **FROM)
    with interrupted_after(5, tmp_path / "parts"), pytest.raises(InterruptedRun):
        train(tmp_path / "parts", 54, from_=moved, **FROM)
    shutil.rmtree(moved)
    train(tmp_path / "parts", 54, from_=moved, **FROM)  # the same command
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    # Without --from, and with the place to which the run was moved, it is the same run, too.
    train(tmp_path / "parts", 54, **FROM)
    train(tmp_path / "parts", 54, from_=base, **FROM)
    ganvas.train(out=tmp_path / "parts", from_=moved, device="cpu", quiet=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    record = json.loads((tmp_path / "whole" / "origin.json").read_text())
    assert record["checkpoint"] == str(moved / "checkpoints" / "000000000024")
    assert record["new"] == {} and len(record["taken"]) == 13


@pytest.mark.slow
def test_the_first_blocks_stay_through_a_run(base: Path, tmp_path: Path):
    run = train(tmp_path / "run", 24, from_=base, **{"origin.frozen": 1, "origin.weights": "last"})
    last, _ = load_gan(run.path, ema=False)
    first, _ = load_gan(find_checkpoints(base / "checkpoints")[-1], ema=False)
    same = {
        name
        for name, value in first.named_parameters()
        if torch.equal(value, last.state_dict()[name])
    }
    assert same == {"discriminator.layers.0.weight", "discriminator.layers.0.bias"}

    # A run that begins with this one takes moments by the names of what has learned.
    train(tmp_path / "next", 12, from_=run.path, **{"origin.optimizers": True})


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_begins_again_equally(
    base: Path, moved: Path, tmp_path: Path
):
    run = tmp_path / "run"
    train(run, 24, from_=moved)
    whole = contents(run)
    shutil.rmtree(run / "checkpoints")  # as if it had been killed
    train(run, 24, from_=moved)
    assert contents(run).keys() == whole.keys()
    assert {key: value for key, value in contents(run).items() if key != "log"} == {
        key: value for key, value in whole.items() if key != "log"
    }

    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(moved)
    refused_in_one_line(
        lambda: train(run, 24),
        r"base/checkpoints/000000000024 is gone: a run begins with its weights, and needs it",
    )
    shutil.copytree(base, moved)
    (moved / "checkpoints" / "000000000024" / "about.json").write_text(
        (moved / "checkpoints" / "000000000012" / "about.json").read_text()
    )
    refused_in_one_line(lambda: train(run, 24), "is not what it was when this run was begun")


def test_without_a_recipe_it_has_the_settings_of_the_run(base: Path, tmp_path: Path):
    train(tmp_path / "run", 12, None, from_=base, **{"batch": 4})
    own, theirs = read_recipe(tmp_path / "run"), read_recipe(base)
    assert own and theirs and own.origin
    assert own.origin.checkpoint == str(base / "checkpoints" / "000000000024")
    assert own.model_copy(
        update={"batch": 6, "images": 24, "origin": None, "size": None, "channels": None}
    ) == theirs.model_copy(update={"size": None, "channels": None})


def test_auto_takes_the_settings_of_the_run_and_explains_the_others(
    base: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["auto", "--from", str(base), "--data", str(pictures), "--images", "12"]
    main(["train", *arguments, "--out", str(tmp_path / "run")])
    shown = capsys.readouterr().err
    assert (
        "The GAN is relativistic: as in the run that it begins with, so that its weights" in shown
    )
    assert "Training is by Adam 0.0009, betas 0 and 0.99: lower than in the run that it" in shown
    assert "The augmentation is adaptive: 20 images are so few that the discrim" in shown
    # A folder without classes: what takes classes into account is new.
    assert "generator: 5 of 6 tensors taken; new: layers.0.weight (" in shown

    own = read_recipe(tmp_path / "run")
    assert own and (own.name, own.size, own.channels, own.batch) == ("auto", 8, 1, 6)
    with pytest.raises(SystemExit):
        main(["train", "auto", "--from", str(base), "--out", str(tmp_path / "other")])
    assert "auto chooses settings for your data" in capsys.readouterr().err


def test_the_dry_run_says_what_fits(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--set", "options.width=2", "--set", "batch=6", "--images", "24"]
    main(["train", "digits", "--from", str(base), *options, "--dry-run"])
    shown = capsys.readouterr().out
    assert f"from: {base}/checkpoints/000000000024" in shown
    assert "generator: 7 of 7 tensors taken" in shown
    assert list(tmp_path.iterdir()) == []


# Refusals


def test_other_runs_are_refused(base: Path, moved: Path, tmp_path: Path):
    train(tmp_path / "plain", 12)
    train(tmp_path / "run", 12, from_=base)
    newer = train(tmp_path / "newer", 12).folder
    fresh = tmp_path / "fresh"

    def dcgan():
        train(fresh, 12, "dcgan-64", from_=base, data="digits", size=16)

    refused_in_one_line(
        dcgan, r"is of the GAN relativistic \(digits\), and dcgan-64 trains the GAN"
    )
    refused_in_one_line(
        lambda: train(tmp_path / "run", 12, from_=newer),
        "begun with .*base.*, not with .*newer",
    )
    refused_in_one_line(
        lambda: train(tmp_path / "plain", 12, from_=base), "was begun with random weights, not with"
    )
    refused_in_one_line(
        lambda: train(moved, 24, from_=moved), "--from and --out are the same run, .*base: leave"
    )
    refused_in_one_line(lambda: train(fresh, 12, from_=tmp_path), "has no checkpoints")
    refused_in_one_line(
        lambda: train(fresh, 12, **{"origin.frozen": 1}), r"origin\.frozen: only a run that begins"
    )
    refused_in_one_line(
        lambda: train(fresh, 12, from_=base, **{"origin.weights": "best"}),
        r"origin\.weights='best': input should be 'ema' or 'last'",
    )
    assert not fresh.exists()


def test_a_damaged_run_is_refused_by_name(moved: Path, tmp_path: Path):
    weights = find_checkpoints(moved / "checkpoints")[-1] / "gan.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    refused_in_one_line(
        lambda: train(tmp_path / "run", 12, from_=moved), "gan.safetensors is damaged"
    )
    (weights.parent / "about.json").write_text("{}")
    refused_in_one_line(lambda: train(tmp_path / "run", 12, from_=moved), "about.json has format")
    assert not (tmp_path / "run").exists()


def test_weights_that_are_random_cannot_stay(base: Path, tmp_path: Path):
    refused_in_one_line(
        lambda: train(tmp_path / "run", 12, from_=base, size=10, **{"origin.frozen": 2}),
        r"origin\.frozen: discriminator\.layers\.3\.weight would stay random",
    )


def test_other_settings_on_a_run_are_answered_by_a_command_that_works(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    run = Path("my runs") / "a run"
    shutil.copytree(base, run)
    words = ["train", "digits", "--out", str(run), "--images", "12", "--set", "batch=4"]
    words += ["--set", "options.width=2", "--set", "log=lines"]
    with pytest.raises(SystemExit):
        main(words)

    message = capsys.readouterr().err
    command = message.partition("with the weights of this one: ")[2].strip()
    assert command == (
        "ganvas train digits --from 'my runs/a run' --set batch=4 --set options.width=2 "
        "--log lines --images 12 --out 'my runs/a run-2'"
    )
    main(shlex.split(command)[1:])
    found = find_checkpoints(run.with_name("a run-2") / "checkpoints")
    assert [path.name for path in found][-1] == "000000000012"
