"""Every view of the page in a real browser, over real GANs and a real training of seconds."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Traffic, start_browser, watch_page
from checkups import CLASSES
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from sentences import find_sentences
from short_runs import train_two_steps
from studio_server import run_studio

import ganvas
from ganvas.gans import GANS
from ganvas.recipes.catalogue import CATALOGUE
from ganvas.runs.folder import read_recipe

pytestmark = pytest.mark.slow

NAMES = {
    "Frechet",
    "FID",
    "KID",
    "Lite",
    "cpu",
    "cuda",
    "CPU",
    "GPU",
    "GiB",
    "EMA",
    "GAN",
    "Adam",
    "beta",
    *CATALOGUE,
    *GANS,
}
NAMES |= {"labels", *CLASSES}
# Of splits, sides of pairs, folders and encodings.
NAMES |= {"train", "test", "val", "a", "b", "A", "B", "images", "masks", "extra", "up", "down"}
NAMES |= {"side", "set", "link", "zip", "tar", "webdataset", "x", "txt", "png", "folders", "notes"}
NAMES |= {"Big5", "GBK", "EUC", "KR"}
# Of columns, bands and the values in flags.
NAMES |= {"image", "testA", "testB", "L", "RGBA", "LOW", "HIGH", "above", "out"}
NAMES |= {"labels", "folders", "attributes", "captions", "COLUMN", "gbk", *CLASSES}
NAMES |= {"False", "True"}
WAIT = 60_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Path:
    """A folder with a run of each kind that has a view of its own."""
    root = tmp_path_factory.mktemp("page") / "runs"
    pairs = tmp_path_factory.mktemp("pairs")
    for number in range(8):
        image = Image.new("RGB", (64, 32), (20 * number, 90, 200 - 20 * number))
        image.paste((250, 250, 250), (8, 8, 24, 24))
        image.save(pairs / f"{number}.png")

    small = {"options.width": 2, "batch": 4}
    ganvas.train(
        "pix2pix-fast",
        data=f"pairs:{pairs}",
        out=root / "pairs",
        images=8,
        settings=small | {"size": 32},
        quiet=True,
    )
    for kind in ("edges", "small4x"):
        train_two_steps("pix2pix-fast", root / kind, f"pairs:{kind}:{pairs}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganvas.data.builtin.birds.COUNT", 60)
        train_birds(root / "birds", small)
    shutil.copytree(trained, root / "digits")
    return root


def train_birds(out: Path, small: dict[str, object]) -> None:
    """A GAN that places captions."""
    ganvas.train(
        "gawwn-fast",
        data="figures",
        out=out,
        images=8,
        settings=small | {"options.letters": 4, "options.smallest": 1, "size": 32},
        quiet=True,
    )


@pytest.fixture(scope="module")
def address(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    sprites = tmp_path_factory.mktemp("data") / "sprites"
    for number in range(12):
        image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
        image.paste((20 * number, 90, 200, 255), (4, 4, 12, 12))
        file = sprites / ("train" if number < 8 else "test") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
    with run_studio(runs, (sprites,)) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page of the studio that has used its token; nothing may be asked of other machines, and
    nothing may be complained about.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-US")
    context.set_default_timeout(WAIT)
    page = context.new_page()
    traffic: Traffic = watch_page(page)
    page.goto(address)
    expect(page.locator(".run-card").first).to_be_visible(timeout=WAIT)
    yield page
    context.close()

    own = address.partition("/?")[0]
    elsewhere = [
        url for url in traffic.requests if not url.startswith((own, "data:", f"blob:{own}"))
    ]
    assert not elsewhere
    assert not traffic.complaints


def find_card(page: Page, name: str) -> Locator:
    """The card of the run of exactly this name."""
    title = page.locator("strong", has_text=re.compile(f"^{name}$"))
    return page.locator(".run-card", has=title)


def open_view(page: Page, name: str, view: str) -> None:
    """Open a view of a run by clicking, as a person does."""
    page.goto(page.url.partition("#")[0] + "#/runs")
    find_card(page, name).locator(".cover").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=WAIT)
    page.locator(".tabs").get_by_role("link", name=view).click()
    expect(page.locator(f".view.{view.lower()}")).to_be_visible(timeout=WAIT)


def png(width: int, height: int, colour: str = "teal") -> dict[str, object]:
    """A file for a file button."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return {"name": "photo.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_what_the_engine_says_is_said_in_chinese(page: Page):
    said = page.evaluate(
        """async (sentences) => {
            const { setLanguage } = await import("/static/texts.js");
            const { say } = await import("/static/say.js");
            setLanguage("zh");
            const said = Object.fromEntries(sentences.map((one) => [one, say(one)]));
            setLanguage("en");
            return said;
        }""",
        sorted(find_sentences()),
    )
    assert len(said) > 100
    for sentence, chinese in said.items():
        assert re.search("[\u4e00-\u9fff]", chinese), (
            f"src/ganvas/texts has nothing for: {sentence}"
        )
        # what stays are names: of recipes, devices, flags with their values, classes
        bare = re.sub(r"--[\w-]+( [\w.,:=-]+)?", "", chinese)
        words = re.findall(r"(?<![\w.=-])[A-Za-z]+(?![\w.=-])", bare)
        assert set(words) <= NAMES, f"{sentence} is said as {chinese}"


def test_a_verdict_counts_from_chance_to_real_images(page: Page):
    def judge(values: dict[str, float], **protocol: object) -> list[str]:
        evaluation = {"values": values, "protocol": {"features": {}, **protocol}, "by_class": {}}
        return page.evaluate(
            """async (evaluation) => {
                const { findVerdict } = await import("/static/views/judge/metrics.js");
                return findVerdict(evaluation).map(({ level }) => level);
            }""",
            evaluation,
        )

    assert judge({}) == []
    assert judge({"precision": 0.9, "coverage": 0.6}) == ["good", "fair"]
    assert judge({"coverage": 0.1}) == ["poor"]
    # a share that chance alone has is no half success
    assert judge({"attributes": 0.52, "real_attributes": 0.99}) == ["poor"]
    assert judge({"attributes": 0.75, "real_attributes": 0.78}) == ["good"]
    classifier = {"classes": [str(number) for number in range(10)], "accuracy": 0.96}
    assert judge({"agreement": 0.12}, classifier=classifier) == ["poor"]
    assert judge({"agreement": 0.93}, classifier=classifier) == ["good"]
    # copies cannot be told from few unseen images
    assert judge({"copies": 0.12}) == ["fair"]
    assert judge({"copies": 0.12}, memorisation={"unseen": 200}) == ["poor"]
    assert judge({"copies": 0.01}, memorisation={"unseen": 200}) == ["good"]
    assert judge({"hole_l1": 30, "blur_l1": 40, "iou": 0.5, "real_iou": 0.9}) == ["poor", "good"]


def test_a_training_is_begun_watched_stopped_and_resumed(page: Page, runs: Path):
    page.get_by_role("link", name="New").click()
    page.get_by_label("Images on this machine").select_option(label="digits")
    expect(page.locator(".sheet img")).to_be_visible(timeout=WAIT)
    page.get_by_label("Recipe").select_option(value="auto")
    page.get_by_role("slider", name="Time").press("Home")  # one minute
    page.get_by_label("Name").fill("live")
    page.get_by_role("button", name="Start training").click()

    stop = page.get_by_role("button", name="Stop and save")
    expect(stop).to_be_visible(timeout=4 * WAIT)
    expect(page.locator("#bar .busy")).to_contain_text("live")
    stop.click()
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_visible(timeout=4 * WAIT)
    assert list((runs / "live" / "checkpoints").iterdir())
    resume.click()
    expect(stop).to_be_visible(timeout=4 * WAIT)
    stop.click()
    expect(resume).to_be_visible(timeout=4 * WAIT)

    page.get_by_role("link", name="Runs").click()
    card = find_card(page, "live")
    card.hover()
    card.get_by_role("button", name="Delete live").click()
    expect(card).to_have_count(0, timeout=WAIT)  # once the process has ended
    page.get_by_role("button", name="Undo").click()
    expect(card).to_have_count(1, timeout=WAIT)

    card.hover()
    card.get_by_role("button", name="Delete live").click()
    page.get_by_text("Bin (1)").click()
    page.get_by_role("button", name="Bring back live").click()
    expect(card).to_have_count(1)
    expect(page.locator(".bin")).to_be_hidden()


def test_a_folder_is_sent_with_its_folders_as_classes(page: Page, tmp_path: Path):
    for number in range(310):  # more than one request holds
        folder = tmp_path / "pets" / ("cats", "dogs")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number % 256, 90, 30)).save(folder / f"{number}.png")
    (tmp_path / "pets" / "notes.txt").write_text("mine")
    page.get_by_role("link", name="New").click()
    page.locator("input[webkitdirectory]").set_input_files(tmp_path / "pets")
    said = "310 files sent. Not sent, because they are not images: 1."
    expect(page.get_by_text(said)).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("310 of 310 images can be used")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("2 classes: cats, dogs")).to_be_visible(timeout=WAIT)


def choose_data(page: Page, name: str) -> None:
    """Choose a data set in the view New, and wait until it was looked at."""
    page.get_by_role("link", name="New").click()
    page.get_by_label("Images on this machine").select_option(label=name)
    expect(page.locator(".found .sheet img")).to_be_visible(timeout=WAIT)


def await_look(page: Page) -> None:
    """Wait until the images were looked at with a new setting."""
    expect(page.locator(".found.waiting")).to_have_count(0, timeout=WAIT)


def test_what_matters_of_the_data_is_offered_and_followed(page: Page):
    choose_data(page, "sprites")
    shown = page.locator(".data > .settings label")
    assert shown.all_inner_texts() == ["Split", "Channels", "Background"]
    expect(page.get_by_label("Value range")).to_be_hidden()
    page.get_by_text("More about the data").click()
    expect(page.get_by_label("Value range")).to_be_visible()
    expect(page.get_by_text("8 of 8 images can be used")).to_be_visible()

    page.get_by_label("Channels").select_option("4")
    expect(page.get_by_text("in colour with transparency")).to_be_visible(timeout=WAIT)
    expect(page.get_by_label("Channels")).to_be_focused()
    page.get_by_label("Split").select_option(label="test (4)")
    expect(page.get_by_text("4 of 4 images can be used")).to_be_visible(timeout=WAIT)
    assert "channels=4" in page.url and "split=test" in page.url
    page.reload()
    expect(page.get_by_text("4 of 4 images can be used")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("in colour with transparency")).to_be_visible()

    # what is wrong is said, and can be corrected where it stands
    page.get_by_text("More about the data").click()
    page.get_by_label("Value range").fill("9")
    page.get_by_label("Value range").press("Enter")
    expect(page.get_by_text("write LOW,HIGH")).to_be_visible(timeout=WAIT)
    page.get_by_label("Value range").fill("")
    page.get_by_label("Value range").press("Enter")
    expect(page.get_by_text("4 of 4 images can be used")).to_be_visible(timeout=WAIT)

    rows = page.get_by_label("Only some images")
    rows.fill(":9")
    rows.press("Enter")
    wrong = page.locator(".field", has=rows).get_by_role("alert")
    expect(wrong).to_contain_text("has 4 rows, 0 to 3", timeout=WAIT)
    expect(page.get_by_role("alert").filter(has_text="rows")).to_have_count(1)
    rows.fill(":3")
    rows.press("Enter")
    expect(page.get_by_text("3 of 4 images can be used")).to_be_visible(timeout=WAIT)
    assert "subset=%3A3" in page.url

    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("更多数据设置")).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="English").click()


def test_a_training_begins_with_another_run(page: Page, runs: Path):
    choose_data(page, "digits")
    page.get_by_label("Begin with").select_option(label="digits (relativistic, 8 px)")
    expect(page.get_by_text("As in the run that it begins with").first).to_be_visible(timeout=WAIT)
    page.get_by_label("Recipe").select_option(label="All settings of digits")
    await_look(page)
    page.get_by_text("What is taken").click()
    page.get_by_label("Frozen blocks of the discriminator").select_option("1")
    await_look(page)
    page.get_by_label("Name").fill("again")
    page.get_by_role("button", name="Start training").click()
    stop = page.get_by_role("button", name="Stop and save")
    expect(stop).to_be_visible(timeout=4 * WAIT)
    stop.click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=4 * WAIT)

    again = read_recipe(runs / "again")
    assert again is not None and again.origin is not None
    assert Path(again.origin.checkpoint).is_relative_to(runs / "digits")
    assert (again.origin.frozen, again.options["width"]) == (1, 8)


def test_the_way_there_is_played(page: Page):
    open_view(page, "digits", "Watch")
    film = page.get_by_role("slider", name="Samples from the beginning to now")
    film.press("Home")
    expect(page.locator(".film output")).to_have_text("after 0 images")
    expect(page.locator(".chart svg").first).to_be_visible()
    page.get_by_role("button", name="Play the way there").click()
    expect(page.locator(".film output")).to_have_text("after 300 images", timeout=WAIT)


def test_samples_answer_sliders_and_are_kept(page: Page):
    open_view(page, "digits", "Sample")
    expect(page.locator(".wall[aria-busy=false] .cell")).to_have_count(36, timeout=WAIT)
    page.locator(".wall .cell").first.focus()
    page.keyboard.press("f")
    expect(page.locator(".tray-list .cell")).to_have_count(1)
    page.locator(".wall .cell").nth(3).click()
    expect(page.locator(".large[aria-busy=false]")).to_be_visible(timeout=WAIT)

    direction = page.locator(".directions input").first
    expect(direction).to_be_visible(timeout=WAIT)
    canvas = page.locator(".large .centre canvas")
    before = canvas.evaluate("one => one.toDataURL()")
    direction.fill("3")
    for _ in range(200):
        if canvas.evaluate("one => one.toDataURL()") != before:
            break
        page.wait_for_timeout(50)
    assert canvas.evaluate("one => one.toDataURL()") != before

    page.get_by_role("button", name="Paint on it").click()
    expect(page.locator(".paint .board")).to_be_visible(timeout=WAIT)
    page.go_back()
    expect(page.locator(".large .centre canvas")).to_be_visible(timeout=WAIT)
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.locator("[data-format=zip]").click()
    assert download.value.suggested_filename.endswith(".zip")


def test_a_hole_is_painted_and_filled(page: Page):
    open_view(page, "digits", "Paint")
    page.locator("input[type=file]").set_input_files(png(40, 40))
    board = page.locator(".board")
    expect(board).to_be_visible(timeout=WAIT)
    box = board.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    fill = page.get_by_role("button", name="Fill", exact=True)
    expect(fill).to_be_enabled()
    fill.click()
    expect(page.locator(".result:not([hidden])")).to_be_visible(timeout=2 * WAIT)
    page.keyboard.press("Control+z")


def test_photos_are_translated_and_compared(page: Page):
    open_view(page, "pairs", "Translate")
    page.locator("input[type=file]").set_input_files([png(40, 40), png(64, 48, "tomato")])
    both = page.locator(".before-after.both:not(.stale)")
    expect(both).to_be_visible(timeout=2 * WAIT)
    divider = both.get_by_role("slider")
    divider.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")


def test_photos_are_prepared_as_the_training_was(page: Page):
    open_view(page, "edges", "Translate")
    page.locator("input[type=file]").set_input_files(png(96, 80))
    shown = page.locator(".before-after.both:not(.stale)")
    expect(shown).to_be_visible(timeout=2 * WAIT)
    expect(page.get_by_text("its edges were drawn first")).to_be_visible()
    with page.expect_response(lambda answer: "degrade=no" in answer.url):
        page.locator(".switch-bar").get_by_text("As it is", exact=True).click()
    expect(page.get_by_text("its edges were drawn first")).to_be_hidden(timeout=WAIT)
    assert "degrade=no" in page.url

    # the photo stays for the next run, which enlarges it as the command does
    with page.expect_response(lambda answer: "/translate" in answer.url) as response:
        open_view(page, "small4x", "Translate")
    assert "size=" not in response.value.url
    expect(shown).to_be_visible(timeout=2 * WAIT)
    after = page.locator(".before-after img").last
    expect(after).to_have_js_property("naturalWidth", 4 * 96)
    expect(page.get_by_text("As trained")).to_have_count(0)


def test_a_box_is_dragged_and_the_picture_follows(page: Page):
    open_view(page, "birds", "Place")
    page.get_by_label("Caption").fill("a red bird")
    picture = page.locator(".place-frame img")
    expect(picture).to_be_visible(timeout=WAIT)
    before = picture.get_attribute("src")
    box = page.locator(".board .box").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 30, box["y"] + box["height"] / 2 - 20, steps=4)
    page.mouse.up()
    expect(picture).not_to_have_attribute("src", before or "", timeout=WAIT)


@pytest.mark.parametrize("width", [1400, 400])
def test_both_languages_and_both_colours_fit_every_view(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    views = [("digits", "Watch"), ("digits", "Sample"), ("digits", "Paint"), ("digits", "Judge")]
    for name, view in [*views, ("pairs", "Translate"), ("birds", "Place")]:
        open_view(page, name, view)
        check_width(page)
    for name in ("runs", "new", "learn"):
        page.goto(re.sub("#.*", f"#/{name}", page.url))
        expect(page.locator(f".view.{name}")).to_be_visible(timeout=WAIT)
        check_width(page)

    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("#bar nav")).to_contain_text("学习")
    check_width(page)
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#bar nav")).to_contain_text("学习")
    page.locator("#language").click()


def check_width(page: Page) -> None:
    """Nothing reaches beyond the right edge."""
    size = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]


def test_two_runs_are_compared(page: Page):
    for name in ("digits", "birds"):
        card = find_card(page, name)
        card.hover()
        card.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare two").click()
    expect(page.locator(".sides section")).to_have_count(2, timeout=WAIT)
