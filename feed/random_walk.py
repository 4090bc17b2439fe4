"""The simulated source: a whole market made from a seed.

Its path is a pure function of the seed, the start, and the instants it is advanced to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from feed.calendar import Calendar
from feed.clock import to_datetime
from feed.instruments import Catalogue
from feed.simulation.activity import MINUTE_MS, Activity
from feed.simulation.backfill import Bars, joined
from feed.simulation.book import Book, Lane
from feed.simulation.chains import Chains, Situation
from feed.simulation.contracts_start import fill
from feed.simulation.factors import EQUITY, GROUPS, FactorModel, FactorState
from feed.simulation.listing import lane_of, relisted, years_between_futures
from feed.simulation.parameters import FloatArray, Parameters, load_parameters
from feed.simulation.scenarios import SCENARIOS, ScenarioState
from feed.simulation.spots import Spots, daily_units
from feed.simulation.start import Start
from feed.simulation.surface import SurfaceModel, SurfaceStates
from feed.source import CONTRACT_FIELDS, Update
from feed.universe import Universe

HOURS = ("always", "exchange")
_SHOW_SETTLED_MS = 60_000  # a step longer than this past an expiry goes straight to the new listing
_MARKETS = (("equity", "NSE", "NFO"), ("commodities", "MCX", "MCX"))
_LONG_STEP_MS = 5_000  # a longer step refreshes every chain
_LEVEL_WEIGHT = {"index": 1.0, "stock": 0.6, "commodity": 0.6}


class SimulatedSource:
    """A coherent market: correlated underlyings, arbitrage-free chains, trades and open interest.

    With ``hours="always"`` it moves round the clock, quietly outside the session, and a trading day begins at the close of
    the one before. With ``hours="exchange"`` nothing moves outside the session, and a day begins at its open, with a gap.
    The arrays of an update are copies: the source does not change them later.
    """

    name = "simulated"
    SCENARIOS: tuple[str, ...] = tuple(SCENARIOS)

    def __init__(
        self,
        catalogue: Catalogue,
        calendar: Calendar,
        *,
        seed: int,
        start_ms: int,
        hours: str = "always",
        scenario: str = "calm",
        interest_rate: float = 0.065,
    ) -> None:
        if hours not in HOURS:
            raise ValueError(f"hours must be one of {', '.join(HOURS)}, was {hours!r}")
        self._catalogue = catalogue
        self._always = hours == "always"
        self._seed = seed
        self._last_ms = start_ms
        self._parameters = load_parameters()
        self._rng = np.random.default_rng((seed, 0))
        self._scenario = ScenarioState(scenario)
        tables = self._parameters["activity"]
        self._activities = [
            Activity(calendar, spot, exchange, tables[name], start_ms) for name, spot, exchange in _MARKETS
        ]
        underlyings = catalogue.underlyings
        self._model = FactorModel(underlyings, self._parameters)
        self._surface = SurfaceModel(underlyings, self._parameters, interest_rate)
        self._level_weight = np.array([_LEVEL_WEIGHT[underlying.kind] for underlying in underlyings])
        units = daily_units(underlyings, self._parameters)
        self._spots = Spots(underlyings, units)
        self._start = Start(
            calendar,
            underlyings,
            self._model,
            self._activities,
            units,
            seed=seed,
            start_ms=start_ms,
            always=self._always,
        )
        self._start.fill(self._spots)
        self._factors = FactorState(self._model, np.log(self._start.last_price), self._start.slow)
        self._days = [activity.day_of(start_ms) for activity in self._activities]
        self._in_session = [not self._always and day.open_ms <= start_ms for day in self._days]
        self._opening = np.zeros(GROUPS, dtype=bool)
        # with exchange hours the clocks stand between sessions, so the night comes as one gap
        clocks_ms = [
            start_ms if self._always or inside else latest.close_ms
            for inside, latest in zip(self._in_session, self._start.latest, strict=True)
        ]
        pairs = list(zip(self._activities, clocks_ms, strict=True))
        self._variance = np.array([activity.variance_at(at_ms) for activity, at_ms in pairs])
        self._volume = np.array([activity.volume_at(at_ms) for activity, at_ms in pairs])
        self.universe = Universe.build(catalogue, to_datetime(start_ms), self._start.last_price)
        self._new_universe: Universe | None = None
        self._take_book(self.universe, start_ms)
        self._fill_book(start_ms)
        self._everything_new = True
        self._relist_due = False

    @property
    def scenario(self) -> str:
        """Name of the scenario in force."""
        return self._scenario.name

    def set_scenario(self, name: str, now_ms: int) -> None:
        """Go over to another scenario from ``now_ms`` on; raises ValueError where there is none of that name."""
        self._scenario.choose(name)

    def daily_candles(self, symbol: str, sessions: int) -> Bars:
        """Daily bars of the last complete sessions, ascending; raises UnknownSymbol."""
        return self._start.backfill.daily(self._row(symbol), sessions)

    def minute_candles(self, symbol: str, sessions: int) -> Bars:
        """Minute bars of those sessions and of the day in course up to the start; raises UnknownSymbol."""
        row = self._row(symbol)
        bars = self._start.backfill.minutes(row, sessions)
        today = self._start.today[self._model.group[row]]
        return bars if today is None else joined([bars, today.candles(row)])

    def _row(self, symbol: str) -> int:
        self._catalogue[symbol]
        return self.universe.row_of[symbol]

    def advance(self, now_ms: int) -> Update | None:
        """What happened up to ``now_ms``; None where nothing can have changed.

        A step across an expiry ends there when it is short: the settled contracts are shown once, and the next step goes
        on from that instant with the new listing.
        """
        self._touched: list[Lane] = []
        self._moved = False
        if now_ms > self._last_ms:
            self._go_to(now_ms)
        if self._everything_new:
            return self._whole_update(now_ms)
        if not self._moved:
            return None
        rows, values = self._chains.contract_values(self._touched) if self._touched else (None, {})
        return Update(now_ms, self._spot_values(), values, None, rows)

    def _whole_update(self, now_ms: int) -> Update:
        self._everything_new = False
        universe, self._new_universe = self._new_universe, None
        contracts = {name: self._chains.book.table(name) for name in CONTRACT_FIELDS}
        return Update(now_ms, self._spot_values(), contracts, None, None, universe)

    def _spot_values(self) -> dict[str, FloatArray]:
        return {name: values.copy() for name, values in self._spots.fields.items()}

    def _go_to(self, now_ms: int) -> None:
        while (event := self._next_event())[0] <= now_ms:
            instant_ms, group, opens = event
            if instant_ms > self._last_ms:
                self._move_to(instant_ms, everything=True)
            settled = self._open_day(group) if opens else self._close_day(group)
            if settled and now_ms - instant_ms <= _SHOW_SETTLED_MS:
                return
        if now_ms > self._last_ms:
            self._move_to(now_ms, everything=now_ms - self._last_ms >= _LONG_STEP_MS)

    def _next_event(self) -> tuple[int, int, bool]:
        """The next open or close: instant, group, whether it is an open. With ``always`` a day has no open."""
        events = []
        for group, day in enumerate(self._days):
            opens = not (self._always or self._in_session[group])
            events.append((day.open_ms if opens else day.close_ms, group, opens))
        return min(events)

    def _open_day(self, group: int) -> bool:
        """A day begins with the session: its first price comes with the next step."""
        self._in_session[group] = True
        self._begin_day(group)
        self._opening[group] = True
        return False

    def _close_day(self, group: int) -> bool:
        """The session ends: settle what expires, begin the next day where days follow each other without a pause."""
        settled = self._chains.settle(group, self._last_ms, self._spots.last_price)
        self._in_session[group] = False
        if self._always:
            self._begin_day(group)
        activity = self._activities[group]
        activity.extend(self._last_ms)
        self._days[group] = activity.day_of(self._last_ms)
        self._relist_due = self._everything_new = True
        return settled

    def _begin_day(self, group: int) -> None:
        self._spots.roll(self._model.group == group)
        self._chains.roll(group, self._last_ms)
        self._everything_new = True

    def _move_to(self, now_ms: int, *, everything: bool) -> None:
        """Advance prices, quotes and trades; nothing opens or closes before ``now_ms``."""
        if self._relist_due:
            self._relist(now_ms)
        minutes = (now_ms - self._last_ms) / MINUTE_MS
        moving = np.array([self._always or inside for inside in self._in_session])
        variance = np.zeros(GROUPS)
        volume = np.zeros(GROUPS)
        for group in np.flatnonzero(moving).tolist():
            activity = self._activities[group]
            clocks = activity.variance_at(now_ms), activity.volume_at(now_ms)
            variance[group] = clocks[0] - self._variance[group]
            volume[group] = clocks[1] - self._volume[group]
            self._variance[group], self._volume[group] = clocks
        self._last_ms = now_ms
        if not moving.any():
            return
        self._moved = True
        self._factors.step(
            self._rng, variance, minutes, self._scenario.step(minutes, float(variance[EQUITY]))
        )
        self._move_spots(now_ms, moving, volume)
        self._move_chains(now_ms, moving, everything)

    def _move_spots(self, now_ms: int, moving: NDArray[np.bool_], volume: FloatArray) -> None:
        spots, group = self._spots, self._model.group
        day = self._days[EQUITY]
        ticking = moving.copy()
        ticking[EQUITY] &= not day.spot_close_ms < now_ms < day.close_ms
        spots.publish(self._factors.log_price, ticking[group])
        for opened in np.flatnonzero(self._opening & moving).tolist():
            spots.open_at_last(group == opened)
            self._opening[opened] = False
        spots.trade(self._rng, (volume * ticking * self._scenario.mood().volume)[group])

    def _move_chains(self, now_ms: int, moving: NDArray[np.bool_], everything: bool) -> None:
        situation = self._situation(now_ms)
        self._touched = self._chains.refresh(
            situation, self._scenario.mood(), moving, self._volume, everything=everything
        )

    def _situation(self, now_ms: int) -> Situation:
        factors, spot = self._factors, self._spots.last_price
        ticking = self._days[EQUITY]
        frozen = ticking.spot_close_ms < now_ms < ticking.close_ms
        future = np.where((self._model.group == EQUITY) & frozen, np.exp(factors.log_price), spot)
        return Situation(now_ms, spot, future, self._variance_to_expiry(now_ms), self._surface_states())

    def _surface_states(self) -> SurfaceStates:
        model, factors = self._model, self._factors
        slow = factors.slow[model.group] * self._level_weight
        return SurfaceStates(
            model.implied_volatility,
            slow + factors.own_implied,
            0.25 * factors.day[model.group],
            factors.premium,
        )

    def _variance_to_expiry(self, now_ms: int) -> FloatArray:
        now = np.array([activity.variance_at(now_ms) for activity in self._activities])
        left: FloatArray = np.maximum(self._variance_at_expiry - now[self._chains.listing_group], 0.0)
        return left

    def _relist(self, now_ms: int) -> None:
        """List what is listed now; contracts that stay keep their state."""
        self._relist_due = False
        universe = relisted(self.universe, self._catalogue, to_datetime(now_ms), self._spots.last_price)
        before = self._chains
        self._take_book(universe, now_ms)
        self._chains.take_over(before)
        if universe is not self.universe:
            self._new_universe = self.universe = universe
        self._chains.begin_new(self._situation(now_ms), self._scenario.mood())
        self._everything_new = True

    def _take_book(self, universe: Universe, now_ms: int) -> None:
        book = Book(universe, lambda listing: lane_of(listing, universe, now_ms))
        self._chains = Chains(
            book,
            self._surface,
            self._parameters,
            self._rng,
            seed=self._seed,
            years_between_futures=years_between_futures(self._catalogue, book.listings, universe),
            now_ms=now_ms,
            volume=self._volume,
        )
        self._variance_at_expiry = np.empty(len(book.listings))
        for group, activity in enumerate(self._activities):
            mine = self._chains.listing_group == group
            self._variance_at_expiry[mine] = activity.variance_until(
                book.expires_ms[mine], self._surface.sessions_per_year
            )

    def _fill_book(self, now_ms: int) -> None:
        """The contracts at the start."""
        start, group = self._start, self._model.group
        since = [float(self._activities[g].volume_at(start.since_ms[g])) for g in range(GROUPS)]
        now = self._situation(now_ms)
        close_ms = max(start.since_ms)
        before = replace(self._situation(close_ms), spot=start.previous_close, future=start.previous_close)
        fill(
            self._chains,
            self._rng,
            before,
            now,
            start.range,
            (self._volume - since)[group],
            self._scenario.mood(),
        )
