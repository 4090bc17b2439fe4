"""Packets as Kite's own client reads them: the golden frames, and every mode of a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiteconnect import KiteTicker

from handlers.kite_mock.frames import FULL, INDEX, LARGEST, LEVELS, Mode, frame, packets

GOLDEN = json.loads((Path(__file__).parent / "golden_frames.json").read_text(encoding="utf-8"))["cases"]
OFFICIAL = KiteTicker("key", "token")
MODES = {8: Mode.ltp, 28: Mode.quote, 32: Mode.full, 44: Mode.quote, 184: Mode.full}


def parsed(message: bytes) -> list[dict[str, Any]]:
    """What Kite's own client makes of a message."""
    found: list[dict[str, Any]] = OFFICIAL._parse_binary(message)
    return found


def records_of(data: bytes, dtype: np.dtype[Any]) -> Any:
    """One packet of a golden frame as a record of ours; what its mode lacks is zero."""
    return np.frombuffer(len(data).to_bytes(2, "big") + data.ljust(dtype.itemsize - 2, b"\0"), dtype)


FRAMES = [case for case in GOLDEN if len(case["hex"]) >= 4]  # a heartbeat is one byte, and no frame


@pytest.mark.parametrize("case", FRAMES, ids=lambda case: case["name"])
def test_golden_frames_are_written_byte_for_byte(case: dict[str, Any]) -> None:
    message = bytes.fromhex(case["hex"])
    count, at, parts = int.from_bytes(message[:2], "big"), 2, []
    for _ in range(count):
        length = int.from_bytes(message[at : at + 2], "big")
        data = message[at + 2 : at + 2 + length]
        at += 2 + length
        assert length in MODES
        is_index = data[3] == 9
        record = records_of(data, INDEX if is_index else FULL)
        parts.append(packets(record, MODES[length]).tobytes())
    assert frame(parts, count) == message[:at]


PAISE = st.integers(0, LARGEST)


@given(st.lists(st.tuples(PAISE, PAISE, PAISE, PAISE, PAISE, PAISE), min_size=1, max_size=5))
def test_every_mode_of_a_contract_reads_as_it_was_written(rows: list[tuple[int, ...]]) -> None:
    record = np.zeros(len(rows), FULL)
    names = ("last_price", "volume", "open", "oi", "exchange_time", "average_price")
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        record[name] = column
    record["token"] = 1000 * 256 + 2
    record["depth"]["price"][:, LEVELS] = record["last_price"]
    full = parsed(frame([packets(record, Mode.full).tobytes()], len(rows)))
    quote = parsed(frame([packets(record, Mode.quote).tobytes()], len(rows)))
    ltp = parsed(frame([packets(record, Mode.ltp).tobytes()], len(rows)))
    assert [len(found) for found in (full, quote, ltp)] == [len(rows)] * 3
    for values, of_full, of_quote, of_ltp in zip(rows, full, quote, ltp, strict=True):
        last, volume, opened, interest, _, average = values
        assert of_full["last_price"] == of_quote["last_price"] == of_ltp["last_price"] == last / 100
        assert of_full["volume_traded"] == of_quote["volume_traded"] == volume
        assert of_full["ohlc"]["open"] == of_quote["ohlc"]["open"] == opened / 100
        assert of_full["average_traded_price"] == average / 100
        assert of_full["oi"] == interest
        assert of_full["depth"]["sell"][0]["price"] == last / 100
        assert (of_full["mode"], of_quote["mode"], of_ltp["mode"]) == ("full", "quote", "ltp")


def test_layouts_have_the_sizes_of_the_wire() -> None:
    assert (FULL.itemsize, INDEX.itemsize) == (2 + 184, 2 + 32)
    assert [packets(np.zeros(3, FULL), mode).shape for mode in Mode] == [(3, 10), (3, 46), (3, 186)]
    assert [packets(np.zeros(3, INDEX), mode).shape for mode in Mode] == [(3, 10), (3, 30), (3, 34)]
