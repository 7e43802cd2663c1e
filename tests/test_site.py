"""The documentation as a site: it is built without a warning, whole, and asks nothing of others."""

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import start_browser, watch_page
from pages import ROOT
from playwright.sync_api import TimeoutError as NotThere

# Attributes with addresses, and tags of which the browser loads them at once.
ADDRESSES = ("href", "src", "srcset", "data", "poster")
LOADED = {"script", "link", "img", "source", "video", "audio", "iframe", "embed", "object"}
NOT_LOADED = {"alternate", "canonical", "next", "prev"}  # kinds of <link>
OF_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//")
NAVIGATION = """
[[section]]
names = ["Start", "开始"]
pages = [["docs/index.md", "Home", "首页"], "docs/course/"]
"""


class Reader(HTMLParser):
    """The addresses and anchors of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        found = [given[name] for name in ADDRESSES if name in given]
        is_loaded = tag in LOADED and given.get("rel") not in NOT_LOADED
        (self.loads if is_loaded else self.links).extend(found)


def build(out: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Build a site as `make site` does."""
    command = [sys.executable, str(ROOT / "docs" / "website"), "--out", out, "--root", root]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    pytest.importorskip("zensical", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site") / "built"
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def read_pages(site: Path) -> dict[Path, Reader]:
    """All pages of a site."""
    return {file: Reader(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")}


def find_broken(site: Path, pages: dict[Path, Reader]) -> Iterator[str]:
    """Addresses of pages that lead to no file, or to no heading, of the site."""
    for file, page in pages.items():
        if file.name == "404.html":
            continue  # it is shown at any address, so its links cannot be relative
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            anchor = unquote(parts.fragment)
            if target.is_dir():
                target /= "index.html"
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (anchor and anchor not in known):
                yield f"{file.relative_to(site)}: {link}"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    """Its pages."""
    return read_pages(site)


def test_links_lead_somewhere(site: Path, pages: dict[Path, Reader]):
    assert sorted(set(find_broken(site, pages))) == []


def test_nothing_is_loaded_from_outside(site: Path, pages: dict[Path, Reader]):
    offenders = [
        f"{file.relative_to(site)}: {address}"
        for file, page in pages.items()
        for address in page.loads
        if urlsplit(address).scheme in ("http", "https") or urlsplit(address).netloc
    ]
    for file in site.rglob("*.css"):
        if OF_STYLES.search(file.read_text(encoding="utf-8")):
            offenders.append(f"{file.relative_to(site)}: its styles")
    assert offenders == []


def test_both_languages_have_the_same_pages(site: Path):
    pages = {file.relative_to(site) for file in site.rglob("*.html")}
    chinese = {page.relative_to("zh") for page in pages if page.parts[0] == "zh"}
    assert chinese == {page for page in pages if page.parts[0] != "zh"}
    assert (site / "index.html").read_text(encoding="utf-8").count("pictures/gallery/") > 20
    assert "画廊" in (site / "zh" / "index.html").read_text(encoding="utf-8")


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where a server of this machine shows the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_in_a_browser(address: str):
    with start_browser() as browser:
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.set_default_timeout(60_000)
        traffic = watch_page(page)
        for name in ("index", "theory", "results", "zh/theory", "gans/dcgan"):
            page.goto(f"{address}/{name}.html")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 400, f"{name} is {width} pixels wide"
            widths = page.evaluate("[...document.images].map(one => one.naturalWidth)")
            assert page.locator("article img").count() == 0 or max(widths) > 0

        # Search finds words of Chinese pages; it runs in a worker of its own.
        page.goto(f"{address}/zh/index.html")
        # Keys are heard when the page's scripts have started, which nothing on it shows.
        field = page.locator("input:visible").first
        for _ in range(30):
            page.keyboard.press("Control+k")
            with suppress(NotThere):
                field.wait_for(timeout=2_000)
                break
        field.fill("生成器")
        page.locator("a:visible", has_text="为什么生成器").first.wait_for()

    here = (address, "data:", "blob:")
    assert [url for url in traffic.requests if not url.startswith(here)] == []
    assert traffic.complaints == []


# A small site


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with three pages, of which two have a Chinese file."""
    pytest.importorskip("zensical", reason="needs the extra docs")
    files = {
        "docs/website/navigation.toml": NAVIGATION,
        "docs/index.md": "# Home\n\n[中文](index.zh.md), [one](course/1.md#a-part), "
        "[code](../src/code.py)\n\n```\n[no](link.md)\n```\n",
        "docs/index.zh.md": "# 首页\n\n[English](index.md)，[第一课](course/1.zh.md#一节)，\n"
        "下一行\n",
        "docs/course/1.md": "# One\n\n## A part\n\n$a_1 \\le \\frac{1}{2}$, 1/2\n",
        "docs/course/1.zh.md": "# 一\n\n## 一节\n\n$a_1$\n",
        "docs/course/2.md": "# Two\n\nOnly English.\n",
        "src/code.py": "print('~~~')\n",
    }
    for name, text in files.items():
        file = tmp_path / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "root"


def test_pages_of_a_small_site(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = build(out, root)
    assert done.returncode == 0, done.stderr
    assert [*find_broken(out, read_pages(out))] == []

    def read(name: str) -> str:
        return (out / name).read_text(encoding="utf-8")

    home, chinese = read("index.html"), read("zh/index.html")
    assert 'href="zh/index.html"' in home and 'href="course/1.html#a-part"' in home
    assert 'href="source/src/code.py.html"' in home and "[no](link.md)" in home
    assert 'href="../index.html"' in chinese and 'href="course/1.html#一节"' in unquote(chinese)
    assert "，下一行" in chinese
    assert "print" in read("source/src/code.py.html")

    assert "<mfrac>" in read("course/1.html") and "1/2" in read("course/1.html")
    assert "还没有中文版" in read("zh/course/2.html") and "Only English." in read(
        "zh/course/2.html"
    )
    assert "还没有中文版" not in read("zh/course/1.html")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "docs/course/2.md",
            "# Two\n\n[three](3.md)\n",
            "2.md links to 3.md: no such file",
        ),
        ("docs/course/2.md", "# Two\n\n[one](1.md#nothing)\n", "anchor does not exist"),
        (
            "docs/course/2.md",
            "# Two\n\n![three](3.png)\n",
            "2.md links to 3.png: no such file",
        ),
        ("docs/lost.md", "# Lost\n", "navigation.toml does not name lost.md"),
    ],
)
def test_a_broken_site_is_not_built(root: Path, tmp_path: Path, name: str, text: str, said: str):
    (root / name).write_text(text, encoding="utf-8")
    done = build(tmp_path / "out", root)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
