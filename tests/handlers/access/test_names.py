"""An underlying by the names that exchanges and brokers have for it, over REST and Socket.IO."""

import pytest

NAMES = [
    ("NIFTY%2050", "NIFTY"),
    ("nifty%20bank", "BANKNIFTY"),
    ("NIFTY%20FIN%20SERVICE", "FINNIFTY"),
    ("NIFTY%20MID%20SELECT", "MIDCPNIFTY"),
    ("NIFTY%20NEXT%2050", "NIFTYNXT50"),
    ("BSE%20SENSEX", "SENSEX"),
    ("NIFTY+50", None),  # a plus is no blank in a path
]


@pytest.mark.parametrize(("name", "symbol"), NAMES)
@pytest.mark.parametrize("path", ["expiries", "spot_price", "ohlc_data", "historical-data"])
@pytest.mark.gen_test
async def test_paths_take_other_names(sandbox, fetch, path, name, symbol):
    answer = await fetch(sandbox, f"/api/{path}/{name}")
    if symbol is None:
        assert answer.status == 400
        return
    assert answer.body["meta"]["symbol"] == symbol


@pytest.mark.parametrize("path", ["option_chain", "dashboard_data"])
@pytest.mark.gen_test
async def test_queries_take_other_names(sandbox, fetch, path):
    for name in ("NIFTY%20BANK", "NIFTY+BANK", "bank-nifty"):
        answer = await fetch(sandbox, f"/api/{path}?symbol={name}")
        assert answer.data["symbol"] == "BANKNIFTY"


@pytest.mark.gen_test
async def test_search_finds_by_other_names(sandbox, fetch):
    answer = await fetch(sandbox, "/api/symbols?q=NIFTY%20MID%20SELECT")
    assert [row["symbol"] for row in answer.data["symbols"]] == ["MIDCPNIFTY"]


@pytest.mark.gen_test
async def test_an_index_we_have_not_is_not_another(sandbox, fetch):
    answer = await fetch(sandbox, "/api/spot_price/NIFTY%20MIDCAP%20100")
    assert (answer.status, answer.body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "such as NIFTY 50 or NIFTY BANK, was 'NIFTY MIDCAP 100'" in answer.error["details"]["symbol"][0]


@pytest.mark.gen_test
async def test_events_take_other_names_and_answer_with_ours(sandbox, connect):
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": ["NIFTY 50", "nifty", "Nifty Bank"]})
    told = [(await client.next("symbol_update"))["symbol"] for _ in range(2)]
    assert told == ["NIFTY", "BANKNIFTY"]
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY BANK"})
    assert (await client.next("option_chain_data"))["symbol"] == "BANKNIFTY"
    await client.ask("unsubscribe_symbol", {"symbol": "NIFTY 50"})
    listed = await client.ask("list_subscriptions", {})
    assert "symbol:NIFTY" not in str(listed)
    assert "symbol:BANKNIFTY" in str(listed)
