"""Exported pages in a real browser, opened from the disk."""

import json
import os
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import start_browser, watch_page
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tiny import make_gan
from torch import Tensor
from untrained_runs import wrap_gan

import ganvas
from ganvas.export.page.runtime import VERSION
from ganvas.inference.inputs import InputFiles
from ganvas.inference.translate import TranslateTask
from ganvas.io.images import to_uint8
from ganvas.rng import RowRng

pytestmark = pytest.mark.slow

WAIT = 60_000  # milliseconds, on a busy machine
CLOSE = 1e-4  # of values in [-1, 1]
HOSTILE = "<b>&\"'</script><script>window.hacked = 1</script>"
PHONE = 400  # pixels
KINDS = {
    "samples": ("relativistic", 8, 1, {"noise_size": 20}),
    "uniform": ("mlp", 8, 1, {"noise_size": 20}),
    "points": ("points", 1, 2, {}),
    "square": ("pix2pix-relativistic", 16, 3, {}),
    "any-size": ("cyclegan", 16, 3, {}),
    "attributes": ("stargan", 16, 3, {"exclusive": (("0", "1"),)}),
    "holes": ("inpaint-relativistic", 16, 3, {}),
    "boxes": ("gawwn-relativistic", 16, 3, {}),
    "keypoints": ("gawwn-keypoints", 16, 3, {}),
}
VIEWS = {
    "samples": "samples",
    "uniform": "samples",
    "points": "points",
    "square": "translate",
    "any-size": "translate",
    "attributes": "translate",
    "holes": "paint",
    "boxes": "place",
    "keypoints": "place",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def runtime() -> Path:
    """The package of the runtime, as `npm pack` writes it. Tests download nothing."""
    place = os.environ.get("GANVAS_RUNTIME")
    if not place:
        pytest.skip(f"needs GANVAS_RUNTIME: what `npm pack onnxruntime-web@{VERSION}` writes")
    return Path(place)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ganvas.Run]:
    """An untrained run of each kind that has a view, with weights that give pictures a contrast."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {}
    for kind, (name, size, channels, options) in KINDS.items():
        gan = make_gan(name, size, channels, **options)
        for parameter in gan.parameters():
            parameter.data.mul_(2)
        runs[kind] = wrap_gan(name, gan, folder / kind)
    return runs


@pytest.fixture(scope="module")
def export(
    runs: dict[str, ganvas.Run], runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Export a run once; returns the page."""
    folder, done = tmp_path_factory.mktemp("pages"), {}

    def export(kind: str) -> Path:
        if kind not in done:
            out = folder / f"{kind}.html"
            done[kind] = ganvas.export(runs[kind], to="page", out=out, runtime=runtime)
        return done[kind][-1].file

    return export


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file from the disk; nothing may be asked for or complained about."""
    opened = []

    def open_page(file: Path, width: int = 1280, locale: str = "en-US", script: str = "") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, locale=locale)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        opened.append((context, watch_page(page)))
        page.goto(file.as_uri())
        page.wait_for_function("window.ganvas?.ready.then(() => true)")
        return page

    yield open_page
    for context, traffic in opened:
        context.close()
        assert not traffic.complaints
        elsewhere = [
            url for url in traffic.requests if not url.startswith(("file:", "blob:", "data:"))
        ]
        assert not elsewhere


def run_in_page(page: Page, count: int, values: str, sides: str = "{}") -> Tensor:
    """What the GAN in the page makes of inputs, given as JavaScript; (count, C, H, W)."""
    code = (
        f"async () => (await ganvas.run({count}, {values}, {sides}))"
        ".map(({ channels, height, width, values }) => [[channels, height, width], [...values]])"
    )
    return torch.stack([torch.tensor(list_).view(shape) for shape, list_ in page.evaluate(code)])


def read_canvas(page: Page, selector: str) -> np.ndarray:
    """The pixels of a canvas, uint8 (H, W, 4)."""
    # of a copy: browsers complain about canvases that are read again and again
    code = """(canvas) => {
        const { width, height } = canvas, copy = new OffscreenCanvas(width, height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        return [height, width, [...context.getImageData(0, 0, width, height).data]];
    }"""
    height, width, values = page.locator(selector).first.evaluate(code)
    return np.array(values, np.uint8).reshape(height, width, 4)


def save(page: Page, button: str) -> tuple[str, tuple[int, int]]:
    """Save a picture; returns the name of the file, and the picture's width and height."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    with Image.open(download.value.path()) as picture:
        return download.value.suggested_filename, picture.size


def wait_for_result(page: Page) -> None:
    """Wait until the GAN has answered."""
    expect(page.locator(".status [role=status]")).to_have_text(re.compile(r"\d+ (ms|毫秒)"))


JOIN = "[0, 1, 2].flatMap((row) => [...ganvas.noise({seed}, row)[0]])"


@pytest.mark.parametrize("kind", ["samples", "uniform", "points"])
def test_same_seed_is_the_same_picture(
    kind: str, runs: dict[str, ganvas.Run], export: Callable, open_page: Callable
):
    page = open_page(export(kind))
    label = ", label: [0, 1, 0]" if kind == "samples" else ""
    for seed in (0, 12345678901):
        noise = JOIN.replace("{seed}", str(seed))
        made = run_in_page(page, 3, f"{{ noise: {noise}{label} }}")
        expected = runs[kind].sample(3, seed=seed)
        assert expected.std() > 0.01
        assert (made - expected).abs().max() < CLOSE


def test_noise_of_any_size_is_that_of_python(export: Callable, open_page: Callable):
    """Both of PyTorch's ways to draw normal noise, and an end that is no whole block."""
    page = open_page(export("samples"))
    row = RowRng(7, [41])
    expected = torch.cat([row.normal(1, 20)[0]])
    drawn = torch.tensor(page.evaluate("[...ganvas.noise(7, 41)[0]]"))
    assert (drawn - expected).abs().max() < 2e-6
    page = open_page(export("keypoints"))  # draws twice, five numbers each
    row = RowRng(7, [41])
    expected = torch.cat([row.normal(1, 5)[0] for _ in range(2)])
    drawn = torch.tensor(page.evaluate("ganvas.noise(7, 41).flatMap((draw) => [...draw])"))
    assert (drawn - expected).abs().max() < 2e-6


def test_wall_shows_the_samples(runs: dict[str, ganvas.Run], export: Callable, open_page: Callable):
    page = open_page(export("samples"))
    wait_for_result(page)
    expected = to_uint8(runs["samples"].sample(36, seed=0))
    shown = [read_canvas(page, f".cell:nth-child({number + 1}) canvas") for number in (0, 35)]
    for number, pixels in zip((0, 35), shown):
        assert np.abs(pixels[:, :, 0].astype(int) - expected[number, 0].numpy()).max() <= 1


def test_a_sample_is_chosen_changed_walked_and_saved(export: Callable, open_page: Callable):
    page = open_page(export("samples"))
    wait_for_result(page)
    caption = page.locator(".caption")
    expect(caption).to_have_text("Seed 0, sample 0, class 0")
    page.locator(".cell").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(caption).to_have_text("Seed 0, sample 7, class 1")
    page.get_by_label("Class", exact=True).select_option("0")
    expect(caption).to_have_text("Seed 0, sample 7, class 0")
    page.get_by_label("Seed", exact=True).fill("3")
    expect(caption).to_have_text("Seed 3, sample 7, class 0")

    before = read_canvas(page, ".panel .large")
    page.get_by_label("Direction 1").fill("3")
    expect(page.locator(".status [role=status]")).to_have_text(re.compile(r"^\d+ ms$"))
    assert not np.array_equal(before, read_canvas(page, ".panel .large"))
    page.get_by_role("button", name="All to 0").click()

    page.get_by_role("button", name="Walk").click()
    expect(caption).to_have_text(re.compile("Between samples"))
    page.get_by_role("button", name="Pause").click()
    assert save(page, "Save PNG") == ("samples-seed-3-7.png", (8, 8))
    assert save(page, "Save all as PNG") == ("samples-seed-3.png", (6 * 10 - 2, 6 * 10 - 2))


def draw_photo(folder: Path, width: int, height: int) -> Path:
    """A smooth photo of some shape."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    planes = [np.sin(across / 9), np.cos(down / 7), np.sin((across + down) / 11)]
    file = folder / "photo.png"
    pixels = ((np.stack(planes, -1) + 1) * 127.5).astype(np.uint8)
    Image.fromarray(pixels).save(file)
    return file


@pytest.mark.parametrize(("kind", "size"), [("square", (40, 40)), ("any-size", (50, 37))])
def test_photos_are_translated_as_by_the_command(
    kind: str,
    size: tuple[int, int],
    runs: dict[str, ganvas.Run],
    export: Callable,
    open_page: Callable,
    tmp_path: Path,
):
    photo = draw_photo(tmp_path, *size)
    page = open_page(export(kind))
    wait_for_result(page)
    page.locator("input[type=file]").set_input_files(photo)
    expect(page.locator("figure canvas").last).to_have_attribute("width", str(size[0]))

    task = TranslateTask(inputs=InputFiles((photo,)), size=16 if kind == "any-size" else None)
    (result, *_) = [each for each in task.results(runs[kind]) if not isinstance(each, str)]
    expected = next(iter(result.images.values())).permute(1, 2, 0).numpy()  # (H, W, 3)
    shown = read_canvas(page, "figure:last-child canvas")[:, :, :3]
    assert expected.std() > 5
    # both round to whole levels twice, before the GAN and after
    assert np.abs(shown.astype(int) - expected).max() <= 2


def test_a_photo_that_is_no_square_is_cut(export: Callable, open_page: Callable, tmp_path: Path):
    page = open_page(export("square"))
    wait_for_result(page)
    page.locator("input[type=file]").set_input_files(draw_photo(tmp_path, 60, 40))
    expect(page.get_by_text("the edges are cut off")).to_be_visible()
    assert read_canvas(page, "figure:first-child canvas").shape == (40, 40, 4)


def test_other_files_are_no_photos(export: Callable, open_page: Callable, tmp_path: Path):
    page = open_page(export("square"))
    wait_for_result(page)
    (tmp_path / "notes.png").write_text("no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "notes.png")
    expect(page.get_by_text("notes.png cannot be read as an image")).to_be_visible()


def test_attributes_exclude_each_other(export: Callable, open_page: Callable):
    page = open_page(export("attributes"))
    wait_for_result(page)
    before = read_canvas(page, "figure:last-child canvas")
    page.get_by_role("radio").nth(1).check()
    page.wait_for_timeout(500)
    assert not np.array_equal(before, read_canvas(page, "figure:last-child canvas"))
    assert page.get_by_role("radio").nth(0).is_checked() is False


def test_a_hole_is_painted_and_filled(export: Callable, open_page: Callable, tmp_path: Path):
    page = open_page(export("holes"))
    fill = page.get_by_role("button", name="Fill", exact=True)
    expect(fill).to_be_disabled()
    page.locator("input[type=file]").set_input_files(draw_photo(tmp_path, 64, 48))
    expect(page.locator(".board canvas").first).to_have_attribute("width", "64")
    box = page.locator(".board").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10)
    page.mouse.up()
    expect(page.get_by_text("of the photo will be replaced")).to_be_visible()
    before = read_canvas(page, ".board canvas")
    hole = read_canvas(page, ".board .hole")[:, :, 3] > 0

    page.keyboard.press("Control+z")
    expect(fill).to_be_disabled()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10)
    page.mouse.up()
    fill.click()
    expect(page.get_by_role("button", name="Paint again")).to_be_visible()
    after = read_canvas(page, ".board canvas")
    assert hole.any() and not hole.all()
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])
    page.get_by_role("button", name="Show the photo before").click()
    assert np.array_equal(before, read_canvas(page, ".board canvas"))
    assert save(page, "Save PNG") == ("holes-photo-filled.png", (64, 48))


@pytest.mark.parametrize("kind", ["boxes", "keypoints"])
def test_captions_are_drawn_at_places(kind: str, export: Callable, open_page: Callable):
    page = open_page(export(kind))
    wait_for_result(page)
    pictures = [read_canvas(page, ".place-frame canvas")]
    page.get_by_label("Caption").fill("a blue one with wings")
    page.wait_for_timeout(800)
    pictures.append(read_canvas(page, ".place-frame canvas"))
    if kind == "boxes":
        page.locator(".box").focus()
        page.keyboard.press("ArrowRight")
    else:
        page.get_by_role("button", name="Place beak").click()
    page.wait_for_timeout(500)
    pictures.append(read_canvas(page, ".place-frame canvas"))
    for one, other in pairwise(pictures):
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_phones_and_both_languages(kind: str, export: Callable, open_page: Callable):
    page = open_page(export(kind), width=PHONE, locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("main")).to_have_class(f"view {VIEWS[kind]}")
    expect(page.locator("#foot")).to_contain_text("由 Ganvas")
    if kind not in ("holes",):
        wait_for_result(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    page.get_by_role("button", name="English").click()
    expect(page.locator("#foot")).to_contain_text("Made with Ganvas")
    assert not re.search("[\u4e00-\u9fff]", page.locator("main").inner_text())
    page.get_by_role("button", name="Dark colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")  # it is remembered
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


def test_a_damaged_page_says_so(export: Callable, open_page: Callable, tmp_path: Path):
    text = export("points").read_text(encoding="utf-8")
    start = text.index('id="model">') + 60
    copy = tmp_path / "damaged.html"
    copy.write_text(text[:start] + "AAAAAAAAAAAA" + text[start + 12 :], encoding="utf-8")
    page = open_page(copy)
    expect(page.get_by_role("alert")).to_contain_text("This file is damaged")


def test_a_browser_without_webassembly_is_told_so(export: Callable, open_page: Callable):
    page = open_page(export("points"), script="delete window.WebAssembly", locale="zh-CN")
    expect(page.get_by_role("alert")).to_contain_text("WebAssembly")


def test_names_of_strangers_are_text(runtime: Path, open_page: Callable, tmp_path: Path):
    gan = make_gan("relativistic", 8, 1)
    gan.classes = (HOSTILE, "other")
    run = wrap_gan("relativistic", gan, tmp_path / "a<i>&amp;b")
    out = tmp_path / "page.html"
    ganvas.export(run, to="page", out=out, licence=HOSTILE, runtime=runtime)
    page = open_page(out)
    wait_for_result(page)
    assert page.evaluate("window.hacked") is None
    expect(page.get_by_role("heading", level=1)).to_have_text("a<i>&amp;b")
    expect(page.locator("#foot")).to_contain_text(f"licence: {HOSTILE}")
    assert HOSTILE in json.dumps(page.locator("select option").all_inner_texts()).replace("\\", "")
