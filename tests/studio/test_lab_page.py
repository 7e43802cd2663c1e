"""The theory lab as a page of its own: one file, whose games are those of Python."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser import start_browser, watch_page
from page_texts import find_asked, read_texts
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.studio.lab import Lab
from ganvas.studio.lab_page.assemble import STATIC, STUDIO, assemble_lab, write_lab
from ganvas.theory.game import Game, Settings
from ganvas.theory.losses import LOSSES
from ganvas.theory.plane import PLANE_TARGETS, PlaneGame

WAIT = 60_000  # milliseconds, on a busy machine
PHONE = 400  # pixels
STEPS = 50
CLOSE = 1e-9

# The page as a file


def test_page_is_one_file_with_a_strict_policy():
    page = assemble_lab()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    rules = html.unescape(policy[1])
    assert "default-src 'none'" in rules and "connect-src 'none'" in rules
    assert "unsafe" not in rules and "http" not in rules
    for tag in ("style", 'script type="module"'):
        text = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "fetch(" not in page and "import(" not in page


def test_texts_of_the_page_are_there_in_both_languages():
    english, chinese = read_texts(STATIC / "words.js")
    assert english.keys() == chinese.keys()
    known = set(english) | set(read_texts(STUDIO / "texts" / "learn.js")[0])
    files = [*STATIC.rglob("*.js"), STUDIO / "views" / "learn.js"]
    files += (STUDIO / "views" / "learn").glob("*.js")
    asked = set().union(*(find_asked(file) for file in files))
    errors = re.findall(r'ApiError\("([^"]+)"\)', (STATIC / "api.js").read_text(encoding="utf-8"))
    assert errors and asked | set(errors) <= known


def test_page_is_written_where_it_was_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    main(["theory", "--page"])
    assert capsys.readouterr().out == "page: theory-lab.html\n"
    assert (tmp_path / "theory-lab.html").read_text(encoding="utf-8") == assemble_lab()
    with pytest.raises(UserError, match=r"lab.txt: a page is a file that ends in .html"):
        write_lab(Path("lab.txt"))


# The page in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def open_lab(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Open the page from the disk; nothing may be asked for or complained about."""
    file, opened = write_lab(tmp_path / "lab.html"), []

    def open_lab(address: str = "", width: int = 1280, locale: str = "en-US") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, locale=locale)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        opened.append((context, watch_page(page)))
        page.goto(file.as_uri() + address)
        page.wait_for_function("window.ganvas?.ready.then(() => true)")
        return page

    yield open_lab
    for context, traffic in opened:
        context.close()
        assert not traffic.complaints
        assert not [url for url in traffic.requests if not url.startswith("file:")]


def use_float64(game: Game | PlaneGame) -> None:
    """Train in float64, as the page does; data and noise stay rounded to float32."""
    for player in game.players.values():
        player.double()
        player.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))


PLAY = """([settings, steps, batches]) => {
    const game = ganvas.makeGame(settings), drawn = [], own = game.real.bind(game);
    if (batches) game.real = (count) => {
        drawn.push([...own(count)]);
        return Float64Array.from(batches.shift());
    };
    for (let step = 0; step < steps; step++) {
        game.updateDiscriminator();
        game.updateGenerator();
    }
    return { drawn, state: game.look(), weights: [...game.players.generator.flat] };
}"""


def compare(state: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare all numbers that are seen of a game."""
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert state[name] is None, name
        else:
            np.testing.assert_allclose(state[name], value, rtol=0, atol=CLOSE, err_msg=name)


def look(game: Game | PlaneGame) -> dict[str, Any]:
    """How a game stands, as the studio's server says it."""
    lab = Lab()
    lab.games["game"] = game
    return json.loads(json.dumps(lab.play("game", 0, 0, 1, {})))


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("target", "penalty"), [("gaussian", 0.05), ("rare", 0)])
def test_games_on_a_line_are_those_of_python(open_lab: Any, target: str, loss: str, penalty: float):
    game = Game(Settings(target, loss, penalty=penalty))
    use_float64(game)
    for _ in range(STEPS):
        game.update_discriminator()
        game.update_generator()

    settings = {"kind": "line", "target": target, "loss": loss, "penalty": penalty}
    found = open_lab().evaluate(PLAY, [settings, STEPS, None])
    compare(found["state"], look(game))
    weights = torch.cat([one.detach().flatten() for one in game.generator.parameters()])
    np.testing.assert_allclose(found["weights"], weights, rtol=0, atol=CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("target", "penalty"), [("ring", 0.5), ("moons", 0)])
def test_games_in_the_plane_are_those_of_python(
    open_lab: Any, target: str, loss: str, penalty: float
):
    """Normal numbers differ in their last digits, so the page is given Python's data."""
    game, batches = PlaneGame(target, loss, penalty), []
    use_float64(game)
    own = game.real

    def keep(count: int = 256) -> Tensor:
        batches.append(own(count).double())
        return batches[-1]

    game.real = keep
    for _ in range(STEPS):
        game.update_discriminator()
        game.update_generator()
    expected = look(game)

    settings = {"kind": "plane", "target": target, "loss": loss, "penalty": penalty}
    given = [batch.flatten().tolist() for batch in batches]
    found = open_lab().evaluate(PLAY, [settings, STEPS, given])
    expected["steps"] = list(expected["steps"])
    compare(found["state"], expected)
    np.testing.assert_allclose(found["drawn"], given, rtol=0, atol=3e-6)


@pytest.mark.slow
def test_all_targets_are_those_of_python(open_lab: Any):
    page = open_lab()
    for target in PLANE_TARGETS:
        settings = {"kind": "plane", "target": target, "loss": "relativistic", "penalty": 0}
        drawn = page.evaluate("(settings) => [...ganvas.makeGame(settings).real()]", settings)
        expected = PlaneGame(target).real().flatten()
        np.testing.assert_allclose(drawn, expected, rtol=0, atol=3e-6)

    # a drawing on the line: two hills, one of which is lower
    density = np.zeros(512)
    density[100:120], density[300:360] = 1, 0.5
    lab = Lab()
    begun = lab.begin("line", density.tolist(), "non-saturating", 0.0, 0)
    settings = {"kind": "line", "target": density.tolist(), "loss": "non-saturating", "penalty": 0}
    found = page.evaluate("(settings) => ganvas.makeGame(settings).look()", settings)
    assert found["modes"][1] == begun["modes"][1] == 2
    np.testing.assert_allclose(found["p_data"], begun["p_data"], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["line", "plane"])
def test_games_are_stepped_played_and_reset(open_lab: Any, mode: str):
    page = open_lab(f"#/learn?mode={mode}")
    counts = page.locator(".counts")
    expect(counts).to_have_text("Updates so far: 0 of D, 0 of G")
    page.get_by_role("button", name="Step D").click()
    expect(counts).to_have_text("Updates so far: 1 of D, 0 of G")
    page.keyboard.press("g")
    expect(counts).to_have_text("Updates so far: 1 of D, 1 of G")
    page.get_by_role("button", name="Play").click()
    expect(counts).not_to_have_text("Updates so far: 1 of D, 1 of G", timeout=WAIT)
    page.get_by_role("button", name="Pause").click()

    page.get_by_role("button", name="Reset").click()
    expect(counts).to_have_text("Updates so far: 0 of D, 0 of G")
    page.get_by_role("button", name="Step D").click()
    expect(counts).to_have_text("Updates so far: 1 of D, 0 of G")

    # a language may change within a game
    page.get_by_role("button", name="中文").click()
    expect(counts).to_have_text("已更新：D 1 次，G 0 次")
    page.locator("nav.tabs a:not([aria-current])").click()
    expect(page.locator(".says")).not_to_be_empty()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["line", "plane"])
def test_phones_and_dark_colours(open_lab: Any, mode: str):
    page = open_lab(f"#/learn?mode={mode}", width=PHONE, locale="zh-CN")
    expect(page.locator("h1")).to_have_text("理论实验室")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Theory lab")
    assert not re.search("[\u4e00-\u9fff]", page.locator("main").inner_text())
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


@pytest.mark.slow
def test_a_game_that_diverges_says_so(open_lab: Any):
    page = open_lab("#/learn?mode=line&target=two&loss=wasserstein&penalty=0&ratio=5&d=1&g=1")
    page.evaluate(
        """() => { Math.tanh = () => NaN; }"""  # the quickest way to a number that is not finite
    )
    page.get_by_role("button", name="Step D").click()
    expect(page.get_by_role("alert")).to_contain_text("Training diverged")
