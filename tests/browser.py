"""A real browser: Debian's chromium, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "GANVAS_BROWSER"  # set where a missing browser is an error, as in CI


def find_browser() -> str:
    """The path of a browser; the test is skipped without one, or fails where it is required."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if os.environ.get(REQUIRED):
        pytest.fail(f"no browser is installed: none of {', '.join(NAMES)}")
    pytest.skip("needs chromium: apt-get install chromium")


@contextmanager
def start_browser() -> Iterator[Browser]:
    """A browser without a window."""
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Traffic:
    """What a page has asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def watch_page(page: Page) -> Traffic:
    """Note all requests, console errors and exceptions of a page from now on."""
    traffic = Traffic()
    page.on("request", lambda request: traffic.requests.append(request.url))
    page.on("pageerror", lambda error: traffic.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            traffic.complaints.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    return traffic
