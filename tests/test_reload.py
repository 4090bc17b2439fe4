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


def epoch(server):
    with urllib.request.urlopen(f"{server.url}/api/spot_price/NIFTY", timeout=10) as answer:
        return json.load(answer)["data"]["epoch"]


def test_another_calendar_begins_another_epoch_and_the_same_one_does_not(server):
    process, override = server
    before = epoch(process)
    override.write_text("# nothing new\n")
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "reloaded the calendar")
    assert epoch(process) == before
    override.write_text('[holidays.equity]\n2026-12-10 = "Declared late"\n')
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "reloaded the calendar", 2)
    assert epoch(process) != before


def test_bad_override_is_refused_with_a_sentence_and_changes_nothing(server):
    process, override = server
    override.write_text('[holidays.equity]\n2026-13-01 = "no such month"\n')
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "nothing was reloaded")
    assert phase(process) == "open"


def entered(server):
    """What a client that connects by polling is told."""
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    with urllib.request.urlopen(url, timeout=10) as answer:
        url += f"&sid={json.loads(answer.read()[1:])['sid']}"
    urllib.request.urlopen(url, data=b"40", timeout=10).close()
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_limits_are_taken_over_and_what_needs_a_restart_is_named(run_server, tmp_path):
    settings = tmp_path / "settings.toml"
    server = "[server]\ndrain_timeout_s = 0\n"
    settings.write_text(f"{server}[limits]\nmax_clients = 1\n")
    process = run_server("--settings", str(settings))
    assert "connection_status" in entered(process)
    assert "RATE_LIMITED" in entered(process)
    settings.write_text(f"{server}[limits]\nmax_clients = 2\nmax_message_bytes = 2048\n")
    process.popen.send_signal(signal.SIGHUP)
    assert lines(process, "need a restart: limits.max_message_bytes")
    assert "connection_status" in entered(process)
    assert "RATE_LIMITED" in entered(process)
