"""`ganvas export`: what it writes, that it runs without Ganvas, and what it refuses."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Command
from pages import FENCE, text
from PIL import Image
from safetensors.torch import load_file
from untrained_runs import make_run

import ganvas as package
from ganvas.cli import main
from ganvas.export.export import name_directions
from ganvas.export.half import halve_weights
from ganvas.export.readme import write_readme
from ganvas.rng import RowRng
from ganvas.runs.places import RunPlace

# What a user writes whose Python has no Ganvas; noise and labels are those of `Run.sample`.
WITHOUT = """
import sys
sys.modules["ganvas"] = None  # an import fails
exec(open("example.py").read())
from safetensors.torch import load_file, save_file
given = load_file("given.safetensors")
save_file({"image": generate(weights, given["noise"], given["label"])}, "made.safetensors")
"""


@pytest.fixture(scope="module")
def onnx_file(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as ONNX, with a licence."""
    file = tmp_path_factory.mktemp("onnx") / "digits.onnx"
    main(["export", str(run), "--to", "onnx", "--out", str(file), "--licence", "CC BY 4.0"])
    return file


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as safetensors and code."""
    place = tmp_path_factory.mktemp("plain") / "digits"
    main(["export", str(run), "--to", "safetensors", "--out", str(place)])
    return place


def draw_inputs(count: int) -> dict[str, torch.Tensor]:
    """The noise and the classes of the first samples of seed 0."""
    return {"noise": RowRng(0, range(count)).normal(count, 64), "label": torch.arange(count) % 10}


def test_onnx_makes_the_samples_of_the_run(onnx_file: Path, run: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file)
    given = {name: value.numpy() for name, value in draw_inputs(12).items()}
    (images,) = session.run(["image"], given)

    expected = package.load(run).sample(12).numpy()
    np.testing.assert_allclose(images, expected, atol=1e-5)
    assert expected.std() > 0.1


def test_onnx_says_what_it_is_and_nothing_of_this_machine(onnx_file: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file)
    about = session.get_modelmeta().custom_metadata_map

    assert about["recipe"] == "digits"
    assert about["images"] == "1000"
    assert about["licence"] == "CC BY 4.0"
    assert json.loads(about["classes"]) == [str(digit) for digit in range(10)]
    inputs = json.loads(about["inputs"])
    assert inputs["noise"] == {"kind": "normal", "type": "float32", "shape": ["batch", 64]}
    assert inputs["label"]["range"] == [0, 9]
    assert [value.shape for value in session.get_inputs()] == [["batch", 64], ["batch"]]
    assert session.get_outputs()[0].shape == ["batch", 1, 8, 8]
    content = onnx_file.read_bytes()
    assert b".py" not in content
    assert str(Path.cwd()).encode() not in content


def test_the_pages_example_with_onnxruntime_runs(onnx_file: Path, monkeypatch: pytest.MonkeyPatch):
    (example,) = [block for _, block in FENCE.findall(text("docs/export.md")) if "onnxr" in block]
    monkeypatch.chdir(onnx_file.parent)
    exec(example, {})

    with Image.open("digits.png") as picture:
        assert picture.size == (80, 8)


def test_half_precision_halves_the_weights(onnx_file: Path):
    import onnx
    import onnxruntime

    model = onnx.load(onnx_file)
    halve_weights(model, {tensor.name for tensor in model.graph.initializer})
    content = model.SerializeToString()
    given = {name: value.numpy() for name, value in draw_inputs(12).items()}
    (images,) = onnxruntime.InferenceSession(onnx_file).run(["image"], given)
    (halved,) = onnxruntime.InferenceSession(content).run(["image"], given)

    assert len(content) < 0.65 * onnx_file.stat().st_size
    assert halved.dtype == np.float32
    # not the same, and below a level of 0..255
    assert 1e-6 < np.abs(images - halved).max() < 2 / 255


@pytest.mark.slow
def test_half_precision_in_both_formats(run: Path, tmp_path: Path):
    for to, out in (("onnx", "half.onnx"), ("safetensors", "half")):
        (half,) = package.export(run, to=to, out=tmp_path / out, half=True)
        assert 1e-6 < half.difference < 2 / 255
    weights = load_file(tmp_path / "half" / "generator.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}


def test_plain_code_has_nothing_of_ganvas(folder: Path):
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "generator.safetensors",
        "model.py",
    }
    imports = re.findall(r"^\s*(?:from|import) (\w+)", (folder / "model.py").read_text(), re.M)
    assert set(imports) == {"torch", "safetensors"}
    # the generator alone, without its opponent
    weights = load_file(folder / "generator.safetensors")
    assert {name.split(".")[0] for name in weights} == {"generator"}


def test_the_folder_says_of_what_it_is_made(folder: Path):
    config = json.loads((folder / "config.json").read_text())
    assert config["options"]["width"] == 8
    assert config["data"]["size"] == 8
    assert config["output"]["range"] == [-1, 1]
    # nobody named a licence
    assert "licence" not in config
    assert "icence" not in (folder / "README.md").read_text()


@pytest.mark.slow
def test_ten_lines_make_the_samples_without_ganvas(folder: Path, run: Path):
    from safetensors.torch import save_file

    (example,) = [block for _, block in FENCE.findall((folder / "README.md").read_text())]
    assert len(example.strip().splitlines()) <= 10
    (folder / "example.py").write_text(example)
    save_file(draw_inputs(12), folder / "given.safetensors")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", WITHOUT], cwd=folder, env=clean, check=True)

    with Image.open(folder / "image.png") as picture:
        assert picture.size == (8, 8)
    made = load_file(folder / "made.safetensors")["image"]
    torch.testing.assert_close(made, package.load(run).sample(12), atol=1e-5, rtol=0)


def test_what_is_refused(ganvas: Command, run: Path, tmp_path: Path):
    before = sorted(run.rglob("*"))
    for arguments, message in (
        (("--to", "onxx"), "did you mean onnx"),
        (("--to", "onnx", "--out", run), "is not empty"),
        (("--to", "safetensors", "--out", run), "is not empty"),
        # before the runtime is fetched
        (("--to", "page", "--out", run, "--runtime", tmp_path / "none"), "is not empty"),
        (("--to", "page", "--out", tmp_path / "a.onnx"), "--to page writes a .html file or a"),
        (("--to", "onnx", "--out", tmp_path / "a.HTML"), "--to onnx writes a .onnx file or a"),
        (("--to", "safetensors", "--out", tmp_path / "a.safetensors"), "writes a folder, not"),
    ):
        status, _, error = ganvas("export", run, *arguments)
        assert status == 2
        assert message in " ".join(error.split())
        assert len(error.splitlines()) <= 3  # one sentence, wrapped
    assert sorted(run.rglob("*")) == before
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_files_of_a_named_run_have_its_name_and_go_where_its_results_do(tmp_path: Path):
    named = make_run("points", tmp_path / "0123abcd")
    named.place = RunPlace(named.folder, "hf:me/faces@v2", tmp_path / "hf-me-faces")
    (onnx,) = package.export(named, to="onnx")
    assert onnx.file == tmp_path / "hf-me-faces" / "exported" / "1" / "faces.onnx"
    assert onnx.file.is_file()
    assert not named.folder.exists()


@pytest.mark.parametrize(
    ("domains", "names"),
    [
        (["photo", "Photo"], ["to-photo", "to-Photo-2"]),  # one name on many disks
        (["a b", "a_b"], ["to-a_b", "to-a_b-2"]),
        (["a-2", "a", "A"], ["to-a-2", "to-a", "to-A-3"]),
        ([""], [""]),
    ],
)
def test_files_of_domains_never_share_a_name(domains: list[str], names: list[str]):
    assert [*name_directions(domains).values()] == names


@pytest.mark.parametrize(("to", "name"), [("onnx", "faces.onnx"), ("page", "faces.html")])
def test_a_folder_called_like_the_file_is_noticed_before_the_work(
    to: str, name: str, tmp_path: Path, ganvas: Command
):
    (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    for out, message in (
        (tmp_path / name, f"{name} is a folder, and a file is to be written"),
        (tmp_path / "file" / name, "file is a file, not a folder"),
    ):
        status, output, error = ganvas("export", "zoo:mnist", "--to", to, "--out", out)
        assert (status, output) == (2, "")
        assert message in error
    assert not [*(tmp_path / name).iterdir()]


def test_names_of_strangers_stay_out_of_the_readmes_code():
    names = ["x\n```\nimport os", "\u2028a\rb", '"', "花"]
    port = {"kind": "class", "type": "int64", "shape": ["batch"], "range": [0, 3]}
    output = {"kind": "image", "channels": "colour", "shape": ["batch", 1, 8, 8]}
    about = {"ganvas": "1", "recipe": "r`\n# s", "gan": "cdcgan", "images": 1, "size": 8}
    readme = write_readme(about | {"inputs": {"label": port}, "output": output, "classes": names})
    (code,) = [block for _, block in FENCE.findall(readme)]
    assert readme.count("```") == 2
    assert [type(line).__name__ for line in ast.parse(code).body[2:]] == [
        *["ImportFrom", "Assign", "Assign", "Assign", "Assign", "Expr"]
    ]
    assert 'import os", " a b", "\\"", "花"\n' in code
    assert "\n# s" not in readme


def test_a_missing_package_is_named(
    ganvas: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ganvas.export.onnx.find_spec", lambda name: None)
    status, _, error = ganvas("export", run, "--to", "onnx", "--out", tmp_path / "digits.onnx")

    assert status == 2
    assert "pip install 'ganvas[onnx]'" in " ".join(error.split())


def test_a_wrong_model_is_not_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import ganvas.export.plain as plain

    right = plain.write_code

    def write_wrong_code(*arguments: object) -> str:
        return right(*arguments).replace("aten.tanh.default", "aten.sin.default")

    monkeypatch.setattr(plain, "write_code", write_wrong_code)
    with pytest.raises(package.UserError, match="differs from PyTorch by"):
        package.export(run, to="safetensors", out=tmp_path / "wrong")
    assert [*tmp_path.iterdir()] == []
