"""The simulated source: a whole market made from a seed.

It walks on a fixed grid of market time, so its state at an instant is a pure function of the seed and the
start, whatever the steps it is advanced by. Only a step longer than a minute is one step of the path, which
is another path: walking hours half a second at a time would take minutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS, to_datetime
from domain.instruments import Kind
from domain.market import MarketHours, ScenarioName, SourceName
from feed.history.previous_run import PreviousRun
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, Update
from feed.market.universe import Universe
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.activity import Activity
from feed.simulation.bars import Bars, joined
from feed.simulation.contracts.book import Book, RefreshGroup
from feed.simulation.contracts.chains import Chains
from feed.simulation.contracts.listing import (
    refresh_group_of,
    relisted,
    split_universe,
    switched_futures,
    years_between_futures,
)
from feed.simulation.contracts.start import Opening, fill
from feed.simulation.contracts.surface import SurfaceModel, SurfaceStates
from feed.simulation.factors import EQUITY, GROUPS, Effects, FactorModel, FactorState
from feed.simulation.hours import Elapsed, Hours
from feed.simulation.parameters import FloatArray, load_parameters
from feed.simulation.past.volatility import SimulatedVolatilities
from feed.simulation.scenarios import ScenarioState
from feed.simulation.spots import Spots, daily_units
from feed.simulation.start import Start
from feed.simulation.step_context import StepContext

_MARKETS = (("equity", "NSE", "NFO"), ("commodities", "MCX", "MCX"))
GRID_MS = 500  # of the walk; chains take their turns on it
LONGEST_WALK_MS = 60_000
_DAY_WEIGHT = 0.25  # how much of the day's volatility shows in options of the same day, as log variance
_LEVEL_WEIGHT = {Kind.INDEX: 1.0, Kind.STOCK: 0.6, Kind.COMMODITY: 0.6}


class SimulatedSource:
    """A coherent market: correlated underlyings, arbitrage-free chains, trades and open interest.

    With ``hours="always"`` it moves round the clock, quietly outside the session, and a trading day
    begins at the close of the one before. With ``hours="exchange"`` nothing moves outside the session,
    and a day begins at its open, with a gap. With what is ``carried`` of an earlier run its prices go on
    from there. The arrays of an update are copies: the source does not
    change them later.
    """

    name: str = SourceName.SIMULATED
    SCENARIOS: tuple[str, ...] = tuple(ScenarioName)

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        catalogue: Catalogue,
        calendar: Calendar,
        *,
        seed: int,
        start_ms: int,
        hours: str = MarketHours.ALWAYS,
        scenario: str = "calm",
        interest_rate: float = 0.065,
        previous_run: PreviousRun | None = None,
    ) -> None:
        if hours not in tuple(MarketHours):
            raise ValueError(f"hours must be one of {', '.join(MarketHours)}, was {hours!r}")
        self._catalogue = catalogue
        self._always = hours == MarketHours.ALWAYS
        self._seed = seed
        self._parameters = load_parameters()
        self._rng = np.random.default_rng((seed, 0))
        self._scenario = ScenarioState(scenario)
        underlyings = catalogue.underlyings
        self._model = FactorModel(underlyings, self._parameters)
        self._surface = SurfaceModel(underlyings, self._parameters, interest_rate)
        self._level_weight = np.array([_LEVEL_WEIGHT[underlying.kind] for underlying in underlyings])
        self._calendar = calendar
        self._begin(start_ms, previous_run)

    def _begin(self, start_ms: int, previous_run: PreviousRun | None) -> None:
        underlyings, calendar = self._catalogue.underlyings, self._calendar
        tables = self._parameters["activity"]
        activities = [
            Activity(calendar, spot, exchange, tables[name], start_ms) for name, spot, exchange in _MARKETS
        ]
        units = daily_units(underlyings, self._parameters)
        self._hours = Hours(activities, start_ms, always=self._always)
        self.start = Start(
            calendar,
            underlyings,
            self._model,
            activities,
            units,
            seed=self._seed,
            start_ms=start_ms,
            always=self._always,
            previous_run=previous_run,
        )
        self._past_volatility = SimulatedVolatilities(
            calendar,
            self._catalogue,
            self._model,
            self._surface,
            activities,
            self.start.backfill,
            latest=self.start.latest,
            level_weight=self._level_weight,
            seed=self._seed,
        )
        self._spots = Spots(underlyings, units)
        self.start.fill(self._spots)
        self._factors = FactorState(
            self._model, np.log(self.start.last_price), self.start.slow, np.log(self.start.base)
        )
        self.universe = Universe.build(self._catalogue, to_datetime(start_ms), self.start.last_price)
        self._new_universe: Universe | None = None
        self._take_book(self.universe)
        self._fill_book(start_ms)
        self._spots.widen()
        self._splits = self._catalogue.actions.after(start_ms, self.universe.row_of)
        self._touched: dict[tuple[int, int], RefreshGroup] = {}
        self._moved = False
        self._everything_new = True
        self._relist_due = False

    @property
    def step_ms(self) -> int:
        """How often something happens: no more is to be expected of a shorter publish interval."""
        return GRID_MS

    @property
    def scenario(self) -> str:
        """Name of the scenario in force."""
        return self._scenario.name

    def set_scenario(self, name: str, now_ms: int) -> None:
        """Go over to another scenario from ``now_ms`` on; raises ValueError where none has that name."""
        self._scenario.choose(name)

    def daily_candles(self, symbol: str, sessions: int) -> Bars:
        """Daily bars of the last complete sessions, ascending; raises UnknownSymbol."""
        return self.start.backfill.daily(self._row(symbol), sessions)

    def minute_candles(self, symbol: str, sessions: int) -> Bars:
        """Minute bars of those sessions and of the day in course up to the start; raises UnknownSymbol."""
        row = self._row(symbol)
        bars = self.start.backfill.minutes(row, sessions)
        today = self.start.today[self._model.group[row]]
        return bars if today is None else joined([bars, today.candles(row)])

    def session_volatilities(self, symbol: str, sessions: int) -> Bars:
        """``atm_iv`` of the near month at the end of the last sessions, ``time_ms`` of their openings.

        Ascending. Raises UnknownSymbol.
        """
        return self._past_volatility.sessions(self._row(symbol), sessions)

    def _row(self, symbol: str) -> int:
        self._catalogue[symbol]
        return self.universe.row_of[symbol]

    def advance(self, now_ms: int) -> Update | None:
        """What happened up to the last instant of the grid not after ``now_ms``; None where nothing did.

        At the instant of an expiry the settled contracts are shown; after it there is the new listing.
        """
        self._touched = {}
        self._moved = False
        for instant_ms in self._path_to(now_ms):
            self._relist_due |= self._hours.reread()
            self._go_to(instant_ms)
        if self._everything_new:
            return self._whole_update()
        return self._partial_update() if self._moved else None

    def _path_to(self, now_ms: int) -> Iterable[int]:
        """The instants to go through: those of the grid, but only the last of a long step."""
        since_ms = self._hours.now_ms
        first_ms = since_ms - since_ms % GRID_MS + GRID_MS
        if now_ms - first_ms < LONGEST_WALK_MS:
            return range(first_ms, now_ms + 1, GRID_MS)
        return (now_ms - now_ms % GRID_MS,)

    def stops(self, now_ms: int) -> list[int]:
        """Where to stop and record on the way to ``now_ms``: at the last and the first instant of a minute.

        So a minute's candles and its last state are the same at any pace; a long step does not stop.
        """
        path = self._path_to(now_ms)
        edges = (0, MINUTE_MS - GRID_MS)
        return [at_ms for at_ms in path if at_ms % MINUTE_MS in edges and at_ms < now_ms] + [now_ms]

    def restart(self, now_ms: int) -> None:
        """Go on from the prices there are; the next update tells everything, what is listed included.

        A path cannot go back: where the clock was set back, another one begins at the same prices.
        """
        if now_ms < self._hours.now_ms:
            prices = self._spots.fields
            until_ms = np.full(self._model.count, now_ms)
            self._begin(
                now_ms, PreviousRun(until_ms, **{name: prices[name].copy() for name in UNDERLYING_FIELDS})
            )
            self._new_universe = self.universe
        self._relist_due = self._everything_new = True

    def _partial_update(self) -> Update:
        now_ms, spots, spot_range = self._hours.now_ms, self._spot_values(), self._spots.range()
        refresh_groups = list(self._touched.values())
        if not refresh_groups:
            return Update(now_ms, spots, underlying_range=spot_range, heard_ms=self._heard_ms())
        refresh_groups = next(
            ([refresh_group] for refresh_group in refresh_groups if refresh_group.is_whole), refresh_groups
        )
        rows, values = self._chains.contract_values(refresh_groups)
        return Update(
            now_ms,
            spots,
            values,
            contract_rows=rows,
            underlying_range=spot_range,
            contract_range=self._chains.ranges(refresh_groups),
            heard_ms=self._heard_ms(),
        )

    def _heard_ms(self) -> NDArray[np.int64]:
        """A chain that does not move is quiet; it is there."""
        return np.full(len(self.universe.listings), self._hours.now_ms)

    def _whole_update(self) -> Update:
        self._everything_new = False
        universe, self._new_universe = self._new_universe, None
        return Update(
            self._hours.now_ms,
            self._spot_values(),
            {name: self._chains.book.table(name) for name in CONTRACT_FIELDS},
            universe=universe,
            underlying_range=self._spots.range(),
            contract_range=self._chains.whole_range(),
        )

    def _spot_values(self) -> dict[str, FloatArray]:
        return {name: values.copy() for name, values in self._spots.fields.items()}

    def _go_to(self, now_ms: int) -> None:
        while self._splits and self._splits[0][0] <= now_ms:
            at_ms, factors = self._splits.pop(0)
            self._walk_to(at_ms)
            self._split(at_ms, factors)
        self._walk_to(now_ms)

    def _walk_to(self, now_ms: int) -> None:
        while (event := self._hours.next_event())[0] <= now_ms:
            instant_ms, group, opens = event
            if instant_ms > self._hours.now_ms:
                self._move_by_way_of_edges(instant_ms, everything=True)
            if opens:
                self._hours.open(group)
                self._begin_day(group)
                self._move_to(instant_ms, everything=True)  # the night's gap
            else:
                self._close_day(group)
        if now_ms > self._hours.now_ms:
            self._move_by_way_of_edges(now_ms, everything=now_ms - self._hours.now_ms > GRID_MS)

    def _move_by_way_of_edges(self, now_ms: int, *, everything: bool) -> None:
        """Move; a long step stops where shares end a halt and where they close, as short ones do."""
        edges = self._scenario.halted_until_ms, self._hours.days[EQUITY].spot_close_ms
        for edge_ms in sorted(edges):
            if self._hours.now_ms < edge_ms < now_ms:
                self._move_to(edge_ms, everything=everything)
        self._move_to(now_ms, everything=everything)

    def _close_day(self, group: int) -> None:
        """Settle what expires, and begin the next day where days follow each other without a pause."""
        self._chains.settle(group, self._hours.now_ms, self._spots.last_price)
        if self._always:
            self._begin_day(group)
        self._hours.close(group)
        self._relist_due = self._everything_new = True

    def _begin_day(self, group: int) -> None:
        self._spots.roll(self._model.group == group)
        self._chains.roll(group)
        self._scenario.begin_day()
        self._everything_new = True

    def _split(self, now_ms: int, splits: dict[str, float]) -> None:
        """Count some shares as more: prices and strikes divided, what was the close too."""
        rows = self.universe.row_of
        factors = np.ones(self._model.count)
        for symbol, factor in splits.items():
            factors[rows[symbol]] = factor
        self._spots.rescale(1.0 / factors)
        self._factors.log_price -= np.log(factors)
        self._factors.base -= np.log(factors)
        before = self._chains
        universe = split_universe(self.universe, self._catalogue, to_datetime(now_ms), splits)
        self._take_book(universe)
        book = self._chains.book
        self._chains.become(before, factors[book.listing_underlying][book.listing])
        self._new_universe = self.universe = universe
        self._relist_due = self._everything_new = True

    def _move_to(self, now_ms: int, *, everything: bool) -> None:
        """Advance prices, quotes and trades; nothing opens or closes before ``now_ms``."""
        if self._relist_due:
            self._relist(now_ms)
        halted = np.array([self._scenario.is_halted(self._hours.now_ms), False])
        elapsed = self._hours.step(now_ms, halted)
        if not elapsed.moving.any():
            return
        self._moved = True
        self._factors.step(self._rng, elapsed.variance, elapsed.minutes, self._effects(elapsed))
        self._move_spots(now_ms, elapsed)
        refresh_groups = self._chains.refresh(
            self._context(now_ms),
            self._scenario.effect(),
            elapsed.moving,
            self._hours.volume,
            everything=everything or bool(elapsed.opened.any()),
        )
        self._touched.update(
            {
                (refresh_group.pairs.start, refresh_group.pairs.stop): refresh_group
                for refresh_group in refresh_groups
            }
        )
        self._scenario.watch(now_ms, self._benchmark_change())

    def _effects(self, elapsed: Elapsed) -> Effects:
        benchmark = self._model.benchmark
        return self._scenario.step(
            elapsed.minutes,
            float(elapsed.variance[EQUITY]),
            opens=self._hours.begins_session(EQUITY, elapsed),
            log_price=float(self._factors.log_price[benchmark]),
            strike_step=self._catalogue.underlyings[benchmark].strike_step,
        )

    def _benchmark_change(self) -> float:
        fields, row = self._spots.fields, self._model.benchmark
        return float(fields["last_price"][row] / fields["previous_close"][row] - 1.0)

    def _move_spots(self, now_ms: int, elapsed: Elapsed) -> None:
        spots, group = self._spots, self._model.group
        ticking = elapsed.moving.copy()
        ticking[EQUITY] &= not self._hours.spot_stands(now_ms)
        spots.publish(self._factors.log_price, ticking[group])
        if elapsed.opened.any():
            spots.open_at_last(elapsed.opened[group])
        spots.trade(self._rng, (elapsed.volume * ticking * self._scenario.effect().volume)[group])

    def _context(self, now_ms: int) -> StepContext:
        factors, model, spot = self._factors, self._model, self._spots.last_price
        ahead = (model.group == EQUITY) & self._hours.spot_stands(now_ms)
        future = np.where(ahead, np.exp(factors.log_price), spot)
        slow = factors.slow[model.group] * self._level_weight
        states = SurfaceStates(
            model.implied_volatility,
            slow + factors.own_implied,
            _DAY_WEIGHT * factors.day[model.group],
            factors.premium,
        )
        clock = self._hours.variance_at(now_ms)[self._chains.listing_group]
        return StepContext(now_ms, spot, future, np.maximum(self._variance_at_expiry - clock, 0.0), states)

    def _relist(self, now_ms: int) -> None:
        """List what is listed now; contracts that stay keep their state."""
        self._relist_due = False
        universe = relisted(self.universe, self._catalogue, to_datetime(now_ms), self._spots.last_price)
        before = self._chains
        self._take_book(universe)
        is_new = self._chains.take_over(before)
        if universe is not self.universe:
            self._switch_futures(universe)
            self._new_universe = self.universe = universe
        self._chains.begin(self._context(now_ms), self._scenario.effect(), is_new)
        for group in np.flatnonzero(self._hours.moving()).tolist():
            self._chains.quote_group(group)
        self._everything_new = True

    def _switch_futures(self, universe: Universe) -> None:
        """A commodity's price is that of the future its nearest options are on: go over to the next one."""
        years = switched_futures(self._catalogue, self.universe, universe)
        ratio = np.exp(self._surface.carry_rate * years)
        self._spots.rescale(ratio)
        self._factors.log_price += np.log(ratio)

    def _take_book(self, universe: Universe) -> None:
        days = self._hours.trading_days()
        book = Book(universe, lambda listing: refresh_group_of(listing, universe, days))
        self._chains = Chains(
            book,
            self._surface,
            self._parameters,
            self._rng,
            seed=self._seed,
            years_between_futures=years_between_futures(self._catalogue, book.listings, universe),
            hours=self._hours,
        )
        self._variance_at_expiry = np.empty(len(book.listings))
        for group in range(GROUPS):
            mine = self._chains.listing_group == group
            self._variance_at_expiry[mine] = self._hours.variance_to(
                book.expires_ms[mine], group, self._surface.sessions_per_year
            )

    def _fill_book(self, now_ms: int) -> None:
        """The contracts at the start."""
        start = self.start
        closes = start.previous_close
        before = replace(self._context(max(start.since_ms)), spot=closes, future=closes)
        traded = (self._hours.volume - self._hours.volume_at(start.since_ms))[self._model.group]
        now = self._context(now_ms)
        opening = Opening(before, now, start.range, traded, self._scenario.effect())
        fill(self._chains, self._rng, opening)
