"""What files call their columns, each without case, blanks and punctuation, and what we call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_BAR_NAMES: Mapping[str, Sequence[str]] = {
    "date": (
        "date", "datetime", "timestamp", "ts", "tradedate", "tradingdate", "day", "dt", "indexdate",
        "historicaldate", "datetimeist", "bartime", "start", "starttime", "traddt", "candletime", "t",
        "epoch",
    ),
    "time": ("time", "tradetime"),
    "open": ("open", "openprice", "o", "openindexvalue", "opnpric"),
    "high": ("high", "highprice", "h", "highindexvalue", "hghpric"),
    "low": ("low", "lowprice", "l", "lowindexvalue", "lwpric"),
    "close": ("close", "closeprice", "c", "closingindexvalue", "clspric", "price"),
    "volume": (
        "volume", "vol", "shares", "sharestraded", "tradedquantity", "totaltradedquantity", "quantity", "qty",
        "v", "tottrdqty", "totaltradedvolume", "tradedvolume", "noofshares", "ttltradgvol",
    ),
    "oi": ("oi", "openinterest", "openint", "opnintrst"),
    "symbol": (
        "symbol", "ticker", "tradingsymbol", "scrip", "instrument", "indexname", "stock", "underlying",
        "tckrsymb",
    ),
    "series": ("series", "sctysrs"),
}  # fmt: skip
BAR_COLUMNS = {alias: name for name, aliases in _BAR_NAMES.items() for alias in aliases}

# what contract_values() calls it <- what files do; ``iv`` is somebody's own calculation and ``buy_qty`` is
# the sum over the whole book, so neither has a place in a market of quotes
_LEG_NAMES: Mapping[str, Sequence[str]] = {
    "last_price": ("ltp", "lastprice", "last", "close", "price"),
    "change": ("chng", "change", "netchange"),
    "bid": ("bid", "bidprice", "bestbid", "buyprice1", "topbidprice"),
    "ask": ("ask", "askprice", "bestask", "sellprice1", "topaskprice"),
    "bid_quantity": ("bidqty", "bidquantity", "buyquantity1", "topbidquantity"),
    "ask_quantity": ("askqty", "askquantity", "sellquantity1", "topaskquantity"),
    "volume": ("volume", "totaltradedvolume", "vol"),
    "open_interest": ("oi", "openinterest"),
    "open_interest_change": ("oichg", "oichange", "chngoi", "chnginoi", "changeinoi", "changeinopeninterest"),
    "previous_close": ("prevclose", "previousclose", "previouscloseprice"),
    "previous_open_interest": ("prevoi", "previousoi", "previousopeninterest"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
}
LEG_COLUMNS = {alias: name for name, aliases in _LEG_NAMES.items() for alias in aliases}

_CONTRACT_NAMES: Mapping[str, Sequence[str]] = {
    "timestamp": ("timestamp", "datetime", "date", "ts", "snapshottime", "asof"),
    "time": ("time",),
    "symbol": ("symbol", "underlying", "ticker", "name", "underlyingkey"),
    "expiry": ("expiry", "expirydate", "expirydt", "expdate"),
    "strike": ("strike", "strikeprice", "strikepr"),
    "option_type": ("optiontype", "opttype", "right", "type", "optiontyp", "cepe", "side"),
    "spot": ("spot", "spotprice", "underlyingvalue", "underlyingprice", "undrlygpric", "underlyingspotprice"),
}
CONTRACT_COLUMNS = {alias: name for name, aliases in _CONTRACT_NAMES.items() for alias in aliases}


def places(header: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    """Where our names stand in a header; of two columns with one meaning the first."""
    found: dict[str, int] = {}
    for place, column in enumerate(header):
        name = names.get(column)
        if name is not None:
            found.setdefault(name, place)
    return found
