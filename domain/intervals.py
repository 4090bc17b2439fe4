"""The lengths of candles."""

from __future__ import annotations

from enum import StrEnum

from domain.instants import MINUTE_MS


class Interval(StrEnum):
    """The length of a candle: minutes, a trading day, or a week of them."""

    ONE_MINUTE = "1m"
    THREE_MINUTES = "3m"
    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    THIRTY_MINUTES = "30m"
    ONE_HOUR = "1h"
    ONE_DAY = "1d"
    ONE_WEEK = "1w"


INTERVALS = tuple(Interval)

# the length of each that lies within a day; of the others sessions decide
INTERVALS_MS = {
    Interval.ONE_MINUTE: MINUTE_MS,
    Interval.THREE_MINUTES: 3 * MINUTE_MS,
    Interval.FIVE_MINUTES: 5 * MINUTE_MS,
    Interval.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Interval.THIRTY_MINUTES: 30 * MINUTE_MS,
    Interval.ONE_HOUR: 60 * MINUTE_MS,
}

# the names that Kite Connect has for them
INTERVAL_ALIASES = {
    "minute": Interval.ONE_MINUTE,
    "3minute": Interval.THREE_MINUTES,
    "5minute": Interval.FIVE_MINUTES,
    "15minute": Interval.FIFTEEN_MINUTES,
    "30minute": Interval.THIRTY_MINUTES,
    "60minute": Interval.ONE_HOUR,
    "day": Interval.ONE_DAY,
    "week": Interval.ONE_WEEK,
}
