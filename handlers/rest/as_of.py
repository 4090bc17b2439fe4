"""What was at an instant: a chain, or the figures of an expiry."""

from __future__ import annotations

import orjson

from feed.history.as_of import PAST_EPOCH
from feed.valuation.chain import ChainHeads, ValuedStates
from handlers.access.rate_limit import HEAVY
from handlers.rest.base import ApiHandler
from schemas.chains import chain_table, dump_headers, encode_chain
from schemas.dashboard import dump_dashboards
from schemas.requests.leg_fields import LegFields
from schemas.requests.queries import ChainQuery, DashboardQuery
from schemas.wire import encode


class PastHandler(ApiHandler):
    """A resource that has a present, and with ``at`` a past."""

    def cost_of_request(self) -> float:
        """Much for the past, which is read from the store and valued afresh."""
        return HEAVY if "at" in self.request.query_arguments else self.cost

    def asks_past(self) -> bool:
        """With ``at``."""
        return "at" in self.request.query_arguments

    async def reply_past_chain(self, query: ChainQuery, at_ms: int) -> None:
        """Answer with a recorded chain."""
        state = await self.within_time(self.services.past.chain(query.symbol, query.expiry, at_ms))
        self._reply_past(state[1], encode_past(state, query.strikes, query.leg_fields))

    async def reply_past_dashboard(self, query: DashboardQuery, at_ms: int) -> None:
        """Answer with the figures of a recorded chain."""
        board = await self.within_time(self.services.past.dashboard(query.symbol, query.expiry, at_ms))
        self._reply_past(board.heads, encode(dump_dashboards(board)[0]))

    def _reply_past(self, heads: ChainHeads, body: bytes) -> None:
        self.reply(
            orjson.Fragment(body),
            meta={"symbol": heads.symbol[0], "expiry": heads.expiry[0]},
            version=(PAST_EPOCH, heads.as_of_ms[0]),
        )


def encode_past(state: ValuedStates, strikes: int | None, fields: LegFields) -> bytes:
    """A chain as the live one is answered, its rows within ``strikes`` on each side of the money."""
    valued, heads = state
    table = chain_table(valued)
    if strikes is not None:
        money = int(valued.atm_index[0])
        table = table[:, max(0, money - strikes) : money + strikes + 1]
    return encode_chain(dump_headers(heads)[0], table, fields.columns)
