"""The plot, the time-lapse and the summary page of a run."""

import base64
import io
import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny import OPTIONS, make_gan, make_schema

from ganvas.cli import app
from ganvas.data.report import DataReport, Skipped
from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan
from ganvas.inference.inpaint import InpaintTask
from ganvas.inference.layout import LayoutTask
from ganvas.inference.layout_inputs import read_box, read_keypoints
from ganvas.inference.run import Run
from ganvas.inference.translate import TranslateTask
from ganvas.io.animation import pick_evenly, save_animation, write_timelapse
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.checkpoint import FORMAT
from ganvas.runs.curves import choose_limits, collect_curves, running_mean
from ganvas.runs.record import read_run
from ganvas.runs.summary import collect_instructions, write_report
from ganvas.runs.usage import describe_use, suggest_command

TOTAL = 1000


@pytest.fixture
def run(tmp_path):
    """A run of 1,000 images that was finished: five grids, ten reports, one checkpoint."""
    folder = tmp_path / "a run"
    checkpoint = folder / "checkpoints" / f"{TOTAL:012d}"
    checkpoint.mkdir(parents=True)
    (folder / "samples").mkdir()

    recipe = change(
        get_recipe("digits"), {"images": TOTAL, "batch": 50, "optimizers.generator.lr": 0.25}
    )
    (folder / "recipe.json").write_text(json.dumps(recipe.model_dump()))
    data = DataReport(
        spec="digits & co",
        found=502,
        used=500,
        sizes={"8x8": 502},
        classes={"zero": 250, "one": 250},
    )
    data.skipped = [Skipped(file="<script>alert(1)</script>.png", reason="broken: a < b")]
    data.notes = ["Look <here>."]
    (folder / "data.json").write_text(json.dumps({"fingerprint": "f00d", **data.model_dump()}))

    for number in range(5):
        draw_grid(folder / "samples" / f"{number * 250:012d}.png", number)
    write_log(folder, [losses(100 * (number + 1), 1 / (number + 1)) for number in range(10)])

    # The parameters are counted from these shapes.
    moments = {"generator/0/exp_avg": torch.zeros(3, 4), "generator/1/exp_avg": torch.zeros(5)}
    others = {"generator/0/step": torch.zeros(()), "discriminator/0/exp_avg": torch.zeros(2000)}
    save_file(moments | others, checkpoint / "training.safetensors")

    about = {
        "format": FORMAT,
        "recipe": recipe.model_dump(),
        "images": TOTAL,
        "gan": {
            "name": "relativistic",
            "data": {"size": 8, "channels": {"image": 1}, "names": {"label": ["zero", "one"]}},
            "options": {},
        },
        "data": {"spec": "digits & co", "pictures": 500, "fingerprint": "f00d"},
        "versions": {"ganvas": "0.1.0", "torch": "9.8.7"},
        "files": {},
    }
    (checkpoint / "about.json").write_text(json.dumps(about))
    return folder


def draw_grid(path, number, size=(90, 60), mode="L"):
    grid = Image.new(mode, size, "white")
    grid.paste(Image.new(mode, (10, 10), "black"), (10 * number, 20))
    grid.save(path)


def losses(images, value):
    terms = {"discriminator/real": value / 2, "discriminator/fake": value / 2}
    return {
        "images": images,
        "kind": "losses",
        "discriminator": value,
        "generator": 2 * value,
        **terms,
        "opinion": 0.5,
    }


def write_log(folder, entries):
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def page_of(folder):
    write_report(folder)
    return (folder / "summary.html").read_text(encoding="utf-8")


def embedded(page):
    """The pictures in a page."""
    found = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', page)
    pictures = [Image.open(io.BytesIO(base64.b64decode(content))) for _, content in found]
    assert [picture.format for picture in pictures] == [kind.upper() for kind, _ in found]
    return pictures


def frames_of(path):
    """Each frame's picture and milliseconds."""
    with Image.open(path) as film:
        found = []
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            film.load()
            found.append((film.convert("RGB"), film.info["duration"]))
        return found


def test_the_report_of_a_finished_run(run):
    page = page_of(run)
    assert "Finished: 1,000 images shown." in page
    assert "2.0 of 490 images" in page
    assert "<td>discriminator 2,000; generator 17</td>" in page
    assert "<td>discriminator 0.1; generator 0.2</td>" in page
    assert "relativistic, 8x8 grey, 2 classes" in page
    assert "ganvas 0.1.0, torch 9.8.7" in page
    assert "f00d" in page
    last, film, plot = embedded(page)
    assert last.size == film.size == (90, 60)
    assert getattr(film, "n_frames", 1) == 5
    assert plot.width >= 1000
    assert sorted(path.name for path in run.glob(".partial*")) == []


def test_the_page_needs_nothing_from_outside(run):
    page = page_of(run)
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)
    assert all(
        source.startswith("data:image/") for source in re.findall(r'(?:src|href)="([^"]*)"', page)
    )
    assert '<meta name="viewport"' in page
    assert "prefers-color-scheme: dark" in page


def test_names_are_escaped(run):
    page = page_of(run)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in page
    assert "broken: a &lt; b" in page
    assert "Look &lt;here&gt;." in page
    assert "digits &amp; co" in page
    assert not re.search(r"\{\{|\{%|\$", re.sub(r"base64,[^\"]+", "", page))


def test_settings_that_are_not_the_recipes_own_are_marked(run):
    page = page_of(run)
    row = (
        '<th scope="row">optimizers.generator.lr</th>'
        '<td class="changed">0.25 <small>(recipe: 0.003)</small></td>'
    )
    assert row in page
    assert '<th scope="row">optimizers.discriminator.lr</th><td>0.003</td>' in page
    assert '<th scope="row">options.' in page


def test_commands_are_quoted(run):
    page = page_of(run)
    name = f"&#39;{run}&#39;"
    assert f"<code>ganvas sample {name}</code>" in page
    assert f"<code>ganvas train --out {name} --images 2000</code>" in page


@pytest.mark.parametrize("name", GANS)
def test_the_command_fits_the_gan(run, name):
    """Each verb accepts the runs that the page names it for.

    It refuses others and names the command that fits.
    """
    gan = make_gan(name)
    about = json.loads((run / "checkpoints" / f"{TOTAL:012d}" / "about.json").read_text())
    about["gan"] = {"name": name, "data": gan.schema.model_dump(), "options": OPTIONS[name]}
    (run / "checkpoints" / f"{TOTAL:012d}" / "about.json").write_text(json.dumps(about))
    words = suggest_command(gan, run)
    assert shlex.join(words) in [step.command for step in collect_instructions(read_run(run))]

    verb, given, _ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    loaded = Run(run, gan, about, torch.device("cpu"))
    given = given.arguments
    uses = {
        "sample": lambda: next(loaded.chunks(1)),
        "translate": lambda: TranslateTask().check(loaded),
        "restore": lambda: InpaintTask().check(loaded),
    }
    if "box" in given and verb.__name__ == "sample":
        read_box(given["box"], gan.size)
    if "keypoints" in given:
        assert (
            read_keypoints(given["keypoints"], gan.inputs["keypoints"].parts, gan.size)[
                ..., 2
            ].sum()
            == 1
        )
    if "caption" in given:
        uses["sample"] = lambda: LayoutTask(caption=given["caption"]).check(loaded)
    uses.pop(verb.__name__)()
    if gan.unconditional:
        uses.pop("restore")  # of these it is a second use, or none: points
    for other in uses.values():
        with pytest.raises(UserError, match=re.escape(shlex.join(words))):
            other()


def test_a_gan_that_no_verb_takes_is_used_from_python(run):
    data = make_schema(8, 3).model_dump() | {
        "names": {"attributes": ("0", "1"), "known": ("0", "1")}
    }
    gan = build_gan("stargan", data, OPTIONS["stargan"])
    assert suggest_command(gan, run) == []
    assert describe_use(gan, run) == f"use ganvas.load({str(run)!r}).make from Python"


def test_a_walk_needs_noise_alone(run):
    with pytest.raises(UserError, match="not from noise: use ganvas translate"):
        Run(run, make_gan("pix2pix"), {}, torch.device("cpu")).walk(3)


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.0, "? images/s"), (0.4, "0.4 images/s"), (7.0, "7 images/s")]
)
def test_slow_speeds_are_reported(run, rate, expected):
    write_log(
        run, [losses(TOTAL, 0.1), {"images": TOTAL, "kind": "speed", "images_per_second": rate}]
    )
    assert f"<td>{expected}</td>" in page_of(run)


def test_one_of_a_kind_is_singular(run):
    data = DataReport(spec="digits", found=3, used=3)
    (run / "data.json").write_text(json.dumps({"fingerprint": "f00d", **data.model_dump()}))
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"held_out": 1}))
    write_log(run, [losses(TOTAL, 0.1), {"images": TOTAL, "kind": "health"}])
    page = page_of(run)
    assert "<td>1 image</td>" in page
    assert "Too early to tell: 1 checkup so far, 5 are needed." in page


def test_reasons_stand_beside_their_settings(run):
    recipe = json.loads((run / "recipe.json").read_text())
    reasons = {"batch": "<so> many", "optimizers": "the rates", "options.width": "the width"}
    (run / "recipe.json").write_text(json.dumps(recipe | {"name": "auto", "reasons": reasons}))
    page = page_of(run)
    assert '<th scope="row">batch</th><td>50 <small>&lt;so&gt; many</small></td>' in page
    assert (
        '<th scope="row">optimizers.generator.lr</th><td>0.25 <small>the rates</small></td>' in page
    )
    assert page.count("the rates") == page.count("the width") == 1


def test_an_interrupted_run_can_be_resumed_from_its_checkpoint(run):
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"images": 5000}))
    page = page_of(run)
    assert "Interrupted at 1,000 of 5,000 images; it can be resumed from 1,000." in page
    assert f"<code>ganvas train --out &#39;{run}&#39;</code>" in page


def test_a_run_that_stopped_by_itself_says_why(run):
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"images": 5000}))
    stopped = {"images": TOTAL, "kind": "stopped", "reason": "generator 0.2 <= 3"}
    write_log(run, [losses(TOTAL, 0.1), stopped])
    assert "Stopped early at 1,000 of 5,000 images: generator 0.2 &lt;= 3." in page_of(run)
    write_log(run, [losses(TOTAL, 0.1), stopped, losses(TOTAL + 50, 0.1)])
    assert "Interrupted at 1,050 of 5,000" in page_of(run)


def test_a_run_that_has_only_begun(run):
    (run / "log.jsonl").unlink()
    for path in [*run.glob("samples/*.png")][1:]:
        path.unlink()
    shutil.rmtree(run / "checkpoints")
    page = page_of(run)
    assert "Interrupted at 0 of 1,000 images, before the first checkpoint." in page
    assert len(embedded(page)) == 1
    assert not (run / "losses.png").exists()
    assert len(frames_of(run / "timelapse.gif")) == 1


def test_a_run_without_samples(run):
    shutil.rmtree(run / "samples")
    page = page_of(run)
    assert "No samples were saved." in page
    assert len(embedded(page)) == 1


def test_a_log_with_values_that_are_not_finite_and_other_entries(run):
    entries = [losses(100, 1.0), losses(200, float("nan")), losses(300, float("inf"))]
    others = [
        {"images": 300, "kind": "measured", "discriminator": 0.5, "generator": float("nan")},
        {"images": 300, "kind": "resumed", "from": "checkpoints/000000000300"},
        {"images": 300, "kind": "speed", "images_per_second": 1234.5},
    ]
    write_log(run, entries + others)
    assert "NaN" in (run / "log.jsonl").read_text()
    page = page_of(run)
    assert "discriminator inf" in page
    assert "1,234 images/s" in page
    write_log(run, [losses(100, float("nan"))])
    page_of(run)
    assert (run / "losses.png").exists()


def test_long_lists_are_folded(run):
    data = json.loads((run / "data.json").read_text())
    data["skipped"] = [{"file": f"{number}.jpg", "reason": "empty file"} for number in range(600)]
    (run / "data.json").write_text(json.dumps(data))
    page = page_of(run)
    assert "<details><summary>600 files</summary>" in page
    assert "499.jpg" in page
    assert "500.jpg" not in page
    assert "The first 500; data.json has them all." in page


def test_a_folder_without_a_recipe_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no recipe\.json"):
        write_report(tmp_path)


def test_curves_are_separated_by_key_and_kind():
    measured = {"images": 200, "kind": "measured", "generator": 5}
    found = collect_curves([losses(100, 1.0), measured, losses(200, float("inf"))], "losses")
    np.testing.assert_array_equal(found["generator"], [[100, 2], [200, np.nan]])
    assert set(found) == {
        "discriminator",
        "generator",
        "discriminator/real",
        "discriminator/fake",
        "opinion",
    }


def test_limits_leave_out_few_spikes_and_say_so():
    line = np.stack([np.arange(100.0), np.linspace(1, 2, 100)], 1)
    assert choose_limits([line]) == (pytest.approx(0.94), pytest.approx(2.06), [])
    line[40, 1], line[41, 1], line[50, 1] = 1000, -50, np.nan
    low, high, notes = choose_limits([line])
    assert 0.9 < low < high < 2.1
    assert notes == [
        "1 not finite",
        "1 above the frame, up to 1,000",
        "1 below the frame, down to -50",
    ]
    line[60:70, 1] = 500  # not a spike: the run itself
    assert choose_limits([line])[1] > 500


def test_limits_of_a_constant_and_of_nothing():
    low, high, _ = choose_limits([np.array([[1.0, 3.0], [2.0, 3.0]])])
    assert low < 3 < high
    assert choose_limits([np.array([[1.0, np.nan]])]) == (0, 1, ["1 not finite"])


def test_running_mean_passes_over_gaps():
    values = np.array([1.0, np.nan, 3.0, 5.0])
    np.testing.assert_allclose(running_mean(values, 3), [1, 2, 4, 4])
    assert np.isnan(running_mean(np.array([np.nan, np.nan]), 2)).all()


def test_a_timelapse_keeps_order_first_last_and_durations(tmp_path):
    grids = [tmp_path / f"{number:012d}.png" for number in range(130)]
    for number, grid in enumerate(grids):
        picture = Image.new("L", (132, 20), "white")
        picture.paste("black", (number, 0, number + 3, 20))
        picture.save(grid)
    write_timelapse(grids, tmp_path)
    for name, count, pace in (("timelapse.gif", 40, 150), ("timelapse.webp", 60, 100)):
        frames = frames_of(tmp_path / name)
        places = [int(np.array(frame.convert("L")).mean(axis=0).argmin()) for frame, _ in frames]
        assert len(frames) == count
        np.testing.assert_allclose(places, np.linspace(1, 130, count), atol=2)
        assert [milliseconds for _, milliseconds in frames] == [pace] * (count - 1) + [2000]


def test_a_timelapse_is_scaled_to_the_last_grid(tmp_path):
    grids = [tmp_path / "1.png", tmp_path / "2.png"]
    draw_grid(grids[0], 1, size=(300, 300), mode="RGB")
    draw_grid(grids[1], 2, size=(1440, 720))
    write_timelapse(grids, tmp_path)
    assert {frame.size for frame, _ in frames_of(tmp_path / "timelapse.gif")} == {(480, 240)}
    assert {frame.size for frame, _ in frames_of(tmp_path / "timelapse.webp")} == {(720, 360)}


def test_greys_of_a_gif_stay_exact(tmp_path):
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    turned = ramp.rotate(180)
    save_animation([ramp, turned], tmp_path / "walk.gif", 50)
    found = frames_of(tmp_path / "walk.gif")
    for frame, (read, milliseconds) in zip([ramp, turned], found, strict=True):
        np.testing.assert_array_equal(np.array(read), np.array(frame.convert("RGB")))
        assert milliseconds == 50


def test_colours_of_a_gif_come_near(tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "white", "#123456")]
    save_animation(frames, tmp_path / "walk.gif", [50, 60, 70])
    found = frames_of(tmp_path / "walk.gif")
    assert [milliseconds for _, milliseconds in found] == [50, 60, 70]
    for frame, (read, _) in zip(frames, found, strict=True):
        np.testing.assert_allclose(np.array(read, int), np.array(frame, int), atol=4)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"'walk\.mp4'.*\.gif or \.webp"):
        save_animation([Image.new("L", (2, 2))], tmp_path / "walk.mp4", 50)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 57])
def test_evenly_keeps_the_ends(count):
    found = pick_evenly(range(count), 10)
    assert len(found) == min(count, 10)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, count - 1)
