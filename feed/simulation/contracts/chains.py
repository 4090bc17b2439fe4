"""The option chains of the simulated market: priced, quoted and traded lane by lane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from feed.market.source import PriceRange
from feed.simulation.contracts.book import Book, RefreshGroup, RefreshGroupKey, whole
from feed.simulation.contracts.liquidity import TIERS, Liquidity
from feed.simulation.contracts.quotes import quote
from feed.simulation.contracts.settlement import roll_day, settle
from feed.simulation.contracts.stable_random import lasting_chance
from feed.simulation.contracts.surface import YEAR_MS, Pricer, Slices, SurfaceModel
from feed.simulation.contracts.trades import trade
from feed.simulation.hours import Hours
from feed.simulation.parameters import FloatArray, Parameters
from feed.simulation.prints import Prints
from feed.simulation.step_context import ScenarioEffect, StepContext

_PROFILE_MS = 20_000  # expectations move with the money, slowly
_FLOW_MS = 60_000  # for about a minute the same side opens positions
_LEAST_POOL = 1 << 16
_FAR_MOVE = 0.0015  # of the spot: chains left behind by more are priced at once
_FLOATING = (
    "last_price",
    "bid",
    "ask",
    "bid_quantity",
    "ask_quantity",
    "volume",
    "open_interest",
    "open",
    "high",
    "low",
)
QUOTED = ("bid", "ask", "bid_quantity", "ask_quantity")


class Chains:
    """Everything about the contracts of one book that is not in its table."""

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        book: Book,
        surface: SurfaceModel,
        parameters: Parameters,
        rng: np.random.Generator,
        *,
        seed: int,
        years_between_futures: FloatArray,
        hours: Hours,
    ) -> None:
        self.book = book
        self._surface = surface
        self._rng = rng
        self._open_deviation = float(parameters["trading"]["open_share_deviation"])
        self._calm_share = float(parameters["trading"]["calm_share"])
        self.years_between_futures = years_between_futures
        own = lasting_chance(book, seed)
        self.liquidity = Liquidity(book, parameters, ndtri(own), hours)
        self._one_sided_chance = lasting_chance(book, seed + 1)
        self._one_sided = np.array([parameters["spreads"]["one_sided"][name] for name in TIERS])
        self.pricer = Pricer(book.pair_count)
        shape = (2, book.pair_count)
        self.fair = np.zeros(shape)
        self.half_spread = np.zeros(shape)
        self.size = np.ones(shape)
        self.lots_a_day = np.zeros(shape)
        self.open_lots = np.zeros(shape)
        self.open_share = np.zeros(shape)
        self.no_bid = np.zeros(shape, dtype=bool)
        self.prints = Prints(shape)
        pool = max(_LEAST_POOL, 1 << (2 * book.universe.contract_count).bit_length())
        self._pool = np.exp(0.6 * np.random.default_rng((seed, 6)).standard_normal(pool))
        self._profiled_ms = {refresh_group.key: -_PROFILE_MS for refresh_group in book.refresh_groups}
        self._flowed_ms = {refresh_group.key: -_FLOW_MS for refresh_group in book.refresh_groups}
        self.priced_spot = np.full(len(book.listings), np.nan)
        self._priced_ms = hours.now_ms
        kinds = [underlying.kind == "commodity" for underlying in book.universe.underlyings]
        self.listing_group = np.array(kinds, dtype=np.intp)[book.listing_underlying]
        self.pair_group = self.listing_group[book.listing]
        self._traded = hours.volume[self.pair_group]
        self._settled = np.zeros(len(book.listings), dtype=bool)

    def slices(self, context: StepContext, listings: slice) -> Slices:
        """Forward and smile of some listings."""
        book = self.book
        rows = book.listing_underlying[listings]
        years = np.maximum(book.expires_ms[listings] - context.now_ms, 0.0) / YEAR_MS
        # what expires today settles on the spot; a later contract follows the future
        spot = np.where(years * 365.0 < 0.02, context.spot[rows], context.future[rows])
        return self._surface.slices(
            rows,
            spot,
            years,
            context.variance_to_expiry[listings],
            self._carry_years(listings, years),
            context.states,
        )

    def _carry_years(self, listings: slice, years: FloatArray) -> FloatArray:
        """Years from the underlying's price to the forward; for options on futures, between two futures."""
        between = self.years_between_futures[listings]
        return np.where(np.isnan(between), years, between)

    def price(self, context: StepContext, refresh_group: RefreshGroup) -> None:
        """Fair prices of a lane."""
        book, pairs = self.book, refresh_group.pairs
        local = book.listing[pairs] - refresh_group.listings.start
        slices = self.slices(context, refresh_group.listings)
        self.pricer.price(
            pairs, local, book.strike[pairs], book.log_strike[pairs], slices, self.fair[:, pairs]
        )
        self.priced_spot[refresh_group.listings] = context.spot[
            book.listing_underlying[refresh_group.listings]
        ]

    def _is_due(
        self, since_ms: dict[RefreshGroupKey, int], refresh_group: RefreshGroup, now_ms: int, every_ms: int
    ) -> bool:
        """Whether a lane has waited for so long; then it begins to wait again."""
        if now_ms - since_ms[refresh_group.key] < every_ms:
            return False
        keys = since_ms if refresh_group.is_whole else (refresh_group.key,)
        since_ms.update(dict.fromkeys(keys, now_ms))
        return True

    def profile(self, context: StepContext, refresh_group: RefreshGroup, effect: ScenarioEffect) -> None:
        """Expectations of a lane, made new every so often."""
        if not self._is_due(self._profiled_ms, refresh_group, context.now_ms, _PROFILE_MS):
            return
        pairs = refresh_group.pairs
        k = self.pricer.log_moneyness[pairs]
        deviation = self._calm_deviation(context, refresh_group)
        interest = self.liquidity.expect(pairs, refresh_group.listings, k, deviation, self.fair[:, pairs])
        np.multiply(interest.half_spread, effect.spread, out=self.half_spread[:, pairs])
        np.multiply(interest.size, effect.size, out=self.size[:, pairs])
        np.multiply(interest.lots, effect.volume, out=self.lots_a_day[:, pairs])
        self.open_lots[:, pairs] = interest.open_lots
        tier = self.liquidity.tier[self.book.listing[pairs]]
        chance = self._one_sided[tier] + effect.one_sided
        far = np.stack((k, -k)) > 0.05
        self.no_bid[:, pairs] = far & (self._one_sided_chance[:, pairs] < chance)

    def _calm_deviation(self, context: StepContext, refresh_group: RefreshGroup) -> FloatArray:
        """How far a calm market expects the spot to go by the expiry, as a part of it: by pair."""
        book = self.book
        years = np.maximum(book.expires_ms[refresh_group.listings] - context.now_ms, 0.0) / YEAR_MS
        long_run = context.states.long_run[book.listing_underlying[refresh_group.listings]]
        deviation: FloatArray = self._calm_share * long_run * np.sqrt(years)
        return deviation[book.listing[refresh_group.pairs] - refresh_group.listings.start]

    def quote(self, refresh_group: RefreshGroup) -> None:
        """Quotes of a lane around its fair prices; a size is drawn anew where its price moved."""
        fields, pairs = self.book.fields, refresh_group.pairs
        views = {name: fields[name][:, pairs] for name in QUOTED}
        before = views["bid"].copy(), views["ask"].copy()
        quote(
            self.fair[:, pairs],
            self.half_spread[:, pairs],
            self.book.ticks_per_rupee[pairs],
            self.no_bid[:, pairs],
            views["bid"],
            views["ask"],
        )
        for old, side in zip(before, ("bid", "ask"), strict=True):
            moved = views[side] != old
            quantity = views[f"{side}_quantity"]
            np.copyto(quantity, self._sizes(pairs, quantity.shape), where=moved)
        views["bid_quantity"][np.isnan(views["bid"])] = 0.0

    def _sizes(self, pairs: slice, shape: tuple[int, ...]) -> FloatArray:
        """Quantities in units, whole lots, from a pool of chance: (2, n)."""
        length = shape[0] * shape[1]
        start = int(self._rng.integers(len(self._pool) - length))
        sizes = self._pool[start : start + length].reshape(shape) * self.size[:, pairs]
        np.ceil(sizes, out=sizes)
        sizes *= self.book.lot[pairs]
        return sizes

    def trade(self, refresh_group: RefreshGroup, now_ms: int, days: FloatArray) -> None:
        """Trade a lane over ``days`` : (n,) of ordinary volume."""
        pairs = refresh_group.pairs
        if self._is_due(self._flowed_ms, refresh_group, now_ms, _FLOW_MS):
            self._draw_flow(pairs)
        views = {name: values[:, pairs] for name, values in self.book.fields.items()}
        lots = trade(self._rng, views, self.lots_a_day[:, pairs] * days, self.open_share[:, pairs])
        self.prints.take(views["last_price"], lots > 0.0, pairs)

    def _draw_flow(self, pairs: slice) -> None:
        """What part of the next trades opens positions: leaning to the open interest a strike usually has."""
        held = self.book.fields["open_interest"][:, pairs]
        desired = self.open_lots[:, pairs]
        lean = np.log((desired + 10.0) / (held + 10.0))
        share = self._rng.standard_normal(held.shape)
        share *= self._open_deviation
        # a little towards what is usual; strongly where a chain is new or has just become the nearest
        share += self.liquidity.open_mean[self.book.listing[pairs]] + 0.01 * np.clip(lean, -4.0, 4.0) ** 3
        np.clip(share, -1.0, 1.0, out=self.open_share[:, pairs])

    def refresh(
        self,
        context: StepContext,
        effect: ScenarioEffect,
        moving: NDArray[np.bool_],
        volume: FloatArray,
        *,
        everything: bool,
    ) -> list[RefreshGroup]:
        """Price, quote and trade the lanes whose turn it is; return them.

        ``volume`` : (groups,) clocks of volume.
        """
        if everything and moving.all():
            refresh_groups = [whole(self.book)]
        else:
            far = self.moved(context.spot, _FAR_MOVE)
            refresh_groups = [
                refresh_group
                for refresh_group in self.book.refresh_groups
                if moving[refresh_group.key.group]
                and (
                    everything
                    or refresh_group.is_due(self._priced_ms, context.now_ms)
                    or far[refresh_group.listings].any()
                )
            ]
        self._priced_ms = context.now_ms
        for refresh_group in refresh_groups:
            self._refresh(context, effect, refresh_group, volume)
        return refresh_groups

    def _refresh(
        self, context: StepContext, effect: ScenarioEffect, refresh_group: RefreshGroup, volume: FloatArray
    ) -> None:
        self.price(context, refresh_group)
        self.profile(context, refresh_group, effect)
        self.quote(refresh_group)
        clock = volume[self.pair_group[refresh_group.pairs]]
        days = clock - self._traded[refresh_group.pairs]
        self._traded[refresh_group.pairs] = clock
        self.trade(refresh_group, context.now_ms, days)

    def roll(self, group: int) -> None:
        """Begin the day of a group's contracts."""
        roll_day(self.book, (self.pair_group == group) & ~self._settled[self.book.listing])

    def settle(self, group: int, now_ms: int, spot: FloatArray) -> None:
        """Settle what expires by now on ``spot`` : (underlyings,)."""
        self._settled = (self.listing_group == group) & (self.book.expires_ms <= now_ms)
        settle(self.book, np.flatnonzero(self._settled[self.book.listing]), spot)

    def take_over(self, before: Chains) -> NDArray[np.bool_]:
        """Go on with the state of another book's contracts; return which pairs are new."""
        source, target = self.book.take_over(before.book)
        for name in ("half_spread", "size", "lots_a_day", "open_lots", "open_share", "no_bid"):
            getattr(self, name)[:, target] = getattr(before, name)[:, source]
        for mine, known in zip(self.prints.range.columns, before.prints.range.columns, strict=True):
            mine[:, target] = known[:, source]
        self._traded[target] = before._traded[source]
        is_new = np.ones(self.book.pair_count, dtype=bool)
        is_new[target] = False
        return is_new

    def become(self, before: Chains, factor: FloatArray) -> None:
        """Go on with the same contracts of another book, whose prices are divided by ``factor`` : (n,).

        As many contracts are open as before: each is about more shares.
        """
        for name, values in self.book.fields.items():
            values[:] = before.book.fields[name]
        for name in ("last_price", "bid", "ask", "open", "high", "low", "previous_close"):
            prices = self.book.fields[name]
            ticks = self.book.ticks_per_rupee
            np.copyto(prices, np.rint(prices / factor * ticks) / ticks, where=factor != 1.0)
        for name in ("bid_quantity", "ask_quantity"):
            self.book.fields[name] *= factor
        for name in ("size", "lots_a_day", "open_lots", "open_share", "no_bid"):
            getattr(self, name)[:] = getattr(before, name)
        self.half_spread[:] = before.half_spread / factor
        for mine, known in zip(self.prints.range.columns, before.prints.range.columns, strict=True):
            mine[:] = known / factor
        self._traded[:] = before._traded

    def begin(self, context: StepContext, effect: ScenarioEffect, is_new: NDArray[np.bool_]) -> None:
        """Value all; contracts listed now get their fair price as a close, like an exchange's base price."""
        everything = whole(self.book)
        self.price(context, everything)
        self.profile(context, everything, effect)
        base = on_grid(self.book, self.fair)
        self.book.fields["previous_close"][:, is_new] = base[:, is_new]

    def quote_group(self, group: int) -> None:
        """Quote every chain of a group at its present value."""
        for refresh_group in self.book.refresh_groups:
            if refresh_group.key.group == group:
                self.quote(refresh_group)

    def moved(self, spot: FloatArray, by: float) -> NDArray[np.bool_]:
        """Which listings' underlyings moved by more than that part since they were priced: (listings,)."""
        ratio = spot[self.book.listing_underlying] / self.priced_spot
        far: NDArray[np.bool_] = ~(np.abs(ratio - 1.0) < by)
        return far

    def ranges(self, refresh_groups: list[RefreshGroup]) -> PriceRange:
        """What last prices of some lanes went through since the last call; order as in `contract_values`."""
        columns = (
            np.concatenate([values[:, refresh_group.pairs].ravel() for refresh_group in refresh_groups])
            for values in self.prints.range.columns
        )
        went_through = PriceRange(*columns)
        self.prints.clear()
        return went_through

    def whole_range(self) -> PriceRange:
        """The same of every contract, in the universe's order."""
        went_through = PriceRange(*(self.book.in_order(values) for values in self.prints.range.columns))
        self.prints.clear()
        return went_through

    def contract_values(
        self, refresh_groups: list[RefreshGroup]
    ) -> tuple[NDArray[np.intp], dict[str, FloatArray]]:
        """Universe rows of some lanes and copies of what may have changed there."""
        fields = self.book.fields
        rows = np.concatenate(
            [self.book.rows[:, refresh_group.pairs].ravel() for refresh_group in refresh_groups]
        )
        values = {
            name: np.concatenate(
                [fields[name][:, refresh_group.pairs].ravel() for refresh_group in refresh_groups]
            )
            for name in _FLOATING
        }
        return rows, values


def on_grid(book: Book, fair: FloatArray) -> FloatArray:
    """Prices on the tick grid, at least one tick."""
    return np.maximum(np.rint(fair * book.ticks_per_rupee), 1.0) / book.ticks_per_rupee
