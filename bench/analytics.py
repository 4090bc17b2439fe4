"""What valuing costs: a universe, its implied volatilities, and every field of one chain.

Run ``python -m bench.analytics`` from the root of the repository. Peers are timed in the same process on the
same inputs where the interpreter has them; to have them, out of the project's own environment::

    python -m venv /tmp/peers && /tmp/peers/bin/pip install numpy scipy QuantLib vollib
    /tmp/peers/bin/python -m bench.analytics

Figures are CPU time (`time.process_time`), the best of several runs: other work on the machine disturbs that
least.
"""

from __future__ import annotations

import importlib
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics import (
    black76,
    forward,
    gamma_exposure,
    implied_volatility,
    normalised_black,
    open_interest,
    volatility,
    volatility_index,
)
from bench.smiles import ssvi_smile

CONTRACTS = 10_000
PEER_CONTRACTS = 2_000
REPEATS = 40
PEER_REPEATS = 3
RATE = 0.06
CALLS_AND_PUTS = np.array([[True], [False]])


@dataclass(frozen=True)
class Universe:
    """Calls and puts of a market day, in and out of the money: weeklies to quarterlies."""

    forward: np.ndarray
    strike: np.ndarray
    time: np.ndarray
    sigma: np.ndarray
    is_call: np.ndarray
    discount: np.ndarray
    price: np.ndarray


def universe(size: int, seed: int = 20261123) -> Universe:
    random = np.random.default_rng(seed)
    futures = np.exp(random.uniform(np.log(300.0), np.log(75_000.0), size))
    years = random.choice([1, 2, 8, 15, 22, 36, 64, 127], size) / 365.0
    sigma = random.uniform(0.09, 0.55, size)
    k = random.uniform(-2.5, 2.5, size)
    strike = futures * np.exp(k * sigma * np.sqrt(years))
    is_call = random.random(size) < 0.5
    discount = np.exp(-RATE * years)
    price = black76.price(futures, strike, years, sigma, is_call, discount)
    return Universe(futures, strike, years, sigma, is_call, discount, price)


def best(run: Callable[[], object], repeats: int) -> float:
    """CPU seconds of the quickest run."""
    run()
    quickest = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        run()
        quickest = min(quickest, time.process_time() - start)
    return quickest


@dataclass(frozen=True)
class Chain:
    strikes: np.ndarray
    bid: np.ndarray
    ask: np.ndarray
    last: np.ndarray
    open_interest: np.ndarray
    change: np.ndarray
    volume: np.ndarray


def chain(strikes: int = 120) -> Chain:
    random = np.random.default_rng(1)
    strike = 24_000.0 + 50.0 * (np.arange(strikes) - strikes // 2)
    smile = ssvi_smile(np.log(strike / 24_030.0), 0.12, 8 / 365, -0.15, 1.0)
    mid = black76.price(24_030.0, strike, 8 / 365, smile, CALLS_AND_PUTS, np.exp(-RATE * 8 / 365))
    mid = np.maximum(np.round(mid / 0.05) * 0.05, 0.05)
    return Chain(
        strike, mid - 0.025, mid + 0.025, mid, *random.integers(0, 90_000, (3, 2, strikes)).astype(float)
    )


def value_chain(data: Chain) -> tuple[object, ...]:
    """Every derived field that a chain and its dashboard show."""
    years, discount = 8 / 365, float(np.exp(-RATE * 8 / 365))
    future = forward.parity_forward(
        24_010.0, data.strikes, (data.bid, data.ask, data.last), years, RATE
    ).forward
    mid = 0.5 * (data.bid + data.ask)
    sigma, status = implied_volatility.implied_volatility(
        mid, future, data.strikes, years, CALLS_AND_PUTS, discount
    )
    on_forward = black76.greeks(future, data.strikes, years, sigma, CALLS_AND_PUTS, discount)
    on_spot = black76.spot_greeks(on_forward, 24_010.0, future, years)
    totals = [open_interest.totals(*item) for item in (data.open_interest, data.change, data.volume)]
    ratios = [open_interest.put_call_ratio(item.put, item.call) for item in totals]
    pain = open_interest.max_pain(data.strikes, *data.open_interest)
    walls = open_interest.support_resistance(data.strikes, *data.open_interest)
    labels = open_interest.build_up(data.change, data.change)
    smile = volatility.out_of_the_money(data.strikes, sigma[0], sigma[1], future)
    at_the_money = volatility.atm_volatility(data.strikes, smile, future)
    skew = volatility.delta_skew(data.strikes, smile, future, years)
    move = volatility.expected_move(future, at_the_money.volatility, years, discount)
    exposure = gamma_exposure.gamma_exposure(on_forward.gamma, data.open_interest, 65, future)
    flip = gamma_exposure.zero_gamma_level(data.strikes, smile, data.open_interest, future, years)
    variance = volatility_index.expiry_variance(data.strikes, data.bid, data.ask, future, years, RATE)
    return status, on_spot, ratios, pain, walls, labels, skew, move, exposure, flip, variance


def peer(name: str) -> Any:
    """A library to compare with; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        return None


def quantlib_volatilities(library: Any, data: Universe) -> Callable[[], list[float]]:
    solve, call, put = library.blackFormulaImpliedStdDevLiRS, library.Option.Call, library.Option.Put
    rows = list(
        zip(
            [call if item else put for item in data.is_call.tolist()],
            *(item.tolist() for item in (data.strike, data.forward, data.price, data.discount)),
            strict=True,
        )
    )
    return lambda: [solve(*row) for row in rows]


def vollib_volatilities(library: Any, data: Universe) -> Callable[[], list[float]]:
    rows = list(
        zip(
            *(item.tolist() for item in (data.price, data.forward, data.strike)),
            [RATE] * data.price.size,
            data.time.tolist(),
            ["c" if item else "p" for item in data.is_call.tolist()],
            strict=True,
        )
    )
    solve = library.implied_volatility_of_discounted_option_price
    rows = [(price, future, strike, rate, years, flag) for price, future, strike, rate, years, flag in rows]
    return lambda: [solve(*row) for row in rows]


def quantlib_prices(library: Any, data: Universe) -> Callable[[], list[float]]:
    formula, call, put = library.blackFormula, library.Option.Call, library.Option.Put
    deviation = data.sigma * np.sqrt(data.time)
    rows = list(
        zip(
            [call if item else put for item in data.is_call.tolist()],
            *(item.tolist() for item in (data.strike, data.forward, deviation, data.discount)),
            strict=True,
        )
    )
    return lambda: [formula(*row) for row in rows]


def line(what: str, microseconds: float, per: str, note: str = "") -> None:
    print(f"{what:<58}{microseconds:>10.3f} us/{per:<9} {note}")


def ours() -> dict[str, float]:
    data = universe(CONTRACTS)
    inputs = data.forward, data.strike, data.time
    timed = {
        "price": best(lambda: black76.price(*inputs, data.sigma, data.is_call, data.discount), REPEATS),
        "greeks": best(lambda: black76.greeks(*inputs, data.sigma, data.is_call, data.discount), REPEATS),
        "volatility": best(
            lambda: implied_volatility.implied_volatility(data.price, *inputs, data.is_call, data.discount),
            REPEATS,
        ),
    }
    timed = {name: seconds / CONTRACTS * 1e6 for name, seconds in timed.items()}
    one_chain = chain()
    timed["chain"] = best(lambda: value_chain(one_chain), REPEATS) * 1e6
    line("ours: price, 10,000 contracts", timed["price"], "contract")
    line("ours: price and all Greeks, 10,000 contracts", timed["greeks"], "contract", "target 0.25")
    line("ours: implied volatility, 10,000 contracts", timed["volatility"], "contract", "aim 0.3")
    line("ours: every field of a 120-strike chain", timed["chain"], "chain", "target 2000")
    found, _ = implied_volatility.implied_volatility(data.price, *inputs, data.is_call, data.discount)
    wide = np.mean(data.sigma * np.sqrt(data.time) > 2 * normalised_black.SERIES_HALF_VOLATILITY)
    print(f"{'':4}largest relative error of a volatility {np.nanmax(np.abs(found / data.sigma - 1)):.1e};")
    print(f"{'':4}{wide:.0%} of the contracts lie beyond the series (total volatility over 0.25)")
    return timed


def peers(timed: dict[str, float]) -> None:
    data = universe(PEER_CONTRACTS)
    deviation = data.sigma * np.sqrt(data.time)
    lirs = "QuantLib.blackFormulaImpliedStdDevLiRS in a loop"
    candidates = [
        ("QuantLib", "QuantLib.blackFormula in a loop", quantlib_prices, "price", data.price, ""),
        ("QuantLib", lirs, quantlib_volatilities, "volatility", deviation, ", target 5"),
        (
            "vollib.black.implied_volatility",
            "vollib's scalar Black in a loop",
            vollib_volatilities,
            "volatility",
            data.sigma,
            ", target 40",
        ),
    ]
    for module, label, build, field, wanted, target in candidates:
        library = peer(module)
        if library is None:
            name = module.partition(".")[0]
            print(f"{label:<58}    absent: pip install {name}, in a venv of its own")
            continue
        run = build(library, data)
        error = np.abs(np.array(run()) / wanted - 1.0).max()
        microseconds = best(run, PEER_REPEATS) / PEER_CONTRACTS * 1e6
        note = f"{microseconds / timed[field]:.0f} times ours{target}; differs by {error:.0e}"
        line(label, microseconds, "contract", note)


def main() -> None:
    print(f"CPython {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, CPU time\n")
    peers(ours())


if __name__ == "__main__":
    main()
