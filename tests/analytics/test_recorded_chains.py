"""Figures of recorded chains: totals, ratios, max pain, walls, forward, index, smile."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics import volatility
from analytics.forward import ForwardMethod, parity_forward
from analytics.implied_volatility import Status, implied_volatility
from analytics.open_interest import max_pain, put_call_ratio, support_resistance, totals
from analytics.volatility_index import expiry_variance, volatility_index
from tests.analytics import reference

RECORDINGS = {
    "nse_optionchain_NIFTY_20220328_1047.json": reference.exchange_chains,
    "nifty_chain_20260807_close.csv": reference.snapshot_chains,
    "nifty_chain_20260819_1127.csv": reference.snapshot_chains,
}
EXCHANGE = "nse_optionchain_NIFTY_20220328_1047"
CALLS_AND_PUTS = np.array([[True], [False]])


@pytest.mark.parametrize("name", RECORDINGS)
def test_totals_ratios_and_max_pain_of_every_expiry(recorded, name):
    chains = RECORDINGS[name](recorded / name)
    expected = json.loads((recorded / f"{name.rpartition('.')[0]}_expected.json").read_text())["by_expiry"]
    assert expected
    for expiry, figures in expected.items():
        chain = chains[expiry]
        interest, change, volume = (
            totals(*chain[column]) for column in ("open_interest", "change", "volume")
        )
        assert (interest.call, interest.put) == (figures["total_ce_oi"], figures["total_pe_oi"])
        assert (interest.call_legs, interest.put_legs) == (figures["n_ce"], figures["n_pe"])
        assert (change.call, change.put) == (figures["total_ce_oi_change"], figures["total_pe_oi_change"])
        assert (volume.call, volume.put) == (figures["total_ce_volume"], figures["total_pe_volume"])
        for ratio, total in (("pcr_oi", interest), ("pcr_volume", volume), ("pcr_oi_change", change)):
            if figures[ratio] is None:
                assert np.isnan(put_call_ratio(total.put, total.call))
            else:
                assert float(put_call_ratio(total.put, total.call)) == pytest.approx(figures[ratio], abs=1e-9)
        pain = max_pain(chain["strikes"], *chain["open_interest"])
        assert pain.strike == figures["max_pain"] == min(figures["max_pain_ties"]), expiry
        assert pain.curve.min() == pytest.approx(figures["max_pain_writer_payout"], rel=1e-12)


@pytest.mark.parametrize("name", RECORDINGS)
def test_walls_are_the_top_positions(recorded, name):
    chains = RECORDINGS[name](recorded / name)
    expected = json.loads((recorded / f"{name.rpartition('.')[0]}_expected.json").read_text())["by_expiry"]
    for expiry, figures in expected.items():
        walls = support_resistance(
            chains[expiry]["strikes"],
            *chains[expiry]["open_interest"],
            count=5,  # type: ignore[misc]
        )
        for key, sizes in (
            ("top5_pe_oi", walls.support_open_interest),
            ("top5_ce_oi", walls.resistance_open_interest),
        ):
            assert_allclose(sizes, [size for _, size in figures[key] if size > 0])
    assert walls.support_strikes.size


@pytest.fixture(scope="module")
def index_reference(recorded):
    return json.loads((recorded / f"{EXCHANGE}_vix_expected.json").read_text())


def test_index_of_the_recorded_chain(recorded, index_reference):
    chains = reference.exchange_chains(recorded / f"{EXCHANGE}.json")
    variances = {}
    for expiry, figures in index_reference["single"].items():
        chain = chains[expiry]
        result = expiry_variance(
            chain["strikes"], chain["bid"], chain["ask"], figures["F"], figures["T"], index_reference["r"]
        )
        variances[expiry] = result
        assert result.strike_below_forward == figures["K0"]
        assert result.strikes_quoted + result.strikes_filled == figures["n_options"]
        assert result.variance == pytest.approx(figures["variance"], rel=1e-12)
    near = volatility_index(variances["31-Mar-2022"], variances["28-Apr-2022"])
    rolled = volatility_index(variances["28-Apr-2022"], variances["26-May-2022"])
    assert [100 * near, 100 * rolled] == pytest.approx(list(index_reference["pairs"].values()), rel=1e-12)


def test_forward_of_the_recorded_chain_is_the_quotes_own(recorded, index_reference):
    chains = reference.exchange_chains(recorded / f"{EXCHANGE}.json")
    for expiry, figures in index_reference["single"].items():
        chain = chains[expiry]
        result = parity_forward(
            17_022.5, chain["strikes"], (chain["bid"], chain["ask"], chain["last"]), figures["T"], 0.05
        )
        assert result.method is ForwardMethod.parity
        assert result.strikes_used == 10
        # the reference takes the one strike with the smallest |C - P|; domain facts 4.2 give the dispersion
        assert result.forward == pytest.approx(figures["F"], abs=2.0)
        assert result.dispersion < 5.0


def test_smile_of_the_recorded_chain(recorded, index_reference):
    chain = reference.exchange_chains(recorded / f"{EXCHANGE}.json")["28-Apr-2022"]
    figures = index_reference["single"]["28-Apr-2022"]
    strikes, time, discount = chain["strikes"], figures["T"], math.exp(-0.05 * figures["T"])
    forward = parity_forward(
        17_022.5, strikes, (chain["bid"], chain["ask"], chain["last"]), time, 0.05
    ).forward
    mid = np.where(chain["bid"] > 0, 0.5 * (chain["bid"] + chain["ask"]), np.nan)
    sigma, status = implied_volatility(mid, forward, strikes, time, CALLS_AND_PUTS, discount)
    near = np.abs(strikes - forward) < 0.02 * forward
    assert (status[:, near] == Status.ok).all()
    # one forward for both sides: calls and puts agree to the spread
    assert np.median(np.abs(sigma[0, near] - sigma[1, near])) < 0.005
    smile = volatility.out_of_the_money(strikes, sigma[0], sigma[1], forward)
    at_the_money = volatility.atm_volatility(strikes, smile, forward)
    assert at_the_money.volatility == pytest.approx(0.2332, abs=0.001)
    skew = volatility.delta_skew(strikes, smile, forward, time)
    assert 0.03 < skew.skew < 0.05
