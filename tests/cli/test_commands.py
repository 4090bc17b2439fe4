"""``python server.py import|export|history``: files in and out of a store, as an operator runs them."""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import subprocess
import sys

import pytest
from pyarrow import parquet

import server
from cli.store import INTERRUPTED, Context, guarded
from feed.history.history import Retention
from feed.history.progress import ProgressBar
from feed.history.store.database import Database
from tests.processes import ROOT

DATA = ROOT / "tests" / "data"
CANDLES = """date,time,open,high,low,close,volume
2026-11-20,09:15,100,102,99,101,500
2026-11-20,09:16,101,103,100,102,600
2026-11-20,09:17,nonsense,103,100,102,600
2026-11-20,09:18,102,101,100,102,600
2026-11-20,09:19,102,104,101,103,700
"""


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path}/store.sqlite3"


@pytest.fixture
def command(store, capsys):
    """``code, out, err = command("history", "info")`` on the store of this test."""

    def run(*arguments, url=store):
        try:
            code = server.main([*arguments, "--database-url", url])
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def candles(tmp_path):
    path = tmp_path / "TESTLTD_minutes.csv"
    path.write_text(CANDLES)
    return path


@pytest.mark.parametrize(
    "arguments",
    [("import",), ("export",), ("history",), *(("history", x) for x in ("info", "prune", "check"))],
)
def test_every_command_has_help(command, arguments):
    code, out, err = command(*arguments, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: server.py {' '.join(arguments)}")
    assert len(out.splitlines()) > 3


def test_import_keeps_good_rows_and_names_the_bad_ones(command, candles):
    code, out, err = command(
        "import", str(candles), "--symbol", "NIFTY", "--set", "history.minute_candles_days=0"
    )
    assert code == 1
    assert out.splitlines() == [
        f"{candles}: candles of NIFTY, 1m each, 2026-11-20T09:15:00+05:30 to 2026-11-20T09:19:00+05:30",
        "  refused 1: open must be a number",
        "  refused 1: open and close must lie between low and high",
        f"{candles}: 3 rows kept, 2 refused",
    ]
    lines = err.splitlines()
    assert [re.match(rf"{re.escape(str(candles))}:(\d+): ", line)[1] for line in lines] == ["4", "5"]
    assert lines[0].endswith("open must be a number, was 'nonsense'.")
    assert "between low and high" in lines[1]


def test_file_that_was_imported_is_imported_again_to_the_same(command, candles):
    first = command("import", str(candles), "--symbol", "NIFTY")
    assert command("import", str(candles), "--symbol", "NIFTY") == first
    assert "minute candles 3," in command("history", "info")[1]


def test_file_that_cannot_be_imported_does_not_keep_the_others_out(command, candles, tmp_path):
    missing, binary = tmp_path / "missing.csv", tmp_path / "binary.csv"
    binary.write_bytes(b"\x00\xff\xfe" * 100)
    code, out, err = command("import", str(missing), str(binary), str(candles), "--symbol", "NIFTY")
    assert code == 2
    assert "3 rows kept" in out
    refusals = [line for line in err.splitlines() if line.startswith("server.py: ")]
    assert len(refusals) == 2
    assert str(missing) in refusals[0]
    assert str(binary) in refusals[1]
    assert "Traceback" not in err


def test_what_was_imported_is_exported(command, candles, tmp_path):
    command("import", str(candles), "--symbol", "NIFTY")
    output = tmp_path / "out.csv"
    code, out, _ = command("export", "nifty", "--from", "2026-11-20", "--output", str(output))
    assert (code, out) == (0, f"{output}: 3 candles written\n")
    assert output.read_text().splitlines() == [
        "date,open,high,low,close,volume,oi",
        "2026-11-20T03:45:00.000Z,100,102,99,101,500,",
        "2026-11-20T03:46:00.000Z,101,103,100,102,600,",
        "2026-11-20T03:49:00.000Z,102,104,101,103,700,",
    ]


def test_export_of_a_larger_interval_is_the_smaller_one_taken_together(command, candles, tmp_path):
    command("import", str(candles), "--symbol", "NIFTY")
    output = tmp_path / "out.csv"
    command("export", "NIFTY", "--from", "2026-11-20", "--interval", "5m", "--output", str(output))
    assert output.read_text().splitlines()[1:] == ["2026-11-20T03:45:00.000Z,100,104,99,103,1800,"]


def test_export_goes_on_where_it_was_cut_off(command, candles, tmp_path):
    command("import", str(candles), "--symbol", "NIFTY")
    output = tmp_path / "out.csv"
    ask = ("export", "NIFTY", "--from", "2026-11-20", "--output", str(output))
    command(*ask)
    whole = output.read_text()
    output.write_text(whole[: whole.rindex("\n", 0, -1) + 20])  # half a line
    code, out, _ = command(*ask)
    assert (code, out) == (0, f"{output}: 1 candles written\n")
    assert output.read_text() == whole
    assert command(*ask)[1] == f"{output}: 0 candles written\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "NOPE", "--from", "2026-11-20"), "Nothing is recorded of NOPE in that span."),
        (("export", "NIFTY", "--from", "2026-11-21", "--to", "2026-11-20"), "--from must lie before --to"),
        (("export", "NIFTY", "--from", "soon"), "must be a date such as 2026-11-23"),
        (("export", "NIFTY", "--from", "2026-11-20", "--interval", "7m"), "invalid choice: '7m'"),
        (("export", "NIFTY", "--from", "2026-11-20", "--format", "xls"), "invalid choice: 'xls'"),
        (("export", "NIFTY"), "--from"),
        (("import",), "FILE"),
        (("history", "wipe"), "invalid choice: 'wipe'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    command, candles, monkeypatch, tmp_path, arguments, sentence
):
    command("import", str(candles), "--symbol", "NIFTY")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("action", ["info", "check"])
def test_store_that_is_not_there_is_not_made(command, tmp_path, action):
    code, _, err = command("history", action, url=f"sqlite:///{tmp_path}/none.sqlite3")
    assert (code, "There is no history store" in err) == (2, True)
    assert not (tmp_path / "none.sqlite3").exists()


def test_history_in_memory_has_no_commands(command):
    code, _, err = command("history", "info", url="")
    assert (code, "history.database_url is empty" in err) == (2, True)


def test_info_counts_what_there_is(command, candles):
    command("import", str(candles), "--symbol", "NIFTY")
    command("import", str(DATA / "made_up_minutes_20260305.csv"), "--symbol", "NIFTY")
    code, out, _ = command("history", "info")
    found = {line[:14].strip(): line[14:].strip() for line in out.splitlines()}
    assert code == 0
    assert found["symbols"] == "1"
    assert found["minute candles"] == "3, 2026-11-20 to 2026-11-20"
    assert found["daily candles"] == "1, 2026-11-20 to 2026-11-20"
    assert found["chain minutes"].endswith(", 2026-03-05 to 2026-03-05")
    assert found["chain metrics"] == found["chain minutes"]


def test_prune_deletes_what_the_settings_say(command, candles):
    command("import", str(candles), "--symbol", "NIFTY")
    keep = ("--set", "history.daily_candles_days=1", "--set", "history.minute_candles_days=0")
    code, out, _ = command("history", "prune", *keep)
    assert code == 0
    deleted = int(out.split()[0])
    info = command("history", "info")[1]
    assert "minute candles 3," in info  # 0 keeps them for ever
    assert deleted == (0 if "daily candles  1," in info else 1)


def test_check_tells_sound_from_damaged(command, candles, store):
    command("import", str(candles), "--symbol", "NIFTY")
    assert command("history", "check")[:2] == (0, "2 records read, all sound\n")
    database = Database(store, readers=1)
    database.open()
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE minute_blocks SET record = x'00', candle_count = 9")
    database.close()
    code, out, _ = command("history", "check")
    assert code == 1
    assert "of NIFTY cannot be read" in out
    assert out.endswith("1 problems\n")


def test_store_that_a_server_records_into_is_read_and_not_written(run_server, tmp_path, command):
    run_server()
    url = f"sqlite:///{tmp_path}/history-0.sqlite3"
    assert command("history", "info", url=url)[0] == 0
    code, _, err = command("history", "prune", url=url)
    assert (code, "Another server records into" in err) == (2, True)


def test_bar_is_drawn_on_a_terminal_and_wiped_at_the_end(command, candles, store):
    command("import", str(candles), "--symbol", "NIFTY")
    terminal, its_end = pty.openpty()
    arguments = [sys.executable, "server.py", "history", "check", "--database-url", store]
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=its_end, text=True, timeout=60)
    os.close(its_end)
    drawn = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert (done.returncode, done.stdout) == (0, "2 records read, all sound\n")
    bars = [part for part in drawn.split("\r") if part.strip()]
    assert bars == [f"Checking {'░' * 28} 0 of 1 symbols and chains"]
    assert drawn.endswith("\r")


def test_nothing_is_drawn_elsewhere(command, candles):
    _, _, err = command("import", str(candles), "--symbol", "NIFTY")
    assert "█" not in err
    assert "\r" not in err


def test_bar_draws_only_what_changed():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    bar = ProgressBar(terminal, "Working", "rows")
    for done in (0, 0, 1, 1, 2):
        bar(done, 2)
    assert terminal.getvalue().count("Working") == 2
    assert terminal.getvalue().endswith("\r")


def test_interrupted_command_says_how_to_go_on(store):
    def interrupted(*_):
        raise KeyboardInterrupt

    err = io.StringIO()
    context = Context(store, "always", Retention(), 0.065, 0, io.StringIO(), err)
    assert guarded(interrupted, argparse.Namespace(), context) == INTERRUPTED
    assert "goes on from here" in err.getvalue()


def test_parquet_is_written_whole(command, candles, tmp_path):
    command("import", str(candles), "--symbol", "NIFTY")
    output = tmp_path / "out.parquet"
    ask = ("export", "NIFTY", "--from", "2026-11-20", "--format", "parquet", "--output", str(output))
    for _ in range(2):  # a second time it takes the place of the first
        assert command(*ask)[:2] == (0, f"{output}: 3 candles written\n")
    table = parquet.read_table(output).to_pydict()
    assert (table["close"], table["volume"], table["oi"]) == ([101, 102, 103], [500, 600, 700], [None] * 3)
    assert table["date"][0].isoformat() == "2026-11-20T03:45:00+00:00"


def test_parquet_without_its_package_says_what_to_install(command, candles, monkeypatch, tmp_path):
    command("import", str(candles), "--symbol", "NIFTY")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    output = tmp_path / "out.parquet"
    ask = ("export", "NIFTY", "--from", "2026-11-20", "--format", "parquet", "--output", str(output))
    code, _, err = command(*ask)
    assert (code, "pip install pyarrow" in err) == (2, True)
    assert not output.exists()
