"""``server.py import``: what it says of files, as an operator and as a script see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import server
from tests.feed.transfer.support import bars, clocks, rows

ROOT = Path(__file__).parents[2]
GOOD = rows(*bars("2026-06-02", clocks("09:15", 1, 3)))
BAD = rows("not a date,1,2,3,4,5", "not a date,1,2,3,4,5")


@pytest.fixture
def command(tmp_path, capsys):
    """``code, out, err = command("import", …)`` on a store of this test."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = server.main([*arguments, "--database-url", f"sqlite:///{tmp_path}/store.db"])
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def written(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)


def test_a_report_says_what_a_file_is_and_what_became_of_it(command, tmp_path):
    path = written(tmp_path, "NIFTY 50_minute.csv", GOOD)
    code, out, err = command("import", path, "--set", "history.minute_candles_days=0")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{path}: candles of NIFTY, 1m each, 2026-06-02T09:15:00+05:30 to 2026-06-02T09:17:00+05:30",
        f"{path}: 3 rows kept, 0 refused",
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("NIFTY.csv", GOOD, 0),
        ("NIFTY.csv", GOOD + "not a date,1,2,3,4,5\n", 1),
        ("NIFTY.csv", BAD, 1),
        ("NIFTY.csv", rows(), 1),
        ("NIFTY MIDCAP 100.csv", GOOD, 2),
        ("NIFTY.csv", "a,b\n1,2\n", 2),
        ("NIFTY.csv", "", 2),
    ],
)
def test_the_exit_code_tells_kept_refused_and_useless(command, tmp_path, name, content, code):
    assert command("import", written(tmp_path, name, content))[0] == code
    assert command("import", "--json", written(tmp_path, name, content))[0] == code
    assert command("import", "--dry-run", written(tmp_path, name, content))[0] == code


def test_the_worst_of_several_files_is_the_exit_code(command, tmp_path):
    good, bad = written(tmp_path, "NIFTY.csv", GOOD), written(tmp_path, "TCS.csv", BAD)
    useless = written(tmp_path, "notes.txt", "hello\n")
    assert command("import", good, bad, good)[0] == 1
    code, out, err = command("import", useless, bad, good)
    assert code == 2
    assert "3 rows kept, 0 refused" in out
    assert f"server.py: {useless}: its columns are unknown" in err


def test_the_report_as_json(command, tmp_path):
    path = written(
        tmp_path, "NIFTY BANK_minute.csv", GOOD + "2026-06-02 09:18:00,1,2,3,x,5\nnot a date,1,2,3,4,5\n"
    )
    useless = written(tmp_path, "notes.txt", "hello\n")
    code, out, err = command("import", "--json", path, useless)
    assert (code, err) == (2, "")
    first, second = map(json.loads, out.splitlines())
    named = ("file", "what", "symbol", "width", "rows", "kept", "merged", "refused", "exit_code", "error")
    assert {name: first[name] for name in named} == {
        "file": path,
        "what": "candles",
        "symbol": "BANKNIFTY",
        "width": "1m",
        "rows": 5,
        "kept": 3,
        "merged": 0,
        "refused": 2,
        "exit_code": 1,
        "error": None,
    }
    assert first["span"] == {"from": "2026-06-02T09:15:00+05:30", "to": "2026-06-02T09:17:00+05:30"}
    assert sorted(first["reasons"].values()) == [1, 1]
    assert [row["row"] for row in first["bad_rows"]] == [5, 6]
    assert (second["exit_code"], second["kept"], second["span"]) == (2, 0, None)
    assert second["error"].startswith("its columns are unknown; expected")


def test_a_dry_run_reports_the_same_and_writes_nothing(command, tmp_path):
    path = written(tmp_path, "NIFTY.csv", GOOD + "not a date,1,2,3,4,5\n")
    tried = command("import", "--dry-run", path)
    assert not (tmp_path / "store.db").exists()
    assert command("import", path) == tried


def test_a_dry_run_needs_no_store(capsys, tmp_path):
    path = written(tmp_path, "NIFTY.csv", GOOD)
    assert server.main(["import", "--dry-run", path, "--database-url", ""]) == 0
    assert "3 rows kept" in capsys.readouterr().out


def test_folders_are_gone_through(command, tmp_path):
    folder = tmp_path / "files"
    written(folder, "NIFTY.csv", GOOD)
    written(folder, "deep/TCS.csv", GOOD)
    written(folder, ".hidden", "x")
    code, out, _ = command("import", "--json", str(folder))
    assert code == 0
    assert [json.loads(line)["symbol"] for line in out.splitlines()] == ["NIFTY", "TCS"]


def test_what_a_server_would_delete_for_its_age_is_said(command, tmp_path):
    path = written(tmp_path, "NIFTY.csv", rows(*bars("2019-06-03", clocks("09:15", 1, 3))))
    assert "history.minute_candles_days=0 keeps all" in command("import", path)[1]
    assert "keeps all" not in command("import", path, "--set", "history.minute_candles_days=0")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--interval", "month"), "an interval must be like 5s, 1m, 5minute, 1h or 1d, was 'month'"),
        (("--spot", "high"), "spot must be a number, was 'high'"),
        (("--spot", "0"), "must be a price, was '0'"),
        (("--dates", "mixed"), "invalid choice: 'mixed'"),
        (("--at", "noon"), "must be a date such as 2026-11-23 or an instant, was 'noon'"),
    ],
)
def test_what_is_ordered_is_checked_before_anything_is_read(command, tmp_path, arguments, sentence):
    code, _, err = command("import", written(tmp_path, "NIFTY.csv", GOOD), *arguments)
    assert (code, sentence in err) == (2, True)


def test_the_calendar_override_is_obeyed(command, tmp_path):
    """A Saturday that the operator declared a session needs no saying."""
    override = tmp_path / "override.toml"
    path = written(tmp_path, "NIFTY.csv", rows(*bars("2019-06-01", clocks("09:15", 1, 3))))
    override.write_text(
        '[special_sessions.2019-06-01]\nname = "a test"\nconfidence = "high"\n'
        'cash = "ordinary"\nderivatives = "ordinary"\n'
    )
    plain = command("import", "--dry-run", path)
    assert "no session of the calendar" in plain[1]
    told = command("import", "--dry-run", path, "--set", f"feed.calendar_override={override}")
    assert (told[0], "no session of the calendar" in told[1]) == (0, False), told


def test_rows_are_indias_whatever_the_zone_of_the_machine(tmp_path):
    path = written(tmp_path, "NIFTY.csv", GOOD)
    done = subprocess.run(
        [sys.executable, "server.py", "import", "--json", path, "--database-url", f"{tmp_path}/store.db"],
        cwd=ROOT,
        env={**os.environ, "TZ": "America/New_York"},  # noqa: TID251 (PATH and the like)
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["span"]["from"] == "2026-06-02T09:15:00+05:30", done.stderr
