"""Splits, bonuses and new names: the file, factors between days, lots and strikes by date."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST, to_ms
from feed.reference.calendar import Calendar
from feed.reference.corporate_actions import ActionsError, CorporateActions, Split, corporate_actions
from feed.reference.identity import known_as
from feed.reference.instruments import Catalogue

ACTIONS = corporate_actions()
CATALOGUE = Catalogue.load(Calendar.load())
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


def test_every_share_of_the_file_is_one_of_ours() -> None:
    assert {split.symbol for split in ACTIONS.splits} <= {item.symbol for item in CATALOGUE}
    assert {rename.new for rename in ACTIONS.renames.values()} <= {item.symbol for item in CATALOGUE}
    assert not {rename.old for rename in ACTIONS.renames.values()} & {item.symbol for item in CATALOGUE}


def test_old_names_are_known_and_say_what_they_are_now() -> None:
    assert known_as("zomato") == "ETERNAL"
    assert ACTIONS.renamed("ZOMATO").sentence() == "ZOMATO is called ETERNAL since 9 April 2025."
    assert ACTIONS.renamed("LTIM").sentence() == "LTIM is called LTM now."
    assert "commercial vehicles" in ACTIONS.renamed("tatamotors").sentence()
    assert ACTIONS.renamed("ETERNAL") is None


@given(st.sampled_from([split.symbol for split in ACTIONS.splits]), DAYS, DAYS, DAYS)
def test_factor_of_a_span_is_that_of_its_parts(symbol: str, a: date, b: date, c: date) -> None:
    first, middle, last = sorted((a, b, c))
    whole = ACTIONS.factor(symbol, first, last)
    assert whole == pytest.approx(
        ACTIONS.factor(symbol, first, middle) * ACTIONS.factor(symbol, middle, last)
    )
    midnight = datetime(first.year, first.month, first.day, tzinfo=IST)
    times = np.array([to_ms(midnight)])
    assert ACTIONS.factors(symbol, times, last)[0] == pytest.approx(whole)


def test_lot_before_a_split_is_that_part_of_it() -> None:
    before, ex_date = date(2026, 1, 13), date(2026, 1, 14)
    expiry = date(2026, 1, 27)
    assert CATALOGUE.lot_size("KOTAKBANK", expiry, before) == 400
    assert CATALOGUE.lot_size("KOTAKBANK", expiry, ex_date) == 2000
    assert CATALOGUE.lot_size("SBIN", expiry, before) == CATALOGUE.lot_size("SBIN", expiry, ex_date)


def test_strikes_that_a_split_makes_fractions_of_are_contracts_with_tokens_of_their_own() -> None:
    # MOTHERSON gave one share for two on 18 July 2025
    at = datetime(2025, 7, 17, 12, tzinfo=IST)
    expiry = CATALOGUE.expiries("MOTHERSON", at)[0]
    assert expiry.day > date(2025, 7, 18)
    strikes = np.round(np.rint(20 * CATALOGUE.strikes("MOTHERSON", expiry, 210.0, at) / 1.5) / 20, 2)
    assert any(strikes % 0.5)
    listed = CATALOGUE.strikes("MOTHERSON", expiry, 140.0, datetime(2025, 7, 18, 12, tzinfo=IST))
    both = np.union1d(strikes, listed)
    tokens = CATALOGUE.contract_tokens("MOTHERSON", expiry.day, both, np.array([[True], [False]]))
    assert len(set(tokens.ravel().tolist())) == 2 * len(both)
    name = CATALOGUE.trading_symbol("MOTHERSON", expiry, 141.65, True)
    assert CATALOGUE.parse_trading_symbol(name) == ("MOTHERSON", expiry.day, 141.65, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shares = 1.0", "splits.0.shares must be a number above 1 and at most 100, was 1.0"),
        ("shares = 5", "splits.0.shares must be a number above 1 and at most 100, was 5"),
        ('kind = "gift"', "splits.0.kind must be one of bonus, split, split and bonus, was 'gift'"),
        ('confidence = "L"', "splits.0.confidence must be one of H, M, was 'L'"),
        ("ratio = 5.0", "must be one of symbol, ex_date, shares, kind, confidence, was 'ratio'"),
    ],
)
def test_file_that_breaks_a_rule_is_refused_by_name(tmp_path: Path, text: str, sentence: str) -> None:
    lines = {
        "symbol": 'symbol = "KOTAKBANK"',
        "ex_date": "ex_date = 2026-01-14",
        "shares": "shares = 5.0",
        "kind": 'kind = "split"',
        "confidence": 'confidence = "H"',
    }
    lines[text.split(" ")[0]] = text
    path = tmp_path / "actions.toml"
    path.write_text("renames = []\n[[splits]]\n" + "\n".join(lines.values()))
    with pytest.raises(ActionsError) as refused:
        CorporateActions.load(path)
    assert sentence in str(refused.value)


def test_two_actions_multiply() -> None:
    actions = CorporateActions(
        (Split("A", date(2025, 1, 2), 2.0, "bonus"), Split("A", date(2025, 3, 4), 5.0, "split"))
    )
    assert actions.factor("A", date(2025, 1, 1)) == 10.0
    assert actions.factor("A", date(2025, 1, 2)) == 5.0
    assert actions.factor("A", date(2025, 1, 1), date(2025, 3, 3)) == 2.0
    assert actions.factor("B", date(2025, 1, 1)) == 1.0
    midnight = to_ms(datetime(2025, 3, 4, tzinfo=IST))
    assert actions.after(midnight - 1, {"A"}) == [(midnight, {"A": 5.0})]
    assert actions.after(midnight, {"A"}) == actions.after(0, {"B"}) == []
