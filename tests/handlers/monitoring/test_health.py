"""Health: one judgement of the parts, whoever asks."""

from types import SimpleNamespace

import pytest

from feed.market.guard import Guard
from feed.market.watchdog import FeedState
from handlers.monitoring.health import RESTARTS_IN_VAIN, Health
from handlers.streams.broadcaster import Broadcaster


class Parts:
    """What health looks at, as a test says; the time too. It is the feed itself."""

    def __init__(self):
        self.now_s = 1000.0
        self.feed = FeedState("live", "Data arrives.")
        self.lag_ms = 1.0
        self.stop = (0.0, 0.0)
        self.store = SimpleNamespace(state="ok", reason="", queue_length=0, dropped=0)
        self.clients = 3
        self.slow = 0
        self.guard = Guard(lambda: self.now_s)
        self.broadcaster = Broadcaster(
            publish_interval_ms=500,
            heartbeat_s=5.0,
            slow_client_timeout_s=20.0,
            guard=self.guard,
            monotonic=lambda: self.now_s,
        )
        self.health = Health(
            self,
            SimpleNamespace(health=lambda: self.store),
            SimpleNamespace(percentile=lambda _: self.lag_ms, longest_stop=lambda _: self.stop),
            lambda: {"connections": {"now": self.clients}, "slow_clients": self.slow},
            self.broadcaster.pulse,
            self.broadcaster.pacing,
            self.broadcaster.rooms,
            self.guard,
            max_clients=lambda: 100,
            monotonic=lambda: self.now_s,
        )

    @property
    def state(self):
        return self.feed

    def last_tick_age_ms(self):
        return 250

    def rate(self):
        return 2.0

    def after(self, seconds):
        self.now_s += seconds
        return self.health.report()


@pytest.fixture
def parts(io_loop):
    return Parts()


def failing_store(parts):
    parts.store = SimpleNamespace(state="degraded", reason="The disk is full.", queue_length=9, dropped=2)


def blocked(parts):
    parts.stop = (2000.0, 1.0)


def late(parts):
    parts.lag_ms = 700.0


def hopeless(parts):
    parts.lag_ms = 6000.0


def full(parts):
    parts.clients = 100


def slow(parts):
    parts.clients, parts.slow = 90, 11


def stalled(parts):
    parts.feed = FeedState("stalled", "Nothing arrived for 20 s.", 1, 5)


def never_fed(parts):
    parts.feed = FeedState("disconnected", "No data has arrived yet.")


def nothing(parts):
    pass


@pytest.mark.parametrize(
    ("trouble", "part", "status", "reason"),
    [
        (nothing, "feed", "ok", "Data arrives."),
        (stalled, "feed", "degraded", "Nothing arrived for 20 s."),
        (never_fed, "feed", "down", "No data has arrived yet."),
        (failing_store, "history", "degraded", "The disk is full."),
        (late, "event_loop", "degraded", "Callbacks run 700 ms late at the 99th percentile."),
        (hopeless, "event_loop", "down", "Callbacks run 6000 ms late at the 99th percentile."),
        (blocked, "event_loop", "degraded", "The loop stood still for 2.0 s, 1 s ago."),
        (full, "clients", "degraded", "All 100 places are taken: who comes now is refused."),
        (slow, "clients", "degraded", "11 of 90 clients do not read what they are sent."),
    ],
)
def test_worst_part_decides_and_says_why(parts, trouble, part, status, reason):
    parts.after(0)
    trouble(parts)
    parts.after(1)
    report = parts.after(10)
    assert (report.parts[part].status, report.parts[part].reason) == (status, reason)
    assert report.status == status
    assert status == "ok" or report.worst == part
    assert all(other.status == "ok" for name, other in report.parts.items() if name != part)
    assert parts.health.line().startswith(
        f"ok: {reason}" if status == "ok" else f"{status} ({part}): {reason}"
    )


def test_what_is_mended_counts_only_once_it_has_held(parts):
    parts.after(0)
    failing_store(parts)
    assert parts.after(1).status == "degraded"
    parts.store = SimpleNamespace(state="ok", reason="", queue_length=0, dropped=2)
    history = parts.after(1).parts["history"]
    assert history.status == "degraded"
    assert history.reason == "Candles reach the store. It counts as better if it stays so for 10 s."
    assert parts.after(9).status == "degraded"
    assert parts.after(1).status == "ok"


def test_change_is_logged_once(parts, caplog):
    caplog.set_level("INFO")
    parts.after(0)
    failing_store(parts)
    for _ in range(5):
        parts.after(1)
    assert [record.getMessage() for record in caplog.records] == ["history is degraded: The disk is full."]


def test_draining_is_down_at_once_whatever_else_is_well(parts):
    parts.after(0)
    parts.health.draining = True
    report = parts.after(0)
    assert (report.status, report.worst) == ("down", "clients")
    assert "stopping" in report.parts["clients"].reason
    assert parts.health.may_live


@pytest.mark.parametrize(
    ("feed", "may_live"),
    [
        (FeedState("live", "Data arrives."), True),
        (FeedState("stalled", "Nothing arrived for 20 s.", RESTARTS_IN_VAIN - 1, 5), True),
        (FeedState("stalled", "Nothing arrived for 40 s.", RESTARTS_IN_VAIN, 5), False),
        (FeedState("disconnected", "No data has arrived yet.", 50, 5), True),
        (FeedState("market_closed", "The market is closed (holiday)."), True),
    ],
)
def test_watchdog_is_fed_unless_a_new_process_could_mend_the_feed(parts, feed, may_live):
    parts.feed = feed
    assert parts.health.may_live == may_live


def test_watchdog_is_not_fed_while_the_loop_is_hopeless(parts):
    hopeless(parts)
    assert not parts.health.may_live
