"""The feed's state against what its phase leads one to expect, and the plan of restarts."""

import itertools
import random
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instants import IST, to_ms
from domain.market import Problem, ProblemKind
from feed.market.market import NEVER_MS
from feed.market.watchdog import EXPECTED_INPUTS, HOLD_S, LONGEST_WAIT_MS, FeedWatchdog, Heard
from feed.reference.calendar import Calendar

STEP_MS = 500
STALE_MS = 15_000
WINDOW = EXPECTED_INPUTS


def at(text):
    """An instant of India's clocks."""
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=IST))


OPEN_MS = at("2026-11-23T10:00")


class Feed:
    """A source in front of a watchdog: ``step`` says whether an input came with it."""

    def __init__(self, calendar, hours="always", start_ms=OPEN_MS, seed=1):
        self.dog = FeedWatchdog(calendar, hours=hours, chance=random.Random(seed))
        self.now_ms = start_ms
        self.newest_ms = None
        self.restarts_ms = []

    def step(self, comes=True, *, fails=False, **options):
        self.now_ms += STEP_MS
        if self.dog.wants_restart(self.now_ms):
            self.dog.note_restart(self.now_ms)
            self.restarts_ms.append(self.now_ms)
        if fails:
            self.dog.note_failure(self.now_ms, ConnectionError("/secret/path hung up"))
        elif comes:
            self.dog.note_input(self.now_ms)
            self.newest_ms = self.now_ms
        age_ms = None if self.newest_ms is None else self.now_ms - self.newest_ms
        newest = {"NFO": NEVER_MS if self.newest_ms is None else self.newest_ms}
        heard = Heard(age_ms, newest, stale_after_ms=STALE_MS, expected_ms=STEP_MS)
        return self.dog.judge(self.now_ms, replace(heard, **options))

    def steps(self, count, comes=True, **options):
        return [self.step(comes, **options) for _ in range(count)][-1]


@pytest.fixture(scope="module")
def calendar():
    return Calendar.load()


@pytest.fixture
def feed(calendar):
    return Feed(calendar)


def test_feed_that_brings_what_is_expected_is_live(feed):
    assert feed.step().name == "live"
    assert feed.steps(100).name == "live"


def test_before_the_first_input_it_is_disconnected_and_restarted(feed):
    state = feed.steps(40, comes=False)
    assert (state.name, state.reason) == ("disconnected", "No data has arrived yet.")
    assert state.restarts == len(feed.restarts_ms) > 2


def test_slower_than_expected_is_degraded_and_the_reason_has_the_figures(feed):
    feed.steps(2 * WINDOW)
    states = [feed.step(comes=n % 3 == 0) for n in range(3 * WINDOW)]
    assert states[-1].name == "degraded"
    assert states[-1].reason == f"Only 6 of {WINDOW} expected inputs arrived in 10 s."
    assert feed.restarts_ms == []


def test_a_little_slower_is_still_live(feed):
    feed.steps(2 * WINDOW)
    states = {feed.step(comes=n % 3 != 0).name for n in range(5 * WINDOW)}
    assert states == {"live"}


def test_silence_is_degraded_then_stalled(feed):
    feed.steps(2 * WINDOW)
    names = [feed.step(comes=False).name for _ in range(40)]
    assert list(dict.fromkeys(names)) == ["live", "degraded", "stalled"]
    assert names.index("stalled") == STALE_MS // STEP_MS


def test_failures_are_told_without_the_words_of_the_failure(feed):
    feed.steps(2 * WINDOW)
    state = feed.step(fails=True)
    assert (state.name, state.reason) == ("degraded", "The source failed once in 10 s (ConnectionError).")
    state = feed.steps(40, fails=True)
    assert state.name == "stalled"
    assert state.reason.endswith(" s. The source fails (ConnectionError).")
    assert "secret" not in state.reason


def test_return_counts_as_live_only_after_it_has_held(feed):
    feed.steps(2 * WINDOW)
    feed.steps(60, comes=False)
    states = [feed.step() for _ in range(80)]
    names = [state.name for state in states]
    assert list(dict.fromkeys(names)) == ["degraded", "live"]
    assert names.index("live") >= HOLD_S * 1000 / STEP_MS
    assert states[0].restarts > 0
    assert states[-1].restarts == 0
    assert "It counts as better if it stays so for" in states[names.index("live") - 1].reason


@pytest.mark.parametrize(
    ("instant", "hours", "name"),
    [
        ("2026-11-23T15:50", "exchange", "market_closed"),  # after the close
        ("2026-11-22T12:00", "exchange", "market_closed"),  # a Sunday
        ("2026-11-24T12:00", "exchange", "market_closed"),  # a holiday
        ("2026-11-23T12:00", "exchange", "stalled"),
        ("2026-11-22T12:00", "always", "stalled"),
    ],
)
def test_silence_is_judged_by_the_phase(calendar, instant, hours, name):
    feed = Feed(calendar, hours, at(instant))
    feed.step()
    state = feed.steps(60, comes=False)
    assert state.name == name
    assert bool(feed.restarts_ms) == (name == "stalled")


def test_opening_expects_nothing_of_the_time_before(calendar):
    feed = Feed(calendar, "exchange", at("2026-11-23T09:14:30"))
    feed.step()
    assert feed.steps(58, comes=False).name == "market_closed"
    state = feed.step(comes=False)
    assert (state.name, state.reason) == (
        "degraded",
        "The market opened 0 s ago, and nothing has arrived yet.",
    )
    assert {feed.step().name for _ in range(60)} == {"live"}


def test_opening_that_brings_nothing_is_a_stall(calendar):
    feed = Feed(calendar, "exchange", at("2026-11-23T09:14:30"))
    feed.step()
    feed.steps(59, comes=False)
    names = [feed.step(comes=False).name for _ in range(40)]
    assert list(dict.fromkeys(names)) == ["degraded", "stalled"]
    assert feed.restarts_ms[0] > at("2026-11-23T09:15:15")


def test_recording_lacks_what_no_restart_brings(feed):
    feed.step()
    state = feed.steps(100, comes=False, is_recorded=True)
    assert (state.name, state.next_try_ms, feed.restarts_ms) == ("stalled", None, [])
    assert feed.steps(100, fails=True, is_recorded=True).restarts > 0
    assert feed.step(comes=False, is_over=True).name == "market_closed"


@pytest.mark.parametrize("jump_ms", [-3_600_000, 3_600_000])
def test_clock_that_jumps_is_no_fault_of_the_source(feed, jump_ms):
    feed.steps(2 * WINDOW)
    feed.now_ms += jump_ms
    assert {feed.step().name for _ in range(3 * WINDOW)} == {"live"}


def test_inputs_of_the_time_before_a_jump_do_not_count(feed):
    feed.steps(2 * WINDOW)
    feed.now_ms -= 3_600_000
    states = [feed.step(comes=n % 3 == 0) for n in range(WINDOW + 2)]
    assert states[-1].name == "degraded"


def test_clock_that_is_set_back_does_not_put_off_the_next_restart(feed):
    feed.step()
    feed.steps(200, comes=False)
    feed.now_ms -= 86_400_000
    feed.newest_ms -= 86_400_000
    before = len(feed.restarts_ms)
    feed.steps(LONGEST_WAIT_MS // STEP_MS + 1, comes=False)
    assert len(feed.restarts_ms) > before


@given(seed=st.integers(0, 2**32), silent=st.integers(50, 900))
def test_restarts_are_spread_ever_wider_and_by_chance(calendar, seed, silent):
    feed = Feed(calendar, seed=seed)
    feed.step()
    state = feed.steps(silent, comes=False)
    assert state.restarts == len(feed.restarts_ms)
    waits_ms = [b - a for a, b in zip(feed.restarts_ms, feed.restarts_ms[1:], strict=False)]
    for tries, wait_ms in enumerate(waits_ms, 1):
        longest_ms = min(LONGEST_WAIT_MS, 1000 * 2**tries)
        assert longest_ms / 2 <= wait_ms <= longest_ms + STEP_MS
    assert state.next_try_ms is None or state.next_try_ms > feed.now_ms - STEP_MS


def test_two_servers_do_not_knock_at_the_same_instants(calendar):
    plans = []
    for seed in (1, 2):
        feed = Feed(calendar, seed=seed)
        feed.step()
        feed.steps(400, comes=False)
        plans.append(feed.restarts_ms)
    assert plans[0] != plans[1]


@given(st.lists(st.booleans(), max_size=400))
def test_live_comes_back_no_oftener_than_the_hold(calendar, arrivals):
    feed = Feed(calendar)
    told = [(feed.now_ms, feed.step(comes).name) for comes in arrivals]
    back_ms = [
        at_ms
        for (_, before), (at_ms, after) in itertools.pairwise(told)
        if after == "live" and before in ("degraded", "stalled")
    ]
    assert all(b - a >= HOLD_S * 1000 for a, b in itertools.pairwise(back_ms))


def test_a_failure_counts_for_as_long_as_twenty_inputs_are_expected_and_no_longer(feed):
    feed.steps(WINDOW * 3)
    feed.step(fails=True)
    states = [feed.step().name for _ in range(WINDOW)]
    # the window is open at its older end; after it the hold of the verdict goes on
    assert states == ["degraded"] * WINDOW
    heard = Heard(0, {"NFO": feed.now_ms}, stale_after_ms=STALE_MS, expected_ms=STEP_MS)
    reasons = [feed.dog.arriving(feed.now_ms - STEP_MS * back, heard, {"NFO": 0}).reason for back in (0, 1)]
    assert reasons[0] == "Data arrives."
    assert reasons[1].startswith("The source failed once in 10 s")


def test_a_clock_asked_twice_in_an_instant_has_not_jumped(feed):
    feed.steps(WINDOW * 2)
    inputs = list(feed.dog.inputs_ms)
    feed.dog.follow(feed.now_ms, STEP_MS)
    feed.dog.follow(feed.now_ms + 2 * STEP_MS, STEP_MS)
    assert list(feed.dog.inputs_ms) == inputs
    feed.dog.follow(feed.now_ms + 4 * STEP_MS + 1, STEP_MS)
    assert not feed.dog.inputs_ms


EVENING_MS = at("2026-11-23T20:00")  # NFO is closed, MCX trades on


def heard_of(now_ms, **ages_s):
    """What is known of a feed whose exchanges were heard of so many seconds ago."""
    newest = {name: now_ms - 1000 * age_s for name, age_s in ages_s.items()}
    age_ms = now_ms - max(newest.values())
    return Heard(age_ms, newest, stale_after_ms=STALE_MS, expected_ms=STEP_MS)


def test_each_exchange_is_judged_by_its_own_phase(calendar):
    dog = FeedWatchdog(calendar, hours="exchange", chance=random.Random(1))
    state = dog.judge(EVENING_MS, heard_of(EVENING_MS, NFO=16_000, MCX=20))
    assert (state.name, state.reason) == ("stalled", "Nothing arrived for 20 s.")
    night_ms = at("2026-11-24T00:30")
    state = dog.judge(night_ms, heard_of(night_ms, NFO=32_000, MCX=2400))
    assert state.name == "market_closed"
    alone = FeedWatchdog(calendar, hours="exchange", chance=random.Random(1))
    assert alone.judge(EVENING_MS, heard_of(EVENING_MS, NFO=16_000)).name == "market_closed"


def test_an_open_exchange_that_is_silent_while_others_tell_is_named(calendar):
    dog = FeedWatchdog(calendar, hours="exchange", chance=random.Random(1))
    for step in range(3 * WINDOW):
        now_ms = OPEN_MS + STEP_MS * step
        dog.note_input(now_ms)
        heard = heard_of(now_ms, NFO=0, BFO=0, MCX=0)
        silent = {**heard.newest_ms, "MCX": OPEN_MS - 1000}
        state = dog.judge(now_ms, replace(heard, newest_ms=silent))
    assert (state.name, state.reason) == ("degraded", "Nothing arrived of MCX for 30 s.")


def problem_of(kind=ProblemKind.LOGIN_REQUIRED):
    return Problem(kind, "Kite needs today's login: run `python server.py login`.", OPEN_MS)


def test_a_source_with_a_line_of_its_own_is_never_restarted_and_says_what_is_the_matter(feed):
    feed.steps(WINDOW)
    state = feed.steps(400, comes=False, is_connected=True, problem=problem_of())
    assert (state.name, state.reason) == ("stalled", problem_of().message)
    assert state.problem == problem_of()
    assert (state.restarts, state.next_try_ms, feed.restarts_ms) == (0, None, [])


def test_a_problem_is_told_while_data_arrives_and_while_the_market_is_closed(calendar):
    feed = Feed(calendar, hours="exchange")
    limited = problem_of(ProblemKind.RATE_LIMITED)
    state = feed.steps(WINDOW, is_connected=True, problem=limited)
    assert (state.name, state.reason) == ("degraded", limited.message)
    night = Feed(calendar, hours="exchange", start_ms=at("2026-11-24T05:00"))
    night.newest_ms = at("2026-11-23T23:29")
    state = night.step(comes=False, is_connected=True, problem=problem_of())
    assert (state.name, state.problem) == ("market_closed", problem_of())
