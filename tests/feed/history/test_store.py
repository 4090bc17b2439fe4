"""The same history on SQLite and on PostgreSQL: what was recorded is there after a restart."""

from __future__ import annotations

import functools
from dataclasses import astuple
from datetime import date

import numpy as np
import pytest
from sqlalchemy import inspect, text

from domain.instants import MINUTE_MS
from domain.intervals import INTERVALS
from feed.history.answers import Page
from feed.history.history import History, HistoryError, Retention
from feed.history.maintenance.checking import check_store
from feed.history.store.database import Database
from feed.history.store.tables import SCHEMA_VERSION, metadata
from feed.market.forming import ClosedMinute
from feed.transfer.archive import Archive
from feed.valuation.minute_metrics import METRICS, ChainMetrics
from tests.feed.history.support import (
    CALENDAR,
    CATALOGUE,
    FAR,
    NEAR,
    STRIKES,
    Tape,
    assert_equal_bars,
    assert_same_candles,
    at,
    listing,
    market,
    reference,
    run,
    universe,
)

OPEN = at("2026-11-25 09:15")
DAY = 86_400_000


def history(url: str | None, **options: object) -> History:
    return History(url, calendar=CALENDAR, hours="exchange", flush_interval_s=0.2, **options)


def opened(url: str | None, now_ms: int, **options: object) -> Tape:
    """A history that is started, and a tape to drive it."""
    made, of = history(url, **{"queue_limit": 10_000, **options}), market()
    made.start(of, now_ms)
    return Tape(made, of)


def archive(url: str, *, writable: bool = False) -> Archive:
    return Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange", writable=writable)


def metrics_of(minute: ClosedMinute) -> ChainMetrics:
    """Figures that say which minute and listing they are of."""
    count = len(minute.universe.listings)
    values = {name: np.arange(count) + minute.start_ms / 1e9 for name in METRICS}
    values["max_pain"] = np.full(count, np.nan)
    volatility = np.linspace(0.1, 0.3, minute.universe.contract_count)
    return ChainMetrics(values, volatility, np.array([0.135, np.nan, 0.4]))


def test_recorded_candles_are_the_same_after_a_restart(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    end = tape.run(OPEN, 67.5)
    span = (OPEN - DAY, end)
    before = {name: run(tape.history.answers.candles("NIFTY", name, *span)) for name in INTERVALS}
    run(tape.history.stop())

    again = opened(store_url, end)
    for name, candles in before.items():
        assert_same_candles(run(again.history.answers.candles("NIFTY", name, *span)), candles)
        assert set(candles.source_names) == {"simulated"}
    rebuilt = again.history.answers.forming("NIFTY", "1h", end - 1)
    assert rebuilt is not None
    assert astuple(rebuilt)[:6] == astuple(before["1h"].candle(-1))[:6]
    run(again.history.stop())


def test_a_stop_within_a_minute_is_gone_on_with(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 3.5, every_ms=10_000)
    run(tape.history.stop())
    again = opened(store_url, OPEN + 210_000)
    again.price, again.volume = tape.price, tape.volume
    again.publish(OPEN + 210_000)  # the state that was last published: tells the volume to grow from
    end = again.run(OPEN + 220_000, 1, every_ms=10_000)

    ticks = [(t, p[0], v[0]) for t, p, v in tape.published + again.published]
    expected = reference(ticks, lambda time_ms: time_ms - time_ms % MINUTE_MS)
    assert_equal_bars(run(again.history.answers.candles("NIFTY", "1m", OPEN, end)), expected)
    daily = reference(ticks, lambda _: OPEN)
    assert_equal_bars(run(again.history.answers.candles("NIFTY", "1d", OPEN, end)), daily)
    run(again.history.stop())


def test_daily_candles_in_the_store_are_the_resampled_minutes(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    for day in range(3):
        tape.volume[:] = 0
        tape.run(OPEN + day * DAY, 20)
    run(tape.history.stop())
    with archive(store_url) as store:
        grid = store.grid("NIFTY")
        minutes = store.candles("NIFTY", "1m", OPEN - DAY, OPEN + 3 * DAY)
        days = store.candles("NIFTY", "1d", OPEN - DAY, OPEN + 3 * DAY)
        assert len(days) == 3
        assert_same_candles(days, grid.resample("1d", minutes))
        assert store.check().problems == []


def test_contract_candles_follow_the_candle_rule_across_a_restart(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    middle = tape.run(OPEN, 40)
    run(tape.history.stop())
    again = opened(store_url, middle)
    again.contracts, again.price, again.volume = tape.contracts, tape.price, tape.volume
    again.publish(middle)
    end = again.run(middle + 20_000, 5)

    row = 3  # the 22,550 call
    ticks = [(t, legs["last_price"][row], legs["volume"][row]) for t, legs in tape.legs + again.legs]
    for name in ("1m", "5m", "15m"):
        width = {"1m": 1, "5m": 5, "15m": 15}[name] * MINUTE_MS
        label = functools.partial(_bucket, width)
        expected = reference(ticks, label, starts=[middle])
        got = run(again.history.answers.candles("NIFTY", name, OPEN, end, (NEAR, 22550.0, True)))
        assert_equal_bars(got, expected)
    run(again.history.stop())


def _bucket(width: int, time_ms: int) -> int:
    return OPEN + (time_ms - OPEN) // width * width


def test_a_past_chain_is_the_state_at_that_instant(store_url: str) -> None:
    tape = opened(store_url, OPEN, valuation=metrics_of)
    end = tape.run(OPEN, 45)
    run(tape.history.stop())
    again = opened(store_url, end)
    for minute in (0, 7, 30, 44):
        published, legs = [state for state in tape.legs if state[0] < OPEN + (minute + 1) * MINUTE_MS][-1]
        chain = run(again.history.answers.chain_at("NIFTY", FAR, OPEN + (minute + 1) * MINUTE_MS - 1))
        assert chain is not None
        assert chain.as_of_ms[-1] == published
        assert chain.source_name() == "simulated"
        found = chain.legs()
        rows = tape.market.universe.listing("NIFTY", FAR).rows
        for name in ("last_price", "bid", "ask", "volume", "open_interest", "open", "high", "low"):
            np.testing.assert_allclose(found[name].ravel(), legs[name][rows], atol=1e-9, err_msg=name)
        np.testing.assert_allclose(
            found["previous_open_interest"].ravel(), legs["previous_open_interest"][rows]
        )
        assert np.isnan(found["bid_quantity"]).all()
        if minute < 44:  # the last one was closed by the stop, without a valuation
            volatility = np.linspace(0.1, 0.3, tape.market.universe.contract_count)[rows]
            np.testing.assert_allclose(found["implied_volatility"].ravel(), volatility, atol=5.1e-5)
    run(again.history.stop())


def test_a_chain_is_not_known_before_its_first_record(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 5)
    run(tape.history.stop())
    again = opened(store_url, OPEN + DAY)
    assert run(again.history.answers.chain_at("NIFTY", NEAR, OPEN - 1)) is None
    assert run(again.history.answers.chain_at("NIFTY", date(2027, 1, 25), OPEN + DAY)) is None
    assert run(again.history.answers.coverage("NIFTY", NEAR)) == (OPEN + 40_000, OPEN + 280_000)
    assert run(again.history.answers.coverage("NIFTY", date(2027, 1, 25))) is None
    run(again.history.stop())


def test_metric_series_keep_the_last_value_of_each_interval(store_url: str) -> None:
    tape = opened(store_url, OPEN, valuation=metrics_of)
    end = tape.run(OPEN, 12)
    run(tape.history.stop())
    again = opened(store_url, end)
    minutes = run(again.history.answers.metrics("NIFTY", FAR, OPEN, end))
    assert minutes["minute_ms"].tolist() == [OPEN + n * MINUTE_MS for n in range(11)]
    np.testing.assert_allclose(minutes["pcr_oi"], 1 + minutes["minute_ms"] / 1e9)
    assert np.isnan(minutes["max_pain"]).all()
    fives = run(again.history.answers.metrics("NIFTY", FAR, OPEN, end, "5m"))
    assert fives["minute_ms"].tolist() == [OPEN, OPEN + 5 * MINUTE_MS, OPEN + 10 * MINUTE_MS]
    assert fives["atm_iv"].tolist() == [minutes["atm_iv"][n] for n in (4, 9, 10)]
    assert run(again.history.sessions.atm_iv_history("NIFTY")).tolist() == [0.135]
    assert run(again.history.sessions.atm_iv_history("RELIANCE")).tolist() == []
    run(again.history.stop())


def test_open_interest_series_name_the_strikes_asked_for(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    end = tape.run(OPEN, 6)
    run(tape.history.stop())
    again = opened(store_url, end)
    series = run(again.history.answers.open_interest("NIFTY", NEAR, [22500.0, 99999.0], OPEN, end))
    at_close = [legs for t, legs in tape.legs if t % MINUTE_MS == 40_000]
    call, put = 2, 2 + len(STRIKES)
    assert series.strikes.tolist() == [22500.0, 99999.0]
    assert series.calls[:, 0].tolist() == [legs["open_interest"][call] for legs in at_close]
    assert series.puts[:, 0].tolist() == [legs["open_interest"][put] for legs in at_close]
    change = [legs["open_interest"][put] - legs["previous_open_interest"][put] for legs in at_close]
    assert series.put_changes[:, 0].tolist() == change
    assert np.isnan(series.calls[:, 1]).all()
    run(again.history.stop())


def test_a_full_page_stays_the_same_while_data_arrives(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    end = tape.run(OPEN, 25)
    first, total = run(tape.history.answers.page("NIFTY", "1m", (OPEN - DAY, end), Page(2, 10)))
    end = tape.run(end, 25)
    again, larger = run(tape.history.answers.page("NIFTY", "1m", (OPEN - DAY, end), Page(2, 10)))
    assert (total, larger) == (25, 50)
    assert_same_candles(again, first)
    last, _ = run(tape.history.answers.page("NIFTY", "1m", (OPEN - DAY, end), Page(6, 10)))
    assert len(last) == 0
    whole = run(tape.history.answers.candles("NIFTY", "1m", OPEN - DAY, end))
    for page, rows in ((1, slice(42, 50)), (7, slice(0, 2)), (8, slice(0, 0)), (10**6, slice(0, 0))):
        back, total = run(
            tape.history.answers.page("NIFTY", "1m", (OPEN - DAY, end), Page(page, 8, from_end=True))
        )
        assert total == 50
        assert_same_candles(back, whole.take(rows))
    run(tape.history.stop())


def test_day_gives_this_trading_day_and_the_one_before(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 5)
    tape.volume[:] = 0
    end = tape.run(OPEN + DAY, 5)
    today, before = run(tape.history.answers.day("NIFTY", end))
    assert today is not None
    assert before is not None
    assert (before.time_ms, today.time_ms) == (OPEN, OPEN + DAY)
    prices = [p[0] for t, p, _ in tape.published if t >= OPEN + DAY]
    assert (today.open, today.high, today.low, today.close) == (
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
    )
    run(tape.history.stop())


def test_an_expired_chain_keeps_its_last_part_of_a_minute(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 2)
    tape.step(OPEN + 130_000)
    last = tape.contracts["last_price"][: 2 * len(STRIKES)].copy()
    left = universe(listing("NIFTY", FAR, STRIKES, 3000))  # one strike more, the near chain gone
    tape.market.relist(left)
    kept = {name: values.copy() for name, values in tape.market.contracts.items()}
    tape.contracts = kept
    for now_ms in (OPEN + 140_000, OPEN + 200_000):
        tape.publish(now_ms)
    run(tape.history.stop())
    again = opened(store_url, OPEN + DAY)
    chain = run(again.history.answers.chain_at("NIFTY", NEAR, OPEN + DAY))
    assert chain is not None
    assert chain.minute_ms[-1] == OPEN + 2 * MINUTE_MS
    np.testing.assert_allclose(chain.legs()["last_price"].ravel(), last)
    wider = run(again.history.answers.chain_at("NIFTY", FAR, OPEN + DAY))
    assert wider is not None
    assert wider.strikes.tolist() == STRIKES.tolist()
    run(again.history.stop())


def test_a_second_server_on_one_store_is_refused(store_url: str) -> None:
    first = history(store_url)
    with pytest.raises(HistoryError, match="Another server records into"):
        history(store_url)
    run(first.stop())
    run(history(store_url).stop())


def test_reading_beside_a_server_is_allowed_and_writing_is_not(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 3)
    with archive(store_url) as store:
        assert store.info().schema_version == SCHEMA_VERSION
    with pytest.raises(HistoryError, match="Another server"):
        archive(store_url, writable=True)
    run(tape.history.stop())


def test_a_newer_schema_is_refused_with_a_sentence(store_url: str) -> None:
    run(history(store_url).stop())
    _set_version(store_url, SCHEMA_VERSION + 1)
    with pytest.raises(HistoryError, match=f"schema version {SCHEMA_VERSION + 1}.*update the server"):
        history(store_url)
    with pytest.raises(HistoryError, match="update the server"):
        archive(store_url)


def test_an_older_schema_is_migrated_to_the_present_one(store_url: str) -> None:
    run(history(store_url).stop())
    present = _schema(store_url)
    database = Database(store_url, readers=1)
    with database.writer.begin() as connection:  # undo each step, as the store of version 1 was
        connection.execute(text("ALTER TABLE day_candles DROP COLUMN atm_iv"))
        connection.execute(text("ALTER TABLE chain_metrics DROP COLUMN near_month_iv"))
        connection.execute(text("DROP TABLE imports"))
        connection.execute(text("ALTER TABLE day_candles DROP COLUMN width_ms"))
        connection.execute(text("ALTER TABLE chain_minutes DROP COLUMN forward"))
        connection.execute(text("DROP TABLE bar_blocks"))
        connection.execute(text("DROP TABLE recorded_days"))
    database.close()
    _set_version(store_url, 1)
    with pytest.raises(HistoryError, match="older schema version 1"):
        archive(store_url)
    run(history(store_url).stop())
    assert _schema(store_url) == present
    with archive(store_url) as store:
        assert store.check().problems == []


def _set_version(url: str, version: int) -> None:
    database = Database(url, readers=1)
    with database.writer.begin() as connection:
        connection.execute(
            text("UPDATE meta SET value = :version WHERE key = 'schema_version'"), {"version": str(version)}
        )
    database.close()


def _schema(url: str) -> dict[str, list[tuple[str, str]]]:
    database = Database(url, readers=1)
    with database.reading() as connection:
        look = inspect(connection)
        found = {
            table: sorted((column["name"], str(column["type"])) for column in look.get_columns(table))
            for table in metadata.tables
        }
    database.close()
    return found


def test_pruning_deletes_what_is_older_than_is_kept_and_leaves_the_rest_sound(store_url: str) -> None:
    tape = opened(store_url, OPEN, valuation=metrics_of)
    for day in range(3):
        tape.volume[:] = 0
        end = tape.run(OPEN + day * DAY, 30)
    run(tape.history.stop())
    keep = Retention(minute_candles_days=1, daily_candles_days=1, chains_days=1, metrics_days=None)
    with archive(store_url, writable=True) as store:
        assert store.prune(keep, end) > 0
        assert store.prune(keep, end) == 0
        assert store.check().problems == []
        minutes = store.candles("NIFTY", "1m", OPEN - DAY, end)
        assert len(minutes) == 45  # of the second day the hour from 09:30 on, and the third
        assert len(store.candles("NIFTY", "1d", OPEN - DAY, end)) == 2
        kinds = {kind.name: kind for kind in store.info().kinds}
        assert kinds["chain minutes"].first.timestamp() * 1000 >= end - DAY - 16 * MINUTE_MS
        assert kinds["chain metrics"].rows == 2 * 3 * 30 - 2


def test_pruning_everything_forgets_chains_too(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 5)
    run(tape.history.stop())
    with archive(store_url, writable=True) as store:
        store.prune(Retention(0, 0, 0, 0), OPEN + 60 * DAY)
        info = store.info()
    assert info.chains == 0
    assert [kind.rows for kind in info.kinds] == [0] * 5


def test_old_records_are_pruned_while_the_server_runs(store_url: str) -> None:
    tape = opened(store_url, OPEN, retention=Retention(chains_days=1))
    tape.run(OPEN, 5)
    tape.volume[:] = 0
    end = tape.run(OPEN + 3 * DAY, 12)
    assert run(tape.history.flush(20))
    tape.step(end)
    run(tape.history.stop())
    with archive(store_url) as store:
        kinds = {kind.name: kind for kind in store.info().kinds}
    assert kinds["chain minutes"].first.timestamp() * 1000 == OPEN + 3 * DAY


def test_check_names_what_is_damaged(store_url: str) -> None:
    tape = opened(store_url, OPEN)
    tape.run(OPEN, 20)
    run(tape.history.stop())
    database = Database(store_url, readers=1)
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE minute_blocks SET candle_count = 99 WHERE symbol_id = 1"))
        connection.execute(text("UPDATE day_candles SET high = low - 1 WHERE symbol_id = 2"))
        connection.execute(
            text("DELETE FROM chain_minutes WHERE chain_id = 1 AND minute_ms = :ms"), {"ms": OPEN}
        )
        connection.execute(
            text("UPDATE chain_minutes SET record = :junk WHERE chain_id = 2 AND minute_ms = :ms"),
            {"junk": b"\x01junk", "ms": OPEN + MINUTE_MS},
        )
    database.close()
    with archive(store_url) as store:
        problems = " ".join(store.check().problems)
    for sentence in ("says it has 99", "prices outside its low and high", "lost the first", "cannot be read"):
        assert sentence in problems


def test_clock_going_back_doubles_and_loses_nothing(store_url: str, caplog: pytest.LogCaptureFixture) -> None:
    tape = opened(store_url, OPEN)
    end = tape.run(OPEN, 10)
    again = tape.run(OPEN + 5 * MINUTE_MS + 7_000, 3)  # minutes 5 to 7 a second time
    assert "the clock went back by 4 minutes" in caplog.text
    tape.run(end, 2)
    ticks = [(t, p[0], v[0]) for t, p, v in tape.published]
    # each candle holds every price published with a time in it
    in_order = sorted(range(len(ticks)), key=lambda i: (ticks[i][0] // MINUTE_MS, i))
    candles = run(tape.history.answers.candles("NIFTY", "1m", OPEN, end + 2 * MINUTE_MS))
    assert len(candles) == 12
    for minute in range(12):
        prices = [ticks[i][1] for i in in_order if (ticks[i][0] - OPEN) // MINUTE_MS == minute]
        candle = candles.candle(minute)
        assert (candle.open, candle.high, candle.low, candle.close) == (
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
        )
    assert sum(candles.volume) == ticks[-1][2] - ticks[0][2]
    run(tape.history.stop())
    assert again < end
    with archive(store_url) as store:
        assert store.check().problems == []
        stored = store.candles("NIFTY", "1m", OPEN, end + 2 * MINUTE_MS)
        assert_same_candles(stored, candles)
        assert_same_candles(
            store.candles("NIFTY", "1d", OPEN, end), store.grid("NIFTY").resample("1d", stored)
        )


def test_rewinding_by_some_minutes_leaves_every_record_readable() -> None:
    tape = opened(None, OPEN)
    for to_minute in (2, 9, 20, 18):
        tape.run(tape.published[-1][0] + 20_000 if tape.published else OPEN, 12)
        tape.history.rewind(OPEN + to_minute * MINUTE_MS)
        tape.step(OPEN + to_minute * MINUTE_MS)
    tape.run(OPEN + 18 * MINUTE_MS + 20_000, 4)
    assert run(tape.history.flush(20))
    assert check_store(tape.history.database).problems == []
    for minute in range(18, 22):
        published, legs = [state for state in tape.legs if state[0] < OPEN + (minute + 1) * MINUTE_MS][-1]
        chain = run(tape.history.answers.chain_at("NIFTY", NEAR, OPEN + (minute + 1) * MINUTE_MS - 1))
        assert chain is not None
        assert chain.as_of_ms[-1] == published
        rows = tape.market.universe.listing("NIFTY", NEAR).rows
        np.testing.assert_allclose(chain.legs()["last_price"].ravel(), legs["last_price"][rows])
    run(tape.history.stop())


def test_rewinding_a_store_in_memory_forgets_what_lies_ahead() -> None:
    tape = opened(None, OPEN)
    tape.run(OPEN, 70)
    run(tape.history.flush(20))
    tape.history.rewind(OPEN + 10 * MINUTE_MS)
    assert len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, OPEN + DAY))) == 10
    end = tape.run(OPEN + 10 * MINUTE_MS, 3)
    run(tape.history.flush(20))
    assert len(run(tape.history.answers.candles("NIFTY", "1m", OPEN, OPEN + DAY))) == 13
    chain = run(tape.history.answers.chain_at("NIFTY", NEAR, OPEN + DAY))
    assert chain is not None
    assert chain.as_of_ms[-1] < end
    run(tape.history.stop())


@pytest.mark.parametrize("interval", ["1m", "15m", "1d"])
def test_nothing_after_the_instant_is_told_while_the_store_still_has_to_forget_it(interval: str) -> None:
    tape = opened(None, OPEN)
    tape.run(OPEN, 70)  # waits to be written, or is: nothing of it may be told
    tape.history.rewind(OPEN + 10 * MINUTE_MS)
    span = (OPEN - 3 * DAY, OPEN + DAY)  # more than memory holds, so that the store is asked
    ticks = [(t, p[0], v[0]) for t, p, v in tape.published if t < OPEN + 10 * MINUTE_MS]
    legs = [(t, f["last_price"][2], f["volume"][2]) for t, f in tape.legs if t < OPEN + 10 * MINUTE_MS]
    label = functools.partial(_bucket, {"1m": 1, "15m": 15, "1d": 1440}[interval] * MINUTE_MS)
    assert_equal_bars(run(tape.history.answers.candles("NIFTY", interval, *span)), reference(ticks, label))
    of_contract = run(tape.history.answers.candles("NIFTY", interval, *span, (NEAR, 22500.0, True)))
    assert_equal_bars(of_contract, reference(legs, label))
    run(tape.history.stop())
