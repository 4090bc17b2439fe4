"""With what open interest the trading day before ended, out of a store."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from domain.instants import to_datetime
from feed.history.history import History
from tests.feed.history.support import CALENDAR, NEAR, STRIKES, Tape, at, listing, market, run, universe


def test_how_the_day_before_ended_is_read_by_strike_and_not_guessed() -> None:
    history = History(None, calendar=CALENDAR)
    tape = Tape(history, market())
    close = at("2026-11-25 15:40")
    history.start(tape.market, close - 600_000)
    tape.run(close - 600_000, 10)
    ended = tape.contracts["open_interest"].copy()
    tape.publish(close + 20_000)  # the last minute is closed by the next one
    assert run(history.flush(20))

    known = history.previous_interest(tape.market.universe, to_datetime(at("2026-11-26 09:00")))
    np.testing.assert_array_equal(known, ended)
    # the day itself counts from the day before, which nobody recorded; so does the evening after it
    for same_day in ("2026-11-25 11:00", "2026-11-25 20:00"):
        assert np.isnan(history.previous_interest(tape.market.universe, to_datetime(at(same_day)))).all()
    # on a day after one that nobody recorded nothing is known
    assert np.isnan(
        history.previous_interest(tape.market.universe, to_datetime(at("2026-11-30 10:00")))
    ).all()
    # a list that changed overnight is matched by strike
    wider = np.append(STRIKES[1:], 22650.0)
    other = universe(listing("NIFTY", NEAR, wider, 9000))
    found = history.previous_interest(other, to_datetime(close) + timedelta(hours=18)).reshape(2, -1)
    np.testing.assert_array_equal(found[0, :4], ended[1:5])
    np.testing.assert_array_equal(found[1, :4], ended[6:10])
    assert np.isnan(found[:, 4]).all()
    run(history.stop())
