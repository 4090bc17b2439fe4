"""The simulated market measured beside the recorded one: each figure, the recorded fact, and its band.

The recorded facts are aggregates: NIFTY and BANKNIFTY minutes of January to August 2024, daily closes from
November 2025 to August 2026, the India VIX of a year to August 2026, and option chains of 2022, 2023 and
19 August 2026. Where one number was measured the band is 35 % either way.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.implied_volatility import implied_volatility
from domain.instants import IST, to_ms
from feed.market.market import Market
from feed.market.universe import Listing
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.activity import Activity
from feed.simulation.factors import GROUPS, FactorModel, FactorState
from feed.simulation.parameters import load_parameters
from feed.simulation.source import SimulatedSource

TOLERANCE = 0.35
INTEREST_RATE = 0.065
YEAR_MS = 365 * 86_400_000
RECORDED_DAY = datetime.datetime(2026, 8, 19, 12, 17, tzinfo=IST)  # of the chains that were measured
SESSION_MINUTES = 375  # of the sessions that were measured
NIGHT_MINUTES = 1055
LONG_RUN_PERCENT = 13.4  # NIFTY's volatility at the money on average: 0.96 of the catalogue's 14 %


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: what it is, what was recorded, the band it must lie in, what the simulation gives."""

    topic: str
    name: str
    recorded: str
    low: float
    high: float
    simulated: float
    spread: float = 0.0  # standard deviation from seed to seed, where it is a mean

    @property
    def is_inside(self) -> bool:
        """Whether the simulation is in the band."""
        return self.low <= self.simulated <= self.high


def near(topic: str, name: str, recorded: float, simulated: float, tolerance: float = TOLERANCE) -> Figure:
    """A figure with one recorded number."""
    low, high = sorted((recorded * (1 - tolerance), recorded * (1 + tolerance)))
    return Figure(topic, name, f"{recorded:g}", low, high, float(simulated))


def between(topic: str, name: str, low: float, high: float, simulated: float) -> Figure:
    """A figure with a recorded band."""
    return Figure(topic, name, f"{low:g} to {high:g}", low, high, float(simulated))


# Paths


@dataclass(frozen=True, slots=True)
class LivePath:
    """The live generator's latent prices: (sessions, 2 + minutes, underlyings), the first before the night.

    ``level`` : (1 + sessions,) log implied volatility of the share market.
    """

    symbols: list[str]
    log_price: np.ndarray
    level: np.ndarray

    def of(self, symbol: str) -> np.ndarray:
        """(sessions, columns): the previous close, the open, then every minute."""
        return self.log_price[:, :, self.symbols.index(symbol)]

    def minute_returns(self, symbol: str) -> np.ndarray:
        """(sessions, SESSION_MINUTES)."""
        return np.diff(self.of(symbol)[:, 1 : SESSION_MINUTES + 2], axis=1)

    def daily_returns(self, symbol: str) -> np.ndarray:
        """(sessions - 1,) from close to close."""
        return np.diff(self.of(symbol)[:, -1])


def live_path(calendar: Calendar, catalogue: Catalogue, *, seed: int, sessions: int) -> LivePath:
    """Run the generator of the live path alone, minute by minute, over many ordinary sessions."""
    parameters = load_parameters()
    model = FactorModel(catalogue.underlyings, parameters)
    start_ms = to_ms(RECORDED_DAY)
    activity = Activity(calendar, "NSE", "NFO", parameters["activity"]["equity"], start_ms)
    day = activity.day_of(start_ms)
    shares = np.concatenate(([day.overnight_variance], day.minute_variance))
    rng = np.random.default_rng(seed)
    state = FactorState(model, np.zeros(model.count), np.zeros(GROUPS))
    log_price = np.empty((sessions, len(shares) + 1, model.count))
    level = np.zeros(sessions + 1)
    for session in range(sessions):
        log_price[session, 0] = state.log_price
        for column, share in enumerate(shares.tolist()):
            state.step(rng, np.full(GROUPS, share), 1.0 if column else NIGHT_MINUTES)
            log_price[session, column + 1] = state.log_price
        level[session + 1] = state.slow[0]
    symbols = [underlying.symbol for underlying in catalogue.underlyings]
    return LivePath(symbols, log_price, level)


def autocorrelation(values: np.ndarray, lag: int) -> float:
    """Of a series with itself ``lag`` places later."""
    centred = values - values.mean()
    return float((centred[:-lag] * centred[lag:]).mean() / values.var())


def excess_kurtosis(values: np.ndarray) -> float:
    """Fourth moment over that of a normal law, less 3."""
    centred = values - values.mean()
    return float((centred**4).mean() / values.var() ** 2 - 3)


def path_figures(path: LivePath) -> Iterator[Figure]:
    """Returns and volatility of NIFTY and BANKNIFTY, correlations, and the volatility index."""
    yield from _index_figures(
        path, "NIFTY", annual=13.2, deviation=3.24, overnight=0.33, jumps=0.32, reach=0.84
    )
    yield from _index_figures(
        path, "BANKNIFTY", annual=18.8, deviation=4.5, overnight=0.31, jumps=0.41, reach=1.16
    )
    yield from _profile_figures(path)
    yield from _correlation_figures(path)
    yield from _volatility_index_figures(path)


def _index_figures(
    path: LivePath,
    symbol: str,
    *,
    annual: float,
    deviation: float,
    overnight: float,
    jumps: float,
    reach: float,
) -> Iterator[Figure]:
    prices, minutes, days = path.of(symbol), path.minute_returns(symbol), path.daily_returns(symbol)
    flat = minutes.ravel()
    size = np.abs(flat)
    gaps, inside = prices[:, 1] - prices[:, 0], prices[:, -1] - prices[:, 1]
    realised = np.sqrt(np.square(minutes).sum(axis=1))
    yield near(symbol, "annual volatility, close to close, %", annual, days.std() * np.sqrt(250) * 100)
    yield near(symbol, "1-minute deviation, basis points", deviation, flat.std() * 1e4)
    yield near(symbol, "overnight share of variance", overnight, gaps.var() / (gaps.var() + inside.var()))
    yield between(symbol, "1-minute excess kurtosis", 36, 125, excess_kurtosis(flat))
    yield near(symbol, "99.9 % of 1-minute moves, %", jumps, np.quantile(size, 0.999) * 100)
    yield between(symbol, "1-minute autocorrelation", -0.03, 0.03, autocorrelation(flat, 1))
    for lag, recorded in ((1, 0.35), (5, 0.26), (15, 0.25), (60, 0.20)):
        name = f"autocorrelation of absolute returns, {lag} min"
        yield near(symbol, name, recorded, autocorrelation(size, lag))
    # the two bands span NIFTY's and BANKNIFTY's figure
    yield between(symbol, "spread of daily realised volatility", 0.48, 0.60, realised.std() / realised.mean())
    yield between(symbol, "its autocorrelation from day to day", 0.43, 0.51, autocorrelation(realised, 1))
    high, low = prices[:, 1:].max(axis=1), prices[:, 1:].min(axis=1)
    yield near(symbol, "median daily range, %", reach, np.median(high - low) * 100)


# fmt: off
RECORDED_PROFILE = (
    14.6, 8.7, 6.5, 5.5, 4.5, 3.5, 3.1, 3.5, 2.9, 2.4, 2.1, 2.4, 2.1, 2.4, 2.3, 2.4, 2.5, 2.5, 2.7, 3.1, 3.5,
    3.5, 3.4, 7.2, 2.7,
)
# fmt: on


def variance_profile(path: LivePath, symbol: str) -> np.ndarray:
    """Median share of a session's variance by 15 minutes, (25,) in per cent, scaled to sum to 100."""
    squares = np.square(path.minute_returns(symbol)).reshape(-1, 25, 15).sum(axis=2)
    shares = np.median(squares / squares.sum(axis=1, keepdims=True), axis=0)
    return shares / shares.sum() * 100


def recorded_profile() -> np.ndarray:
    """The recorded one, scaled alike."""
    return np.array(RECORDED_PROFILE) / sum(RECORDED_PROFILE) * 100


def _profile_figures(path: LivePath) -> Iterator[Figure]:
    simulated = variance_profile(path, "NIFTY")
    start = datetime.datetime(2026, 8, 19, 9, 15, tzinfo=IST)
    for index, recorded in enumerate(recorded_profile()):
        at = start + datetime.timedelta(minutes=15 * index)
        yield near("variance by 15 minutes, %", f"{at:%H:%M}", round(float(recorded), 2), simulated[index])
    squares = np.square(path.minute_returns("NIFTY"))
    first = np.sqrt(squares[:, :5].mean(axis=0) / squares.mean())
    for minute, recorded in enumerate((4.79, 1.54, 1.49, 1.39, 1.35)):
        yield near("first minutes against the average", f"minute {minute + 1}", recorded, first[minute])


def _correlation_figures(path: LivePath) -> Iterator[Figure]:
    def daily(one: str, other: str) -> float:
        return float(np.corrcoef(path.daily_returns(one), path.daily_returns(other))[0, 1])

    def within(minutes: int) -> tuple[float, float]:
        nifty, bank = (np.diff(path.of(s)[:, 1::minutes], axis=1).ravel() for s in ("NIFTY", "BANKNIFTY"))
        covariance = np.cov(nifty, bank)
        return float(np.corrcoef(nifty, bank)[0, 1]), float(covariance[0, 1] / covariance[0, 0])

    topic = "correlation"
    yield near(topic, "NIFTY-BANKNIFTY, 1 minute", 0.80, within(1)[0])
    yield near(topic, "NIFTY-BANKNIFTY, 5 minutes", 0.82, within(5)[0])
    yield near(topic, "BANKNIFTY's beta, 5 minutes", 1.07, within(5)[1])
    for one, other, recorded in (
        ("NIFTY", "BANKNIFTY", 0.87),
        ("NIFTY", "HDFCBANK", 0.80),
        ("NIFTY", "RELIANCE", 0.58),
        ("NIFTY", "TCS", 0.39),
        ("NIFTY", "INFY", 0.34),
        ("INFY", "TCS", 0.82),
        ("HDFCBANK", "RELIANCE", 0.41),
        ("NIFTY", "SENSEX", 0.99),
        ("NIFTY", "FINNIFTY", 0.93),
        ("BANKNIFTY", "FINNIFTY", 0.97),
        ("BANKNIFTY", "BANKEX", 0.98),
        ("NIFTY", "MIDCPNIFTY", 0.85),
        ("NIFTY", "NIFTYNXT50", 0.88),
    ):
        yield near(topic, f"{one}-{other}, daily", recorded, daily(one, other))
    others = [daily("TCS", other) for other in ("HDFCBANK", "RELIANCE")]
    yield between(
        topic, "TCS with HDFCBANK and RELIANCE, mean", 0.15 * 0.65, 0.22 * 1.35, float(np.mean(others))
    )
    yield between(topic, "NIFTY-CRUDEOIL, daily", -0.15, 0.15, daily("NIFTY", "CRUDEOIL"))
    drift = np.std(path.daily_returns("SENSEX") - path.daily_returns("NIFTY")) * 100
    yield between(topic, "SENSEX against NIFTY, daily deviation, %", 0.03, 0.25, drift)
    for symbol, recorded in (("RELIANCE", 22.2), ("HDFCBANK", 24.3), ("TCS", 31.1), ("INFY", 32.2)):
        annual = path.daily_returns(symbol).std() * np.sqrt(250) * 100
        yield near("annual volatility, %", symbol, recorded, annual)


def _volatility_index_figures(path: LivePath) -> Iterator[Figure]:
    """A 30-day volatility moves about 0.9 times as much as the level that the generator keeps."""
    topic, level = "volatility index", 0.9 * path.level
    change, returns = np.diff(level)[1:], path.daily_returns("NIFTY")
    yield near(topic, "correlation with the return", -0.73, np.corrcoef(change, returns)[0, 1])
    yield near(topic, "slope against the return", -5.0, (change * returns).sum() / np.square(returns).sum())
    yield near(topic, "daily deviation of its logarithm, %", 5.8, change.std() * 100)
    yield near(topic, "autocorrelation", 0.967, autocorrelation(np.exp(level), 1))
    low, high = np.quantile(level, [0.1, 0.9])
    yield near(topic, "90 % over 10 % quantile, logarithm", np.log(19.4 / 10.3), high - low)


# Chains


@dataclass(slots=True)
class LiveMarket:
    """A source and the market it feeds."""

    source: SimulatedSource
    market: Market
    now_ms: int

    @classmethod
    def at(
        cls,
        calendar: Calendar,
        catalogue: Catalogue,
        when: datetime.datetime,
        *,
        seed: int,
        hours: str = "always",
        scenario: str = "calm",
    ) -> LiveMarket:
        """A market that starts at an instant."""
        now_ms = to_ms(when)
        source = SimulatedSource(
            catalogue,
            calendar,
            seed=seed,
            start_ms=now_ms,
            hours=hours,
            scenario=scenario,
            interest_rate=INTEREST_RATE,
        )
        market = Market(
            source.universe, source="simulated", epoch="1", interest_rate=INTEREST_RATE, stale_after_s=15
        )
        live = cls(source, market, now_ms)
        live.step(0)
        return live

    def step(self, step_ms: int, count: int = 1) -> None:
        """Advance, and apply what happened."""
        for _ in range(count):
            self.now_ms += step_ms
            update = self.source.advance(self.now_ms)
            if update is not None:
                self.market.apply(update)

    def moneyness(self, listing: Listing) -> np.ndarray:
        """Strikes above the spot, per cent: (n,)."""
        spot = self.market.underlyings["last_price"][listing.underlying_row]
        return (listing.strikes / spot - 1.0) * 100.0


@dataclass(frozen=True, slots=True)
class Smile:
    """IV(x) / IV at the money = level + slope x + curve x², x in deviations, |x| < 2.5."""

    days: float
    at_the_money: float  # per cent
    level: float
    slope: float
    curve: float
    carry: float  # per cent a year
    x: np.ndarray
    ratio: np.ndarray


def smile(live: LiveMarket, listing: Listing) -> Smile:
    """Fitted to the mids out of the money, as the recorded chains were."""
    legs = live.market.legs(listing)
    years = (to_ms(listing.expiry.expires_at) - live.now_ms) / YEAR_MS
    discount = np.exp(-INTEREST_RATE * years)
    mid, strikes = (legs["bid"] + legs["ask"]) / 2, listing.strikes
    close = np.abs(live.moneyness(listing)) < 1.5
    forward = float(np.nanmedian((strikes + (mid[0] - mid[1]) / discount)[close]))
    price = np.where(strikes >= forward, mid[0], mid[1])
    volatility, _ = implied_volatility(price, forward, strikes, years, strikes >= forward, discount)
    # a tick is many points of volatility on a price of a few ticks
    good = np.isfinite(volatility) & (price > 0.5)
    k = np.log(strikes / forward)
    centre = float(np.interp(0.0, k[good], volatility[good]))
    x = k / (centre * np.sqrt(years))
    used = good & (np.abs(x) < 2.5)
    curve, slope, level = np.polyfit(x[used], volatility[used] / centre, 2)
    spot = live.market.underlyings["last_price"][listing.underlying_row]
    carry = float(np.log(forward / spot) / years * 100)
    return Smile(years * 365, centre * 100, level, slope, curve, carry, x[good], volatility[good] / centre)


# slope and curve at 6, 13, 20 and 27 days
RECORDED_SMILES = ((-0.013, 0.049), (-0.034, 0.045), (-0.046, 0.047), (-0.08, 0.037))


def smile_figures(live: LiveMarket) -> Iterator[Figure]:
    """Smile, term structure and carry of NIFTY's first four expiries."""
    smiles = [smile(live, listing) for listing in live.market.universe.chains("NIFTY")[:4]]
    for found, (slope, curve) in zip(smiles, RECORDED_SMILES, strict=True):
        name = f"{found.days:.0f} days"
        yield near("smile slope", name, slope, found.slope)
        yield near("smile curve", name, curve, found.curve)
        yield near("smile level", name, 0.99, found.level)
    first, last = smiles[0], smiles[-1]
    yield near("term structure", "27 days over 6 days, calm", 1.023, last.at_the_money / first.at_the_money)
    for found, carry in zip(smiles, (13.0, 10.5, 8.9, 8.7), strict=True):
        yield near("carry, % a year", f"{found.days:.0f} days", carry, found.carry)


def last_day_figures(live: LiveMarket) -> Iterator[Figure]:
    """The rise of volatility at the close before the last day."""
    near_smile, next_smile = (smile(live, item) for item in live.market.universe.chains("NIFTY")[:2])
    rise = near_smile.at_the_money / next_smile.at_the_money
    yield near("term structure", "one day before the expiry over the next", 16.1 / 12.8, rise)


_CLASSES = ((-99, -5), (-5, -2), (-2, -0.5), (-0.5, 0.5), (0.5, 2), (2, 5), (5, 99))


def spread_table(live: LiveMarket, listing: Listing) -> list[tuple[float, float, float]]:
    """By class of moneyness: median spread in rupees, in per cent of the mid, median bid size in lots."""
    legs, moneyness = live.market.legs(listing), live.moneyness(listing)
    lot_size = listing.expiry.lot_size
    assert lot_size is not None, f"{listing} has no lot size"
    rows = []
    for low, high in _CLASSES:
        inside = np.stack((moneyness, -moneyness))
        chosen = (inside >= low) & (inside < high) & np.isfinite(legs["bid"])
        spread, mid = legs["ask"][chosen] - legs["bid"][chosen], (legs["ask"] + legs["bid"])[chosen] / 2
        size = legs["bid_quantity"][chosen] / lot_size
        rows.append((float(np.median(spread)), float(np.median(spread / mid * 100)), float(np.median(size))))
    return rows


def spread_figures(live: LiveMarket) -> Iterator[Figure]:
    """Spreads of NIFTY by expiry and moneyness, sizes at the best price."""
    chains = live.market.universe.chains("NIFTY")
    nearest, following, third = (spread_table(live, listing) for listing in chains[:3])
    monthly = spread_table(live, next(a for a in chains[1:] if a.expiry.kind == "monthly"))
    topic = "spread, nearest expiry, rupees"
    yield between(topic, "deep in the money", 17, 150, nearest[0][0])
    yield between(topic, "2-5 % in", 2, 6, nearest[1][0])
    yield between(topic, "0.5-2 % in", 0.75 * 0.65, 1.03 * 1.35, nearest[2][0])
    yield between(topic, "at the money", 0.25 * 0.65, 0.28 * 1.35, nearest[3][0])
    yield near(topic, "0.5-2 % out", 0.10, nearest[4][0])
    yield between(topic, "2-5 % out", 0.05, 0.10, round(nearest[5][0], 4))
    yield near(topic, "beyond 5 % out", 0.05, nearest[6][0])
    yield near("spread, nearest expiry, % of mid", "at the money", 0.16, nearest[3][1])
    topic = "spread at the money, rupees"
    yield near(topic, "next weekly", 0.75, following[3][0])
    yield between(topic, "third week", 2.35 * 0.65, 3.18 * 1.35, third[3][0])
    yield between(topic, "monthly", 1, 2, monthly[3][0])
    yield between("spread at the money, % of mid", "monthly", 0.2 * 0.65, 0.4 * 1.35, monthly[3][1])
    topic = "size at the best bid, lots"
    yield between(topic, "at the money", 1, 9, nearest[3][2])
    yield between(topic, "2-5 % out", 30, 170, nearest[5][2])


# the classes from 2 to 4 % are one here: which of them has the heavy round thousand depends on the spot
RECORDED_OPEN_INTEREST = {
    "CE": {(-1, 0): 7.6, (0, 1): 17.9, (1, 2): 21.1, (2, 4): 25.1, (4, 6): 10.8, (6, 15): 15.9},
    "PE": {(-1, 0): 19.3, (-2, -1): 15.7, (-4, -2): 14.0, (-6, -4): 8.8, (-15, -6): 10.3},
}
RECORDED_VOLUME = {
    "CE": {(-1, 0): 11.1, (0, 1): 30.0, (1, 2): 18.4, (2, 4): 23.2, (4, 6): 9.9, (6, 15): 7.0},
    "PE": {(-1, 0): 33.5, (0, 1): 35.4, (-2, -1): 12.0, (-3, -2): 6.1, (-4, -3): 3.5, (-6, -4): 3.2},
}


def share(live: LiveMarket, listing: Listing, field: str, side: int, low: float, high: float) -> float:
    """Per cent of one side's volume or open interest at a moneyness."""
    values, moneyness = live.market.legs(listing)[field][side], live.moneyness(listing)
    return float(values[(moneyness > low) & (moneyness <= high)].sum() / values.sum() * 100)


def interest_figures(markets: list[LiveMarket]) -> Iterator[Figure]:
    """Where open interest and volume lie, averaged over some seeds: single strikes weigh much."""
    nearest = [(live, live.market.universe.chains("NIFTY")[0]) for live in markets]

    def mean(field: str, side: int, low: float, high: float) -> float:
        return float(np.mean([share(live, listing, field, side, low, high) for live, listing in nearest]))

    for field, table in (("open_interest", RECORDED_OPEN_INTEREST), ("volume", RECORDED_VOLUME)):
        for side, name in enumerate(("CE", "PE")):
            for (low, high), recorded in table[name].items():
                topic = f"{field.replace('_', ' ')} by moneyness, %, {name}"
                yield near(topic, f"{low} to {high} %", recorded, mean(field, side, low, high))
    yield from _centre_figures(nearest)
    yield from _round_figures(nearest)
    yield from _expiry_figures(markets)


def _centre_figures(nearest: list[tuple[LiveMarket, Listing]]) -> Iterator[Figure]:
    for side, name, recorded in ((0, "CE", 2.76), (1, "PE", -1.46)):
        centres = []
        for live, listing in nearest:
            held = live.market.legs(listing)["open_interest"][side]
            centres.append((held * live.moneyness(listing)).sum() / held.sum())
        yield near("open interest, mean moneyness, %", name, recorded, np.mean(centres))


def _round_figures(nearest: list[tuple[LiveMarket, Listing]]) -> Iterator[Figure]:
    """Round strikes within 4 % of the spot against the plain ones beside them."""
    ratios: dict[int, list[float]] = {100: [], 500: [], 1000: []}
    for live, listing in nearest:
        strikes, moneyness = listing.strikes, live.moneyness(listing)
        for held in live.market.legs(listing)["open_interest"]:
            for place in np.flatnonzero((np.abs(moneyness) < 4) & (strikes % 100 == 0)).tolist():
                level = next(level for level in (1000, 500, 100) if strikes[place] % level == 0)
                ratios[level].append(float(held[place] / max(1.0, held[[place - 1, place + 1]].mean())))
    for level, low, high in ((100, 2.7, 3.0), (500, 4.4, 5.4), (1000, 6.7, 7.0)):
        found = float(np.median(ratios[level]))
        yield between(
            "open interest, multiple of a plain strike's", f"{level}s", low * 0.65, high * 1.35, found
        )


def _expiry_figures(markets: list[LiveMarket]) -> Iterator[Figure]:
    shares, turnover = [], []
    for live in markets:
        chains = live.market.universe.chains("NIFTY")
        volumes = [live.market.legs(listing)["volume"].sum() for listing in chains]
        shares.append(np.array(volumes[:2]) / sum(volumes) * 100)
        turnover.append(volumes[0] / live.market.legs(chains[0])["open_interest"].sum())
    first, second = np.mean(shares, axis=0)
    yield near("volume by expiry, %", "nearest", 97.0, first)
    yield near("volume by expiry, %", "next", 2.8, second)
    yield near("volume over open interest", "nearest, by 12:17", 3.8, np.mean(turnover))


def trading_figures(live: LiveMarket, minutes: int = 8) -> Iterator[Figure]:
    """Volume and open interest from minute to minute, of the nearest expiry at the money."""
    listing = live.market.universe.chains("NIFTY")[0]
    central = np.abs(live.moneyness(listing)) < 0.45
    before, volumes, changes, totals, held = None, [], [], [], []
    for _ in range(minutes + 1):
        legs = live.market.legs(listing)
        now = {name: legs[name].copy() for name in ("volume", "open_interest")}
        if before is not None:
            volumes.append((now["volume"] - before["volume"])[:, central])
            changes.append((now["open_interest"] - before["open_interest"])[:, central])
            totals.append((now["volume"] - before["volume"]).sum())
            held.append(before["open_interest"][:, central])
        before = now
        live.step(500, 120)
    volume, change, interest = np.array(volumes), np.array(changes), np.array(held)
    topic = "trading by the minute, nearest expiry"
    yield near(topic, "lots in the chain", 58_500, np.mean(totals))
    yield near(topic, "lots in a contract at the money", 2_280, volume.mean())
    yield near(topic, "minutes with volume", 0.99, (volume > 0).mean())
    yield near(topic, "minutes in which open interest changed", 0.88, (change != 0).mean())
    yield near(topic, "change of open interest, % of it", 0.34, np.median(np.abs(change) / interest) * 100)
    yield near(topic, "change of open interest over volume", 0.127, np.abs(change).sum() / volume.sum())
    net = float(change.sum() / volume.sum())
    # the mean of some 100 contract minutes has a deviation of about 0.02
    yield between(topic, "net, over volume", -0.05, 0.08, net)


def mean_figures(seeds: Sequence[int], *, sessions: int = 300, interest_seeds: int = 6) -> list[Figure]:
    """Every figure as its mean and spread over seeds: one seed shows one draw."""
    draws = [all_figures(seed=seed, sessions=sessions, interest_seeds=interest_seeds) for seed in seeds]
    return [_over_seeds(figures) for figures in zip(*draws, strict=True)]


def _over_seeds(figures: Sequence[Figure]) -> Figure:
    found = [figure.simulated for figure in figures]
    spread = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
    return replace(figures[0], simulated=float(np.mean(found)), spread=spread)


def all_figures(*, seed: int = 1, sessions: int = 300, interest_seeds: int = 6) -> list[Figure]:
    """Everything, in the order of the report."""
    calendar = Calendar.load()
    catalogue = Catalogue.load(calendar)
    figures = list(path_figures(live_path(calendar, catalogue, seed=seed, sessions=sessions)))
    markets = [LiveMarket.at(calendar, catalogue, RECORDED_DAY, seed=seed + n) for n in range(interest_seeds)]
    figures += smile_figures(markets[0])
    day_before = datetime.datetime(2026, 8, 24, 15, 30, tzinfo=IST)
    figures += last_day_figures(LiveMarket.at(calendar, catalogue, day_before, seed=seed))
    figures += spread_figures(markets[0])
    figures += interest_figures(markets)
    figures += trading_figures(markets[0])
    return figures
