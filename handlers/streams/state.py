"""Streams: the published state of one symbol, chain, dashboard or candle, and what changed in it since.

A stream keeps the last published state and, for each value of it, the sequence number at which that
value last changed. The delta from any earlier state is then a look-up, not a log to replay: the values
whose number is higher. Nothing grows with the number of updates or of clients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.streams import StreamName
from feed.market.market import Market
from feed.market.universe import Listing
from feed.valuation.chain import ChainHeads, ValuedChains, ValuedStates
from schemas.chains import (
    CHAIN_ROWS,
    ROW_COLUMNS,
    STRIKE,
    chain_table,
    dump_headers,
    encode_chain,
)
from schemas.columns import FloatArray, RowTexts, differs
from schemas.quotes import dump_quote
from schemas.requests.leg_fields import ALL_FIELDS, LegFields
from schemas.wire import encode

ALWAYS_IN_A_QUOTE_DELTA = ("spot_price", "change", "change_percent")
UNKNOWN = object()  # no value equals it
NO_EPOCH = ""  # of a stream that has no state yet
IDENTITY = frozenset({"epoch", "seq", "as_of"})  # in every delta, so never among its changes


class Stream(ABC):
    """The state of one stream as clients see it.

    ``listing_key`` is that of the listing it tells of, None where it tells of none and so never expires.
    """

    listing_key: tuple[str, date] | None = None

    def __init__(self, name: StreamName, market: Market, depth: int) -> None:
        self.name = name
        self.kind, self.symbol = name.kind, name.symbol
        self.epoch = NO_EPOCH
        self.seq = -1
        self._market = market
        self._depth = depth
        self.marks: OrderedDict[int, Any] = OrderedDict()  # seq of a known state -> what _mark said

    @abstractmethod
    def _present(self) -> tuple[str, int]:
        """Epoch and sequence number the market is at."""

    @abstractmethod
    def _advance(self, afresh: bool) -> None:
        """Take over the market's state; forget the changes of the old one if ``afresh``."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """The fields that name the stream in every payload."""

    @abstractmethod
    def as_of(self) -> str:
        """Time of the newest input."""

    def _mark(self) -> Any:
        """What a later delta must know of the present state, beside its number."""
        return None

    @property
    def is_behind(self) -> bool:
        """Whether anything was published since the last ``refresh``."""
        return self._present() != (self.epoch, self.seq)

    def is_before(self, epoch: str, seq: int) -> bool:
        """Whether the market has yet to come to a state of this epoch."""
        present = self._present()
        return present[0] == epoch and present[1] < seq

    def refresh(self) -> bool:
        """Come up to the market; return whether anything was published since."""
        epoch, seq = self._present()
        if seq == self.seq and epoch == self.epoch:
            return False
        afresh = epoch != self.epoch
        self.epoch, self.seq = epoch, seq
        if afresh:
            self.marks.clear()
        try:
            self._advance(afresh)
        except Exception:
            self.epoch = NO_EPOCH  # what is half taken over is not to be served as if it were whole
            raise
        self.marks[seq] = self._mark()
        while len(self.marks) > self._depth + 1:
            self.marks.popitem(last=False)
        return True

    def holds(self, epoch: str, seq: int) -> bool:
        """Whether the changes since that state are known."""
        return epoch == self.epoch and seq in self.marks

    def heartbeat(self) -> bytes:
        """A delta that says nothing changed."""
        return encode({**self.identity(), **self.position(self.seq), "as_of": self.as_of()})

    def position(self, since: int) -> dict[str, Any]:
        """The state a delta applies to and the one it leads to."""
        return {"epoch": self.epoch, "prev_seq": since, "seq": self.seq}


class Fields:
    """Named values, and the sequence number at which each last changed."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._changed_at: dict[str, int] = {}
        self._seq = self._seq_before = -1
        self._newest: dict[str, Any] = {}  # what changed at ``_seq``

    def assign(self, values: dict[str, Any], seq: int) -> None:
        """Take over values published as ``seq``."""
        before = self.values.get
        changed = {name: value for name, value in values.items() if before(name, UNKNOWN) != value}
        self._changed_at.update(dict.fromkeys(changed, seq))
        self._newest = {name: value for name, value in changed.items() if name not in IDENTITY}
        self._seq_before, self._seq = self._seq, seq
        self.values = values

    def since(self, seq: int) -> dict[str, Any]:
        """The values that changed after ``seq``."""
        if seq == self._seq_before:
            return self._newest
        return {
            name: value
            for name, value in self.values.items()
            if self._changed_at[name] > seq and name not in IDENTITY
        }


class SymbolStream(Stream):
    """``symbol:NIFTY``: the quote of an underlying."""

    def __init__(self, symbol: str, market: Market, depth: int) -> None:
        super().__init__(StreamName.quote(symbol), market, depth)
        self.fields = Fields()

    def _present(self) -> tuple[str, int]:
        return self._market.epoch, self._market.symbol_seq(self.symbol)

    def _advance(self, afresh: bool) -> None:
        if afresh:
            self.fields = Fields()
        self.fields.assign(dump_quote(self._market.quote(self.symbol)), self.seq)

    def identity(self) -> dict[str, Any]:
        """The fields that name the stream in every payload."""
        return {"kind": "delta", "symbol": self.symbol}

    def as_of(self) -> str:
        """Time of the newest input."""
        return str(self.fields.values["as_of"])

    def snapshot(self, reason: str | None = None) -> bytes:
        """The whole quote."""
        extra = {"reason": reason} if reason else {}
        return encode({"kind": "snapshot", **self.fields.values, **extra})

    def delta(self, since: int) -> bytes:
        """What changed after ``since``, merged."""
        values = self.fields.values
        payload = {
            **self.identity(),
            **self.position(since),
            "as_of": self.as_of(),
            **{name: values[name] for name in ALWAYS_IN_A_QUOTE_DELTA},
            **self.fields.since(since),
        }
        if self.seq - since > 1:
            payload["conflated"] = self.seq - since
        return encode(payload)


@dataclass(frozen=True, slots=True)
class ChainPart:
    """What is shown of a chain: strikes on each side of the money, None for all, and fields of the legs."""

    strikes: int | None = None
    fields: LegFields = ALL_FIELDS


WHOLE_CHAIN = ChainPart()


@dataclass(frozen=True, slots=True)
class PreparedChain:
    """A state that a chain's stream is to take over, as one of many that were made in one pass.

    ``header`` is as ``dump_headers`` makes it, ``table`` as ``chain_table``; ``changed`` marks the cells that
    the stream holds otherwise, and ``texts`` are theirs, where they are written already.
    """

    version: tuple[str, int]
    strikes: FloatArray
    header: dict[str, Any]
    atm_index: int
    table: FloatArray
    changed: NDArray[np.bool_]
    texts: RowTexts | None


class ChainStream(Stream):
    """``chain:NIFTY:2026-12-01``: a whole chain, seen through windows of strikes around the money."""

    listing_key: tuple[str, date]

    def __init__(
        self, listing: Listing, market: Market, value: Callable[[Listing], ValuedStates], depth: int
    ) -> None:
        super().__init__(StreamName.chain(*listing.key), market, depth)
        self.listing_key = listing.key
        self._value = value
        self.fields = Fields()
        self.table = np.empty((len(ROW_COLUMNS), 0))
        self._strikes: FloatArray = self.table[STRIKE]
        self._changed_at = np.empty((len(ROW_COLUMNS), 0), np.int64)
        self._texts: RowTexts | None = None  # of the cells that changed at ``seq``
        self._atm_index = 0
        self._whole: dict[ChainPart, bytes] = {}
        self._prepared: PreparedChain | None = None

    def _listing(self) -> Listing:
        universe = self._market.universe
        return universe.find(self.listing_key) or universe.listing(*self.listing_key)

    def _present(self) -> tuple[str, int]:
        return self._market.epoch, self._market.chain_seq(self._listing())

    def _advance(self, afresh: bool) -> None:
        if self._prepared is None or self._prepared.version != (self.epoch, self.seq):
            # who asks for the whole chain needs no text of what changed
            ChainStream.prepare([self], *self._value(self._listing()), write_changes=False)
        prepared, self._prepared = self._prepared, None
        assert prepared is not None
        table = prepared.table
        if afresh:
            self.fields = Fields()
        self._texts = None
        if afresh or not self._holds(prepared.strikes):
            # other strikes are listed: who holds the old ones gets the whole chain again
            self.marks.clear()
            self._changed_at = np.full(table.shape, self.seq)
        else:
            np.putmask(self._changed_at, prepared.changed, self.seq)  # half of what copyto takes
            self._texts = prepared.texts
        self.fields.assign(prepared.header, self.seq)
        self.table, self._strikes = table, prepared.strikes
        self._atm_index = prepared.atm_index
        self._whole.clear()

    def _holds(self, strikes: FloatArray) -> bool:
        """Whether the state that it holds is of these strikes."""
        return strikes is self._strikes or np.array_equal(strikes, self._strikes)

    def _mark(self) -> int:
        return self._atm_index

    @staticmethod
    def prepare(
        streams: Sequence[ChainStream], valued: ValuedChains, heads: ChainHeads, *, write_changes: bool = True
    ) -> None:
        """Hand each its new state, of those that were valued in one pass: one comparison, one encoding.

        ``heads`` are all of the pass, in its order. Each stream takes its state over when it is refreshed.
        """
        if not streams:
            return
        table, headers, atm = chain_table(valued), dump_headers(heads), valued.atm_index.tolist()
        places = [valued.place_of[stream.listing_key] for stream in streams]
        before = table.copy()  # of those that hold nothing there is nothing to be compared
        for stream, place in zip(streams, places, strict=True):
            if stream._holds(valued.selection.listings[place].strikes):
                before[:, valued.strikes_of(place)] = stream.table
        changed = differs(before, table)
        texts = CHAIN_ROWS.texts(table, changed) if write_changes else None
        for stream, place in zip(streams, places, strict=True):
            strikes = valued.strikes_of(place)
            stream._prepared = PreparedChain(
                stream._present(),
                valued.selection.listings[place].strikes,
                headers[place],
                atm[place],
                table[:, strikes].copy(),  # a slice would keep all of the pass
                changed[:, strikes],
                texts.between(strikes.start, strikes.stop) if texts is not None else None,
            )

    def identity(self) -> dict[str, Any]:
        """The fields that name the stream in every payload."""
        return {"symbol": self.symbol, "expiry": self.listing_key[1]}

    def as_of(self) -> str:
        """Time of the newest input."""
        return str(self.fields.values["as_of"])

    def _window(self, strikes: int | None, atm_index: int) -> slice:
        count = self.table.shape[1]
        if strikes is None:
            return slice(0, count)
        return slice(max(0, atm_index - strikes), min(count, atm_index + strikes + 1))

    def whole(self, part: ChainPart = WHOLE_CHAIN) -> bytes:
        """The chain, or a part of it, as one JSON object."""
        body = self._whole.get(part)
        if body is None:
            table = self.table[:, self._window(part.strikes, self._atm_index)]
            body = self._whole[part] = encode_chain(self.fields.values, table, part.fields.columns)
        return body

    def is_cached(self, part: ChainPart) -> bool:
        """Whether ``whole`` has been encoded since the last change."""
        return part in self._whole

    def snapshot(self, part: ChainPart = WHOLE_CHAIN, reason: str | None = None) -> bytes:
        """The chain, or a part of it, with the reason if nobody asked for it."""
        body = self.whole(part)
        return body[:-1] + b',"reason":' + orjson.dumps(reason) + b"}" if reason else body

    def delta(self, since: int, part: ChainPart = WHOLE_CHAIN) -> bytes:
        """What changed after ``since``, merged; strikes that left the window are named in ``removed``."""
        now = self._window(part.strikes, self._atm_index)
        then = self._window(part.strikes, self.marks[since])
        removed = [i for i in range(then.start, then.stop) if not now.start <= i < now.stop]
        payload = {
            **self.identity(),
            **self.position(since),
            "as_of": self.as_of(),
            **self.fields.since(since),
            "rows": self._changed_rows(since, now, then, part.fields),
        }
        if removed:
            payload["removed"] = self.table[STRIKE, removed].tolist()
        if self.seq - since > 1:
            payload["conflated"] = self.seq - since
        return encode(payload)

    def _changed_rows(self, since: int, now: slice, then: slice, shown: LegFields) -> orjson.Fragment:
        """Cells that changed after ``since``, and all of the strikes that entered the window."""
        newest = since == self.seq - 1
        if newest and self._texts is not None and now == then and shown == ALL_FIELDS:
            return self._texts.array(now.start, now.stop)
        changed = self._changed_at[:, now] > since
        entered = [i for i in range(now.start, now.stop) if not then.start <= i < then.stop]
        changed[:, [i - now.start for i in entered]] = True
        changed[~shown.columns] = False
        return CHAIN_ROWS.texts(self.table[:, now], changed).array(0, now.stop - now.start)


class WholeStream(Stream):
    """A stream whose every payload is its whole state: dashboards and candles."""

    def __init__(
        self,
        name: StreamName,
        market: Market,
        identity: dict[str, Any],
        present: Callable[[], tuple[str, int]],
        read: Callable[[], dict[str, Any]],
        listing_key: tuple[str, date] | None = None,
    ) -> None:
        super().__init__(name, market, depth=0)
        self.listing_key = listing_key
        self._identity = identity
        self._where = present
        self._read = read
        self._prepared: tuple[tuple[str, int], dict[str, Any]] | None = None
        self.values: dict[str, Any] = {}

    def _present(self) -> tuple[str, int]:
        return self._where()

    def _advance(self, afresh: bool) -> None:
        prepared, self._prepared = self._prepared, None
        is_now = prepared is not None and prepared[0] == (self.epoch, self.seq)
        self.values = prepared[1] if prepared is not None and is_now else self._read()

    def prepare(self, values: dict[str, Any]) -> None:
        """Hand it its present state, which it takes over when it is refreshed."""
        self._prepared = (self._present(), values)

    def identity(self) -> dict[str, Any]:
        """The fields that name the stream in every payload."""
        return self._identity

    def as_of(self) -> str:
        """Time of the newest input."""
        return str(self.values["as_of"])

    def whole(self, reason: str | None = None) -> bytes:
        """The state, with the reason if nobody asked for it."""
        return encode({**self.values, "reason": reason} if reason else self.values)
