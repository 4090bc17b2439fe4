"""``server.py import --from-kite``: candles of Kite into a store, span by span, on from where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.handlers.kite_mock.test_login import Operator, operator  # noqa: F401 - a fixture


@pytest.mark.nightly  # a login and six commands
def test_candles_of_kite_fill_a_store_and_the_next_run_goes_on(operator: Operator, tmp_path: Path) -> None:  # noqa: F811
    store = f"sqlite:///{tmp_path}/filled.sqlite3"
    span = ("--from", "2026-11-18", "--to", "2026-11-20", "--database-url", store)
    code, said = operator.run("--from-kite", "NIFTY", "RELIANCE", *span, command="import")
    assert (code, "Kite needs today's login" in said) == (2, True)
    assert operator.run(types=operator.request_token() + "\n")[0] == 0
    code, said = operator.run("--from-kite", "NIFTY", "RELIANCE", *span, command="import")
    assert code == 0, said
    assert said.count("kept") >= 2, said
    done = json.loads((operator.file.parent / "kite-import.json").read_text())
    assert done == {"NIFTY minute": "2026-11-20", "RELIANCE minute": "2026-11-20"}
    written = tmp_path / "out.csv"
    export = ("--from", "2026-11-18", "--output", str(written), "--database-url", store)
    code, said = operator.run("RELIANCE", *export, command="export")
    assert code == 0, said
    assert len(written.read_text().splitlines()) > 1000
    code, said = operator.run("--from-kite", "NOPE", *span, command="import")
    assert (code, "Kite's list of instruments has no NOPE." in said) == (2, True)
    code, said = operator.run(
        "--from-kite",
        "RELIANCE",
        "--candles",
        "day",
        "--to",
        "2026-11-20",
        "--database-url",
        store,
        command="import",
    )
    assert code == 0, said
    code, said = operator.run("--database-url", store, command="import")
    assert "either FILE … or --from-kite SYMBOL … must be given" in said
