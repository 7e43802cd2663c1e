"""The summary page of a run."""

import base64
import io
import json
import re
import shutil

import pytest
from frames import read_frames
from PIL import Image
from written_runs import TOTAL, losses, write_log, write_run

from ganvas.data.report import DataReport
from ganvas.errors import UserError
from ganvas.recipes import get_recipe
from ganvas.runs.summary import draw_plot, write_live_page, write_report


@pytest.fixture
def plotted(tmp_path):
    """A run whose page has a plot."""
    return write_run(tmp_path / "a run")


@pytest.fixture
def run(plotted):
    """The same with its last report alone: a plot takes longer than all the rest of its page."""
    write_log(plotted, [losses(TOTAL, 0.1)])
    return plotted


def page_of(folder):
    write_report(folder)
    return (folder / "summary.html").read_text(encoding="utf-8")


def change_recipe(run, values):
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | values))


def embedded(page):
    """The images in a page."""
    found = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', page)
    pictures = [Image.open(io.BytesIO(base64.b64decode(content))) for _, content in found]
    assert [picture.format for picture in pictures] == [kind.upper() for kind, _ in found]
    return pictures


def test_the_report_of_a_finished_run(plotted):
    page = page_of(plotted)
    assert "Finished: 1,000 images shown." in page
    assert "2.0, each of 490 images" in page
    assert "<td>discriminator 2,000; generator 17</td>" in page
    assert "<td>discriminator 0.1; generator 0.2</td>" in page
    assert "relativistic, 8x8 grey, 2 classes" in page
    assert "ganvas 0.1.0, torch 9.8.7" in page
    assert "f00d" in page

    last, film, plot = embedded(page)
    assert last.size == film.size == (90, 60)
    assert getattr(film, "n_frames", 1) == 5
    assert plot.width >= 1000
    assert sorted(path.name for path in plotted.glob(".partial*")) == []


def test_the_page_is_chinese_where_the_user_is(run, monkeypatch):
    monkeypatch.setenv("GANVAS_LANG", "zh")
    page = page_of(run)
    assert '<html lang="zh">' in page and "<h2>使用方法</h2>" in page
    assert "已完成：看过 1,000 张图像。" in page
    assert "<td>判别器 2,000；生成器 17</td>" in page
    # what is left are names: of files, settings and columns
    hidden = r"(?s)<style>.*?</style>|<pre>.*?</pre>|<details.*?</details>|<[^>]+>"
    assert not re.search(r"[a-z]{2} [a-z]+ [a-z]{2}", re.sub(hidden, " ", page))


def test_the_page_needs_nothing_from_outside(plotted):
    page = page_of(plotted)
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
    change_recipe(run, {"held_out": 1})
    write_log(run, [losses(TOTAL, 0.1), {"images": TOTAL, "kind": "health"}])
    page = page_of(run)
    assert "<td>1 image</td>" in page
    assert "Too early to tell: waits for checkup 5 of 5" in page


def test_reasons_are_listed_and_the_main_ones_are_sentences(run):
    reasons = {
        "batch": "<so> many.",
        "optimizers": "the rates",
        "images": "As many as fit. 3 were measured.",
    }
    change_recipe(run, {"name": "auto", "reasons": reasons})
    page = page_of(run)
    assert '<li>batch: 50. <span class="faint">&lt;so&gt; many.</span></li>' in page
    assert "<li>optimizers: Adam 0.25, betas 0 and 0.99." in page
    assert "<p>The run shows 1,000 images in all: as many as fit.</p>" in page
    assert page.count("the rates") == 1
    assert "Different from the recipe" not in page  # there is none


def test_settings_as_in_the_recipe_are_folded(run):
    page = page_of(run)
    changed, others = page.split("All other settings (")
    assert "Different from the recipe digits" in changed
    assert ">optimizers.generator.lr<" in changed
    assert ">optimizers.discriminator.lr<" in others
    assert changed.rstrip().endswith('<details class="settings"><summary>')

    change_recipe(run, get_recipe("digits").model_dump())
    page = page_of(run)
    assert "As in the recipe digits." in page
    assert "Different from" not in page


def test_the_page_of_a_run_in_training(run):
    """It reloads itself, and says when it was written, not for ever that the run trains."""
    change_recipe(run, {"images": 5000})
    write_log(run, [losses(900, 0.1), losses(TOTAL, 0.1)])
    write_live_page(run)
    page = (run / "summary.html").read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh" content="10">' in page
    assert "In training: 1,000 of 5,000 images." in page
    assert '<progress value="0.2"' in page
    assert re.search(r"Written on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.", page)
    assert "If this time is long past, the training has ended" in page
    assert f"<code>ganvas sample &#39;{run}&#39;</code>" in page
    assert "Train twice as long" not in page
    # Plots and time-lapses are slow to make: those that are there, and none.
    assert len(embedded(page)) == 1
    draw_plot(run)
    write_live_page(run)
    assert len(embedded((run / "summary.html").read_text(encoding="utf-8"))) == 2
    assert not (run / "timelapse.gif").exists()

    speed = {"images": TOTAL, "kind": "speed", "images_per_second": 100.0}
    write_log(run, [losses(TOTAL, 0.1), speed])
    write_live_page(run)
    page = (run / "summary.html").read_text(encoding="utf-8")
    assert "In training: 1,000 of 5,000 images, about 40 seconds left." in page

    page = page_of(run)
    assert "http-equiv" not in page
    assert "<progress" not in page
    assert "Interrupted at 1,000 of 5,000" in page


def test_before_the_first_checkpoint_the_page_says_when_it_comes(run):
    shutil.rmtree(run / "checkpoints")
    change_recipe(run, {"checkpoint_every": 700})
    write_live_page(run)
    page = (run / "summary.html").read_text(encoding="utf-8")
    assert "after its first checkpoint, which is saved after 700 images." in page
    assert "ganvas sample" not in page


def test_the_title_names_the_folder_and_the_data(run):
    page = page_of(run)
    assert "<title>a run: digits &amp; co – Ganvas run</title>" in page
    assert "<h1>a run</h1>" in page


def test_one_report_is_no_plot(run):
    write_log(run, [losses(TOTAL, 0.1), {"images": TOTAL, "kind": "health", "distance": 1.0}])
    assert len(embedded(page_of(run))) == 2
    assert not (run / "losses.png").exists()


def test_an_interrupted_run_can_be_resumed_from_its_checkpoint(run):
    change_recipe(run, {"images": 5000})
    page = page_of(run)
    assert "Interrupted at 1,000 of 5,000 images; it can be resumed from 1,000." in page
    assert f"<code>ganvas train --out &#39;{run}&#39;</code>" in page


def test_a_run_that_stopped_by_itself_says_why(run):
    change_recipe(run, {"images": 5000})
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
    assert len(read_frames(run / "timelapse.gif")) == 1


def test_a_run_without_samples(run):
    shutil.rmtree(run / "samples")
    page = page_of(run)
    assert "No samples were saved." in page
    assert not embedded(page)


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

    (run / "losses.png").unlink()
    write_log(run, [losses(100, float("nan")), losses(200, float("nan"))])
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
