"""The tables of history, and the steps from each older version of them to this one.

One-minute candles of underlyings are kept by the hour, one row of packed columns for up to 60 of them: an
hour is rewritten once a minute while it runs, a day is read as a handful of rows, and two years of backfill
are thousands of rows instead of millions. A listed chain has one row a minute: see ``chains``.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
    text,
    update,
)

from domain.market import SourceName
from feed.market.candles import SOURCES
from feed.reference.corporate_actions import corporate_actions
from feed.valuation.minute_metrics import METRICS

SCHEMA_VERSION = 5


metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

symbols = Table(
    "symbols",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

minute_blocks = Table(
    "minute_blocks",
    metadata,
    Column("symbol_id", Integer, ForeignKey("symbols.id"), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("candle_count", SmallInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# candles that were imported as bars of some minutes: by the day of UTC, which begins before any session
bar_blocks = Table(
    "bar_blocks",
    metadata,
    Column("symbol_id", Integer, ForeignKey("symbols.id"), primary_key=True),
    Column("width_ms", BigInteger, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("candle_count", SmallInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# days that have rows though the calendar knows no session of them: they are sessions of their own
recorded_days = Table(
    "recorded_days",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("open_ms", BigInteger, nullable=False),
    Column("close_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

day_candles = Table(
    "day_candles",
    metadata,
    Column("symbol_id", Integer, ForeignKey("symbols.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("open", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("close", Float, nullable=False),
    Column("volume", Float),
    Column("source", SmallInteger, nullable=False),
    Column("atm_iv", Float),  # of the near month, at the end of the session
    Column("width_ms", BigInteger),  # of the widest bar it is made of: a day for one told at its end
    sqlite_with_rowid=False,
)

chains = Table(
    "chains",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol_id", Integer, ForeignKey("symbols.id"), nullable=False),
    Column("expiry", Date, nullable=False),
    UniqueConstraint("symbol_id", "expiry"),
)

listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", Integer, ForeignKey("chains.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("lot_size", Integer),
    Column("strikes", LargeBinary, nullable=False),  # little-endian doubles, ascending
    Column("tokens", LargeBinary, nullable=False),  # little-endian 64-bit, calls then puts
)

chain_minutes = Table(
    "chain_minutes",
    metadata,
    Column("chain_id", Integer, ForeignKey("chains.id"), primary_key=True),
    Column("minute_ms", BigInteger, primary_key=True),
    Column("key_ms", BigInteger, nullable=False),  # the minute this record's differences begin at
    Column("as_of_ms", BigInteger, nullable=False),
    Column("listing_id", Integer, ForeignKey("listings.id"), nullable=False),
    Column("source", SmallInteger, nullable=False),
    Column("spot", Float),
    Column("forward", Float),  # the price of the future of that expiry, where it was told
    Column("record", LargeBinary, nullable=False),
)

chain_metrics = Table(
    "chain_metrics",
    metadata,
    Column("chain_id", Integer, ForeignKey("chains.id"), primary_key=True),
    Column("minute_ms", BigInteger, primary_key=True),
    *(Column(name, Float) for name in METRICS),
    sqlite_with_rowid=False,
)

imports = Table(
    "imports",
    metadata,
    Column("file", Text, primary_key=True),  # name and digest: the same file under another path goes on
    Column("lines_done", BigInteger, nullable=False),
)


def version_of(connection: Connection) -> int | None:
    """The schema version of a store, None where there is none yet."""
    if not inspect(connection).has_table(meta.name):
        return None
    found = connection.scalar(select(meta.c.value).where(meta.c.key == "schema_version"))
    return None if found is None else int(found)


def _add_atm_iv(connection: Connection) -> None:
    """1 to 2: the volatility of each session, which the rank of today's rests on."""
    connection.execute(text("ALTER TABLE day_candles ADD COLUMN atm_iv FLOAT"))
    imports.create(connection)


def _add_near_month_iv(connection: Connection) -> None:
    """2 to 3: the volatility that ranks place, minute by minute."""
    connection.execute(text("ALTER TABLE chain_metrics ADD COLUMN near_month_iv FLOAT"))


def _add_widths(connection: Connection) -> None:
    """3 to 4: bars wider than a minute, what a day is made of, recorded sessions, prices of futures."""
    bar_blocks.create(connection)
    recorded_days.create(connection)
    connection.execute(text("ALTER TABLE day_candles ADD COLUMN width_ms BIGINT"))
    connection.execute(text("ALTER TABLE chain_minutes ADD COLUMN forward FLOAT"))


def _count_days_in_the_shares_of_their_time(connection: Connection) -> None:
    """4 to 5: prices are kept as they were traded; a simulated past was in the shares of today."""
    simulated = SOURCES.index(SourceName.SIMULATED)
    for split in corporate_actions().splits:
        of_symbol = select(symbols.c.id).where(symbols.c.name == split.symbol).scalar_subquery()
        prices = {name: day_candles.c[name] * split.shares for name in ("open", "high", "low", "close")}
        connection.execute(
            update(day_candles)
            .where(day_candles.c.symbol_id == of_symbol)
            .where(day_candles.c.day < split.ex_date)
            .where(day_candles.c.source == simulated)
            .values(**prices, volume=day_candles.c.volume / split.shares)
        )


# the step from version n to n + 1 stands at n
MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: _add_atm_iv,
    2: _add_near_month_iv,
    3: _add_widths,
    4: _count_days_in_the_shares_of_their_time,
}
