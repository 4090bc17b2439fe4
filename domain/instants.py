"""Instants and days: integers are milliseconds since 1970-01-01 UTC, days are those of India."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")
MINUTE_MS = 60_000
DAY_MS = 86_400_000


def to_datetime(instant_ms: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def to_ms(instant: datetime) -> int:
    """An aware datetime as milliseconds since 1970-01-01 UTC."""
    return round(instant.timestamp() * 1000)


def day_in_india(at: datetime) -> date:
    """The date of an instant in India; a time without a zone is refused, for it could be any instant."""
    if at.tzinfo is None:
        raise ValueError(f"an instant must have a time zone, was {at.isoformat()}")
    return at.astimezone(IST).date()
