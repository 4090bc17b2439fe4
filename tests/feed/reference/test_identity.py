"""One identity, many names: in files' names, in rows, in what clients ask for."""

import pytest

from feed.reference.identity import (
    Identities,
    UnknownIdentity,
    future_in_file_name,
    known_as,
    option_in_file_name,
)
from tests.feed.history.support import CATALOGUE

IDENTITIES = Identities(underlying.symbol for underlying in CATALOGUE.underlyings)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("NIFTY 50", "NIFTY"),
        ("nifty50", "NIFTY"),
        ("NSE:NIFTY 50", "NIFTY"),
        ("NSE:NIFTY50-INDEX", "NIFTY"),
        ("NSE_INDEX|Nifty 50", "NIFTY"),
        ("^NSEI", "NIFTY"),
        ("Nifty Bank", "BANKNIFTY"),
        ("NIFTY FIN SERVICE", "FINNIFTY"),
        ("NIFTY MID SELECT", "MIDCPNIFTY"),
        ("Nifty Midcap Select", "MIDCPNIFTY"),
        ("NIFTY NEXT 50", "NIFTYNXT50"),
        ("BSE:SENSEX", "SENSEX"),
        ("S&P BSE SENSEX", "SENSEX"),
        ("BSE BANKEX", "BANKEX"),
        ("INDIA VIX", "INDIA VIX"),
        ("RELIANCE-EQ", "RELIANCE"),
        ("RELIANCE.NS", "RELIANCE"),
        ("NSE:M&M-EQ", "M&M"),
        ("bajaj auto", "BAJAJ-AUTO"),
    ],
)
def test_every_name_leads_to_our_symbol(name, symbol):
    assert IDENTITIES.resolve(name) == symbol


@pytest.mark.parametrize("name", ["NIFTY MIDCAP 100", "NIFTY IT", "NIFTY 100", "NOSUCH", ""])
def test_an_unknown_name_is_refused_with_names_that_are_known(name):
    with pytest.raises(UnknownIdentity, match=r"such as .*NIFTY") as refused:
        IDENTITIES.resolve(name)
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("NIFTY 50_minute.csv", "NIFTY"),
        ("NIFTY BANK_minute.csv", "BANKNIFTY"),
        ("NIFTY_BANK_5minute.csv", "BANKNIFTY"),
        ("NIFTY NEXT 50_minute.csv", "NIFTYNXT50"),
        ("NIFTY MIDCAP SELECT_day.csv", "MIDCPNIFTY"),
        ("Nifty Bank Historical Data.csv", "BANKNIFTY"),
        ("nifty_1min_20240603_20240614.csv", "NIFTY"),
        ("NIFTY 5minute.csv", "NIFTY"),
        ("nifty_30_minute.csv", "NIFTY"),
        ("NIFTY 2026.csv", "NIFTY"),
        ("daily_india_vix.csv", "INDIA VIX"),
        ("NIFTY 50-03-08-2026-to-10-08-2026.csv", "NIFTY"),
        ("Quote-Equity-RELIANCE-EQ-01-01-2026-to-01-02-2026.csv", "RELIANCE"),
        ("option-chain-ED-BANKNIFTY-25-Aug-2026.csv", "BANKNIFTY"),
        ("BANKNIFTY (1).csv.gz", "BANKNIFTY"),
        ("bajaj-auto_20260305.csv", "BAJAJ-AUTO"),
        ("chain_m&m.csv", "M&M"),
        ("candles.csv", None),
        ("nifty100_day.csv", None),
    ],
)
def test_a_file_name_tells_its_underlying(name, symbol):
    assert IDENTITIES.in_file_name(name) == symbol


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("NIFTY MIDCAP 100_minute.csv", "NIFTY MIDCAP 100"),
        ("NIFTY_MIDCAP_100.csv", "NIFTY MIDCAP 100"),
        ("NIFTY 100_minute.csv", "NIFTY 100"),
        ("NIFTY IT.csv", "NIFTY IT"),
        ("NIFTY PSU BANK_day.csv", "NIFTY PSU BANK"),
        ("NIFTY SMLCAP 100.csv", "NIFTY SMLCAP 100"),
    ],
)
def test_an_index_that_we_have_not_is_never_taken_by_its_first_word(name, told):
    with pytest.raises(UnknownIdentity, match="none of the underlyings known here, such as") as refused:
        IDENTITIES.in_file_name(name)
    assert repr(told) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "option", "future"),
    [
        ("NIFTY24JUN23000CE.csv", "23000CE", None),
        ("NIFTY2460623000pe.csv", "2460623000PE", None),
        ("BANKNIFTY_50000_PE.csv.gz", "50000_PE", None),
        ("NIFTY 23000 CE 06 JUN 24.csv", "23000 CE", None),
        ("nifty_ce_23000.json", "CE_23000", None),
        ("NSE_NIFTY_240606C23000, 5.csv", "240606C23000", None),
        ("USDINR 83.25 call.csv", "83.25 CALL", None),
        ("NIFTY24JUNFUT.csv", None, "FUT"),
        ("nifty_futures_1min.csv", None, "FUTURES"),
        ("NIFTY-I.csv", None, "-I"),
        ("BANKNIFTY-II.txt", None, "-II"),
        ("NIFTY_F1.csv", None, "F1"),
        ("NSE_NIFTY1!, 1.csv", None, "1!"),
        ("NIFTY 50_minute.csv", None, None),
        ("nifty_1min_20240603_20240614.csv", None, None),
        ("RELIANCE-EQ.csv", None, None),
        ("daily_india_vix.csv", None, None),
        ("PETRONET.csv", None, None),
        ("CEATLTD_20240603.csv", None, None),
        ("HDFC-INFRA.csv", None, None),
    ],
)
def test_a_file_name_tells_of_a_contract(name, option, future):
    assert (option_in_file_name(name), future_in_file_name(name)) == (option, future)


def test_a_file_name_of_two_underlyings_is_asked_about():
    with pytest.raises(UnknownIdentity, match="its name tells of BANKNIFTY and NIFTY: say which"):
        IDENTITIES.in_file_name("nifty_vs_banknifty.csv")


def test_names_that_clients_ask_for_are_known_word_by_word():
    for name in (" nifty bank ", "NIFTY-BANK", "niftybank", "BANK NIFTY"):
        assert known_as(name) == "BANKNIFTY"
    for name in ("NI FTY", "widget", "NIFTY MIDCAP 100", ""):
        assert known_as(name) is None


def test_every_alias_leads_to_an_underlying_and_to_one_only():
    known = {underlying.symbol for underlying in CATALOGUE.underlyings} | {"INDIA VIX"}
    for symbol in known:
        assert IDENTITIES.resolve(symbol) == symbol
