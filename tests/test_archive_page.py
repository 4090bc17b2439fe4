"""The examples of docs/archive.md, run over a session that the command archived."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from domain.instants import IST, to_ms
from tests.handlers.kept_market import kept_market

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "archive.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder with one session, as ``server.py history archive`` makes it."""
    import asyncio

    folder = tmp_path_factory.mktemp("page")
    url = f"sqlite:///{folder}/history.sqlite3"
    start_ms = to_ms(datetime(2026, 8, 19, 10, 0, tzinfo=IST))

    async def record():
        parts = kept_market(url, start_ms).parts
        for now_ms in range(start_ms, start_ms + 5 * 60_000, 20_000):
            update = parts.source.advance(now_ms)
            if update is not None:
                parts.market.apply(update)
            parts.history.record(parts.market, now_ms)
        await parts.history.stop(60)

    asyncio.run(record())
    command = [sys.executable, "server.py", "history", "archive", "--database-url", url]
    command += ["--set", f"history.archive_folder={folder}/archive", "--set", "feed.hours=always"]
    said = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True) for _ in range(2)]
    assert [done.returncode for done in said] == [0, 0], said
    assert re.search(r"2026-08-19 +\d+ chains, [\d,]+ rows", said[0].stdout)
    assert "1 sessions archived; 1 in all" in said[0].stdout
    assert "0 sessions archived; 1 in all" in said[1].stdout
    return folder / "archive"


def test_page_has_an_example_of_each_tool():
    assert [re.search(r"import (\w+)", example)[1] for example in EXAMPLES] == ["pandas", "duckdb", "polars"]


@pytest.mark.parametrize(
    "example",
    [pytest.param(EXAMPLES[0], marks=pytest.mark.nightly), *EXAMPLES[1:]],
    ids=["pandas", "duckdb", "polars"],
)
def test_example_runs_and_prints_something(archive, example):
    code = f"ARCHIVE = {str(archive)!r}\n{example}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 5


def test_columns_of_the_page_are_those_of_the_files(archive):
    from pyarrow import parquet

    for kind in ("chains", "metrics"):
        file = next((archive / kind).rglob("*.parquet"))
        table = PAGE[PAGE.index(f"`{kind}`:") :].split("\n\n")[1]
        told = {
            name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])
        }
        assert told == set(parquet.read_schema(file).names)


def test_without_a_folder_a_sentence_says_which_setting(tmp_path):
    command = [sys.executable, "server.py", "history", "archive"]
    command += ["--database-url", f"sqlite:///{tmp_path}/none.sqlite3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no history store" in done.stderr
