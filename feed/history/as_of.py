"""A recorded chain valued as the live one is: the same figures, from what was stored."""

from __future__ import annotations

import math
from dataclasses import replace

from domain.instants import MINUTE_MS, to_datetime
from feed.history.store.stored_chain import StoredChain
from feed.market.market import Market
from feed.market.source import CONTRACT_FIELDS, Update
from feed.market.universe import Universe
from feed.reference.instruments import Expiry, Underlying
from feed.valuation.chain import ValuedStates, value_states

PAST_EPOCH = "history"  # of states that belong to no stream


def value_past_chain(
    stored: StoredChain, underlying: Underlying, *, at_ms: int, interest_rate: float, stale_after_ms: float
) -> ValuedStates:
    """The last of the recorded minutes, as it was known at ``at_ms``.

    It is stale where the record is older than recording once a minute explains. Quantities of the quotes are
    not recorded.
    """
    market = _market(stored, underlying, interest_rate)
    valued, heads = value_states(market, market.universe.listings)
    age_ms = at_ms - heads.as_of_ms[0]
    provenance = replace(heads.provenance, stale=[age_ms > MINUTE_MS + stale_after_ms])
    return valued, replace(heads, provenance=provenance)


def _market(stored: StoredChain, underlying: Underlying, interest_rate: float) -> Market:
    """A market of that one chain, as it stood at the end of the record."""
    expiry = Expiry(stored.expiry, stored.kind, to_datetime(stored.expires_at_ms), stored.lot_size)
    universe = Universe([underlying], [(stored.symbol, expiry, stored.strikes, stored.tokens)])
    market = Market(
        universe,
        source=stored.source_name(),
        epoch=PAST_EPOCH,
        interest_rate=interest_rate,
        stale_after_s=math.inf,
    )
    legs = stored.legs()
    market.apply(
        Update(
            int(stored.as_of_ms[-1]),
            {"last_price": stored.spot[-1:]},
            {name: legs[name].ravel() for name in CONTRACT_FIELDS},
            forwards=stored.forward[-1:],
        )
    )
    return market
