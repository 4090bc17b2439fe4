"""An epoch's name tells a restart of the same market from that of another, through real servers."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from handlers.operations.build import build
from tests.conftest import settings_of

ROOT = Path(__file__).parents[3]
SAME = ("--seed", "7", "--start", "2026-11-25T10:00+05:30")
OTHERS: dict[str, Any] = {
    "scenario": {"scenario": "crash"},
    "hours": {"hours": "exchange"},
    "speed": {"speed": 2.0},
    "interval": {"publish_interval_ms": 250},
    "rate": {"interest_rate": 0.05},
    "seed": {"seed": 8},
    "start": {"start": "2026-11-25T10:01+05:30"},
}


def epoch_of(run_server, *arguments: str) -> str:
    """Of a server that is started and stopped."""
    process = run_server(*arguments)
    with urllib.request.urlopen(f"{process.url}/api/spot_price/NIFTY", timeout=10) as answer:
        epoch: str = json.load(answer)["data"]["epoch"]
    process.stop()
    return epoch


def test_a_virtual_market_started_again_alike_is_the_same_epoch_and_no_other_is(run_server) -> None:
    first = epoch_of(run_server, *SAME)
    assert epoch_of(run_server, *SAME) == first
    assert epoch_of(run_server, *SAME, "--speed", "2") != first


def test_whatever_its_path_depends_on_is_in_the_name_of_an_epoch() -> None:
    alike = {"seed": 7, "start": "2026-11-25T10:00+05:30"}
    markets = [build(settings_of(feed={**alike, **other})).market for other in ({}, {}, *OTHERS.values())]
    names = [market.epoch for market in markets]
    assert names[0] == names[1]
    assert len(set(names)) == 1 + len(OTHERS)


def test_a_market_on_the_wall_clock_never_goes_on_in_an_old_epoch(run_server) -> None:
    assert epoch_of(run_server) != epoch_of(run_server)


def test_contents_of_the_override_are_named(run_server, tmp_path: Path) -> None:
    override = tmp_path / "override.toml"
    arguments = (*SAME, "--set", f"feed.calendar_override={override}")
    missing = epoch_of(run_server, *arguments)
    override.write_text('[holidays.equity]\n2026-12-01 = "Declared late"\n')
    assert epoch_of(run_server, *arguments) != missing


def test_contents_of_a_recording_are_named_and_not_only_its_start(run_server, tmp_path: Path) -> None:
    recording = tmp_path / "recording.csv"
    lines = ["timestamp,expiry,strike,option_type,spot,ltp,volume,oi,oi_chg,iv"]
    lines += ["2026-03-05 10:00:00,2026-03-10,25000,CE,25010,120,10,100,5,12"]
    recording.write_text("\n".join(lines) + "\n")
    first = epoch_of(run_server, "--replay", str(recording))
    assert epoch_of(run_server, "--replay", str(recording)) == first
    recording.write_text("\n".join(lines).replace("25010", "25020") + "\n")
    assert epoch_of(run_server, "--replay", str(recording)) != first


@pytest.mark.gen_test
async def test_another_scenario_begins_another_epoch(make_sandbox, fetch) -> None:
    sandbox = await make_sandbox(own_market=True, feed={"control": True})
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    headers = {"Content-Type": "application/json"}
    answer = await fetch(
        sandbox, "/api/simulation/scenario", method="POST", body='{"scenario": "crash"}', headers=headers
    )
    assert answer.status == 200
    await sandbox.step()
    after = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert after["epoch"] != before["epoch"]
