"""How fast the studio answers, and what it costs while it is idle or a training is watched.

    python benchmarks/studio_speed.py RUNS [--seconds 20] [--threads 1]

RUNS holds runs; those whose GAN has the view are used for samples and places. Needs Linux, Chromium
and playwright. Printed: a line a measure. The server is a process of its own, as `ganvas studio`
starts it; times are those of the page, from the change of a control to the picture that is drawn.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

MOVES = 40
TICKS = os.sysconf("SC_CLK_TCK")  # of a process's time, a second
# Move a slider and wait until the large picture is drawn again: milliseconds of each move.
SLIDE = """async (moves) => {
    const frame = document.querySelector(".large"), found = [];
    const input = document.querySelectorAll(".directions input[type=range]")[0];
    for (let move = 0; move < moves; move++) {
        const drawn = new Promise((done) => {
            const observer = new MutationObserver(() => {
                if (frame.getAttribute("aria-busy") === "true") return;
                observer.disconnect();
                done();
            });
            observer.observe(frame, { attributeFilter: ["aria-busy"] });
        });
        const began = performance.now();
        input.value = String((move % 7) - 3);
        input.dispatchEvent(new Event("input"));
        await drawn;
        found.push(performance.now() - began);
        await new Promise((done) => setTimeout(done, 30));
    }
    return found;
}"""
REQUESTS = """(part) => performance.getEntriesByType("resource")
    .filter((one) => one.name.includes(part)).map((one) => one.duration)"""
PLACE = """async (moves) => {
    const seed = document.querySelector(".panel input[type=number]");
    const image = document.querySelector(".place-frame img");
    for (let move = 0; move < moves; move++) {
        const before = image.src, end = performance.now() + 10000;
        seed.value = String(move + 1);
        seed.dispatchEvent(new Event("input"));
        while (image.src === before && performance.now() < end) {
            await new Promise((done) => setTimeout(done, 20));
        }
    }
}"""


@contextmanager
def serve(runs: Path, threads: int) -> Iterator[tuple[str, int]]:
    """The studio in a process of its own: its address with the token, and the process's number."""
    words = [sys.executable, "-m", "ganvas", "studio", runs, "--no-open", "--port", "0"]
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env)
    assert server.stdout
    found = next(filter(None, (re.search(r"http://\S+", line) for line in server.stdout)), None)
    if found is None:
        raise SystemExit("the studio did not start")
    try:
        yield found.group(), server.pid
    finally:
        server.terminate()
        server.wait()


def used_seconds(process: int) -> float:
    """Processor time of a process until now."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def memory_of(process: int) -> float:
    """Memory of a process in MB."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found.group(1)) / 1024


def describe(milliseconds: list[float]) -> str:
    """Median and slowest of some times."""
    return f"{statistics.median(milliseconds):.0f} ms (slowest {max(milliseconds):.0f})"


def open_at(page: Page, place: str) -> None:
    """Go to a place of the page."""
    page.goto(page.url.partition("#")[0] + f"#/{place}")


def measure_opening(page: Page, address: str) -> None:
    """How long the page takes until its runs are shown: first and again."""
    for name in ("first opening", "opened again"):
        began = time.perf_counter()
        page.goto(address if name == "first opening" else page.url, wait_until="commit")
        page.wait_for_selector(".run-card")
        print(f"{name}: {time.perf_counter() - began:.2f} s")


def measure_views(page: Page) -> None:
    """How long pictures take to follow their controls."""
    cards = page.evaluate("fetch('/api/runs').then((answer) => answer.json())")["runs"]
    for card in cards:
        what = f"{card['recipe']} at {card['size']} px"
        if "sample" in card["views"]:
            open_at(page, f"run/{card['id']}/sample")
            page.locator(".wall .cell").nth(3).click()
            page.wait_for_selector(".directions input[type=range]")
            time.sleep(1)
            page.evaluate("performance.clearResourceTimings()")
            print(f"slider to picture, {what}: {describe(page.evaluate(SLIDE, MOVES)[4:])}")
            print(f"  of which the request: {describe(page.evaluate(REQUESTS, '/sample')[4:])}")
        if "place" in card["views"]:
            open_at(page, f"run/{card['id']}/place")
            page.locator("textarea").fill("a red bird")
            page.wait_for_selector(".place-frame img:not([hidden])")
            page.evaluate("performance.clearResourceTimings()")
            page.evaluate(PLACE, MOVES // 4)
            print(f"a caption's picture, {what}: {describe(page.evaluate(REQUESTS, '/place'))}")


def measure_lab(page: Page, seconds: float) -> None:
    """How many frames a second the theory lab plays."""
    for mode in ("line", "plane"):
        open_at(page, f"learn?mode={mode}")
        page.wait_for_selector("button.play")
        page.evaluate("performance.setResourceTimingBufferSize(10000)")
        time.sleep(1)
        page.evaluate("performance.clearResourceTimings()")
        page.click("button.play")
        time.sleep(seconds)
        frames = len(page.evaluate(REQUESTS, "/api/lab/"))
        page.click("button.play")
        print(f"lab, {mode}: {frames / seconds:.1f} frames a second")


def measure_cost(page: Page, process: int, runs: Path, seconds: float) -> None:
    """What the server needs while nothing happens, and while a training is watched."""
    open_at(page, "runs")
    time.sleep(3)
    page.evaluate("performance.clearResourceTimings()")
    before = used_seconds(process)
    time.sleep(seconds)
    asked = len(page.evaluate(REQUESTS, "/api/")) - len(page.evaluate(REQUESTS, "/api/events"))
    print(f"requests of an idle page in {seconds:.0f} s: {asked}")
    print(f"server while idle: {(used_seconds(process) - before) / seconds:.1%} of a core")

    out = runs / "watched"
    words = [sys.executable, "-m", "ganvas", "train", "digits", "--minutes", "5", "--out", out]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    training = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    try:
        while not list(out.glob("samples/*.png")):
            if training.poll() is not None:
                raise SystemExit("the training that was to be watched has ended")
            time.sleep(0.5)
        page.locator(".run-card", has_text="watched").locator(".cover").click()
        page.wait_for_selector(".watch .charts svg")
        time.sleep(5)
        before, reports = used_seconds(process), count_reports(out)
        time.sleep(seconds)
        share = (used_seconds(process) - before) / seconds
        pace = (count_reports(out) - reports) / seconds
        print(f"server while a training is watched: {share:.1%} of a core")
        print(f"  which reported {pace:.1f} times a second")
    finally:
        training.terminate()
        training.wait()
        shutil.rmtree(out, ignore_errors=True)


def count_reports(run: Path) -> int:
    """Lines of a run's log."""
    return (run / "log.jsonl").read_text().count("\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    args = parser.parse_args()

    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = Path(folder) / "runs"
        shutil.copytree(args.runs, runs)
        with serve(runs, args.threads) as (address, process):
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox"]
            )
            page: Page = browser.new_page(viewport={"width": 1400, "height": 900}, locale="en-US")
            measure_opening(page, address)
            measure_views(page)
            measure_lab(page, args.seconds / 2)
            measure_cost(page, process, runs, args.seconds)
            print(f"memory of the server: {memory_of(process):.0f} MB")
            browser.close()


if __name__ == "__main__":
    main()
