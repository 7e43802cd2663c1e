"""Which language is spoken, and where."""

import os
import re
import subprocess
import sys

import pytest

from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.io.console import BreakableText, PlainConsole, print_text, wrap_words
from ganvas.texts import LOCALE, VARIABLE, language, localise, speaks_chinese


def run(*words: str, encoding: str = "utf-8", **variables: str) -> subprocess.CompletedProcess:
    """Run `ganvas WORDS` in another process."""
    environment = {key: value for key, value in os.environ.items() if key not in LOCALE}
    return subprocess.run(
        [sys.executable, "-m", "ganvas", *words],
        env=environment | {"PYTHONIOENCODING": encoding} | variables,
        capture_output=True,
        encoding=encoding,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "de_DE.UTF-8"}, "zh"),
        ({"GANVAS_LANG": "zh"}, "zh"),
        ({"GANVAS_LANG": "zh-CN", "LANG": "en_US.UTF-8"}, "zh"),
        ({"GANVAS_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_chosen_or_the_systems(
    variables: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch
):
    for name in (VARIABLE, *LOCALE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == wanted


def test_a_language_that_is_misspelt_is_refused():
    done = run("zoo", GANVAS_LANG="cn")
    assert done.returncode == 2
    assert done.stderr == "ganvas: GANVAS_LANG=cn is no language of Ganvas; use en or zh\n"


def test_errors_are_chinese():
    done = run("train", "digitz", GANVAS_LANG="zh")
    assert done.returncode == 2
    assert done.stderr == "ganvas: 未知的配方 'digitz'；您是不是想写 digits？\n"


def test_help_is_chinese_and_fits_into_80_columns():
    from rich.cells import cell_len

    done = run("sample", "--help", GANVAS_LANG="zh", COLUMNS="80")
    lines = done.stdout.splitlines()
    assert "用法：ganvas sample" in lines[0]
    assert max(map(cell_len, lines)) <= 80
    assert "--count INT" in done.stdout and "图像数量（默认 64）" in done.stdout
    examples = run("zoo", "--help", GANVAS_LANG="zh").stdout
    assert "ganvas zoo cartoon-faces  # 它的卡片" in examples


def test_a_card_stays_english(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """It is a document: half of its sentences in Chinese would be neither."""
    monkeypatch.setenv("GANVAS_LANG", "zh")
    main(["zoo", "mnist"])
    card = capsys.readouterr().out
    assert "## How good it is" in card and not re.search("[\u4e00-\u9fff]", card)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_without_chinese_characters_gets_english(encoding: str):
    done = run("train", "digitz", encoding=encoding, GANVAS_LANG="zh")
    assert done.stderr == "ganvas: unknown recipe 'digitz'; did you mean digits?\n"
    listed = run("recipes", encoding=encoding, GANVAS_LANG="zh")
    assert listed.returncode == 0 and "digits by class" in listed.stdout
    assert run("--help", encoding=encoding, GANVAS_LANG="zh").returncode == 0


def test_a_chinese_encoding_will_do():
    done = run("zoo", encoding="gbk", GANVAS_LANG="zh")
    assert "按类别生成手写数字" in done.stdout


def test_english_loads_no_table():
    code = (
        "import sys\n"
        "from ganvas.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert 'ganvas.texts' in sys.modules\n"
        "assert not {'ganvas.texts.table', 'ganvas.cli.chinese'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_what_programs_read_stays(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_LANG", "zh")
    done = run("cache", "--json", GANVAS_LANG="zh")
    assert done.returncode == 0 and done.stdout.startswith("[")
    print_text("unknown recipe 'a.png'; known: auto", "/tmp/mode collapse/images")
    assert (
        capsys.readouterr().out == "未知的配方 'a.png'；可用的有：auto\n/tmp/mode collapse/images\n"
    )


def test_a_notebook_shows_errors_in_chinese(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_LANG", "zh")
    error = UserError("/nosuch is not a run folder: it has no recipe.json")
    assert error._render_traceback_() == ["UserError: /nosuch 不是运行文件夹：没有 recipe.json"]
    assert str(error).startswith("/nosuch is not")  # as it was raised


def test_parts_and_values_are_put_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_LANG", "zh")
    assert localise("a.png: it has no hole") == "a.png: 图像没有空洞"
    line = "350/3,000 images  epoch 0.2/1.7  11/s  0:04:01 left  generator 0.30"
    assert localise(line) == "350/3,000 张图像  轮次 0.2/1.7  11/s  还需 0:04:01  生成器 0.30"
    # a sentence of which one part is not known stays whole
    unknown = "it has no hole; nobody ever wrote such a sentence"
    assert localise(unknown) == unknown
    assert localise("size: 16") == "size: 16"  # a key of a setting


def test_chinese_lines_break_between_characters_but_not_before_their_marks():
    line = "数据：一个文件夹，其中有图像；训练时看到的样子"
    parts = wrap_words(line, 20)
    assert "".join(part.strip() for part in parts) == line
    assert not any(part.strip()[0] in "：，；" for part in parts)
    # what is English is broken as ever
    assert wrap_words("one two three", 8) == ["one two", "  three"]


def test_a_cell_of_a_table_keeps_every_character():
    text = PlainConsole(width=80).render_str("类别：0 (178)，1 (182), 2 (177), 3 (183)")
    assert isinstance(text, BreakableText)
    for width in range(8, 60):
        lines = text.wrap(PlainConsole(), width, overflow="ellipsis")
        assert "…" not in "".join(line.plain for line in lines)
        assert max(line.cell_len for line in lines) <= width


def test_speaking_depends_on_the_stream(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANVAS_LANG", "zh")
    assert speaks_chinese("utf-8") and speaks_chinese("gbk") and speaks_chinese(None)
    assert not speaks_chinese("cp1252") and not speaks_chinese("nosuch-encoding")
