"""The page as a file: what it consists of, what it refuses, and where its runtime comes from."""

import base64
import dataclasses
import hashlib
import html
import json
import re
import tarfile
from pathlib import Path

import pytest
from page_texts import PLACE, find_asked, read_texts
from tiny import make_gan, refused_in_one_line
from untrained_runs import make_run, wrap_gan

import ganvas
from ganvas.errors import UserError
from ganvas.export.about import describe_export
from ganvas.export.graph import Graph
from ganvas.export.onnx import Model
from ganvas.export.page.assemble import STATIC, STUDIO, assemble_page, check_page
from ganvas.export.page.link import link_modules
from ganvas.export.page.runtime import RUNTIME as PUBLISHED
from ganvas.export.page.runtime import SCRIPT, WASM, Runtime, read_runtime
from ganvas.gans.options import build_gan
from ganvas.runs.places import RunPlace
from ganvas.schema import Schema

HOSTILE = '</script><script>window.hacked = 1</script><b>&"'
RUNTIME = Runtime(b"script", b"wasm")


def describe(run: ganvas.Run, licence: str | None = None) -> Model:
    """A model without content, with the description of a real one."""
    return Model(b"model", describe_export(run, Graph(run.gan), licence), 0.0, 0.0)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a GAN whose run and licence have hostile names."""
    folder = tmp_path_factory.mktemp("runs") / "a<b>&c"
    run = make_run("relativistic", folder, size=8, channels=1, fold=False)
    return assemble_page(run, describe(run, HOSTILE), RUNTIME)


def test_names_of_strangers_cannot_become_code(page: str):
    names = re.findall(r'<script type="[^"]+"(?: id="(\w+)")?>', page)
    assert names == ["spec", "runtime", "wasm", "model", ""]
    assert page.count("<script") == page.count("</script>") == len(names)
    assert f"<title>{html.escape('a<b>&c')}</title>" in page
    spec = re.search(r'id="spec">(.*?)</script>', page, re.DOTALL)
    assert spec and json.loads(spec[1])["licence"] == HOSTILE


def test_policy_allows_this_script_and_no_connection(page: str):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    rules = html.unescape(policy[1])
    assert "default-src 'none'" in rules and "connect-src 'none'" in rules
    assert "unsafe-inline" not in rules and "http" not in rules
    for tag in ("style", 'script type="module"'):
        text = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules


def test_a_fetched_run_is_called_by_its_name_and_not_by_its_commit(tmp_path: Path):
    run = make_run("points", tmp_path / "0123abcd")
    run.place = RunPlace(run.folder, "hf:me/rings@v2", Path("hf-me-rings"))
    assert "<title>rings</title>" in assemble_page(run, describe(run), RUNTIME)
    run = make_run("gawwn-box", tmp_path, text="features")
    run.place = RunPlace(run.folder, "hf:me/birds", Path("hf-me-birds"))
    refused_in_one_line(lambda: check_page(run), "^hf:me/birds takes embeddings")


def test_same_run_gives_the_same_page(tmp_path: Path):
    run = make_run("points", tmp_path)
    assert assemble_page(run, describe(run), RUNTIME) == assemble_page(run, describe(run), RUNTIME)


@pytest.mark.parametrize("name", ["relativistic", "dcgan", "mlp"])
def test_gans_of_noise_get_directions(name: str, tmp_path: Path):
    run = make_run(name, tmp_path, size=16 if name != "dcgan" else 64)
    spec = re.search(r'id="spec">(.*?)</script>', assemble_page(run, describe(run), RUNTIME))
    assert spec
    directions = json.loads(spec[1])["directions"]
    assert len(directions) == 5 and len(directions[0]) == 5  # no more than numbers of noise
    assert sum(value**2 for value in directions[0]) == pytest.approx(1, abs=1e-3)


def test_label_maps_are_refused(tmp_path: Path):
    schema = Schema(size=16, channels={"a": 2, "b": 3}, names={"a": ("0", "1")})
    gan = build_gan("pix2pix", schema, {"width": 2, "halvings": 1})
    with pytest.raises(UserError, match=r"takes images of categories.*--to onnx"):
        check_page(wrap_gan("pix2pix", gan, tmp_path))


def test_embeddings_are_refused(tmp_path: Path):
    gan = make_gan("gawwn-box", 16, 3, text="features")
    with pytest.raises(UserError, match="embeddings"):
        check_page(wrap_gan("gawwn-box", gan, tmp_path))


def test_runtime_has_an_effect_on_pages_alone(tmp_path: Path):
    with pytest.raises(UserError, match="--runtime x has no effect"):
        ganvas.export(make_run("points", tmp_path), to="onnx", runtime="x")


# The runtime


def test_other_files_are_no_runtime(tmp_path: Path):
    with pytest.raises(UserError, match=r"there is no ort.wasm.*npm pack onnxruntime-web"):
        read_runtime(tmp_path)
    (tmp_path / SCRIPT).write_bytes(b"alert(1)")
    (tmp_path / WASM).write_bytes(b"wasm")
    with pytest.raises(UserError, match=rf"its {SCRIPT} is not that of onnxruntime-web"):
        read_runtime(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_damaged_packages_are_refused(content: bytes, tmp_path: Path):
    file = tmp_path / "package.tgz"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"--runtime .*package.tgz"):
        read_runtime(file)
    with pytest.raises(UserError, match=r"none\.tgz"):
        read_runtime(tmp_path / "none.tgz")


@pytest.mark.parametrize("packed", [True, False])
def test_a_runtime_that_was_given_is_kept(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    contents = {SCRIPT: b"script", WASM: b"wasm"}
    digests = {
        name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in contents.items()
    }
    known = dataclasses.replace(PUBLISHED, files=digests, mirrors=("http://127.0.0.1:9/",))
    monkeypatch.setattr("ganvas.export.page.runtime.RUNTIME", known)
    place = tmp_path / "package"
    (place / "dist").mkdir(parents=True)
    for name, content in contents.items():
        (place / "dist" / name).write_bytes(content)
    if packed:
        place = tmp_path / "package.tgz"
        with tarfile.open(place, "w:gz") as archive:
            archive.add(tmp_path / "package", "package")

    with pytest.raises(UserError, match="cannot download"):
        read_runtime(None)
    assert not (tmp_path / "cache").exists()
    assert read_runtime(place) == read_runtime(None) == Runtime(b"script", b"wasm")


def test_a_cache_that_cannot_be_written_to_keeps_nobody_from_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file"))
    digest = f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    known = dataclasses.replace(PUBLISHED, files={SCRIPT: digest, WASM: digest})
    monkeypatch.setattr("ganvas.export.page.runtime.RUNTIME", known)
    for name in (SCRIPT, WASM):
        (tmp_path / name).write_bytes(b"one")
    assert read_runtime(tmp_path) == Runtime(b"one", b"one")


# The script


def write_modules(folder: Path, **sources: str) -> Path:
    for name, source in sources.items():
        (folder / f"{name}.js").write_text(source, encoding="utf-8")
    return folder / "entry.js"


def test_linked_modules_have_names_of_their_own(tmp_path: Path):
    entry = write_modules(
        tmp_path,
        entry='import table from "./table.js";\nimport { one as first } from "./names.js";\n'
        'import * as all from "./names.js";\n',
        table="export default { a: 1 };",
        names="const hidden = 1;\nexport function one() { return hidden; }",
    )
    linked = link_modules(entry, {})
    assert "const table = $module0.default;" in linked
    assert "const {one: first} = $module1;" in linked.replace("{ one", "{one").replace("t }", "t}")
    assert "const all = $module1;" in linked
    assert "return { one };" in linked and "return { default: $default };" in linked


@pytest.mark.parametrize(
    ("entry", "other", "message"),
    [
        ('import "./other.js";', "", "cannot be linked: import"),
        ('export { a } from "./other.js";', "", "cannot be linked: export"),
        ('import { a } from "./other.js";', 'import { b } from "./entry.js";', "circle"),
    ],
)
def test_modules_that_cannot_be_linked(entry: str, other: str, message: str, tmp_path: Path):
    with pytest.raises(ValueError, match=message):
        link_modules(write_modules(tmp_path, entry=entry, other=other), {})


# The texts

WORDS = STATIC / "words.js"


def test_both_languages_have_the_same_keys_and_places():
    english, chinese = read_texts(WORDS)
    assert english and english.keys() == chinese.keys()
    for key, text in english.items():
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(chinese[key])), key


def test_texts_that_the_page_asks_for_exist_and_no_others():
    own = set(read_texts(WORDS)[0])
    shared = {
        key for name in ("paint", "place") for key in read_texts(STUDIO / "texts" / f"{name}.js")[0]
    }
    sources = [file for file in STATIC.glob("*.js") if file != WORDS]
    asked = {key for file in sources for key in find_asked(file)}
    assert asked <= own | shared
    # some are named without being asked for at once, such as those of errors
    named = "".join(file.read_text(encoding="utf-8") for file in sources)
    assert [key for key in sorted(own) if f'"{key}"' not in named] == []
