"""How values look on the wire: rounded, UTC with milliseconds, and null for what is not known."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from marshmallow import fields
from numpy.typing import NDArray


@lru_cache(1024)  # a whole market is told with few instants
def timestamp(instant_ms: int) -> str:
    """Milliseconds since 1970 as ``2026-11-23T03:45:00.123Z``."""
    instant = datetime.fromtimestamp(instant_ms // 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_ms % 1000:03d}Z"


def timestamps(instants_ms: NDArray[np.int64]) -> list[str]:
    """Each of (n,) instants as ``timestamp`` tells it, a tenth of the time it takes one by one."""
    texts = np.datetime_as_string(instants_ms.astype("datetime64[ms]"), unit="ms").tolist()
    return [f"{text}Z" for text in texts]


def number(value: float | None, places: int) -> float | None:
    """A rounded number, or None where it is not known."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), places) + 0.0  # + 0.0: a JavaScript client tells -0 from 0


FEW_NUMBERS = 12  # are rounded one by one in less time than an array of them


def numbers(values: NDArray[np.float64], places: int) -> list[float | None]:
    """Each of (n,) values as ``number`` tells it."""
    if len(values) <= FEW_NUMBERS:
        return [number(value, places) for value in values.tolist()]
    scale = 10.0**places
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * scale
        nearest = np.rint(scaled)
        # the product is off by half a unit of its last place: only near the middle of two does that matter
        is_certain = np.abs(np.abs(scaled - nearest) - 0.5) > np.abs(scaled) * 2.0**-50
        told: list[float | None] = (nearest / scale + 0.0).tolist()
    if not is_certain.all():
        for place in np.flatnonzero(~is_certain).tolist():
            told[place] = number(float(values[place]), places)
    return told


MAX_WHOLE = 2.0**53  # up to it a JavaScript client reads a whole number as it is; JSON's writer ends at 2^64


def whole(value: float) -> bool:
    """Whether a number is written without a fraction; NaN and infinity are not."""
    return abs(value) <= MAX_WHOLE and value == int(value)


def count(value: float | None) -> float | int | None:
    """A count: an integer wherever it is one (recorded open interest can be fractional)."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if whole(value) else float(value)


def counts(values: NDArray[np.float64]) -> list[float | int | None]:
    """Each of (n,) values as ``count`` tells it."""
    if ((np.abs(values) <= MAX_WHOLE) & (values == np.trunc(values))).all():
        return values.astype(np.int64).tolist()
    return [count(value) for value in values.tolist()]


class Number(fields.Float):
    """A number rounded to ``places`` decimals; NaN and infinity become null.

    ``known`` ones are always there: documents say that they are never null.
    """

    def __init__(
        self, places: int, unit: str = "", doc: str = "", *, known: bool = False, **kwargs: Any
    ) -> None:
        self.places = places
        super().__init__(
            dump_only=True, allow_none=not known, metadata={"unit": unit, "description": doc}, **kwargs
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return number(value, self.places)


class Count(fields.Float):
    """A count; NaN becomes null, unless it is always ``known``."""

    def __init__(self, unit: str = "", doc: str = "", *, known: bool = False, **kwargs: Any) -> None:
        super().__init__(
            dump_only=True, allow_none=not known, metadata={"unit": unit, "description": doc}, **kwargs
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return count(value)


class Timestamp(fields.String):
    """An instant: inside milliseconds since 1970 or an aware datetime, outside ISO 8601 in UTC."""

    def __init__(
        self, doc: str = "", example: str | None = None, *, nullable: bool = False, **kwargs: Any
    ) -> None:
        metadata = {"description": doc, "format": "date-time"} | ({"example": example} if example else {})
        super().__init__(dump_only=True, allow_none=nullable, metadata=metadata, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            value = round(value.timestamp() * 1000)
        return timestamp(int(value))


def encode(value: Any) -> bytes:
    """JSON; NaN becomes null, ``orjson.Fragment`` goes in as it is."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
