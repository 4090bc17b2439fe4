"""The SMD front end, as it asks and reads, in Chromium against ``compat.smd``; and nothing of it without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.browser import browsing, needs_browser, serving
from tests.processes import spawn

OWN_ROUTES = (
    "/api/real-data/all-symbols",
    "/api/real-data/expiries/NIFTY",
    "/api/real-data/option-chain/NIFTY",
    "/api/real-data/test-connection",
    "/api/custom_option_chain?index=NIFTY",
    "/api/underlying_ohlc/NIFTY",
    "/api/greeks_data?symbol=NIFTY",
    "/api/status",
    "/api/ping",
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page would show, a few seconds after it was opened."""
    folder = tmp_path_factory.mktemp("smd")
    with serving(folder, "build_page.mjs", "smd/page.ts") as origin:
        process = spawn(
            folder / "log",
            *("--database-url", "", "--start", "2026-11-23T10:00+05:30"),
            *("--set", "compat.smd=true", "--publish-interval-ms", "200"),
            environment={"FRONTEND_URL": origin},
        )
        try:
            with browsing() as page:
                page.goto(f"{origin}/?server={process.url}")
                page.wait_for_function("shown.done && shown.option_chain_update.length > 2", timeout=30_000)
                page.wait_for_function("shown.ohlc_update.length > 1", timeout=10_000)
                found: dict[str, Any] = page.evaluate("shown")
        finally:
            assert process.stop() == 0
            assert process.popen.stdout is not None
            process.popen.stdout.close()
    assert "Traceback" not in process.log.read_text()
    return found


class TestPage:
    """What the page reads of each call."""

    pytestmark = needs_browser

    def test_every_call_is_answered(self, shown: dict[str, Any]) -> None:
        assert {name: value for name, value in shown.items() if "failed" in str(value)[:12]} == {}

    def test_spot_price(self, shown: dict[str, Any]) -> None:
        assert shown["spot"]["price"] == pytest.approx(22_600, rel=0.2)
        assert shown["spot"]["changePercent"] == pytest.approx(
            100 * shown["spot"]["change"] / (shown["spot"]["price"] - shown["spot"]["change"]), abs=0.02
        )

    @pytest.mark.parametrize("name", ["optionChain", "customOptionChain", "option_chain_update"])
    def test_chain(self, shown: dict[str, Any], name: str) -> None:
        chain = shown[name][-1] if name == "option_chain_update" else shown[name]
        assert len(chain["option_chain"]) > 100
        numbers = (
            "spot_price",
            "total_ce_oi",
            "total_pe_oi",
            "pcr_oi",
            "pcr_volume",
            "atm_strike",
            "max_pain",
        )
        assert all(chain[field] > 0 for field in (*numbers, "max_gain"))
        assert chain["symbol"] == "NIFTY"
        strikes = [row["strike_price"] for row in chain["option_chain"]]
        assert chain["max_gain"] in strikes
        near = min(chain["option_chain"], key=lambda row: abs(row["strike_price"] - chain["spot_price"]))
        for side in ("ce", "pe"):
            for field in ("ltp", "bid_price", "ask_price", "volume", "oi", "iv", "delta", "intrinsic"):
                assert isinstance(near[f"{side}_{field}"], int | float), field

    def test_pushed_chains_follow_the_market(self, shown: dict[str, Any]) -> None:
        pushed = [chain["seq"] for chain in shown["option_chain_update"]]
        assert pushed == sorted(set(pushed))

    @pytest.mark.parametrize("name", ["ohlc", "underlyingOhlc", "ohlc_update"])
    def test_days(self, shown: dict[str, Any], name: str) -> None:
        days = shown[name][-1] if name == "ohlc_update" else shown[name]
        for day, last in (("current_day", "ltp"), ("previous_day", "close")):
            values = [days[day][field] for field in ("open", "high", "low", last)]
            assert min(values) == days[day]["low"] > 0
        assert days["reference_price"] == days["previous_day"]["close"]

    def test_candles_of_a_span_include_its_last_day(self, shown: dict[str, Any]) -> None:
        assert [candle["date"][:10] for candle in shown["historicalOhlc"]] == [
            f"2026-11-{day}" for day in (16, 17, 18, 19, 20)
        ]

    def test_dashboard(self, shown: dict[str, Any]) -> None:
        board = shown["dashboard"]
        same = {
            "totalCEOI": "total_ce_oi",
            "totalPEOI": "total_pe_oi",
            "pcr": "pcr_oi",
            "maxPain": "max_pain",
        }
        for name, ours in same.items():
            assert board[name] == board[ours] == board["data"][ours] > 0
        for name in (
            "atmStrike",
            "totalCEVolume",
            "totalPEVolume",
            "maxGain",
            "dailySupport",
            "weeklySupport",
        ):
            assert board[name] > 0
        assert board["dailyResistance"] > board["dailySupport"]
        assert float(board["highRallyStrike"]) == board["dailyResistance"]
        assert float(board["highBearDipStrike"]) == board["dailySupport"]

    def test_market_status(self, shown: dict[str, Any]) -> None:
        status = shown["marketStatus"]
        assert (status["isOpen"], status["phase"]) == (True, "open")
        assert status["nextChange"].startswith("2026-11-23T10:")

    def test_symbols_expiries_greeks_and_tests_of_connections(self, shown: dict[str, Any]) -> None:
        assert "NIFTY" in shown["symbols"]["indices"]
        assert "RELIANCE" in shown["symbols"]["stocks_with_options"]
        assert shown["expiries"][0] == "2026-11-23"
        assert {"strike_price", "ce_delta", "pe_vega"} <= shown["greeks"]["greeks"][0].keys()
        assert shown["status"]["status"] in ("ok", "degraded")
        assert shown["testConnection"]["connected"] is True
        assert shown["testWebSocket"]["connected"] is True


@pytest.mark.gen_test
async def test_the_envelope_stays_and_what_is_wrong_is_told_as_ever(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, compat={"smd": True})
    await sandbox.step(2)
    answer = await fetch(sandbox, "/api/spot_price/NIFTY")
    assert answer.data["spot_price"] == answer.body["spot_price"] == answer.body["price"]
    assert answer.body["meta"]["symbol"] == "NIFTY"
    for path, code in (
        ("/api/real-data/option-chain/NIFTI", "UNKNOWN_SYMBOL"),
        ("/api/real-data/option-chain/NIFTY?expiry=2026-11-24", "UNKNOWN_EXPIRY"),
        ("/api/ohlc_data/NIFTY?from=2026-11-20&to=x", "VALIDATION_ERROR"),
        ("/api/greeks_data", "VALIDATION_ERROR"),
    ):
        assert (await fetch(sandbox, path)).error["code"] == code


@pytest.mark.gen_test
async def test_the_page_unsubscribes_from_all_it_got_with_a_symbol(make_sandbox, connect):
    sandbox = await make_sandbox(own_market=True, compat={"smd": True})
    await sandbox.step(1)
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": ["NIFTY", "RELIANCE"]})
    followed = (await client.ask("list_subscriptions"))["subscriptions"]
    assert len(followed) == 6
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "expiry": "2026-12-01"})  # of its own
    await client.ask("subscribe_symbol", {"symbol": "NIFTYNXT50"})
    await client.ask("unsubscribe_symbol", {"symbol": "NIFTY"})
    followed = (await client.ask("list_subscriptions"))["subscriptions"]
    assert sorted(item["stream"].split(":")[1] for item in followed) == [
        "NIFTY",
        *["NIFTYNXT50"] * 3,
        *["RELIANCE"] * 3,
    ]
    await client.ask("unsubscribe_option_chain", {"symbol": "NIFTY"})
    await client.ask("unsubscribe_symbol", {"symbol": ["RELIANCE", "NIFTYNXT50"]})
    assert sandbox.server.namespace.broadcaster.rooms == {}


@pytest.mark.gen_test
async def test_the_pages_chain_goes_over_to_the_next_expiry(make_sandbox, connect):
    feed = {"start": "2026-11-23T15:38:55+05:30", "speed": 122.0}
    sandbox = await make_sandbox(own_market=True, feed=feed, compat={"smd": True})
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    assert (await client.next("option_chain_update"))["expiry"] == "2026-11-23"
    await sandbox.step(6)
    await client.settle()
    expiries = [told["expiry"] for name, told in client.order if name == "option_chain_update"]
    assert expiries[-1] == "2026-12-01"


@pytest.mark.gen_test
async def test_nothing_of_it_is_there_by_default(sandbox, fetch, connect):
    for path in OWN_ROUTES:
        assert (await fetch(sandbox, path)).status == 404, path
    assert "price" not in (await fetch(sandbox, "/api/spot_price/NIFTY")).body
    assert (await fetch(sandbox, "/api/ohlc_data/NIFTY?from=2026-11-16&to=2026-11-20")).status == 400
    client = await connect(sandbox)
    assert len((await client.ask("subscribe_symbol", {"symbol": "NIFTY"}))["streams"]) == 1
