"""The laws of a verdict that does not flap."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.market.hysteresis import Hysteresis, Verdict

HOLD_S = 10.0


def sample(rank):
    return Verdict(rank, f"It is {rank}.")


histories = st.lists(st.tuples(st.floats(0.01, 15), st.integers(0, 2)), min_size=1, max_size=60)


def observed(history, **options):
    """(time, sampled rank, verdict) of each sample."""
    steady, now_s, told = Hysteresis(better_after_s=HOLD_S, **options), 0.0, []
    for pause_s, rank in history:
        now_s += pause_s
        told.append((now_s, rank, steady.observe(now_s, sample(rank))))
    return told


@given(histories)
def test_verdict_is_never_rosier_than_the_present(history):
    for _, rank, verdict in observed(history):
        assert verdict.rank >= rank


@given(histories)
def test_it_gets_better_only_after_every_sample_of_the_hold_was_as_good(history):
    told = observed(history)
    well = [rank == 0 for _, rank, _ in told]
    for place in range(1, len(told)):
        at_s, _, verdict = told[place]
        if verdict.rank < told[place - 1][2].rank and any(well[:place]):
            recent = [rank for earlier_s, rank, _ in told[: place + 1] if at_s - earlier_s < HOLD_S]
            assert max(recent) <= verdict.rank


@given(histories)
def test_two_recoveries_are_never_closer_than_the_hold(history):
    told = observed(history)
    first_well = next((at_s for at_s, rank, _ in told if rank == 0), 0)
    better = [
        at_s
        for (_, _, before), (at_s, _, after) in itertools.pairwise(told)
        if after.rank < before.rank and at_s > first_well
    ]
    assert all(later - earlier >= HOLD_S for earlier, later in itertools.pairwise(better))


@given(histories, st.integers(0, 2))
def test_what_stays_counts_in_the_end(history, rank):
    steady = Hysteresis(better_after_s=HOLD_S, worse_after_s=3.0)
    now_s = 0.0
    for pause_s, sampled in history:
        now_s += pause_s
        steady.observe(now_s, sample(sampled))
    for _ in range(40):
        now_s += 1.0
        verdict = steady.observe(now_s, sample(rank))
    assert verdict == sample(rank)


@given(histories)
def test_reason_is_that_of_the_present_and_tells_when_it_does_not_count_yet(history):
    for _, rank, verdict in observed(history, worse_after_s=3.0):
        assert verdict.reason.startswith(f"It is {rank}.")
        assert ("It counts as" in verdict.reason) == (verdict.rank != rank)


@given(histories)
def test_it_gets_worse_only_once_that_has_lasted(history):
    told = observed(history, worse_after_s=5.0)
    for place in range(1, len(told)):
        at_s, _, verdict = told[place]
        before = told[place - 1][2]
        if verdict.rank > before.rank:
            recent = [rank for earlier_s, rank, _ in told[: place + 1] if at_s - earlier_s < 5.0]
            assert min(recent) > before.rank


def test_start_is_no_recovery():
    steady = Hysteresis(better_after_s=HOLD_S)
    assert steady.observe(0, sample(2)).rank == 2
    assert steady.observe(1, sample(1)).rank == 2
    assert steady.observe(2, sample(0)) == sample(0)


@pytest.mark.parametrize("jump_s", [-1e6, -1.0])
def test_clock_that_goes_back_counts_the_hold_afresh(jump_s):
    steady = Hysteresis(better_after_s=HOLD_S)
    steady.observe(0, sample(0))
    steady.observe(1, sample(1))
    steady.observe(2, sample(0))
    back_s = 2 + jump_s
    assert steady.observe(back_s, sample(0)).rank == 1
    assert steady.observe(back_s + HOLD_S - 0.5, sample(0)).rank == 1
    assert steady.observe(back_s + HOLD_S, sample(0)).rank == 0


def test_what_is_taken_counts_at_once():
    steady = Hysteresis(better_after_s=HOLD_S)
    steady.observe(0, sample(0))
    steady.observe(1, sample(2))
    assert steady.take(sample(0)).rank == 0
    assert steady.observe(2, sample(0)).rank == 0


def test_reason_says_how_long_it_still_has_to_hold():
    steady = Hysteresis(better_after_s=HOLD_S)
    steady.observe(0.0, sample(0))
    steady.observe(1.0, sample(2))
    told = steady.observe(2.0, sample(0))
    assert told == Verdict(2, "It is 0. It counts as better if it stays so for 10 s.")
    assert steady.observe(5.0, sample(0)).reason.endswith("for 7 s.")
    assert steady.observe(12.0, sample(0)) == sample(0)


def test_of_worse_samples_the_mildest_counts_and_of_better_ones_the_worst():
    worse = Hysteresis(better_after_s=HOLD_S, worse_after_s=5.0)
    worse.observe(0.0, sample(0))
    for at_s, rank in ((1.0, 2), (3.0, 1), (6.0, 2)):
        told = worse.observe(at_s, sample(rank))
    assert told.rank == 1
    better = Hysteresis(better_after_s=HOLD_S)
    better.observe(0.0, sample(0))
    better.observe(1.0, sample(2))
    for at_s, rank in ((2.0, 0), (4.0, 1), (12.0, 0)):
        told = better.observe(at_s, sample(rank))
    assert told.rank == 1
