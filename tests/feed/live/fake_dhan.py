"""A fake of Dhan's wire over a sandbox's market, from the published table and not from the decoder."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,"
    "SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,"
    "SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME"
)
NUMBER = {"IDX_I": 0, "NSE_EQ": 1, "NSE_FNO": 2, "BSE_EQ": 4, "MCX_COMM": 5, "BSE_FNO": 8}
DERIVATIVES = {
    "NFO": ("NSE", "D", "NSE_FNO"),
    "BFO": ("BSE", "D", "BSE_FNO"),
    "MCX": ("MCX", "M", "MCX_COMM"),
}


def packet_6(segment: int, security_id: int, close: float, interest: int) -> bytes:
    """Previous close and open interest."""
    return struct.pack("<BHBIfI", 6, 16, segment, security_id, close, interest)


def packet_8(segment: int, security_id: int, quote: dict[str, float]) -> bytes:
    """Full: the trade, open interest, the day, and five levels of depth of which one is known here."""

    def number(name: str) -> float:
        return float(np.nan_to_num(quote[name]))

    trade = struct.pack(
        "<fHIfIII", number("last_price"), 1, 1764000000, number("last_price"), int(number("volume")), 0, 0
    )
    interest = struct.pack("<III", int(number("open_interest")), 0, 0)
    day = struct.pack("<ffff", number("open"), number("previous_close"), number("high"), number("low"))
    best = struct.pack(
        "<IIHHff",
        int(number("bid_quantity")),
        int(number("ask_quantity")),
        1,
        1,
        number("bid"),
        number("ask"),
    )
    return struct.pack("<BHBI", 8, 162, segment, security_id) + trade + interest + day + best + bytes(80)


class FakeDhan:
    """Its list, its feed and its quotes, on a port."""

    def __init__(self, sandbox: Any, token: str) -> None:
        self.market, self.token = sandbox.server.market, token
        universe = self.market.universe
        self.spot_rows = {self.key_of_underlying(item): row for row, item in enumerate(universe.underlyings)}
        self.contract_rows = {token: row for row, token in enumerate(universe.token.tolist())}
        self.lines: list[Any] = []
        self.refuse_with: int | None = None
        listening, self.port = bind_unused_port()
        fake = self

        class Listed(RequestHandler):
            def get(self) -> None:
                self.set_header("Content-Type", "text/csv")
                self.finish(fake.listed())

        class Quote(RequestHandler):
            def post(self) -> None:
                if self.request.headers.get("access-token") != fake.token:
                    self.set_status(401)
                    self.finish({"status": "failure", "data": {"807": "Access token is expired."}})
                    return
                self.finish({"status": "success", "data": fake.quotes(json.loads(self.request.body))})

        class Feed(WebSocketHandler):
            def open(self) -> None:
                self.followed: list[tuple[str, int]] = []
                fake.lines.append(self)
                if self.get_query_argument("token") != fake.token:
                    self.write_message(struct.pack("<BHBIH", 50, 10, 0, 0, 807), binary=True)
                    self.close()

            def on_message(self, message: Any) -> None:
                asked = json.loads(message)
                assert asked["InstrumentCount"] == len(asked["InstrumentList"]) <= 100
                for item in asked["InstrumentList"]:
                    key = item["ExchangeSegment"], int(item["SecurityId"])
                    if asked["RequestCode"] == 22:
                        self.followed.remove(key)
                        continue
                    self.followed.append(key)
                    self.write_message(fake.first(key), binary=True)

            def on_close(self) -> None:
                fake.lines.remove(self)

        self.server = HTTPServer(
            Application([("/list.csv", Listed), ("/v2/marketfeed/quote", Quote), ("/", Feed)])
        )
        self.server.add_socket(listening[0] if isinstance(listening, list) else listening)

    def key_of_underlying(self, item: Any) -> tuple[str, int]:
        """Segment and id of an underlying's price."""
        if item.kind == "index":
            return "IDX_I", item.token & 0xFFFFFF
        if item.kind == "commodity":
            return "MCX_COMM", item.token & 0xFFFFFF
        return f"{item.exchange}_EQ", item.token & 0xFFFFFF

    def listed(self) -> str:
        """The compact list."""
        universe, rows = self.market.universe, [HEADER]
        for item in universe.underlyings:
            segment, security_id = self.key_of_underlying(item)
            if item.kind == "commodity":
                rows.append(
                    f"MCX,M,{security_id},FUTCOM,0,{item.symbol}-18Dec2026-FUT,1.0,x,2026-12-18 23:30:00,"
                    f"-0.01,XX,1.0,M,FUTCOM,,{item.symbol}"
                )
                continue
            kind, part = ("INDEX", "I") if segment == "IDX_I" else ("EQUITY", "E")
            rows.append(
                f"{item.exchange},{part},{security_id},{kind},0,{item.symbol},1.0,x,,,XX,5.0,,ES,"
                f"{'EQ' if kind == 'EQUITY' else ''},whatever it is called"
            )
        for listing in universe.listings:
            item = universe.underlyings[listing.underlying_row]
            exchange, part, _ = DERIVATIVES[item.derivatives_exchange]
            day = listing.expiry.day
            for row in range(listing.rows.start, listing.rows.stop):
                strike = f"{universe.strike[row]:g}"
                side = "CE" if universe.is_call[row] else "PE"
                kind = "OPTIDX" if item.kind == "index" else "OPTSTK"
                rows.append(
                    f"{exchange},{part},{universe.token[row]},{kind},0,"
                    f"{item.symbol}-{day:%b%Y}-{strike}-{side},"
                    f"{listing.expiry.lot_size or 1}.0,x,{day} 15:30:00,"
                    f"{strike},{side},5.0,W,OP,,NOT THE SYMBOL"
                )
        return "\n".join(rows) + "\n"

    def quote(self, key: tuple[str, int]) -> dict[str, float]:
        """What is known of an instrument, in the units of this wire."""
        market, universe = self.market, self.market.universe
        if key in self.spot_rows:
            row = self.spot_rows[key]
            told = {name: float(values[row]) for name, values in market.underlyings.items()}
            return {**dict.fromkeys(market.contracts, 0.0), **told}
        row = self.contract_rows[key[1]]
        told = {name: float(values[row]) for name, values in market.contracts.items()}
        if key[0] != "MCX_COMM":
            for name in ("volume", "open_interest", "previous_open_interest"):
                told[name] *= float(universe.lot_size[row])
        return told

    def first(self, key: tuple[str, int]) -> bytes:
        """What a subscription is answered with: packets 6 and 8 in one message, and an acknowledgement."""
        quote, segment = self.quote(key), NUMBER[key[0]]
        before = packet_6(
            segment,
            key[1],
            float(np.nan_to_num(quote["previous_close"])),
            int(np.nan_to_num(quote["previous_open_interest"])),
        )
        return struct.pack("<BHBI", 0, 8, 0, 0) + before + packet_8(segment, key[1], quote)

    def publish(self) -> None:
        """A full packet of all that is followed, each in a message of its own; one of them cut."""
        for line in list(self.lines):
            for place, key in enumerate(line.followed):
                packet = packet_8(NUMBER[key[0]], key[1], self.quote(key))
                try:
                    line.write_message(packet, binary=True)
                    if place == 1:
                        line.write_message(packet[:100], binary=True)
                except WebSocketClosedError:
                    return

    def quotes(self, asked: dict[str, list[int]]) -> dict[str, dict[str, Any]]:
        """The answer to a request for quotes."""
        found: dict[str, dict[str, Any]] = {}
        for segment, ids in asked.items():
            for security_id in ids:
                quote = {
                    name: float(np.nan_to_num(v)) for name, v in self.quote((segment, security_id)).items()
                }
                found.setdefault(segment, {})[str(security_id)] = {
                    "last_price": quote["last_price"],
                    "volume": quote["volume"],
                    "oi": quote["open_interest"],
                    "ohlc": {
                        "open": quote["open"],
                        "close": quote["previous_close"],
                        "high": quote["high"],
                        "low": quote["low"],
                    },
                    "depth": {
                        "buy": [{"quantity": quote["bid_quantity"], "orders": 1, "price": quote["bid"]}],
                        "sell": [{"quantity": quote["ask_quantity"], "orders": 1, "price": quote["ask"]}],
                    },
                }
        return found
