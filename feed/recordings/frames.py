"""What a recording is once decoded: frames in order of time, and the rows that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feed.recordings.text import local_day
from feed.source import CONTRACT_FIELDS, FloatArray

FIELD_ROW = {name: row for row, name in enumerate(CONTRACT_FIELDS)}
PRICE_FIELDS = ("last_price", "bid", "ask")  # in these an exchange writes 0 for "there is none"

ChainKey = tuple[str, date]


class RecordingError(ValueError):
    """A file that cannot be replayed; its text is one sentence that names file and expectation."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was skipped.

    ``number`` : the line of a CSV file (the header is line 1), or the entry of the exchange's
    ``records.data``, counted from 1. ``reason`` : a sentence with the rule and the value.
    """

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecordedChain:
    """One expiry at one instant.

    ``strikes`` : (n,) ascending. ``values`` : (fields, 2, n) in the order of ``CONTRACT_FIELDS``,
    calls then puts, NaN where the recording says nothing. Units as in ``feed.source.Update``.
    """

    strikes: FloatArray
    values: FloatArray

    def field(self, name: str) -> FloatArray:
        """One of ``CONTRACT_FIELDS``: (2, n), calls then puts."""
        row: FloatArray = self.values[FIELD_ROW[name]]
        return row

    def present(self) -> NDArray[np.bool_]:
        """Which legs the recording speaks of at this instant: (2, n)."""
        present: NDArray[np.bool_] = np.any(~np.isnan(self.values), axis=0)
        return present


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything recorded at one instant. A spot the recording lacks is not in ``spots``."""

    time_ms: int
    spots: Mapping[str, float]
    chains: Mapping[ChainKey, RecordedChain]


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded file: its frames in order of time, and what was skipped."""

    frames: tuple[Frame, ...]
    bad_rows: tuple[BadRow, ...] = ()


@dataclass(slots=True)
class FrameBuilder:
    """Gathers legs in any order and makes frames of them."""

    bad_rows: list[BadRow] = field(default_factory=list)
    _spots: dict[int, dict[str, float]] = field(default_factory=dict)
    # instant -> chain -> (strike, is_call) -> values by name
    _legs: dict[int, dict[ChainKey, dict[tuple[float, bool], Mapping[str, float]]]] = field(
        default_factory=dict
    )

    def add_spot(self, time_ms: int, symbol: str, spot: float) -> None:
        """Note an underlying's price; NaN and 0 mean that the recording has none."""
        if spot > 0:
            self._spots.setdefault(time_ms, {})[symbol] = spot

    def add_leg(
        self, time_ms: int, key: ChainKey, strike: float, is_call: bool, values: Mapping[str, float]
    ) -> None:
        """Note one contract. Raises ValueError if it had expired or was told for that instant before."""
        if key[1] < local_day(time_ms):
            raise ValueError(f"expiry must not lie before the day of the recording, was {key[1]}")
        legs = self._legs.setdefault(time_ms, {}).setdefault(key, {})
        if (strike, is_call) in legs:
            side = "call" if is_call else "put"
            raise ValueError(f"a contract may appear once an instant, {key[1]} {strike:g} {side} is repeated")
        legs[strike, is_call] = values

    def refuse(self, number: int, reason: str) -> None:
        """Note a row that is skipped."""
        self.bad_rows.append(BadRow(number, reason))

    def build(self) -> Recording:
        """The recording gathered so far."""
        frames = (
            Frame(
                time_ms,
                self._spots.get(time_ms, {}),
                {key: _chain(legs) for key, legs in sorted(chains.items())},
            )
            for time_ms, chains in sorted(self._legs.items())
        )
        return Recording(tuple(frames), tuple(self.bad_rows))


def _chain(legs: Mapping[tuple[float, bool], Mapping[str, float]]) -> RecordedChain:
    strikes = np.array(sorted({strike for strike, _ in legs}))
    column = {strike: index for index, strike in enumerate(strikes.tolist())}
    values = np.full((len(CONTRACT_FIELDS), 2, len(strikes)), np.nan)
    for (strike, is_call), told in legs.items():
        for name, value in told.items():
            values[FIELD_ROW[name], 0 if is_call else 1, column[strike]] = value
    return RecordedChain(strikes, values)


def contract_values(told: Mapping[str, float]) -> dict[str, float]:
    """The values of one contract by ``CONTRACT_FIELDS``, from what a recording tells of it.

    Beside those names ``told`` may hold ``change`` (of the last price since the previous close) and
    ``open_interest_change`` (since the previous day). Raises ValueError for values no market has.
    """
    values = {name: value for name, value in told.items() if name in FIELD_ROW}
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative, was {value:g}")
    for name in PRICE_FIELDS:
        if values.get(name) == 0:
            values[name] = np.nan
    if values.get("bid", np.nan) > values.get("ask", np.nan):
        raise ValueError(f"bid must not be above ask, was {values['bid']:g} against {values['ask']:g}")
    if "change" in told:
        close = round(values["last_price"] - told["change"], 4)
        values["previous_close"] = close if close > 0 else np.nan
    if "open_interest_change" in told:
        previous = values["open_interest"] - told["open_interest_change"]
        if previous < 0:
            raise ValueError(
                "open interest must not grow by more than itself, was "
                f"{values['open_interest']:g} after a change of {told['open_interest_change']:g}"
            )
        values["previous_open_interest"] = previous
    return values
