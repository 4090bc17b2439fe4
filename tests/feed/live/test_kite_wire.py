"""Kite's bytes as arrays: the golden frames, what is not known, and no exception for anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.live.broker import BrokerError
from feed.live.kite_wire import decode, parse_instruments, parse_quotes

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "handlers" / "kite_mock" / "golden_frames.json").read_text(encoding="utf-8")
)["cases"]
FULL = bytes.fromhex(next(case["hex"] for case in GOLDEN if case["name"] == "full_184_nfo"))
HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)


def known(number: float) -> float:
    """Zero is no price on this wire."""
    return number if number > 0 else np.nan


def _shape(tick: dict[str, Any]) -> tuple[str, bool]:
    """What packets of one length have in common: those are decoded together."""
    return tick["mode"], tick["tradable"] or tick["mode"] == "ltp"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_golden_frames_are_decoded(case: dict[str, Any]) -> None:
    ticks = decode(bytes.fromhex(case["hex"]))
    assert len(ticks.tokens) == len(case["ticks"])
    order = list(dict.fromkeys(_shape(expected) for expected in case["ticks"]))
    in_order = sorted(case["ticks"], key=lambda expected: order.index(_shape(expected)))
    for place, expected in enumerate(in_order):
        assert ticks.tokens[place] == expected["instrument_token"]
        told = {name: float(values[place]) for name, values in ticks.fields.items()}
        np.testing.assert_equal(told["last_price"], known(expected["last_price"]))
        for ours, theirs in (("open", "open"), ("high", "high"), ("low", "low"), ("previous_close", "close")):
            if "ohlc" in expected:
                np.testing.assert_equal(told[ours], known(expected["ohlc"][theirs]))
            else:
                assert np.isnan(told[ours])
        np.testing.assert_equal(told["volume"], float(expected.get("volume_traded", np.nan)))
        np.testing.assert_equal(told["open_interest"], float(expected.get("oi", np.nan)))
        if "depth" in expected:
            best = expected["depth"]["buy"][0]
            np.testing.assert_equal(told["bid"], known(best["price"]))
            np.testing.assert_equal(told["bid_quantity"], best["quantity"] if best["price"] else np.nan)


@given(st.binary(max_size=600))
def test_no_message_raises(message: bytes) -> None:
    ticks = decode(message)
    assert all(len(values) == len(ticks.tokens) for values in ticks.fields.values())


@given(st.integers(0, len(FULL) - 1), st.integers(0, 255), st.integers(0, len(FULL)))
def test_frame_with_a_wrong_byte_or_an_end_too_soon_raises_nothing(place: int, byte: int, end: int) -> None:
    changed = bytearray(FULL * 1)
    changed[place] = byte
    decode(bytes(changed[:end]))
    if end < len(FULL):
        assert not len(decode(FULL[:end]).tokens)


def test_packets_that_cannot_be_read_are_counted_and_the_others_are_read() -> None:
    packet = FULL[2:]
    strange = (5).to_bytes(2, "big") + b"12345"
    ticks = decode((3).to_bytes(2, "big") + packet + strange + packet)
    assert (len(ticks.tokens), ticks.bad) == (2, 1)
    short = decode((3).to_bytes(2, "big") + packet + packet)
    assert (len(short.tokens), short.bad) == (2, 1)
    assert short.sample.startswith(b"\x00\x03")


def quote(**changes: Any) -> dict[str, Any]:
    return {
        "instrument_token": 5,
        "last_price": 10.5,
        "ohlc": {"open": 1, "high": 2, "low": 0, "close": 3},
        "volume": 0,
        "oi": 65,
        "depth": {"buy": [{"price": 10, "quantity": 65, "orders": 1}], "sell": [{"price": 0, "quantity": 0}]},
        **changes,
    }


def test_quotes_of_rest_are_ticks_and_zero_is_no_price() -> None:
    ticks = parse_quotes({"x": quote()})
    told = {name: float(values[0]) for name, values in ticks.fields.items()}
    assert (told["last_price"], told["previous_close"], told["volume"], told["open_interest"]) == (
        10.5,
        3,
        0,
        65,
    )
    assert (told["bid"], told["bid_quantity"]) == (10, 65)
    assert np.isnan([told["low"], told["ask"], told["ask_quantity"]]).all()
    index = parse_quotes({"x": {"instrument_token": 9, "last_price": 1, "ohlc": quote()["ohlc"]}})
    assert np.isnan(index.fields["volume"]).all()


@pytest.mark.parametrize(
    "broken", [None, 7, "x", {}, quote(ohlc=None), quote(last_price="much"), quote(depth=[1])]
)
def test_quote_that_is_none_is_counted_and_left_out(broken: Any) -> None:
    ticks = parse_quotes({"a": quote(), "b": broken})
    assert (len(ticks.tokens), ticks.bad) == (1, 1)


def test_list_that_lacks_a_column_is_refused_and_a_bad_row_left_out() -> None:
    good = "256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE"
    option = "9,0,NIFTY26DEC1CE,NIFTY,0,2026-12-29,22500.0,0.05,65,CE,NFO-OPT,NFO"
    rows = parse_instruments("\n".join((HEADER, good, option, option.replace("2026-12-29", "soon"), "", ",")))
    assert [(row.token, row.name, row.kind) for row in rows] == [
        (256265, "NIFTY 50", "EQ"),
        (9, "NIFTY", "CE"),
    ]
    assert (rows[1].strike, rows[1].lot_size) == (22500.0, 65)
    for text in ("", "<html>", HEADER.replace(",expiry", ""), "a,b\n1,2"):
        with pytest.raises(BrokerError, match="lacks the column"):
            parse_instruments(text)
