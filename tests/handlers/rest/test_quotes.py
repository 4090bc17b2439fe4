"""/api/spot_price: one quote per underlying."""

import pytest

from schemas.quotes import SpotPriceSchema
from tests.handlers.shapes import problems


@pytest.mark.parametrize("symbol", ["NIFTY", "SENSEX", "RELIANCE", "CRUDEOIL", "BAJAJ-AUTO"])
@pytest.mark.gen_test
async def test_quote_is_as_its_schema_says(sandbox, fetch, symbol):
    answer = await fetch(sandbox, f"/api/spot_price/{symbol}")
    assert problems(SpotPriceSchema(), answer.data) == []
    assert answer.data["symbol"] == symbol


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("nifty", "NIFTY"),
        ("Nifty", "NIFTY"),
        ("bajaj-auto", "BAJAJ-AUTO"),
        ("M%26M", "M&M"),
        ("m%26m", "M&M"),
        ("M&M", "M&M"),
    ],
)
@pytest.mark.gen_test
async def test_symbol_is_taken_in_any_case_and_encoding(sandbox, fetch, written, symbol):
    answer = await fetch(sandbox, f"/api/spot_price/{written}")
    assert answer.data["symbol"] == symbol
    assert answer.body["meta"]["symbol"] == symbol


@pytest.mark.gen_test
async def test_quote_says_where_it_comes_from(sandbox, fetch):
    data = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert data["source"] == "simulated"
    assert data["stale"] is False
    assert data["epoch"]
    assert data["seq"] > 0


@pytest.mark.gen_test
async def test_change_is_counted_from_the_previous_close(sandbox, fetch):
    data = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert data["change"] == pytest.approx(data["spot_price"] - data["previous_close"], abs=0.011)
    assert data["change_percent"] == pytest.approx(100 * data["change"] / data["previous_close"], abs=0.006)


@pytest.mark.gen_test
async def test_price_lies_within_the_range_of_the_day(sandbox, fetch):
    data = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert data["low"] <= data["open"] <= data["high"]
    assert data["low"] <= data["spot_price"] <= data["high"]


@pytest.mark.gen_test
async def test_seq_grows_by_one_with_every_change(sandbox, fetch):
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    await sandbox.step(3)
    after = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert after["epoch"] == before["epoch"]
    assert after["seq"] == before["seq"] + 3
    assert after["as_of"] > before["as_of"]


@pytest.mark.gen_test
async def test_reading_does_not_change_the_state(sandbox, fetch):
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).data == before
