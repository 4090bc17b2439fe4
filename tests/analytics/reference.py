"""The same quantities again, slowly and obviously: one number at a time, 50 digits, textbook formulas."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import mpmath
import numpy as np

mpmath.mp.dps = 50
mpf = mpmath.mpf


def _terms(forward, strike, time, volatility):
    f, k, t, sigma = mpf(forward), mpf(strike), mpf(time), mpf(volatility)
    v = sigma * mpmath.sqrt(t)
    d1 = mpmath.log(f / k) / v + v / 2
    return f, k, t, sigma, d1, d1 - v


def _cumulative(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def price(forward, strike, time, volatility, is_call, discount=1.0):
    f, k, _, _, d1, d2 = _terms(forward, strike, time, volatility)
    w = 1 if is_call else -1
    # 50 digits are not enough for the wings unless the precision follows the size of the exponent
    with mpmath.workdps(50 + int(d1 * d1 / 2 + d2 * d2 / 2)):
        return mpf(discount) * w * (f * _cumulative(w * d1) - k * _cumulative(w * d2))


def greeks(forward, strike, time, volatility, is_call, discount=1.0):
    f, _, t, sigma, d1, _ = _terms(forward, strike, time, volatility)
    d, w = mpf(discount), (1 if is_call else -1)
    value = price(forward, strike, time, volatility, is_call, discount)
    density = mpmath.npdf(d1)
    rate = -mpmath.log(d) / t
    return {
        "price": value,
        "delta": d * w * _cumulative(w * d1),
        "gamma": d * density / (f * sigma * mpmath.sqrt(t)),
        "vega": d * f * density * mpmath.sqrt(t),
        "theta": rate * value - d * f * density * sigma / (2 * mpmath.sqrt(t)),
        "rho": -t * value,
    }


def time_value(x, v):
    """Time value over D min(F, K), from the textbook's difference."""
    x, v = mpf(x), mpf(v)
    with mpmath.workdps(60 + int((x / v) ** 2)):
        return _cumulative(-x / v + v / 2) - mpmath.exp(x) * _cumulative(-x / v - v / 2)


def implied_volatility(wanted, forward, strike, time, is_call, discount=1.0):
    """By bisection between nothing and far too much."""
    low, high = mpf("1e-8"), mpf(100)
    for _ in range(120):
        middle = (low + high) / 2
        if price(forward, strike, time, middle, is_call, discount) < mpf(wanted):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def pay_out(strikes, call_oi, put_oi):
    """What holders are paid at each strike, leg by leg."""
    curve = []
    for settled in strikes:
        total = 0.0
        for strike, call, put in zip(strikes, call_oi, put_oi, strict=True):
            total += (0.0 if np.isnan(call) else call) * max(0.0, settled - strike)
            total += (0.0 if np.isnan(put) else put) * max(0.0, strike - settled)
        curve.append(total)
    return curve


def exchange_chains(path: Path):
    """Arrays of each expiry of a recorded NSE option chain: strikes (n,) and calls and puts (2, n)."""
    records = json.loads(path.read_text())["records"]
    names = {
        "bid": "bidprice",
        "ask": "askPrice",
        "last": "lastPrice",
        "open_interest": "openInterest",
        "change": "changeinOpenInterest",
        "volume": "totalTradedVolume",
    }
    chains = {}
    for expiry in records["expiryDates"]:
        rows = sorted(
            (row for row in records["data"] if row["expiryDate"] == expiry),
            key=lambda row: row["strikePrice"],
        )
        columns = {
            name: np.array(
                [[row.get(side, {}).get(key, np.nan) for row in rows] for side in ("CE", "PE")], dtype=float
            )
            for name, key in names.items()
        }
        chains[expiry] = {"strikes": np.array([row["strikePrice"] for row in rows], dtype=float), **columns}
    return chains


def snapshot_chains(path: Path):
    """Arrays of each expiry of a recorded snapshot, whichever of the two layouts it has."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    legs = {}
    for row in rows:
        chain = legs.setdefault(row["expiry"], {})
        if "option_type" in row:
            chain[float(row["strike"]), row["option_type"]] = [
                float(row[name]) for name in ("ltp", "oi", "oi_chg", "volume")
            ]
        else:
            for side, prefix in (("CE", "ce_"), ("PE", "pe_")):
                chain[float(row["strike"]), side] = [
                    float(row[prefix + name]) for name in ("ltp", "oi", "oi_chg", "volume")
                ]
    chains = {}
    for expiry, chain in legs.items():
        strikes = sorted({strike for strike, _ in chain})
        values = np.full((4, 2, len(strikes)), np.nan)
        for (strike, side), figures in chain.items():
            values[:, int(side == "PE"), strikes.index(strike)] = figures
        names = ("last", "open_interest", "change", "volume")
        chains[expiry] = {"strikes": np.array(strikes), **dict(zip(names, values, strict=True))}
    return chains
