"""Correlated returns and volatility: what moves every underlying, and by how much.

Variance counts in days of trading (see `activity`), returns are logarithmic. Group 0 is the share market,
group 1 the commodities; each has volatility states of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feed.reference.constituents import index_constituents
from feed.reference.instruments import Underlying
from feed.simulation.baskets import Baskets
from feed.simulation.parameters import FloatArray, Parameters

EQUITY, COMMODITY = 0, 1
GROUPS = 2
OWN_BOUNDS = (-0.5, 0.8)  # of a surface's own deviation, as log volatility


@dataclass(frozen=True, slots=True)
class Effects:
    """What a scenario does to one step: ``market_move`` is added to the market's log return.

    ``volatility`` and ``jumps`` multiply; the slow volatility state goes ``implied_pull`` (0 to 1) of the
    way to ``implied_target``.
    """

    market_move: float = 0.0
    volatility: float = 1.0
    jumps: float = 1.0
    implied_target: float = 0.0
    implied_pull: float = 0.0


CALM = Effects()


class FactorModel:
    """What does not change: loadings and volatilities by underlying row.

    ``loadings`` : (underlyings, factors) and ``own`` : (underlyings,), whose squares sum to 1 in each
    row; ``daily_volatility`` : (underlyings,) realised; ``implied_volatility`` : (underlyings,) long-run,
    annual; ``twins`` : rows of the small contracts, ``parents`` : rows of the large ones they follow.
    """

    def __init__(self, underlyings: Sequence[Underlying], parameters: Parameters) -> None:
        rows = {underlying.symbol: row for row, underlying in enumerate(underlyings)}
        self.count = len(underlyings)
        self.group = np.array([int(u.kind == "commodity") for u in underlyings], dtype=np.intp)
        weights = [_weights(underlying, parameters) for underlying in underlyings]
        self.factors = tuple(
            sorted({name for row in weights for name in row} | {"market"}, key=lambda n: (n != "market", n))
        )
        self.loadings = np.array([[row.get(name, 0.0) for name in self.factors] for row in weights])
        self.own = np.sqrt(np.clip(1.0 - np.square(self.loadings).sum(axis=1), 0.0, 1.0))
        of_commodities = np.abs(self.loadings[self.group == COMMODITY]).sum(axis=0) > 0
        self.factor_group = of_commodities.astype(np.intp)
        self.volatility = parameters["volatility"]
        self.jumps = parameters["jumps"]
        annual = np.array([underlying.annual_volatility for underlying in underlyings])
        realised = annual * self.volatility["realised_scale"]
        self.daily_volatility = realised / np.sqrt(parameters["sessions_per_year"])
        self.implied_volatility = annual * self.volatility["implied_scale"]
        pairs = [(rows[s], rows[p]) for s, p in parameters["twins"].items() if s in rows and p in rows]
        self.twins = np.array([small for small, _ in pairs], dtype=np.intp)
        self.parents = np.array([large for _, large in pairs], dtype=np.intp)
        self.benchmark = rows.get("NIFTY", 0)
        self.beta = self.loadings[:, 0] * self.daily_volatility / self.daily_volatility[self.benchmark]
        self.log_scale = -self._state_variance()
        self.slow_bounds = tuple(self.volatility["slow_bounds"])
        carry = parameters["carry"]
        self.premium_reversion = float(carry["premium_reversion"])
        self.premium_deviation = float(carry["premium_deviation"]) * (self.group == EQUITY)
        self.baskets = Baskets(underlyings, np.square(self.own * self.daily_volatility), index_constituents())

    def multiple(self, state: FloatArray) -> FloatArray:
        """Volatility against its usual value, for sums of log states; bounded, for a storm has an end."""
        multiple: FloatArray = np.exp(np.minimum(state + self.log_scale, self.volatility["most"]))
        return multiple

    def _state_variance(self) -> float:
        """Variance of the log volatility: subtracting it makes the mean of the variance what was asked."""
        v = self.volatility
        slow = (
            v["slow_noise"] ** 2 + (v["slow_return_slope"] * self.daily_volatility[self.benchmark]) ** 2
        ) / (2 * v["slow_reversion"])
        return float(slow + v["day_deviation"] ** 2 + v["minute_deviation"] ** 2)


def _weights(underlying: Underlying, parameters: Parameters) -> dict[str, float]:
    tables = parameters["correlation"]
    named: dict[str, float] | None = tables[underlying.kind].get(underlying.symbol)
    if named is not None:
        return named
    if underlying.kind == "stock":
        by_sector: dict[str, dict[str, float]] = tables["sector"]
        return by_sector.get(underlying.sector, by_sector["other"])
    default: dict[str, float] = tables[underlying.kind].get("other", {"market": 0.8})
    return default


class FactorState:
    """The latent prices and volatilities at one instant, advanced by `step`.

    ``log_price`` : (underlyings,), and ``base``, where the weights of indices hold;
    ``slow``, ``day``, ``minute`` : (groups,) log volatility states;
    ``own_implied`` : (underlyings,) each surface's own deviation; ``premium`` : (underlyings,) log
    deviation of the carry.
    """

    def __init__(
        self, model: FactorModel, log_price: FloatArray, slow: FloatArray, base: FloatArray | None = None
    ) -> None:
        self.model = model
        self.log_price = log_price.copy()
        self.base = (log_price if base is None else base).copy()
        self.slow = slow.copy()
        self.day = np.zeros(GROUPS)
        self.minute = np.zeros(GROUPS)
        self.own_implied = np.zeros(model.count)
        self.premium = np.zeros(model.count)
        self.twin_deviation = np.zeros(len(model.twins))

    def step(
        self, rng: np.random.Generator, variance: FloatArray, minutes: float, effects: Effects = CALM
    ) -> None:
        """Advance over ``variance`` : (groups,) days of trading, ``minutes`` of the clock."""
        model = self.model
        factors = len(model.factors)
        normals = rng.standard_normal(factors + 3 * model.count + 3 * GROUPS + len(model.twins))
        shocks, own, own_noise, carry_noise, states, twins = np.split(
            normals, np.cumsum((factors, model.count, model.count, model.count, 3 * GROUPS))
        )
        size = np.sqrt(variance)
        deviation = size * self._volatility(variance, minutes) * effects.volatility
        moves = shocks * deviation[model.factor_group]
        moves[0] += self._market_jump(rng, variance, effects)
        returns = model.loadings @ moves
        own_moves = own * deviation[model.group]
        self._add_own_jumps(rng, variance, own_moves, effects)
        own_moves *= model.own
        returns += own_moves
        returns *= model.daily_volatility
        if effects.market_move:
            returns += model.beta * effects.market_move
        self.log_price += returns
        self._follow_parents(returns, variance, twins)
        self.model.baskets.tie(self.log_price, self.base)
        self._step_states(returns, variance, size, minutes, states.reshape(3, GROUPS), effects)
        self._step_own(own_moves, variance, size, own_noise)
        keep = np.exp(-model.premium_reversion * variance[model.group])
        self.premium *= keep
        self.premium += model.premium_deviation * np.sqrt(1 - keep**2) * carry_noise

    def _volatility(self, variance: FloatArray, minutes: float) -> FloatArray:
        """Mean volatility multiple of each group over the step ahead."""
        v = self.model.volatility
        day = self.day * mean_decay(variance / v["day_length"])
        minute = self.minute * mean_decay(np.full(GROUPS, minutes / v["minute_length_minutes"]))
        return self.model.multiple(self.slow + day + minute)

    def _market_jump(self, rng: np.random.Generator, variance: FloatArray, effects: Effects) -> float:
        """The sum of the market's jumps, in daily standard deviations."""
        jumps = self.model.jumps
        count = rng.poisson(jumps["market_per_day"] * variance[EQUITY] * effects.jumps)
        if not count:
            return 0.0
        size = jumps["market_size"] / self.model.daily_volatility[self.model.benchmark]
        return float(rng.standard_normal(count).sum() * size * np.exp(self.slow[EQUITY]))

    def _add_own_jumps(
        self, rng: np.random.Generator, variance: FloatArray, own_moves: FloatArray, effects: Effects
    ) -> None:
        jumps = self.model.jumps
        rate = jumps["own_per_day"] * variance[self.model.group] * effects.jumps
        count = rng.poisson(rate.sum())
        if count:
            rows = rng.choice(self.model.count, size=count, p=rate / rate.sum())
            sizes = rng.standard_normal(count) * jumps["own_size"] / self.model.daily_volatility[rows]
            np.add.at(own_moves, rows, sizes)

    def _follow_parents(self, returns: FloatArray, variance: FloatArray, noise: FloatArray) -> None:
        model = self.model
        keep = np.exp(-variance[COMMODITY] * 40)
        before = self.twin_deviation
        self.twin_deviation = before * keep + 0.0002 * np.sqrt(1 - keep**2) * noise
        change = returns[model.parents] + self.twin_deviation - before
        self.log_price[model.twins] += change - returns[model.twins]

    def _step_states(
        self,
        returns: FloatArray,
        variance: FloatArray,
        size: FloatArray,
        minutes: float,
        noise: FloatArray,
        effects: Effects,
    ) -> None:
        v = self.model.volatility
        keep = np.exp(-variance / v["day_length"])
        self.day = self.day * keep + v["day_deviation"] * np.sqrt(1 - keep**2) * noise[0]
        keep = np.exp(-minutes / v["minute_length_minutes"])
        self.minute = self.minute * keep + v["minute_deviation"] * np.sqrt(1 - keep**2) * noise[1]
        self.slow = self.slow * np.exp(-v["slow_reversion"] * variance) + v["slow_noise"] * size * noise[2]
        self.slow[EQUITY] += v["slow_return_slope"] * returns[self.model.benchmark]
        # a group that stands still is not pulled either
        self.slow += effects.implied_pull * (effects.implied_target - self.slow) * (variance > 0)
        np.clip(self.slow, self.model.slow_bounds[0], self.model.slow_bounds[1], out=self.slow)

    def _step_own(
        self, own_moves: FloatArray, variance: FloatArray, size: FloatArray, noise: FloatArray
    ) -> None:
        model, v = self.model, self.model.volatility
        days = variance[model.group]
        self.own_implied *= np.exp(-v["own_reversion"] * days)
        self.own_implied += v["own_noise"] * size[model.group] * noise
        self.own_implied += v["own_return_slope"] * model.daily_volatility * own_moves
        np.clip(self.own_implied, *OWN_BOUNDS, out=self.own_implied)


def mean_decay(elapsed: FloatArray) -> FloatArray:
    """Mean of exp(-x) over 0..elapsed."""
    safe = np.maximum(elapsed, 1e-9)
    mean: FloatArray = -np.expm1(-safe) / safe
    return mean
