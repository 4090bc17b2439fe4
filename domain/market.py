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
    DHAN = "dhan"


class Role(StrEnum):
    """What a process of the server does: all of it; make the market for edges; or serve what a feed makes."""

    SINGLE = "single"
    FEED = "feed"
    EDGE = "edge"


class MarketHours(StrEnum):
    """When a market moves: round the clock, or in the sessions of the calendar."""

    ALWAYS = "always"
    EXCHANGE = "exchange"


class PhaseName(StrEnum):
    """What an exchange does; ``always`` where the feed moves round the clock."""

    ALWAYS = "always"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    PRE_OPEN = "pre_open"
    OPEN = "open"
    MORNING = "morning"
    EVENING = "evening"
    CLOSING = "closing"
    CLOSING_AUCTION = "closing_auction"
    POST_CLOSE = "post_close"


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


class FaultKind(StrEnum):
    """What can be brought about on purpose; the last four befall the Kite mock."""

    DROP_SOCKETS = "drop_sockets"
    STALL_FEED = "stall_feed"
    FEED_DOWN = "feed_down"
    LATENCY = "latency"
    STALE_CHAIN = "stale_chain"
    SEQUENCE_GAP = "sequence_gap"
    HISTORY_DOWN = "history_down"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a kind of fault
    RATE_LIMITED = "rate_limited"
    MALFORMED_FRAME = "malformed_frame"
    DROP_TICKER = "drop_ticker"


ONE_TIME_FAULTS = frozenset(
    {FaultKind.DROP_SOCKETS, FaultKind.SEQUENCE_GAP, FaultKind.MALFORMED_FRAME, FaultKind.DROP_TICKER}
)
MOCK_FAULTS = frozenset(
    {FaultKind.TOKEN_REJECTED, FaultKind.RATE_LIMITED, FaultKind.MALFORMED_FRAME, FaultKind.DROP_TICKER}
)


FEED_FAULTS = frozenset({FaultKind.STALL_FEED, FaultKind.FEED_DOWN, FaultKind.STALE_CHAIN})


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
