"""The commands that README and docs/ show.

Those of the server are run as they stand; the others are run by a test that is named here, or, where they
take minutes or a machine of their own, checked for being there.
"""

from __future__ import annotations

import lzma
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS
from tests.processes import ROOT, spawn

PAGES = (
    ROOT / "README.md",
    ROOT / "bench" / "README.md",
    ROOT / "clients" / "typescript" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
RECORDING = "docs/nifty_expiry_afternoon.csv.gz"
# what a page leaves to the reader, and a file of that kind
PLACEHOLDERS = {
    "FILE…": RECORDING,
    "FILE": RECORDING,
    "FOLDER": "kept",
    "var/history.sqlite3#DAY,NIFTY,BANKNIFTY": "{store}#2026-11-30,NIFTY,BANKNIFTY",
    "redis://bus:6379/0": "{bus}",
}
# run by tests of their own: where, and a word that stands there
ELSEWHERE = {
    "npm": ("tests/web/test_example.py", "vite"),
    "systemctl": ("tests/deploy/test_real_systemd.py", "systemctl"),
    "python server.py login --broker": ("tests/feed/live/test_dhan.py", "--renew"),
    "python server.py login --listen": ("tests/handlers/kite_mock/test_login.py", "--listen"),
    "python server.py login --check": ("tests/handlers/kite_mock/test_login.py", "--check"),
    "python server.py login": ("tests/handlers/kite_mock/test_login.py", "login"),
    "python -m bench.web.terminal": ("bench/web/terminal.py", "--minutes"),  # needs minutes; run by hand
}
# of a machine's own folders, or minutes long and run by .ci/run
SHELL = {"cp", "echo", "xz"}


def commands():
    """The indented commands of the pages, and their ``python`` and ``make`` lines in lists."""
    for page in PAGES:
        fenced = False
        for line in page.read_text().splitlines():
            fenced ^= line.strip().startswith("```")
            found = re.match(
                r" {4,}((?:make|python3?|npm|curl|systemctl|cp|echo|xz|git|docker|pip)\b.*)", line
            )
            if found and not fenced:
                yield page.relative_to(ROOT).as_posix(), found[1]


def words_of(line):
    """A command's words, without its comment and the options that are only named in brackets."""
    line = re.sub(r"\[(--[^\]]+)\]|\s#\s.*", "", line)
    words = shlex.split(line)
    return words[: words.index(">")] if ">" in words else words


COMMANDS = [(page, line) for page, line in commands() if not line.startswith("curl ")]
SERVER = [line for _, line in COMMANDS if re.match(r"python server\.py(?! login)|make run", line)]
SERVING = [
    line for line in SERVER if not re.match(r"python server\.py (import|export|history|calendar)\b", line)
]
ONCE = [line for line in SERVER if line not in SERVING]


def identifier(line):
    """A short name of a test."""
    return re.sub(r"\W+", "-", line.partition("#")[0]).strip("-")[:60]


def filled(words, **given):
    """Words with the placeholders filled in."""
    return [PLACEHOLDERS.get(word, word).format(**given) if "{" not in word else word for word in words]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that recorded on 30 November 2026, as one of today."""
    folder = tmp_path_factory.mktemp("store")
    path = folder / "history.sqlite3"
    path.write_bytes(lzma.decompress((ROOT / "tests/data/upgrade/store-0.1.0.sqlite3.xz").read_bytes()))
    kept = ("--set", "history.chains_days=0", "--set", "history.minute_candles_days=0")
    process = spawn(folder / "log", "--database-url", f"sqlite:///{path}", *kept)
    assert process.end() == 0
    return path


def test_there_are_commands_of_every_kind():
    assert len(SERVING) > 10
    assert len(ONCE) > 8
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("line", dict.fromkeys(SERVING), ids=identifier)
def test_a_server_starts_as_the_page_says(line, store, tmp_path, request):
    words = words_of(line)
    arguments = shlex.split(words[2].removeprefix("ARGS=")) if words[0] == "make" and words[2:] else words[2:]
    bus = request.getfixturevalue("redis_server").url if "redis://bus:6379/0" in arguments else ""
    arguments = filled(arguments, store=store, bus=bus)
    nothing_kept = ["--database-url", f"sqlite:///{tmp_path}/history.sqlite3"]
    feed = (
        spawn(tmp_path / "feed.log", "--role", "feed", "--relay", bus, *nothing_kept)
        if "edge" in arguments
        else None
    )
    if "--port" in arguments:
        arguments[arguments.index("--port") + 1] = "0"
    process = spawn(tmp_path / "log", *arguments, *nothing_kept)
    for ended in filter(None, (process, feed)):
        assert ended.end() == 0
        assert "Traceback" not in ended.log.read_text()


@pytest.mark.parametrize("line", dict.fromkeys(ONCE), ids=identifier)
def test_a_command_does_as_the_page_says(line, store, tmp_path):
    calendar = (ROOT / "docs" / "calendar.md").read_text()
    (tmp_path / "override.toml").write_text(
        re.sub(r"^ {3}", "", re.search(r"```toml\n(.+?)```", calendar, re.S)[1], flags=re.M)
    )
    (tmp_path / "holidays-2027.csv").write_text("26-Jan-2027, Tuesday, Republic Day\n")
    (tmp_path / "mcx-2027.csv").write_text("26-Jan-2027, Tuesday, Republic Day\n")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "kept").mkdir()
    shutil.copy(ROOT / RECORDING, tmp_path / "kept")
    shutil.copy(store, tmp_path / "history.sqlite3")
    environment = {
        **os.environ,  # noqa: TID251 (PATH and the like)
        "DATABASE_URL": f"sqlite:///{tmp_path}/history.sqlite3",
        "HISTORY__ARCHIVE_FOLDER": str(tmp_path / "archive"),
    }
    _, _, *arguments = filled(words_of(line), store=store)
    done = subprocess.run(
        [sys.executable, ROOT / "server.py", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    allowed = {0, 1} if arguments[0] == "calendar" else {0}  # 1: the calendars differ
    assert done.returncode in allowed, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=identifier)
def test_a_command_is_of_a_kind_that_is_tested(page, line):
    words = words_of(line)
    start = " ".join(words)
    if line in SERVER:
        return
    if words[0] == "make":
        assert re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.M)
    elif words[:3] == ["python", "-m", "bench"]:
        assert {word for word in words[3:] if not word.startswith("--")} <= set(BENCHMARKS)
    elif words[0] == "python3":
        done = subprocess.run(
            [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
        )
        assert "upstream" in done.stdout
    elif words[0] in SHELL:
        assert words[0] != "cp" or all((ROOT / source).exists() for source in words[1:-1])
    else:
        (place, word) = next(told for begun, told in ELSEWHERE.items() if start.startswith(begun))
        assert word in (ROOT / place).read_text(), page


def test_places_of_the_other_tests_are_there():
    for place, _ in ELSEWHERE.values():
        assert Path(ROOT / place).is_file()


def test_an_option_in_brackets_is_one_of_the_command():
    named = set(re.findall(r"\[(--[a-z-]+)", "\n".join(line for _, line in COMMANDS)))
    assert named
    told = ""
    for command in ("serve", "import"):
        arguments = [sys.executable, "server.py", command, "--help"]
        told += subprocess.check_output(arguments, cwd=ROOT, text=True, timeout=30)
    assert named <= set(re.findall(r"--[a-z-]+", told))
