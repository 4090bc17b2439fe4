"""Every ``curl`` of README and docs/, run as it stands there: each answers 200."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest

from tests.processes import ROOT, spawn

HOST = "localhost:5000"


def commands():
    """The curl commands of the pages, each whole: a quoted argument may go on over lines."""
    found, begun = [], ""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for line in "\n".join(page.read_text() for page in pages).splitlines():
        if not begun and not line.startswith("    curl "):
            continue
        begun = f"{begun}\n{line.strip()}" if begun else line.strip()
        try:
            found.append(shlex.split(begun, comments=True))
        except ValueError:  # the quotation is still open
            continue
        begun = ""
    return found


COMMANDS = commands()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A simulated market, and a replay that may be steered."""
    folder = tmp_path_factory.mktemp("readme")
    recording = ROOT / "tests" / "data" / "made_up_minutes_20260305.csv"
    started = {
        "simulated": spawn(
            folder / "simulated.log", "--start", "2026-11-23T10:00+05:30", "--database-url", ""
        ),
        "replay": spawn(folder / "replay.log", "--replay", str(recording), "--set", "feed.control=true"),
    }
    yield started
    for process in started.values():
        assert process.stop() == 0
        process.popen.stdout.close()
        assert "Traceback" not in process.log.read_text()


def test_readme_has_curl_commands_for_every_part():
    asked = " ".join(word for command in COMMANDS for word in command)
    assert len(COMMANDS) >= 10
    for part in ("/health", "option_chain", "historical-data", "dashboard-history", "oi-history", "replay"):
        assert part in asked, part


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs the program curl")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[1].removeprefix(HOST))
def test_curl_answers_200(servers, command):
    process = servers["replay" if "/api/replay" in command[1] else "simulated"]
    assert command[1].startswith(HOST)
    url = process.url.removeprefix("http://") + command[1].removeprefix(HOST)
    silent = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", url, *command[2:]]
    done = subprocess.run(silent, capture_output=True, text=True, timeout=60)
    body, _, status = done.stdout.rpartition("\n")
    assert (done.returncode, status) == (0, "200"), (done.stderr, body)
    assert json.loads(body)["success"] is True
