"""Runs on the Hub: what is published, what comes back, and how failures are told."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import TOKEN, FakeHub, serve_hub
from PIL import Image
from short_runs import MLP, train_points, train_tiny
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.export.card import write_card
from ganvas.export.public import make_public
from ganvas.export.push import collect_files
from ganvas.io.cache import cache_folder
from ganvas.runs.locate import locate_checkpoint
from ganvas.runs.trust import read_safe_recipe
from ganvas.training.origin import find_start

LICENCE = "cc-by-4.0"
# how huggingface_hub uploads, which is not ours to change
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on images of one's own, in a folder whose name nobody should see."""
    home = tmp_path_factory.mktemp("secret")
    for number in range(12):
        place = home / "faces" / f"person-{number % 2}" / f"Anna {number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 * number).save(place)
    (home / "faces" / "person-0" / "broken-Anna.png").write_bytes(b"no image")

    settings = {"size": 8, "ema_halflife": 10, "labels": "folders"} | MLP
    run = train_tiny("mnist-mlp", home / "run", 24, home / "faces", **settings)
    ganvas.evaluate(run, count=12, features="pixels", metrics=["fd", "memorisation"])
    return run.folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub of one's own, a token for it, and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # another protocol
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    with serve_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def files_of(hub: FakeHub, name: str = "me/faces") -> dict[str, bytes]:
    repo = hub.repos[f"models/{name}"]
    return repo.commits[repo.head]


def test_a_run_comes_back_bit_for_bit_and_every_verb_takes_it(hub, trained):
    url = ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    assert url == f"{hub.url}/me/faces"
    assert sum("/commit/" in line for line in hub.asked) == 1

    run, mine = ganvas.load("hf:me/faces"), ganvas.load(trained)
    assert torch.equal(run.sample(4), mine.sample(4))
    ours, theirs = mine.gan.state_dict(), run.gan.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)

    main(["sample", "hf:me/faces", "--count", "1"])
    assert Path("hf-me+faces/generated/1/00000.png").exists()
    data = str(trained.parent / "faces")
    main(["evaluate", "hf:me/faces", "--data", data, "--features", "pixels", "--metrics", "fd"])
    refused_in_one_line(lambda: ganvas.evaluate("hf:me/faces"), "which is not here: name data")
    refused_in_one_line(lambda: ganvas.train(from_="hf:me/faces", quiet=True), "--data")
    options = {"batch": 6, "size": 8, "options.hidden": 8, "stop_below": {}}
    ganvas.train(from_="hf:me/faces", data=data, images=6, settings=options, quiet=True, out="new")
    assert "telemetry" not in " ".join(hub.asked)
    assert not any("torch" in agent for agent in hub.agents)


def test_nothing_private_is_published(hub, trained):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    files = files_of(hub)
    place = f"checkpoints/{24:012d}"
    assert files.keys() == {
        *(f"{place}/about.json", f"{place}/gan.safetensors", f"{place}/ema.safetensors"),
        *("recipe.json", "data.json", "README.md", "evaluations.jsonl", f"samples/{24:012d}.png"),
    }
    texts = b"".join(content for path, content in files.items() if not path.endswith("png"))
    assert b"Anna" not in texts
    assert b"secret" not in texts
    assert str(Path.home()).encode() + b"/" not in texts
    assert json.loads(files["recipe.json"])["data"] == "faces"
    assert json.loads(files["data.json"])["found"] == 13


def test_evaluations_tell_neither_where_the_run_was_nor_other_data(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    run, other = Path("clients/acme inc/faces"), Path("jane doe/people")
    shutil.copytree(trained, run)
    for number in range(4):
        place = other / f"person-{number % 2}" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 9 * number).save(place)
    ganvas.evaluate(run, data=other, count=4, features="pixels", metrics=["fd"])
    record = run / "evaluations.jsonl"
    assert "clients/acme inc/faces" in record.read_text()
    assert "people is not the data that the run was trained on" in record.read_text()

    def published() -> dict[str, bytes]:
        public = make_public(ganvas.load(run))
        return {
            path: content
            for path, content in collect_files(public, "hf:me/faces", LICENCE)
            if isinstance(content, bytes)
        }

    files = published()
    texts = b"".join(files.values())
    assert b"acme" not in texts and b"jane" not in texts and b"not the data" not in texts
    newest = json.loads(files["evaluations.jsonl"].splitlines()[-1])
    own = json.loads(record.read_text().splitlines()[-1])
    assert newest["values"] == own["values"] and newest["time"] == own["time"]
    assert newest["about"] == {key: own["about"][key] for key in ("checkpoint", "images", "gan")}

    # a line that lacks what the card tells
    for key in ("about", "values", "protocol", "versions", "time"):
        lacking = {name: value for name, value in own.items() if name != key}
        record.write_text(json.dumps(lacking) + "\n")
        refused_in_one_line(published, f"line 1 is no evaluation .*{key}.*; remove the line")


def test_the_card_says_what_it_is_and_how_it_was_measured(hub, trained):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    card = files_of(hub)["README.md"].decode()
    assert card.startswith("---\nlicense: cc-by-4.0\nlibrary_name: ganvas\n")
    assert f"![samples](samples/{24:012d}.png)" in card
    assert "ganvas sample hf:me/faces" in card
    assert 'ganvas.load("hf:me/faces")' in card
    assert re.search(r"\| Frechet distance \(`fd ↓`\) \| [0-9.]+ \|", card)
    assert "12 samples, seed 0; compared with" in card
    assert "person-0 (6), person-1 (6)" in card
    assert "| images | 24 |" in card


def test_the_card_shows_lines_that_run(trained: Path, tmp_path: Path):
    run = train_points(tmp_path / "points")
    card = write_card(make_public(run), str(run.folder), "mit")
    (python,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    names: dict[str, object] = {}
    exec(python, names)
    assert isinstance(names["points"], torch.Tensor)

    card = write_card(make_public(ganvas.load(trained)), str(trained), "mit")
    (python,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    exec(python, names)
    assert len(names["images"]) == 16  # type: ignore[arg-type]


def test_a_second_push_leaves_nothing_of_the_first(hub, trained):
    first = trained / "checkpoints" / f"{12:012d}"
    ganvas.push(first, "hf:me/faces", licence=LICENCE, resumable=True)
    assert f"checkpoints/{12:012d}/training.safetensors" in files_of(hub)
    ganvas.push(trained, "hf:me/faces", licence="mit")
    assert {path.split("/")[1] for path in files_of(hub) if path.startswith("checkpoints")} == {
        f"{24:012d}"
    }
    # a commit that is named stays what it was
    commit = next(iter(hub.repos["models/me/faces"].commits))
    assert ganvas.load(f"hf:me/faces@{commit}").about["images"] == 12


def test_a_private_run_is_for_its_owner(hub, trained, monkeypatch):
    ganvas.push(trained, "hf:me/own", licence="other", private=True)
    assert hub.repos["models/me/own"].private
    monkeypatch.setenv("HF_TOKEN", "")
    refused_in_one_line(lambda: ganvas.load("hf:me/own"), "is not on the Hub, or it is private")


def test_what_cannot_be_pushed(hub, trained, monkeypatch, capsys):
    def push(to: str = "hf:me/faces", licence: str = LICENCE, **flags: bool):
        return lambda: ganvas.push(trained, to, licence=licence, **flags)

    with pytest.raises(SystemExit):
        main(["push", str(trained), "hf:me/faces"])
    assert "--licence is needed" in " ".join(capsys.readouterr().err.split())
    refused_in_one_line(push(licence="cc-by-4"), "cc-by-4 is unknown; did you mean cc-by-4.0")
    refused_in_one_line(push("me/faces"), "write hf:OWNER/NAME")
    refused_in_one_line(push("hf:me/faces@v1"), "write hf:OWNER/NAME")
    refused_in_one_line(push("hf:you/faces"), "may not do that")
    hub.add("models", "me/other", {"config.json": b"{}", "model.safetensors": b"x"})
    refused_in_one_line(push("hf:me/other"), "holds something else than a run of ganvas")
    refused_in_one_line(push("hf:me/other", private=True), "is there already, and public")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    refused_in_one_line(push(), "knows no such token")
    monkeypatch.setenv("HF_TOKEN", "")
    refused_in_one_line(push(), "needs a token")


def test_a_damaged_checkpoint_is_not_published(hub, trained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    run = ganvas.load(copy)
    (locate_checkpoint(copy) / "gan.safetensors").write_bytes(b"other")
    refused_in_one_line(
        lambda: ganvas.push(run, "hf:me/faces", licence=LICENCE), "missing or damaged"
    )
    assert not hub.repos


def test_what_cannot_be_pulled(hub, trained, monkeypatch):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    refused_in_one_line(lambda: ganvas.load("hf:me"), "is no name on the Hub")
    refused_in_one_line(lambda: ganvas.load("hf:../../etc"), "is no name on the Hub")
    refused_in_one_line(lambda: ganvas.load("hf:me/nobody"), "is not on the Hub")
    refused_in_one_line(lambda: ganvas.load("hf:me/faces@v2"), "no such revision")
    hub.add("models", "me/bert", {"config.json": b"{}"})
    refused_in_one_line(lambda: ganvas.load("hf:me/bert"), "is no run of ganvas")
    monkeypatch.setenv("GANVAS_HUB_LIMIT", "1K")
    refused_in_one_line(lambda: ganvas.load("hf:me/faces"), "GANVAS_HUB_LIMIT")
    monkeypatch.delenv("GANVAS_HUB_LIMIT")
    hub.add("models", "me/gated", files_of(hub), gated=True)
    monkeypatch.setenv("HF_TOKEN", "")
    refused_in_one_line(lambda: ganvas.load("hf:me/gated"), "is gated")


def test_files_of_another_content_are_refused(hub, trained):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    path = f"checkpoints/{24:012d}/gan.safetensors"
    right = files_of(hub)[path]
    hub.lies[path] = right[:-1] + bytes([right[-1] ^ 1])
    refused_in_one_line(lambda: ganvas.load("hf:me/faces"), "not what the Hub says")
    # also where the Hub itself agrees with the stranger
    hub.add("models", "me/faces", files_of(hub) | {path: hub.lies.pop(path)})
    refused_in_one_line(lambda: ganvas.load("hf:me/faces"), "is damaged")


def test_a_strangers_recipe_opens_no_files_of_ones_own(hub, trained, tmp_path):
    """It names a table outside the data, and links, which only the owner of the data may follow."""
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    table = tmp_path / "private.csv"
    table.write_text("file,label\n1.png,secret\n")
    about = f"checkpoints/{24:012d}/about.json"
    values = json.loads(files_of(hub)[about])
    values["recipe"] |= {"labels": f"{table}:label", "follow_links": True, "data": str(tmp_path)}
    hub.add("models", "me/faces", files_of(hub) | {about: json.dumps(values).encode()})

    run = ganvas.load("hf:me/faces")
    begun = find_start(run.folder).recipe
    for recipe in (begun, read_safe_recipe(run.place, run.path, run.about)):
        assert (recipe.data, recipe.labels, recipe.follow_links) == (None, "none", False)
    data = trained.parent / "faces"
    with_links = tmp_path / "linked"
    shutil.copytree(data, with_links)
    (with_links / "more").symlink_to(data)
    found = ganvas.evaluate(run, data=with_links, count=6, features="pixels", metrics=["fd"])
    assert found.protocol["reference"]["count"] == 11  # one is held out; with links they were 23
    # one's own recipe is believed
    own = read_safe_recipe(ganvas.load(trained).place, trained, ganvas.load(trained).about)
    assert (own.data, own.labels) == (str(data), "folders")


def test_only_files_of_a_run_are_fetched(hub, trained):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    strange = {"../../evil.py": b"x", "checkpoints/evil.pkl": b"x", "ganvas.py": b"x"}
    hub.add("models", "me/faces", files_of(hub) | strange)
    folder = ganvas.load("hf:me/faces").folder
    assert not [file for file in cache_folder().rglob("*") if "evil" in file.name]
    assert not (folder / "ganvas.py").exists()


def test_without_a_network_what_was_fetched_is_used(hub, trained, monkeypatch, capsys):
    ganvas.push(trained, "hf:me/faces", licence=LICENCE)
    first = ganvas.load("hf:me/faces").sample(1)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    capsys.readouterr()
    assert torch.equal(ganvas.load("hf:me/faces").sample(1), first)
    assert "the Hub cannot be reached" in capsys.readouterr().err
    refused_in_one_line(lambda: ganvas.load("hf:me/new"), "nothing of it is in the cache")
