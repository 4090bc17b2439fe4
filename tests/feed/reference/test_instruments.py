"""The catalogue: what is listed, under which names and tokens."""

from datetime import date, datetime, timedelta
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST
from feed.reference.calendar import Calendar
from feed.reference.constituents import index_constituents
from feed.reference.instruments import (
    UNDERLYINGS_PATH,
    BadTradingSymbol,
    Catalogue,
    ContractsError,
    UnknownContract,
    UnknownExpiry,
    UnknownSymbol,
)

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR)
SYMBOLS = [underlying.symbol for underlying in CATALOGUE]
NOON = datetime(2026, 11, 23, 12, tzinfo=IST)
DAY = timedelta(days=1)


def test_underlyings_are_indices_then_stocks_then_commodities() -> None:
    kinds = [underlying.kind for underlying in CATALOGUE]
    assert kinds == ["index"] * 8 + ["stock"] * 213 + ["commodity"] * 10
    assert SYMBOLS[:8] == [
        *("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "SENSEX50", "BANKEX"),
    ]
    assert SYMBOLS[8:221] == sorted(SYMBOLS[8:221])
    assert SYMBOLS[221:] == [
        *("CRUDEOIL", "CRUDEOILM", "NATURALGAS", "NATGASMINI", "GOLD"),
        *("GOLDM", "SILVER", "SILVERM", "COPPER", "ZINC"),
    ]


@pytest.mark.parametrize(
    ("symbol", "token"),
    [
        ("NIFTY", 256265),
        ("BANKNIFTY", 260105),
        ("FINNIFTY", 257801),
        ("MIDCPNIFTY", 288009),
        ("NIFTYNXT50", 270857),
        ("SENSEX", 265),
        ("BANKEX", 274441),
        ("RELIANCE", 738561),
        ("M&M", 519937),
    ],
)
def test_underlying_has_the_token_of_kite(symbol: str, token: int) -> None:
    assert CATALOGUE[symbol].token == token


@pytest.mark.parametrize(
    ("day", "symbols"),
    [
        ("2024-11-01", ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"]),
        ("2026-11-23", ["NIFTY", "SENSEX"]),
    ],
)
def test_weeklies_exist_on_the_indices_of_their_time(day: str, symbols: list[str]) -> None:
    at = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=IST)
    with_weeklies = [
        underlying.symbol
        for underlying in CATALOGUE
        if any(expiry.kind == "weekly" for expiry in CATALOGUE.expiries(underlying.symbol, at))
    ]
    assert with_weeklies == symbols


def test_reference_price_is_on_the_grid_of_its_tick() -> None:
    for underlying in CATALOGUE:
        ticks = underlying.reference_price / underlying.spot_tick_size
        assert ticks == pytest.approx(round(ticks), abs=1e-6), underlying.symbol


def test_reference_price_of_a_share_makes_a_lot_worth_what_the_exchange_wants() -> None:
    # Rs 5 lakh at a review, and prices move by half between two reviews
    for underlying in CATALOGUE:
        if underlying.kind == "stock":
            expiry = CATALOGUE.expiries(underlying.symbol, NOON)[0]
            value = underlying.reference_price * expiry.lot_size
            assert 2.5e5 < value < 15e5, underlying.symbol


def test_spot_tick_is_that_of_the_slab_of_the_price() -> None:
    slabs = ((250, 0.01), (1000, 0.05), (5000, 0.1), (10000, 0.5), (20000, 1.0), (inf, 5.0))
    for underlying in CATALOGUE:
        if underlying.kind == "stock":
            tick = next(tick for above, tick in slabs if underlying.reference_price < above)
            assert underlying.spot_tick_size == tick, underlying.symbol


def test_contract_has_its_token_whichever_underlyings_are_chosen() -> None:
    some = Catalogue.load(CALENDAR, symbols=["tcs", "Nifty 50"])
    assert [underlying.symbol for underlying in some] == ["NIFTY", "TCS"]
    contract = ("TCS", date(2026, 12, 29), 2_400.0, True)
    assert some.contract_tokens(*contract) == CATALOGUE.contract_tokens(*contract)
    with pytest.raises(UnknownSymbol):
        some["INFY"]
    with pytest.raises(UnknownSymbol):
        Catalogue.load(CALENDAR, symbols=["NIFTY", "NONE"])


def test_weights_of_an_index_are_of_known_shares_and_make_one() -> None:
    constituents = index_constituents()
    assert {name: len(of.weights) for name, of in constituents.items()} == {
        "NIFTY": 50,
        "BANKNIFTY": 14,
        "FINNIFTY": 20,
        "MIDCPNIFTY": 25,
        "NIFTYNXT50": 51,
        "SENSEX": 30,
    }
    for of in constituents.values():
        assert sum(of.weights.values()) == pytest.approx(1.0)
        assert of.as_of == date(2026, 4, 30)
    unknown = {symbol for of in constituents.values() for symbol in of.weights if symbol not in CATALOGUE}
    assert unknown == {"TMCV", "TATACAP", "DUMMYVEDL"}  # in the Next 50, and without options


def test_symbol_is_found_in_any_case() -> None:
    assert CATALOGUE["bajaj-auto"].symbol == "BAJAJ-AUTO"
    assert "m&m" in CATALOGUE


@pytest.mark.parametrize(
    ("symbol", "suggestion"),
    [("NIFTI", "NIFTY"), ("banknifti", "BANKNIFTY"), ("RELIANCEE", "RELIANCE"), ("BAJAJAUTO", "BAJAJ-AUTO")],
)
def test_unknown_symbol_suggests_what_looks_like_it(symbol: str, suggestion: str) -> None:
    with pytest.raises(UnknownSymbol, match=f"symbol must be a listed one, was '{symbol.upper()}'") as caught:
        CATALOGUE[symbol]
    assert caught.value.suggestions[0] == suggestion


def test_unknown_expiry_names_the_listed_ones() -> None:
    sentence = "expiry of RELIANCE must be a listed one, was 2026-11-24"
    with pytest.raises(UnknownExpiry, match=sentence) as caught:
        CATALOGUE.expiry("reliance", date(2026, 11, 24), NOON)
    assert caught.value.listed == (date(2026, 11, 23), date(2026, 12, 29), date(2027, 1, 25))


def contracts_of(at: datetime) -> list[int]:
    """The tokens of all contracts listed at an instant."""
    tokens: list[int] = []
    for underlying in CATALOGUE:
        for expiry in CATALOGUE.expiries(underlying.symbol, at):
            strikes = CATALOGUE.strikes(underlying.symbol, expiry, underlying.reference_price, at)
            sides = np.array([[True], [False]])
            tokens += (
                CATALOGUE.contract_tokens(underlying.symbol, expiry.day, strikes, sides).ravel().tolist()
            )
    return tokens


@pytest.mark.parametrize("days", [-1200, -780, 0, 1, 8, 30, 100, 400])
def test_universe_has_its_size_and_every_contract_a_token_of_its_own(days: int) -> None:
    tokens = contracts_of(NOON + days * DAY)
    tokens += [underlying.token for underlying in CATALOGUE]
    assert 40_000 <= len(tokens) <= 60_000
    assert len(set(tokens)) == len(tokens)
    assert min(tokens) > 0
    assert max(tokens) < 2**31


def test_token_is_exchange_token_and_segment() -> None:
    for symbol, segment in (("NIFTY", 2), ("SENSEX", 5), ("GOLD", 7)):
        strike = CATALOGUE[symbol].strike_step * 100
        assert CATALOGUE.contract_tokens(symbol, date(2026, 12, 29), strike, True) % 256 == segment


def test_token_of_a_contract_is_the_same_in_another_catalogue() -> None:
    other = Catalogue.load(Calendar.load())
    contract = ("NIFTY", date(2026, 12, 1), 22_500.0, True)
    assert other.contract_tokens(*contract) == CATALOGUE.contract_tokens(*contract)


def test_strike_off_the_grid_has_no_token() -> None:
    with pytest.raises(
        UnknownContract, match="strike of NIFTY 2026-12-01 must be a listed one, was 22510"
    ) as caught:
        CATALOGUE.contract_tokens("nifty", date(2026, 12, 1), 22_510, True)
    assert caught.value.near == (22_500, 22_550)


@pytest.mark.parametrize(
    ("symbol", "expiry", "strike", "is_call", "name"),
    [
        ("NIFTY", "2026-11-23", 22_500, True, "NIFTY26NOV22500CE"),
        ("NIFTY", "2026-12-01", 22_500, True, "NIFTY26D0122500CE"),
        ("NIFTY", "2026-12-29", 22_500, False, "NIFTY26DEC22500PE"),
        ("NIFTY", "2027-03-30", 23_000, True, "NIFTY27MAR23000CE"),
        ("NIFTY", "2029-12-24", 30_000, True, "NIFTY29DEC30000CE"),
        ("SENSEX", "2027-01-07", 74_600, False, "SENSEX2710774600PE"),
        ("NIFTYNXT50", "2026-11-23", 68_000, True, "NIFTYNXT5026NOV68000CE"),
        ("ITC", "2026-11-23", 257.5, True, "ITC26NOV257.5CE"),
        ("M&M", "2026-11-23", 3_200, False, "M&M26NOV3200PE"),
        ("BAJAJ-AUTO", "2027-01-25", 11_100, True, "BAJAJ-AUTO27JAN11100CE"),
        ("GOLD", "2026-11-27", 149_000, True, "GOLD26NOV149000CE"),
        ("GOLDM", "2026-11-27", 149_000, True, "GOLDM26NOV149000CE"),
    ],
)
def test_trading_symbol_is_the_exchange_s_and_reads_back(
    symbol: str, expiry: str, strike: float, is_call: bool, name: str
) -> None:
    rung = CATALOGUE.expiry(symbol, date.fromisoformat(expiry), NOON)
    assert CATALOGUE.trading_symbol(symbol, rung, strike, is_call) == name
    assert CATALOGUE.parse_trading_symbol(name.lower()) == (symbol, rung.day, strike, is_call)


def test_weekly_of_october_has_the_letter_o_and_its_moved_day() -> None:
    at = datetime(2026, 10, 15, 12, tzinfo=IST)
    expiry = CATALOGUE.expiries("NIFTY", at)[0]
    assert CATALOGUE.trading_symbol("NIFTY", expiry, 22_400, True) == "NIFTY26O1922400CE"


@given(st.sampled_from(SYMBOLS), st.integers(0, 1500), st.data())
def test_every_trading_symbol_reads_back(symbol: str, days: int, data: st.DataObject) -> None:
    at = NOON + days * DAY
    expiry = data.draw(st.sampled_from(CATALOGUE.expiries(symbol, at)))
    strikes = CATALOGUE.strikes(symbol, expiry, CATALOGUE[symbol].reference_price, at).tolist()
    contract = data.draw(st.sampled_from(strikes)), data.draw(st.booleans())
    name = CATALOGUE.trading_symbol(symbol, expiry, *contract)
    assert CATALOGUE.parse_trading_symbol(name) == (symbol, expiry.day, *contract)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NIFTY",
        "NIFTY26NOV22500",
        "NIFTY26NOVCE",
        "NIFTY26NOV022500CE",
        "NIFTY26NOV22500.0CE",
        "NIFTY26D3222500CE",
        "NIFTY26N3122500CE",
        "NIFTY26NOV22500XE",
        "NIFTY٢٦NOV22500CE",
        "NIFTY26NOVFUT",
        "DOGE26NOV22500CE",
    ],
)
def test_text_that_names_no_contract_is_refused(text: str) -> None:
    with pytest.raises(BadTradingSymbol, match="a trading symbol must be like NIFTY26NOV22500CE or "):
        CATALOGUE.parse_trading_symbol(text)


def test_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="an instant must have a time zone"):
        CATALOGUE.expiries("NIFTY", NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("symbol,name", "symbol,nombre", "a key of NIFTY must be one of .*, was 'nombre'"),
        (",index,NSE,NFO", ",future,NSE,NFO", "NIFTY.kind must be one of .*, was 'future'"),
        (",index,NSE,NFO", ",index,NYSE,NFO", "NIFTY.exchange must be one of .*, was 'NYSE'"),
        (",index,NSE,NFO", ",index,NSE,BFO", "NIFTY.derivatives_exchange must be NFO as in its expiry rule"),
        (",65,50,", ",75,50,", "NIFTY.lot_size must be the last lot of contracts.toml, 65, was '75'"),
        (",65,50,", ",65,-50,", "NIFTY.strike_step must be a positive number, was '-50'"),
        (",65,50,", ",65,many,", "NIFTY.strike_step must be a positive number, was 'many'"),
        (",22600,", ",inf,", "NIFTY.reference_price must be a positive number, was 'inf'"),
        ("256265,nifty", "256264,nifty", "NIFTY.token must have the low byte 9 of its segment"),
        ("256265,nifty,nifty", "256265,lunar,nifty", "NIFTY.expiry_rule must be one of .*, was 'lunar'"),
        ("256265,nifty,nifty", "256265,nifty,fine", "NIFTY.strike_grid must be one of .*, was 'fine'"),
        (
            "256265,nifty,nifty",
            "256265,nifty,stock",
            "NIFTY.strike_grid must have bands for every weekly expiry",
        ),
        (
            "\nBANKNIFTY,",
            "\nNIFTY,",
            "NIFTY.lot_size must be the last lot|NIFTY.symbol must be in the file once",
        ),
        ("\nBANKEX,", "\nBANKEKS,", "BANKEX must have a row, as contracts.toml has lots for it"),
    ],
)
def test_bad_row_is_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(UNDERLYINGS_PATH.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractsError, match=f"rows.csv: ({sentence})"):
        Catalogue.load(CALENDAR, path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match=r"none\.csv: the file must be readable CSV: "):
        Catalogue.load(CALENDAR, tmp_path / "none.csv")
