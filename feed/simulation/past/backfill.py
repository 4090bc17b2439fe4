"""Prices before the start: minute by minute, seeded, ending where the live path begins.

Past sessions come in blocks, counted backwards from the start, so that any span can be asked for in any
order and is the same. A daily bar is its minutes taken together. An index all of whose constituents are
here is their weighted sum in each minute, with the weights that the live path begins with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.instants import MINUTE_MS
from feed.reference.calendar import Calendar
from feed.reference.corporate_actions import corporate_actions
from feed.reference.instruments import Underlying
from feed.simulation.activity import Activity, ActivityDay
from feed.simulation.bars import Bars, Path, as_bars, bridged, joined, round_to
from feed.simulation.factors import EQUITY, GROUPS, FactorModel
from feed.simulation.parameters import FloatArray

BLOCK = 32
MOST_SESSIONS = 1600
_CACHED_BLOCKS = 16
_TWIN_DEVIATION = 0.0001


@dataclass(frozen=True, slots=True)
class Block:
    """Sessions in order of time: (sessions, 1 + minutes), column 0 the night before."""

    days: tuple[ActivityDay, ...]
    deviation: FloatArray  # of a unit of daily volatility
    volume: FloatArray  # of a day's
    moves: NDArray[np.float32]  # (sessions, 1 + minutes, factors of the group)
    is_minute: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class IndexBlock:
    """Indices over a block: (indices, sessions, 1 + minutes).

    ``level`` is the logarithm against where the past ends, ``pull`` what the return drawn for the index had
    over that of its constituents, which they follow; ``members`` : (members,) where they begin the block.
    """

    level: NDArray[np.float32]
    pull: NDArray[np.float32]
    members: FloatArray


class SimulatedPast:
    """The sessions before the start.

    ``latest`` : (groups,) the latest complete one, which ended at ``closes`` : (underlyings,) with the
    volatility states ``slow`` : (groups,). Bars before a split are of the shares that there
    were then, as they were traded; ``closes`` are of those of ``today``.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        calendar: Calendar,
        underlyings: Sequence[Underlying],
        model: FactorModel,
        activities: Sequence[Activity],
        daily_units: FloatArray,
        *,
        seed: int,
        latest: Sequence[ActivityDay],
        slow: FloatArray,
        closes: FloatArray,
        today: date,
    ) -> None:
        self._calendar = calendar
        self._underlyings = underlyings
        self._model = model
        self._activities = activities
        self._daily_units = daily_units
        self._seed = seed
        self._latest = latest
        self._last_close = closes
        self._today = today
        self._slow = self._past_slow_states(slow)
        self._parent = dict(zip(model.twins.tolist(), model.parents.tolist(), strict=True))
        # float32, and only the group's factors: two years of both groups are some 20 MB
        self.block = lru_cache(maxsize=2 * _CACHED_BLOCKS)(self._make_block)
        # half a megabyte each; two years are sixteen
        self._indices = cache(self._make_indices)
        self._index = {row: place for place, row in enumerate(model.baskets.indices.tolist())}
        self._member = {row: place for place, row in enumerate(model.baskets.members.tolist())}
        self._factors = [np.flatnonzero(model.factor_group == group) for group in range(GROUPS)]

    def end_at(self, closes: FloatArray) -> None:
        """Let the latest session end at other prices: the same returns, another level."""
        self._last_close = closes

    def _past_slow_states(self, slow: FloatArray) -> FloatArray:
        """Slow states at the end of each past session, latest first.

        A stationary path looks the same backwards.
        """
        v = self._model.volatility
        rng = np.random.default_rng((self._seed, 1))
        keep = np.exp(-v["slow_reversion"])
        states = np.empty((MOST_SESSIONS + BLOCK + 1, GROUPS))
        states[0] = slow
        noise = rng.standard_normal(states.shape) * self._slow_deviation()
        for index in range(1, len(states)):
            states[index] = states[index - 1] * keep + noise[index]
        return states

    def slow_states(self, group: int, sessions: int) -> FloatArray:
        """The slow volatility state at the end of the last sessions, latest first: (sessions,)."""
        return self._slow[:sessions, group]

    def _slow_deviation(self) -> float:
        v = self._model.volatility
        by_returns = v["slow_return_slope"] * self._model.daily_volatility[self._model.benchmark]
        return float(np.hypot(v["slow_noise"], by_returns))

    def _sessions(self, group: int, block: int) -> tuple[ActivityDay, ...]:
        activity = self._activities[group]
        if block == 0:
            days = [self._latest[group]]
        else:
            first = self.block(group, block - 1).days[0].day
            days = [activity.trading_day(self._calendar.previous_session(activity.exchange, first))]
        while len(days) < BLOCK:
            days.append(
                activity.trading_day(self._calendar.previous_session(activity.exchange, days[-1].day))
            )
        return tuple(reversed(days))

    def _make_block(self, group: int, block: int) -> Block:
        days = self._sessions(group, block)
        rng = np.random.default_rng((self._seed, 2, group, block))
        variance, volume, is_minute = _shares(days)
        slow = self._slow[block * BLOCK : (block + 1) * BLOCK + 1, group][::-1]
        multiple = volatility_path(self._model, variance, slow[1:], rng)
        deviation = np.sqrt(variance) * multiple
        shape = (*variance.shape, len(self._factors[group]))
        moves = rng.standard_normal(shape, dtype=np.float32) * deviation[..., None]
        if group == EQUITY:
            self._add_market_jumps(moves, variance, rng)
            self._lean_on_volatility(moves, deviation, slow, rng)
        return Block(days, deviation, volume, moves.astype(np.float32), is_minute)

    def _add_market_jumps(self, moves: FloatArray, variance: FloatArray, rng: np.random.Generator) -> None:
        jumps = self._model.jumps
        size = jumps["market_size"] / self._model.daily_volatility[self._model.benchmark]
        count = rng.poisson(jumps["market_per_day"] * variance)
        moves[..., 0] += rng.standard_normal(variance.shape) * np.sqrt(count) * size

    def _lean_on_volatility(
        self, moves: FloatArray, deviation: FloatArray, slow: FloatArray, rng: np.random.Generator
    ) -> None:
        """Bend each day's market path to a return that goes with what volatility did that day."""
        v, model = self._model.volatility, self._model
        total = self._slow_deviation()
        innovation = (slow[1:] - slow[:-1] * np.exp(-v["slow_reversion"])) / total
        correlation = v["slow_return_slope"] * model.daily_volatility[model.benchmark] / total
        own = rng.standard_normal(len(innovation)) * np.sqrt(1 - correlation**2)
        weight = np.square(deviation)
        days_variance = weight.sum(axis=1)
        target = (correlation * innovation + own) * np.sqrt(days_variance)
        surplus = moves[..., 0].sum(axis=1) - target
        moves[..., 0] -= weight * (surplus / days_variance)[:, None]

    def _paths(self, row: int, sessions: int) -> Iterator[tuple[Block, Path]]:
        """Blocks and bars of an underlying, latest block first; the first ends at its last close."""
        group = int(self._model.group[row])
        end = float(np.log(self._last_close[row]))
        for number in range(-(-min(sessions, MOST_SESSIONS) // BLOCK)):
            block = self.block(group, number)
            leader = self._parent.get(row, row)
            rng = np.random.default_rng((self._seed, 3, leader, number))
            if row in self._index:
                log_price = np.log(self._last_close[row]) + self._indices(number).level[self._index[row]]
                yield block, self._bars(row, block, log_price, rng)
                continue
            returns = self._returns(leader, block, rng)
            if row in self._member:
                answers = self._model.baskets.answers[self._member[row]]
                returns += np.tensordot(answers, self._indices(number).pull, 1)
            log_price, start = _ending_at(end, returns)
            yield block, self._bars(row, block, log_price, rng)
            end = start

    def _make_indices(self, number: int) -> IndexBlock:
        """The indices over a block, from the paths that their constituents have.

        As in `Baskets.tie` the constituents give way, so that an index is as volatile as it was drawn; here
        in one linear step, and what is left of the difference the index takes.
        """
        baskets, block = self._model.baskets, self.block(EQUITY, number)
        ends = self._indices(number - 1).members if number else np.zeros(len(baskets.members))

        def drawn(rows: NDArray[np.intp]) -> FloatArray:
            chances = (np.random.default_rng((self._seed, 3, row, number)) for row in rows.tolist())
            return np.stack(
                [self._returns(row, block, rng) for row, rng in zip(rows.tolist(), chances, strict=True)]
            )

        members = drawn(baskets.members)
        pull = (drawn(baskets.indices) - np.tensordot(baskets.weights, members, 1)).astype(np.float32)
        members += np.tensordot(baskets.answers, pull, 1)
        starts = np.empty_like(ends)
        for place, returns in enumerate(members):
            members[place], starts[place] = _ending_at(ends[place], returns)
        np.exp(members, out=members)
        level = np.log(np.tensordot(baskets.weights, members, 1)).astype(np.float32)
        return IndexBlock(level, pull, starts)

    def _returns(self, row: int, block: Block, rng: np.random.Generator) -> FloatArray:
        model, jumps = self._model, self._model.jumps
        own = rng.standard_normal(block.deviation.shape, dtype=np.float32) * block.deviation
        count = rng.poisson(jumps["own_per_day"] * len(block.days))
        size = jumps["own_size"] / model.daily_volatility[row]
        places = rng.integers(own.size, size=count)
        own.ravel()[places] += rng.standard_normal(count) * size * (block.deviation.ravel()[places] > 0)
        loadings = model.loadings[row, self._factors[model.group[row]]]
        return model.daily_volatility[row] * (block.moves @ loadings + model.own[row] * own)

    def _bars(self, row: int, block: Block, log_price: FloatArray, rng: np.random.Generator) -> Path:
        if row in self._parent:
            away = (
                np.random.default_rng((self._seed, 4, row)).standard_normal(log_price.shape) * _TWIN_DEVIATION
            )
            away *= block.deviation > 0
            away[-1, np.flatnonzero(block.deviation[-1])[-1] :] = 0.0
            log_price = log_price + away
        noise = rng.random((2, *log_price[:, 1:].shape))
        deviation = self._model.daily_volatility[row] * block.deviation[:, 1:]
        path = bridged(log_price, deviation, noise, self._underlyings[row].spot_tick_size)
        activity = np.exp(
            0.25 * rng.standard_normal(block.volume.shape) + 0.2 * rng.standard_normal((BLOCK, 1))
        )
        volume = np.rint(self._daily_units[row] * block.volume * activity)[:, 1:]
        volume *= block.deviation[:, 1:] > 0
        return Path(path.open, path.high, path.low, path.close, volume)

    def minutes(self, row: int, sessions: int) -> Bars:
        """Minute bars of the last sessions, ascending."""
        parts: list[Bars] = []
        for block, path in self._paths(row, sessions):
            first = max(0, BLOCK - (sessions - BLOCK * len(parts)))
            parts.append(_minute_bars(block, path, first))
        return self._as_traded(row, joined(parts[::-1]))

    def daily(self, row: int, sessions: int, *, as_traded: bool = True) -> Bars:
        """Daily bars of the last sessions, ascending, labelled with the opening."""
        parts = [_daily_bars(block, path) for block, path in self._paths(row, sessions)]
        bars = joined(parts[::-1])
        bars = {name: values[-sessions:] if sessions else values[:0] for name, values in bars.items()}
        return self._as_traded(row, bars) if as_traded else bars

    def _as_traded(self, row: int, bars: Bars) -> Bars:
        """Bars of the shares that there were at the time."""
        underlying = self._underlyings[row]
        times = bars["time_ms"].astype(np.int64)
        factors = corporate_actions().factors(underlying.symbol, times, self._today)
        if (factors == 1.0).all():
            return bars
        prices = {
            name: round_to(bars[name] * factors, underlying.spot_tick_size)
            for name in ("open", "high", "low", "close")
        }
        return {**bars, **prices, "volume": np.rint(bars["volume"] / factors)}


def _ending_at(end: float, returns: FloatArray) -> tuple[FloatArray, float]:
    """The path of returns that ends at ``end``, and where it came from."""
    path = np.cumsum(returns.ravel()).reshape(returns.shape)
    start = end - float(path[-1, -1])
    path += start
    return path, start


def _shares(days: Sequence[ActivityDay]) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Variance and volume of each night and minute, and which columns are minutes of the session."""
    width = max(len(day.minute_variance) for day in days)
    variance = np.zeros((len(days), 1 + width))
    volume = np.zeros_like(variance)
    is_minute = np.zeros((len(days), width), dtype=bool)
    for index, day in enumerate(days):
        ticking = (day.spot_close_ms - day.open_ms) // MINUTE_MS
        minutes = len(day.minute_variance)
        is_minute[index, :minutes] = True
        variance[index, 0] = day.overnight_variance + day.minute_variance[ticking:].sum()
        variance[index, 1 : 1 + ticking] = day.minute_variance[:ticking]
        volume[index, 1 : 1 + minutes] = day.minute_volume
    return variance, volume, is_minute


def volatility_path(
    model: FactorModel, variance: FloatArray, slow: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Volatility multiples of the minutes of consecutive rows, (rows, columns)."""
    v = model.volatility
    day = _ornstein_uhlenbeck(variance / v["day_length"], rng) * v["day_deviation"]
    elapsed = np.full(variance.shape, 1.0 / v["minute_length_minutes"])
    elapsed[:, 0] = 60.0 / v["minute_length_minutes"]
    minute = _ornstein_uhlenbeck(elapsed, rng) * v["minute_deviation"]
    return model.multiple(slow[:, None] + day + minute)


def _ornstein_uhlenbeck(elapsed: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A stationary path of unit deviation over steps of ``elapsed`` relaxation times, row after row."""
    noise = rng.standard_normal(elapsed.shape) * np.sqrt(-np.expm1(-2.0 * elapsed))
    keep = np.exp(-elapsed)
    path = np.empty(elapsed.shape)
    # the recursion runs along the columns of all rows at once, then the rows are linked
    value = np.zeros(len(elapsed))
    for column in range(elapsed.shape[1]):
        value = value * keep[:, column] + noise[:, column]
        path[:, column] = value
    fade = np.exp(-np.cumsum(elapsed, axis=1))
    previous_run = rng.standard_normal()
    for row in range(len(elapsed)):
        path[row] += previous_run * fade[row]
        previous_run = path[row, -1]
    return path


def _minute_bars(block: Block, path: Path, first: int) -> Bars:
    opens = np.array([day.open_ms for day in block.days], dtype=np.int64)
    times = opens[:, None] + np.arange(path.open.shape[1], dtype=np.int64) * MINUTE_MS
    keep = block.is_minute.copy()
    keep[:first] = False
    return as_bars(
        times[keep], path.open[keep], path.high[keep], path.low[keep], path.close[keep], path.volume[keep]
    )


def _daily_bars(block: Block, path: Path) -> Bars:
    opens = np.array([day.open_ms for day in block.days], dtype=np.int64)
    inside = block.is_minute
    last = inside.sum(axis=1) - 1
    return as_bars(
        opens,
        path.open[:, 0],
        np.where(inside, path.high, -np.inf).max(axis=1),
        np.where(inside, path.low, np.inf).min(axis=1),
        path.close[np.arange(len(last)), last],
        (path.volume * inside).sum(axis=1),
    )
