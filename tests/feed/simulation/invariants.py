"""What a coherent market never breaks, checked on the tables that a reader of a Market sees."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import numpy as np

from domain.instants import day_in_india, to_datetime, to_ms
from feed.market.candles import SessionGrid
from feed.market.market import Market
from feed.market.universe import Listing, Universe
from feed.reference.calendar import Calendar
from feed.simulation.scenarios import HALT_MS

YEAR_MS = 365 * 86_400_000
SLACK = 1e-6


def check_quotes(market: Market) -> None:
    """Bid below ask, both on the tick grid; last price inside the day's range; whole lots."""
    contracts, universe = market.contracts, market.universe
    bid, ask, last = contracts["bid"], contracts["ask"], contracts["last_price"]
    tick = universe.tick_size
    assert not (bid >= ask).any(), "a bid must be below its ask"
    assert not (bid < tick - SLACK).any(), "a bid must be at least one tick"
    assert not (ask < tick - SLACK).any(), "an ask must be at least one tick"
    for name in ("bid", "ask", "last_price", "open", "high", "low", "previous_close"):
        ticks = contracts[name] / tick
        off = np.abs(ticks - np.rint(ticks)) > 1e-4
        assert not off.any(), f"{name} must lie on the tick grid, was {contracts[name][off][:3]}"
    assert not (last > contracts["high"] + SLACK).any(), "a last price must not be above the day's high"
    assert not (last < contracts["low"] - SLACK).any(), "a last price must not be below the day's low"
    assert not (contracts["open"] > contracts["high"] + SLACK).any()
    assert not (contracts["open"] < contracts["low"] - SLACK).any()
    for side in ("bid", "ask"):
        lots = contracts[f"{side}_quantity"] / universe.lot_size
        assert np.array_equal(lots, np.rint(lots)), f"{side} quantities must be whole lots"
        quoted = ~np.isnan(contracts[side])
        assert (lots[quoted] >= 1).all(), f"a quoted {side} must have a quantity"
        assert (lots[~quoted] == 0).all(), f"a missing {side} must have no quantity"


def check_trades(market: Market) -> None:
    """Volume and open interest are whole lots, and open interest changed by no more than was traded today."""
    contracts = market.contracts
    volume, held, before = (contracts[n] for n in ("volume", "open_interest", "previous_open_interest"))
    for values in (volume, held, before):
        assert (values >= 0).all()
        assert np.array_equal(values, np.rint(values))
    assert (np.abs(held - before) <= volume + SLACK).all(), (
        "each lot traded changes open interest by at most one"
    )
    traded = volume > 0
    assert not np.isnan(contracts["high"][traded]).any(), "a contract that traded has a range"


def check_chains(market: Market, now_ms: int, watch: DayWatch | None = None) -> None:
    """Parity, bounds, order of strikes, butterflies, for every listing; calendar for every underlying."""
    universe = market.universe
    for underlying in universe.underlyings:
        slices = []
        for listing in universe.chains(underlying.symbol):
            if to_ms(listing.expiry.expires_at) > now_ms:
                as_of_ms = market.chain_provenance(listing).as_of_ms
                exchange = underlying.derivatives_exchange
                quoted_ms = as_of_ms if watch is None else watch.quoted_ms(exchange, as_of_ms)
                slices.append(check_chain(market, listing, quoted_ms))
        for near, far in pairwise(filter(None, slices)):
            check_calendar(near, far, underlying.symbol)


def check_chain(market: Market, listing: Listing, quoted_ms: int) -> tuple | None:
    """One listing; return its forward, discount factor, strikes, call quotes and tick, if it is quoted."""
    legs = market.legs(listing)
    bid, ask = np.nan_to_num(legs["bid"], nan=0.0), np.nan_to_num(legs["ask"], nan=np.inf)
    tick = float(market.universe.tick_size[listing.rows.start])
    years = (to_ms(listing.expiry.expires_at) - quoted_ms) / YEAR_MS
    discount = float(np.exp(-market.interest_rate * years))
    strikes = listing.strikes
    lowest = (strikes + (bid[0] - ask[1]) / discount).max()
    highest = (strikes + (ask[0] - bid[1]) / discount).min()
    assert lowest <= highest + tick, f"{listing.key}: executable parity broken, {lowest} > {highest}"
    if np.isinf(ask).all():  # listed since the last session: not quoted yet
        return None
    forward, doubt = (lowest + highest) / 2, max(0.0, (highest - lowest) / 2)
    middle, half = (legs["bid"] + ask) / 2, (ask - legs["bid"]) / 2
    # a halt that outlasts the session leaves its quotes, which are older than the close
    standing = HALT_MS / YEAR_MS if quoted_ms < market.chain_provenance(listing).as_of_ms else 0.0
    margin = tick + doubt + market.interest_rate * standing * np.maximum(strikes, forward)
    _check_parity(listing, middle, half, discount * (forward - strikes), margin)
    for side, (inner, bound) in enumerate(((forward - strikes, forward), (strikes - forward, strikes))):
        least = np.maximum(0.0, discount * inner)
        assert not (middle[side] < least - margin).any(), f"{listing.key}: below intrinsic value"
        assert not (middle[side] > discount * bound + margin).any(), f"{listing.key}: above its bound"
    for side in (0, 1):
        _check_strikes(
            listing, strikes, bid[side], ask[side], middle[side], discount, tick, sign=1 - 2 * side
        )
    return forward, discount, strikes, bid[0], ask[0], tick


def _check_parity(listing, middle, half, forward_value, tolerance) -> None:
    gap = np.abs(middle[0] - middle[1] - forward_value)
    assert not (gap > half[0] + half[1] + tolerance).any(), (
        f"{listing.key}: parity of mids broken by {np.nanmax(gap)}"
    )


def _check_strikes(listing, strikes, bid, ask, middle, discount, tick, *, sign) -> None:
    """Order, slope and convexity: executable to a cent, of mids to a tick on each side."""
    known = np.isfinite(middle)
    where = f"{listing.key} {'calls' if sign > 0 else 'puts'}"
    fall = -sign * np.diff(middle[known])
    assert not (fall < -2 * tick - SLACK).any(), f"{where}: prices out of order, {fall.min()}"
    assert not (fall > discount * np.diff(strikes[known]) + 2 * tick + SLACK).any(), f"{where}: too steep"
    gap = np.diff(strikes)
    weight = gap[1:] / (gap[:-1] + gap[1:])
    wing = weight * ask[:-2] + (1 - weight) * ask[2:]
    assert not (bid[1:-1] > wing + SLACK).any(), f"{where}: a butterfly pays"
    x, y = strikes[known], middle[known]
    if len(x) > 2:
        gap = np.diff(x)
        weight = gap[1:] / (gap[:-1] + gap[1:])
        value = weight * y[:-2] + (1 - weight) * y[2:] - y[1:-1]
        assert not (value < -2 * tick - SLACK).any(), f"{where}: mids are not convex, {value.min()}"


def check_calendar(near: tuple, far: tuple, symbol: str) -> None:
    """At equal log moneyness a normalised call grows with the expiry: no near bid above the far ask."""
    near_forward, near_discount, near_strikes, near_bid, _, tick = near
    far_forward, far_discount, far_strikes, _, far_ask, _ = far
    moneyness = near_strikes / near_forward
    inside = (moneyness >= far_strikes[0] / far_forward) & (moneyness <= far_strikes[-1] / far_forward)
    cost = np.interp(moneyness[inside], far_strikes / far_forward, far_ask / (far_discount * far_forward))
    worth = near_bid[inside] / (near_discount * near_forward)
    slack = tick / near_forward
    assert not (worth > cost + slack).any(), (
        f"{symbol}: a calendar spread pays {(worth - cost).max() * near_forward}"
    )


def session_day(calendar: Calendar, exchange: str, at: datetime) -> date:
    """The trading day an instant belongs to: from its first open until the next day's first open."""
    day = day_in_india(at)
    session = calendar.session(exchange, day)
    return day if session is not None and at >= session.open else calendar.previous_session(exchange, day)


class DayWatch:
    """What must hold from one update to the next of a day: volume never falls, ranges widen, opens stay."""

    def __init__(self, calendar: Calendar, hours: str) -> None:
        self._calendar = calendar
        self._grids = {name: SessionGrid(calendar, name, hours) for name in ("NFO", "MCX")}
        self._always = hours == "always"
        self._universe: Universe | None = None
        self._days: dict[str, date] = {}
        self._start_ms = -1
        self._before: dict[str, np.ndarray] = {}

    def check(self, market: Market, now_ms: int) -> None:
        if self._universe is None:
            self._start_ms = now_ms  # a market that starts between sessions is quoted as of its start
        days = {name: self._day(name, now_ms) for name in self._grids}
        contracts = {name: values.copy() for name, values in market.contracts.items()}
        if self._universe is market.universe:
            exchanges = np.array([item.derivatives_exchange for item in market.universe.underlyings])
            expires_ms = np.array([to_ms(item.expiry.expires_at) for item in market.universe.listings])
            lives = (expires_ms > now_ms)[market.universe.listing_row]
            of_commodities = (exchanges == "MCX")[market.universe.underlying_row]
            for name, mine in (("NFO", ~of_commodities), ("MCX", of_commodities)):
                if self._days[name] == days[name]:
                    self._compare(contracts, mine, lives)
        self._universe, self._before, self._days = market.universe, contracts, days

    def quoted_ms(self, exchange: str, as_of_ms: int) -> int:
        """When the quotes that arrived at an instant were made: between sessions, at the last close."""
        at = to_datetime(as_of_ms)
        if self._always or self._calendar.phase(exchange, at).is_open:
            return as_of_ms
        session = self._calendar.session(exchange, session_day(self._calendar, exchange, at))
        assert session is not None
        return as_of_ms if as_of_ms == self._start_ms else min(as_of_ms, to_ms(session.close))

    def _day(self, exchange: str, now_ms: int) -> date:
        if self._always:
            return self._grids[exchange].day_at(now_ms).day
        return session_day(self._calendar, exchange, to_datetime(now_ms))

    def _compare(self, contracts: dict[str, np.ndarray], mine: np.ndarray, lives: np.ndarray) -> None:
        now = {name: values[mine] for name, values in contracts.items()}
        before = {name: values[mine] for name, values in self._before.items()}
        traded = now["volume"] - before["volume"]
        assert (traded >= 0).all(), "volume must not fall within a day"
        moved = np.abs(now["open_interest"] - before["open_interest"])
        assert (moved <= traded).all(), "each lot traded changes open interest by at most one"
        assert not (now["high"] < before["high"]).any(), "a high must not fall within a day"
        assert not (now["low"] > before["low"]).any(), "a low must not rise within a day"
        opened = ~np.isnan(before["open"])
        assert np.array_equal(now["open"][opened], before["open"][opened]), "an open must stay"
        for name in ("previous_close", "previous_open_interest"):
            assert np.array_equal(now[name], before[name], equal_nan=True), f"{name} must stay within a day"
        untouched = (traded == 0) & lives[mine]
        assert np.array_equal(
            now["last_price"][untouched], before["last_price"][untouched], equal_nan=True
        ), "a last price comes from a trade"


def check_underlyings(market: Market) -> None:
    """Prices are known, positive and inside the day's range."""
    table = market.underlyings
    for name in ("last_price", "open", "high", "low", "previous_close"):
        assert (table[name] > 0).all(), name
    assert (table["low"] <= table["last_price"]).all()
    assert (table["last_price"] <= table["high"]).all()
    assert (table["low"] <= table["open"]).all()
    assert (table["open"] <= table["high"]).all()


def check_all(market: Market, now_ms: int, watch: DayWatch | None = None) -> None:
    """Everything that can be seen at one instant, and against the last one."""
    check_underlyings(market)
    check_quotes(market)
    check_trades(market)
    if watch is not None:
        watch.check(market, now_ms)
    check_chains(market, now_ms, watch)
