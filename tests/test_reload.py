"""SIGHUP: a holiday declared late is known without a restart; a bad file changes nothing."""

import json
import signal
import time
import urllib.request

import pytest

START = "2026-12-01T10:00+05:30"


def phase(server):
    with urllib.request.urlopen(f"{server.url}/api/market-status?exchange=NFO", timeout=10) as answer:
        return json.load(answer)["data"]["phase"]


def lines(server, text, count=1):
    """Wait until the log has a line; the log is the only thing that says a signal was handled."""
    for _ in range(500):
        if server.log.read_text().count(text) >= count:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def server(run_server, tmp_path):
    override = tmp_path / "override.toml"
    override.write_text("")
    return run_server("--start", START, "--set", f"feed.calendar_override={override}"), override


def test_holiday_declared_late_is_read_on_sighup(server):
    process, override = server
    assert phase(process) == "open"
    override.write_text('[holidays.equity]\n2026-12-01 = "Municipal elections"\n')
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "reloaded the calendar")
    assert phase(process) == "holiday"


def test_bad_override_is_refused_with_a_sentence_and_changes_nothing(server):
    process, override = server
    override.write_text('[holidays.equity]\n2026-13-01 = "no such month"\n')
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "nothing was reloaded")
    assert phase(process) == "open"
