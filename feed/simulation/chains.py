"""The option chains of the simulated market: priced, quoted and traded lane by lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from feed.simulation.book import Book, Lane, whole
from feed.simulation.liquidity import Liquidity
from feed.simulation.parameters import FloatArray, Parameters
from feed.simulation.quotes import quote
from feed.simulation.surface import YEAR_MS, Pricer, Slices, SurfaceModel, SurfaceStates
from feed.simulation.trades import trade

_PROFILE_MS = 20_000  # expectations move with the money, slowly
_FLOW_MS = 60_000  # for about a minute the same side opens positions
_POOL = 1 << 16
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


@dataclass(frozen=True, slots=True)
class Situation:
    """What chains are priced on, by underlying row: ``spot`` as published, ``future`` where it ticks on after the spot.

    ``variance_to_expiry`` : (listings of the book,) in sessions.
    """

    now_ms: int
    spot: FloatArray
    future: FloatArray
    variance_to_expiry: FloatArray
    states: SurfaceStates


@dataclass(frozen=True, slots=True)
class Mood:
    """How a scenario trades: multiples of spread, size and volume, share of buyers, and of books without a bid."""

    spread: float = 1.0
    size: float = 1.0
    volume: float = 1.0
    one_sided: float = 0.0


class Chains:
    """Everything about the contracts of one book that is not in its table."""

    def __init__(
        self,
        book: Book,
        surface: SurfaceModel,
        parameters: Parameters,
        rng: np.random.Generator,
        *,
        seed: int,
        years_between_futures: FloatArray,
        now_ms: int,
        volume: FloatArray,
    ) -> None:
        self.book = book
        self._surface = surface
        self._rng = rng
        self._open_mean = float(parameters["trading"]["open_share"])
        self._open_deviation = float(parameters["trading"]["open_share_deviation"])
        self.years_between_futures = years_between_futures
        own = lasting_chance(book, seed)
        self.liquidity = Liquidity(book, parameters, ndtri(own), now_ms)
        self._one_sided_chance = lasting_chance(book, seed + 1)
        self._one_sided = np.array([parameters["spreads"]["one_sided"][name] for name in _tier_names()])
        self.pricer = Pricer(book.pair_count)
        shape = (2, book.pair_count)
        self.fair = np.zeros(shape)
        self.half_spread = np.zeros(shape)
        self.size = np.ones(shape)
        self.lots_a_day = np.zeros(shape)
        self.open_lots = np.zeros(shape)
        self.open_share = np.zeros(shape)
        self.no_bid = np.zeros(shape, dtype=bool)
        self._pool = np.exp(0.6 * np.random.default_rng((seed, 6)).standard_normal(_POOL))
        self._profiled_ms = {lane.key: -_PROFILE_MS for lane in book.lanes}
        self._flowed_ms = {lane.key: -_FLOW_MS for lane in book.lanes}
        self.priced_spot = np.full(len(book.listings), np.nan)
        self._priced_ms = now_ms
        kinds = [underlying.kind == "commodity" for underlying in book.universe.underlyings]
        self.listing_group = np.array(kinds, dtype=np.intp)[book.listing_underlying]
        self.pair_group = self.listing_group[book.listing]
        self._traded = volume[self.pair_group].copy()
        self._settled = np.zeros(len(book.listings), dtype=bool)

    def slices(self, situation: Situation, listings: slice) -> Slices:
        """Forward and smile of some listings."""
        book = self.book
        rows = book.listing_underlying[listings]
        years = np.maximum(book.expires_ms[listings] - situation.now_ms, 0.0) / YEAR_MS
        # what expires today settles on the spot; a later contract follows the future
        spot = np.where(years * 365.0 < 0.02, situation.spot[rows], situation.future[rows])
        return self._surface.slices(
            rows,
            spot,
            years,
            situation.variance_to_expiry[listings],
            self._carry_years(listings, years),
            situation.states,
        )

    def _carry_years(self, listings: slice, years: FloatArray) -> FloatArray:
        """Years between the underlying's price and the forward: for options on futures those between two futures."""
        between = self.years_between_futures[listings]
        return np.where(np.isnan(between), years, between)

    def price(self, situation: Situation, lane: Lane) -> None:
        """Fair prices of a lane."""
        book, pairs = self.book, lane.pairs
        local = book.listing[pairs] - lane.listings.start
        slices = self.slices(situation, lane.listings)
        self.pricer.price(
            pairs, local, book.strike[pairs], book.log_strike[pairs], slices, self.fair[:, pairs]
        )
        self.priced_spot[lane.listings] = situation.spot[book.listing_underlying[lane.listings]]

    def profile(self, situation: Situation, lane: Lane, mood: Mood) -> None:
        """Expectations of a lane, made new every so often."""
        if situation.now_ms - self._profiled_ms[lane.key] < _PROFILE_MS:
            return
        self._profiled_ms[lane.key] = situation.now_ms
        pairs = lane.pairs
        k, v = self.pricer.log_moneyness[pairs], self.pricer.total_volatility[pairs]
        interest = self.liquidity.expect(pairs, lane.listings, k, v, self.fair[:, pairs])
        np.multiply(interest.half_spread, mood.spread, out=self.half_spread[:, pairs])
        np.multiply(interest.size, mood.size, out=self.size[:, pairs])
        np.multiply(interest.lots, mood.volume, out=self.lots_a_day[:, pairs])
        self.open_lots[:, pairs] = interest.open_lots
        tier = self.liquidity.tier[self.book.listing[pairs]]
        chance = self._one_sided[tier] + mood.one_sided
        far = np.stack((k, -k)) > 0.05
        self.no_bid[:, pairs] = far & (self._one_sided_chance[:, pairs] < chance)

    def quote(self, lane: Lane) -> None:
        """Quotes of a lane around its fair prices; a size is drawn anew where its price moved."""
        fields, pairs = self.book.fields, lane.pairs
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
        start = int(self._rng.integers(_POOL - length))
        sizes = self._pool[start : start + length].reshape(shape) * self.size[:, pairs]
        np.ceil(sizes, out=sizes)
        sizes *= self.book.lot[pairs]
        return sizes

    def trade(self, lane: Lane, now_ms: int, days: float | FloatArray, buyers: float) -> None:
        """Trade a lane over ``days`` of ordinary volume, one number or one per pair."""
        pairs = lane.pairs
        if now_ms - self._flowed_ms[lane.key] >= _FLOW_MS:
            self._flowed_ms[lane.key] = now_ms
            self._draw_flow(pairs)
        views = {name: values[:, pairs] for name, values in self.book.fields.items()}
        trade(self._rng, views, self.lots_a_day[:, pairs] * days, self.open_share[:, pairs], buyers)

    def _draw_flow(self, pairs: slice) -> None:
        """What part of the next trades opens positions: leaning to the open interest a strike usually has."""
        held = self.book.fields["open_interest"][:, pairs]
        wanted = self.open_lots[:, pairs]
        lean = np.log((wanted + 10.0) / (held + 10.0))
        share = self._rng.standard_normal(held.shape)
        share *= self._open_deviation
        share += self._open_mean + 0.05 * np.clip(lean, -4.0, 4.0)
        np.clip(share, -1.0, 1.0, out=self.open_share[:, pairs])

    def refresh(
        self,
        situation: Situation,
        mood: Mood,
        moving: NDArray[np.bool_],
        volume: FloatArray,
        *,
        everything: bool,
    ) -> list[Lane]:
        """Price, quote and trade the lanes whose turn it is; return them. ``volume`` : (groups,) clocks of volume."""
        if everything and moving.all():
            lanes = [whole(self.book)]
        else:
            far = self.moved(situation.spot, _FAR_MOVE)
            lanes = [
                lane
                for lane in self.book.lanes
                if moving[lane.key.group]
                and (everything or lane.is_due(self._priced_ms, situation.now_ms) or far[lane.listings].any())
            ]
        self._priced_ms = situation.now_ms
        for lane in lanes:
            self._refresh(situation, mood, lane, volume)
        return lanes

    def _refresh(self, situation: Situation, mood: Mood, lane: Lane, volume: FloatArray) -> None:
        self.price(situation, lane)
        for part in self.book.lanes if lane.is_whole else (lane,):
            self.profile(situation, part, mood)
        self.quote(lane)
        clock = volume[self.pair_group[lane.pairs]]
        days = clock - self._traded[lane.pairs]
        self._traded[lane.pairs] = clock
        self.trade(lane, situation.now_ms, days, 0.5)

    def roll(self, group: int, now_ms: int) -> None:
        """Begin the day of a group's contracts: closes and open interest become yesterday's."""
        fields = self.book.fields
        mine = (self.pair_group == group) & ~self._settled[self.book.listing]
        for name, before in (("previous_close", "last_price"), ("previous_open_interest", "open_interest")):
            known = mine & ~np.isnan(fields[before])
            np.copyto(fields[name], fields[before], where=known)
        fields["volume"][:, mine] = 0.0
        for name in ("open", "high", "low"):
            fields[name][:, mine] = np.nan

    def settle(self, group: int, now_ms: int, spot: FloatArray) -> bool:
        """Mark what expires now at its intrinsic value on ``spot`` : (underlyings,); whether there was any."""
        book, fields = self.book, self.book.fields
        self._settled = (self.listing_group == group) & (book.expires_ms <= now_ms)
        if not self._settled.any():
            return False
        pairs = np.flatnonzero(self._settled[book.listing])
        inside = spot[book.listing_underlying][book.listing[pairs]] - book.strike[pairs]
        ticks = book.ticks_per_rupee[pairs]
        value = np.rint(np.maximum(np.stack((inside, -inside)), 0.0) * ticks) / ticks
        fields["last_price"][:, pairs] = value
        for name, choose in (("open", None), ("high", np.fmax), ("low", np.fmin)):
            day = fields[name][:, pairs]
            fields[name][:, pairs] = (
                np.where(np.isnan(day), value, day) if choose is None else choose(day, value)
            )
        for side in ("bid", "ask"):
            fields[side][:, pairs] = np.nan
            fields[f"{side}_quantity"][:, pairs] = 0.0
        return True

    def take_over(self, before: Chains) -> None:
        """Go on with the state of another book's contracts; the rest are new."""
        source, target = self.book.take_over(before.book)
        for name in ("fair", "half_spread", "size", "lots_a_day", "open_lots", "open_share", "no_bid"):
            getattr(self, name)[:, target] = getattr(before, name)[:, source]
        self._traded[target] = before._traded[source]
        self._new = np.ones(self.book.pair_count, dtype=bool)
        self._new[target] = False

    def begin_new(self, situation: Situation, mood: Mood) -> None:
        """Price all, and give the contracts listed today a close: their fair price, as an exchange's base price is."""
        everything = whole(self.book)
        self.price(situation, everything)
        for lane in self.book.lanes:
            self.profile(situation, lane, mood)
        base = on_grid(self.book, self.fair)
        self.book.fields["previous_close"][:, self._new] = base[:, self._new]
        self.quote(everything)

    def moved(self, spot: FloatArray, by: float) -> NDArray[np.bool_]:
        """Which listings' underlyings moved by more than that part since they were priced: (listings,)."""
        ratio = spot[self.book.listing_underlying] / self.priced_spot
        far: NDArray[np.bool_] = ~(np.abs(ratio - 1.0) < by)
        return far

    def contract_values(self, lanes: list[Lane]) -> tuple[NDArray[np.intp], dict[str, FloatArray]]:
        """Universe rows of some lanes and copies of what may have changed there."""
        fields = self.book.fields
        rows = np.concatenate([self.book.rows[:, lane.pairs].ravel() for lane in lanes])
        values = {
            name: np.concatenate([fields[name][:, lane.pairs].ravel() for lane in lanes])
            for name in _FLOATING
        }
        return rows, values


def on_grid(book: Book, fair: FloatArray) -> FloatArray:
    """Prices on the tick grid, at least one tick."""
    return np.maximum(np.rint(fair * book.ticks_per_rupee), 1.0) / book.ticks_per_rupee


def _tier_names() -> tuple[str, ...]:
    return ("near", "next", "weekly", "month", "far", "share_near", "share_next", "share_far")


def lasting_chance(book: Book, seed: int) -> FloatArray:
    """A uniform number for each contract that is its own for life, from seed and token: (2, n)."""
    with np.errstate(over="ignore"):
        mixed = book.universe.token[book.rows].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed += np.uint64(seed % (1 << 63)) * np.uint64(0xD1342543DE82EF95)
        # the finaliser of splitmix64
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    chance: FloatArray = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / float(1 << 53)
    return chance
