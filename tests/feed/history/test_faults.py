"""Disasters with real files and a real database: a sentence, no crash, nothing lost that could be kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from domain.instants import MINUTE_MS
from feed.history.history import History, HistoryError, WriterHealth
from feed.history.store.database import Database
from feed.history.store.writer import Writer
from feed.market.forming import ClosedMinute
from feed.transfer.archive import Archive
from tests.feed.conftest import Cluster
from tests.feed.history.support import CALENDAR, CATALOGUE, NEAR, Tape, at, market, run

OPEN = at("2026-11-25 09:15")
DAY = 86_400_000
ROOT = Path(__file__).parents[3]
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")


def opened(url: str | None, now_ms: int = OPEN, **options: object) -> Tape:
    settings = {"flush_interval_s": 0.05, "queue_limit": 20, **options}
    history, of = History(url, calendar=CALENDAR, hours="exchange", **settings), market()
    history.start(of, now_ms)
    return Tape(history, of)


def until(history: History, is_so: Callable[[WriterHealth], bool], timeout_s: float = 20.0) -> WriterHealth:
    """Wait until health is as expected."""
    end_s = time.monotonic() + timeout_s
    while not is_so(health := history.health()):
        assert time.monotonic() < end_s, health
        threading.Event().wait(0.02)
    return health


def minutes_of(url: str) -> list[int]:
    with Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange", writable=True) as store:
        assert store.check().problems == []
        return [(t - OPEN) // MINUTE_MS for t in store.candles("NIFTY", "1m", OPEN, OPEN + DAY).time_ms]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@is_root
def test_full_disk_degrades_health_and_nothing_is_lost_once_there_is_room(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/history.sqlite3"
    tape = opened(url)
    tape.run(OPEN, 2)
    until(tape.history, lambda health: health.queue_length == 0)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    tape.run(OPEN + 2 * MINUTE_MS, 12)
    health = until(tape.history, lambda health: health.state == "degraded")
    assert health.reason is not None
    assert "its disk is full" in health.reason
    # serving goes on from memory
    end = OPEN + 14 * MINUTE_MS
    assert len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, end))) == 14
    assert len(run(tape.history.answers.candles("NIFTY", "5m", OPEN, end, (NEAR, 22500.0, True)))) == 3
    filler.unlink()
    health = until(tape.history, lambda health: health.state == "ok" and health.queue_length == 0)
    assert health.dropped == 0
    run(tape.history.stop())
    assert minutes_of(url) == list(range(14))


def test_a_stalled_disk_leaves_the_queue_bounded_and_drops_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{path}")
    tape.run(OPEN, 2)
    until(tape.history, lambda health: health.queue_length == 0)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")  # another program holds the file
    tape.run(OPEN + 2 * MINUTE_MS, 40)
    health = tape.history.health()
    assert health.queue_length == 20
    assert health.dropped > 15
    assert (
        len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, OPEN + DAY))) == 42
    )  # memory has them all
    health = until(tape.history, lambda health: health.state == "degraded")
    assert "is held by another program" in str(health.reason)
    assert "history dropped" in caplog.text
    holder.execute("ROLLBACK")
    holder.close()
    until(tape.history, lambda health: health.state == "ok" and health.queue_length == 0)
    run(tape.history.stop())
    kept = minutes_of(f"sqlite:///{path}")
    assert kept[:2] == [0, 1]
    assert len(kept) == len(set(kept)) == 42 - health.dropped


def test_files_deleted_under_a_running_server_are_noticed_and_a_store_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "store"
    url = f"sqlite:///{folder}/history.sqlite3"
    tape = opened(url)
    tape.run(OPEN, 2)
    until(tape.history, lambda health: health.queue_length == 0)
    shutil.rmtree(folder)  # the store, its log and its lock
    tape.run(OPEN + 2 * MINUTE_MS, 1)
    health = until(tape.history, lambda health: health.state == "degraded")
    assert "was deleted or replaced under the running server" in str(health.reason)
    tape.run(OPEN + 3 * MINUTE_MS, 3)
    health = until(tape.history, lambda health: health.state == "ok" and health.queue_length == 0)
    assert health.dropped == 0
    assert str(folder) in caplog.text  # the operator is told which file
    # memory still has the whole day; another server may not write to the new files meanwhile
    assert len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, OPEN + DAY))) == 6
    with pytest.raises(HistoryError, match="Another server records"):
        History(url, calendar=CALENDAR)
    run(tape.history.stop())
    assert minutes_of(url)[-3:] == [3, 4, 5]
    assert 2 in minutes_of(url)


def test_a_store_put_in_place_of_the_running_one_is_written_on(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept.sqlite3", tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{kept}")
    tape.run(OPEN, 2)
    run(tape.history.stop())
    tape = opened(f"sqlite:///{path}")
    tape.run(OPEN + 4 * MINUTE_MS, 1)
    until(tape.history, lambda health: health.queue_length == 0)
    for name in ("history.sqlite3-wal", "history.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    kept.replace(path)  # a copy is restored
    tape.run(OPEN + 5 * MINUTE_MS, 3)
    until(tape.history, lambda health: health.state == "degraded")
    until(tape.history, lambda health: health.state == "ok" and health.queue_length == 0)
    run(tape.history.stop())
    assert set(minutes_of(f"sqlite:///{path}")) >= {0, 1, 5, 6, 7}


def test_health_tells_of_a_writer_that_takes_nothing(tmp_path: Path) -> None:
    now_s = [100.0]
    database = Database(f"sqlite:///{tmp_path}/h.sqlite3", readers=1)
    database.open()
    release = threading.Event()

    class Slow:
        urgent = True

        def write(self, connection: object) -> None:
            release.wait(30)

        def undo(self) -> None:
            pass

    writer = Writer(database, flush_interval_s=1.0, queue_limit=3, monotonic=lambda: now_s[0])
    writer.start()
    assert [writer.put(Slow()) for _ in range(4)] == [True, True, True, False]
    assert writer.health().state == "ok"
    now_s[0] += 40
    health = writer.health()
    assert (health.state, health.queue_length, health.dropped) == ("degraded", 3, 1)
    assert health.reason == "The history store has taken nothing for 40 s."
    release.set()
    assert writer.drain(10)
    assert writer.health().state == "ok"
    writer.stop(5)
    database.close()


def test_a_job_that_fails_for_its_own_sake_is_dropped_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(minute: ClosedMinute) -> None:
        if minute.start_ms in (OPEN + MINUTE_MS, OPEN + 2 * MINUTE_MS):
            raise RuntimeError("a figure that cannot be computed")

    tape = opened(f"sqlite:///{tmp_path}/h.sqlite3", valuation=broken)
    tape.run(OPEN, 6)
    run(tape.history.stop())
    assert "a figure that cannot be computed" in caplog.text
    assert tape.history.health().dropped == 2
    assert minutes_of(f"sqlite:///{tmp_path}/h.sqlite3") == [0, 3, 4, 5]


def test_a_valuation_without_a_value_costs_only_its_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def valueless(minute: object) -> None:
        raise ZeroDivisionError("no call open interest")

    tape = opened(f"sqlite:///{tmp_path}/h.sqlite3", valuation=valueless)
    tape.run(OPEN, 3)
    run(tape.history.stop())
    assert "could not be valued" in caplog.text
    assert minutes_of(f"sqlite:///{tmp_path}/h.sqlite3") == [0, 1, 2]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(b"not a database at all" * 500), "is no SQLite file: move it away"),
        (lambda path: os.truncate(path, 3 * 8192), "is damaged: move its file away"),
        (lambda path: _scribble(path, "minute_blocks"), "is damaged: move its file away"),
    ],
    ids=["other content", "truncated", "scribbled over"],
)
def test_a_damaged_file_is_refused_with_a_sentence(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{path}", queue_limit=1000)
    tape.run(OPEN, 30)
    run(tape.history.stop())
    damage(path)
    before = path.read_bytes()[100:]  # after the header, which counts openings
    with pytest.raises(HistoryError, match=sentence):
        opened(f"sqlite:///{path}")
    assert path.read_bytes()[100:] == before  # what is left of it may still be of use


def _scribble(path: Path, table: str) -> None:
    """Write over the first page of a table."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xa5" * 8192)


def test_damage_deep_in_the_file_is_found_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{path}", queue_limit=1000)
    tape.run(OPEN, 30)
    run(tape.history.stop())
    _scribble(path, "chain_metrics")
    again = opened(f"sqlite:///{path}", OPEN + DAY)
    health = until(again.history, lambda health: health.state == "degraded")
    assert "is damaged" in str(health.reason)
    run(again.history.stop())


@is_root
def test_a_read_only_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{path}")
    tape.run(OPEN, 2)
    run(tape.history.stop())
    subprocess.run(["mount", "--bind", str(tmp_path), str(tmp_path)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(tmp_path)], check=True)
    try:
        with pytest.raises(HistoryError, match=r"is read-only|cannot be opened"):
            opened(f"sqlite:///{path}")
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@is_root
def test_a_file_of_another_user_is_refused_with_a_sentence() -> None:
    place = Path(tempfile.mkdtemp(prefix="history-", dir="/tmp"))  # where any user may look
    path = place / "history.sqlite3"
    tape = opened(f"sqlite:///{path}")
    tape.run(OPEN, 2)
    run(tape.history.stop())
    place.chmod(0o555)
    path.chmod(0o444)
    program = (
        "import os, sys\n"
        "from feed.history.store.database import Database\n"
        "from feed.history.store.problems import HistoryError\n"
        "os.setuid(65534)\n"
        "try: Database(sys.argv[1], 1).open()\n"
        "except HistoryError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{path}"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    shutil.rmtree(place)
    assert f"The history store {path} " in said.stdout, said.stderr
    assert "read-only" in said.stdout or "cannot be opened" in said.stdout


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HistoryError, match=r"The history store .* cannot be"):
        opened(f"sqlite:///{tmp_path}/file/history.sqlite3")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://somewhere/db", "must begin with sqlite:/// or postgresql://, was mysql://"),
        ("://", "must be a URL such as"),
        ("postgresql://history:secret@127.0.0.1:1/db", "no PostgreSQL answers there"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(HistoryError, match=sentence) as refused:
        History(url, calendar=CALENDAR)
    assert "secret" not in str(refused.value)


def test_an_archive_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="There is no history store at"):
        Archive(f"{tmp_path}/none.db", calendar=CALENDAR, catalogue=CATALOGUE, hours="always")
    assert not (tmp_path / "none.db").exists()
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(HistoryError, match="holds no history"):
        Archive(f"{tmp_path}/empty.db", calendar=CALENDAR, catalogue=CATALOGUE, hours="always")


def test_a_database_server_that_goes_away_and_comes_back_loses_nothing(
    cluster: Cluster, postgres_url: str
) -> None:
    tape = opened(postgres_url)
    tape.run(OPEN, 2)
    until(tape.history, lambda health: health.queue_length == 0)
    cluster.stop()
    try:
        tape.run(OPEN + 2 * MINUTE_MS, 8)
        health = until(tape.history, lambda health: health.state == "degraded")
        assert "The history store" in str(health.reason)
        assert len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, OPEN + DAY))) == 10
        with pytest.raises(HistoryError, match="The history store"):
            run(tape.history.answers.chain_at("NIFTY", NEAR, OPEN + MINUTE_MS))
        kept = run(tape.history.answers.chain_at("NIFTY", NEAR, OPEN + DAY))
        assert kept.minute_ms.tolist() == [OPEN + 8 * MINUTE_MS]  # the last that is complete
        assert run(tape.history.answers.earliest_ms("NIFTY", "1m")) == OPEN
        for interval in ("5m", "1d"):
            assert len(run(tape.history.answers.candles("NIFTY", interval, OPEN, OPEN + DAY)))
        assert run(tape.history.answers.day("NIFTY", OPEN + 9 * MINUTE_MS))[0] is not None
    finally:
        cluster.start()
    health = until(tape.history, lambda health: health.state == "ok" and health.queue_length == 0)
    assert health.dropped == 0
    run(tape.history.stop())
    assert minutes_of(postgres_url) == list(range(10))


def test_a_stop_while_the_store_fails_says_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.sqlite3"
    tape = opened(f"sqlite:///{path}")
    tape.run(OPEN, 2)
    until(tape.history, lambda health: health.queue_length == 0)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    tape.run(OPEN + 2 * MINUTE_MS, 3)
    run(tape.history.stop(timeout_s=1.0))
    assert "the server stopped before they could be written" in caplog.text
    assert tape.history.health().dropped >= 3
    holder.close()
