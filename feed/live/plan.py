"""What is followed over which socket, and what is asked for in turn: a pure function of what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from domain.instruments import Kind
from feed.live.broker import Limits
from feed.live.reconcile import NO_TOKEN, TokenTable
from feed.market.universe import Listing

FREE_SHARE = 0.05  # of a socket's places: for what is wanted next
POLLED_ROUNDS = 2.5  # so many rounds without an answer, and a polled chain is stale

Key = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Plan:
    """The tokens of each socket; the socket of each listing that has one; the tokens to ask for in turn."""

    sockets: tuple[frozenset[int], ...]
    socket_of: Mapping[Key, int] = field(default_factory=dict)
    polled: tuple[int, ...] = ()
    polled_listings: tuple[int, ...] = ()

    def round_s(self, limits: Limits) -> float:
        """How long it takes to ask for everything once."""
        return -(-len(self.polled) // limits.quotes_a_request) * limits.request_interval_s


def make_plan(table: TokenTable, wanted: Sequence[Key], limits: Limits, before: Plan | None = None) -> Plan:
    """Underlyings first, then listings that are ``wanted``, index chains and the nearest of the others.

    A chain is on one socket whole, and what stays on a socket stays where it is. The rest is polled.
    """
    universe = table.universe
    sockets: list[set[int]] = [set() for _ in range(limits.sockets)]
    spots = [int(token) for token in table.tokens[: len(universe.underlyings)] if token != NO_TOKEN]
    polled: list[int] = []
    if sockets and len(spots) <= limits.tokens_a_socket * (1 - FREE_SHARE):
        sockets[0].update(spots)
    else:
        polled += spots
    claims = {
        listing.key: [t for t in listing.tokens.tolist() if t != NO_TOKEN] for listing in universe.listings
    }
    chosen: list[Listing] = []
    room = limits.sockets * limits.tokens_a_socket * (1 - FREE_SHARE) - sum(map(len, sockets))
    for listing in _by_claim(table, wanted):
        if len(claims[listing.key]) <= room:
            chosen.append(listing)
            room -= len(claims[listing.key])
    was_on = {} if before is None else before.socket_of
    socket_of: dict[Key, int] = {}
    for stays in (True, False):
        for listing in chosen:
            place = was_on.get(listing.key)
            if stays != (place is not None):
                continue
            if place is None:
                place = int(np.argmin([len(some) for some in sockets]))
            tokens = claims[listing.key]
            if place < len(sockets) and len(sockets[place]) + len(tokens) <= limits.tokens_a_socket:
                sockets[place].update(tokens)
                socket_of[listing.key] = place
    rest = [listing for listing in universe.listings if listing.key not in socket_of]
    polled += [token for listing in rest for token in claims[listing.key]]
    return Plan(tuple(map(frozenset, sockets)), socket_of, tuple(polled), tuple(item.row for item in rest))


def _by_claim(table: TokenTable, wanted: Sequence[Key]) -> list[Listing]:
    """All listings, those with the best claim on a socket first."""
    universe, asked = table.universe, set(wanted)
    nearness: dict[Key, int] = {}
    for item in universe.underlyings:
        for rank, listing in enumerate(universe.chains(item.symbol)):
            nearness[listing.key] = rank

    def claim(listing: Listing) -> tuple[int, int, int]:
        is_index = universe.underlyings[listing.underlying_row].kind == Kind.INDEX
        rank = nearness[listing.key]
        group = 0 if listing.key in asked else 1 if is_index else 2 if rank == 0 else 3
        return group, rank, listing.row

    return sorted(universe.listings, key=claim)
