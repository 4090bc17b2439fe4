"""What a recording is once decoded: frames in order of time, and the rows that were refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.refusals import OperatorError
from feed.market.source import CONTRACT_FIELDS, FloatArray
from feed.recordings.text import local_day, parse_number

FIELD_ROW = {name: row for row, name in enumerate(CONTRACT_FIELDS)}
PRICE_FIELDS = ("last_price", "bid", "ask")  # in these an exchange writes 0 for "there is none"

ChainKey = tuple[str, date]
Stated = tuple[str, object]  # what a file calls a value, and what it says


class RecordingError(OperatorError, ValueError):
    """A file that cannot be replayed; its text is one sentence that names file and expectation."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was refused, or one of which a field was.

    ``number`` : the line of a CSV file (the header is line 1), or the entry of a JSON list, counted from 1.
    ``reason`` : a sentence with the rule and the value.
    """

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecordedChain:
    """One expiry at one instant.

    ``strikes`` : (n,) ascending. ``values`` : (fields, 2, n) in the order of ``CONTRACT_FIELDS``,
    calls then puts, NaN where the recording says nothing. Units as in ``feed.market.source.Update``.
    ``forward`` : the price of the future of that expiry, NaN without one. ``lot_size`` : None where the
    recording has none.
    """

    strikes: FloatArray
    values: FloatArray
    forward: float = math.nan
    lot_size: int | None = None

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

    def with_spots(self, spots: Mapping[str, float]) -> Frame:
        """The same with other spots."""
        return replace(self, spots=spots)


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded file: its frames in order of time, the rows refused, and those kept with a field unknown."""

    frames: tuple[Frame, ...]
    bad_rows: tuple[BadRow, ...] = ()
    flaws: tuple[BadRow, ...] = ()
    rows: int = 0  # that were read, the refused ones included


@dataclass(slots=True)
class FrameBuilder:
    """Gathers legs in any order and makes frames of them.

    ``may_be_negative(symbol)`` : whether a price of it below 0 is one, as a commodity's is.
    """

    may_be_negative: Callable[[str], bool] = lambda symbol: False
    bad_rows: list[BadRow] = field(default_factory=list)
    flaws: list[BadRow] = field(default_factory=list)
    rows: int = 0
    _spots: dict[int, dict[str, float]] = field(default_factory=dict)
    # instant -> chain -> (strike, is_call) -> values by name
    _legs: dict[int, dict[ChainKey, dict[tuple[float, bool], Mapping[str, float]]]] = field(
        default_factory=dict
    )
    _forwards: dict[tuple[int, ChainKey], float] = field(default_factory=dict)
    _lots: dict[ChainKey, int] = field(default_factory=dict)

    def add_spot(self, number: int, time_ms: int, symbol: str, stated: Stated) -> None:
        """Note an underlying's price; nothing and 0 mean that the recording has none."""
        spot = self._number(number, stated)
        if spot < 0 and not self.may_be_negative(symbol):
            self.flaw(number, f"{stated[0]} must not be negative, was {spot:g}")
        elif math.isfinite(spot) and spot != 0:
            self._spots.setdefault(time_ms, {})[symbol] = spot

    def add_forward(self, time_ms: int, key: ChainKey, price: float) -> None:
        """Note the price of the future of a chain's expiry; 0 and NaN mean that there is none."""
        if math.isfinite(price) and price != 0:
            self._forwards[time_ms, key] = price

    def add_lot(self, key: ChainKey, lot_size: int) -> None:
        """Note the lot of a chain's contracts."""
        self._lots[key] = lot_size

    def check_leg(self, time_ms: int, key: ChainKey, strike: float, is_call: bool) -> None:
        """Refuse a contract that had expired or was told for that instant before. Raises ValueError."""
        if key[1] < local_day(time_ms):
            raise ValueError(f"expiry must not lie before the day of the recording, was {key[1]}")
        if (strike, is_call) in self._legs.get(time_ms, {}).get(key, {}):
            side = "call" if is_call else "put"
            raise ValueError(f"a contract may appear once an instant, {key[1]} {strike:g} {side} is repeated")

    def add_leg(
        self,
        number: int,
        time_ms: int,
        key: ChainKey,
        strike: float,
        is_call: bool,
        stated: Mapping[str, Stated],
    ) -> None:
        """Note one contract: what cannot be read of it is unknown and named. Raises ValueError.

        ``told`` : by the names that ``contract_values`` takes, what the file calls it and what it says.
        """
        self.check_leg(time_ms, key, strike, is_call)
        numbers = {name: self._number(number, value) for name, value in stated.items()}
        values = contract_values(numbers, lambda reason: self.flaw(number, reason))
        self._legs.setdefault(time_ms, {}).setdefault(key, {})[strike, is_call] = values

    def _number(self, number: int, stated: Stated) -> float:
        try:
            return parse_number(*stated)
        except ValueError as problem:
            self.flaw(number, str(problem))
            return math.nan

    def refuse(self, number: int, reason: str) -> None:
        """Note a row that is refused."""
        self.bad_rows.append(BadRow(number, f"{reason}."))

    def flaw(self, number: int, reason: str) -> None:
        """Note a field that is taken for unknown."""
        self.flaws.append(BadRow(number, f"{reason}; the field is unknown, the rest of the row is kept."))

    def build(self) -> Recording:
        """The recording gathered so far."""
        frames = (
            Frame(
                time_ms,
                self._spots.get(time_ms, {}),
                {key: self._chain(time_ms, key, legs) for key, legs in sorted(chains.items())},
            )
            for time_ms, chains in sorted(self._legs.items())
        )
        return Recording(tuple(frames), tuple(self.bad_rows), tuple(self.flaws), self.rows)

    def _chain(
        self, time_ms: int, key: ChainKey, legs: Mapping[tuple[float, bool], Mapping[str, float]]
    ) -> RecordedChain:
        strikes = np.array(sorted({strike for strike, _ in legs}))
        column = {strike: index for index, strike in enumerate(strikes.tolist())}
        values = np.full((len(CONTRACT_FIELDS), 2, len(strikes)), np.nan)
        for (strike, is_call), stated in legs.items():
            for name, value in stated.items():
                values[FIELD_ROW[name], 0 if is_call else 1, column[strike]] = value
        return RecordedChain(
            strikes, values, self._forwards.get((time_ms, key), math.nan), self._lots.get(key)
        )


def contract_values(stated: Mapping[str, float], flaw: Callable[[str], None]) -> dict[str, float]:
    """The values of one contract by ``CONTRACT_FIELDS``, from what a recording tells of it.

    Beside those names ``told`` may hold ``change`` (of the last price since the previous close) and
    ``open_interest_change`` (since the previous day). What no market has is NaN, and ``flaw`` is told why.
    """
    values = {name: value for name, value in stated.items() if name in FIELD_ROW}
    for name, value in values.items():
        if value < 0:
            values[name] = math.nan
            flaw(f"{name} must not be negative, was {value:g}")
    for name in PRICE_FIELDS:
        if values.get(name) == 0:
            values[name] = math.nan
    if values.get("bid", math.nan) > values.get("ask", math.nan):
        flaw(f"bid must not be above ask, was {values['bid']:g} against {values['ask']:g}")
        values["bid"] = values["ask"] = math.nan
    if "change" in stated:
        close = round(values.get("last_price", math.nan) - stated["change"], 4)
        values["previous_close"] = close if close > 0 else math.nan
    if "open_interest_change" in stated:
        previous = values.get("open_interest", math.nan) - stated["open_interest_change"]
        if previous < 0:
            flaw(
                "open interest must not grow by more than itself, was "
                f"{values['open_interest']:g} after a change of {stated['open_interest_change']:g}"
            )
        values["previous_open_interest"] = previous if previous >= 0 else math.nan
    return values
