"""What a market may be: where it comes from, how it runs, what its feed does and what it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SourceName(StrEnum):
    """Where prices come from. Stores keep the place of a name in this list: only ever append."""

    UNKNOWN = "unknown"
    SIMULATED = "simulated"
    REPLAY = "replay"
    KITE = "kite"
    RELAY = "relay"
    IMPORTED = "imported"


class MarketHours(StrEnum):
    """When a market moves: round the clock, or in the sessions of the calendar."""

    ALWAYS = "always"
    EXCHANGE = "exchange"


class FeedStateName(StrEnum):
    """What a feed does, judged by what arrives and what the phase leads one to expect."""

    LIVE = "live"
    DEGRADED = "degraded"
    STALLED = "stalled"
    MARKET_CLOSED = "market_closed"
    DISCONNECTED = "disconnected"


class ProblemKind(StrEnum):
    """What is the matter with a source that has a line of its own."""

    LOGIN_REQUIRED = "login_required"
    NOT_PERMITTED = "not_permitted"
    RATE_LIMITED = "rate_limited"
    DISCONNECTED = "disconnected"
    PROTOCOL = "protocol"
    BROKER_DOWN = "broker_down"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is the matter, in a sentence that says what the operator must do; until when, if known."""

    kind: ProblemKind
    message: str
    since_ms: int
    until_ms: int | None = None


class HealthStatus(StrEnum):
    """A verdict on a part of the process, by rank."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class ScenarioName(StrEnum):
    """What the simulated market goes through."""

    CALM = "calm"
    TREND_UP = "trend_up"
    TREND_DOWN = "trend_down"
    CRASH = "crash"
    RALLY = "rally"
    VOL_CRUSH = "vol_crush"
    EXPIRY_DAY = "expiry_day"
    GAP_OPEN = "gap_open"
    ILLIQUID = "illiquid"
    CIRCUIT_HALT = "circuit_halt"
