"""Kite's own Python client, unmodified, against the mock: its ticker's reactor runs once in a process."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from datetime import datetime
from typing import Any

import requests
from kiteconnect import KiteConnect, KiteTicker


def attempt(call: Any) -> Any:
    """The refusal of a call."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return {"kind": type(error).__name__, "code": getattr(error, "code", None), "message": str(error)}
    return None


def main(root: str, messages_wanted: int) -> None:
    kite = KiteConnect("mock", root=root)
    kite._default_login_uri = f"{root}/connect/login"
    page = requests.get(f"{kite.login_url()}&user=MOCK01", timeout=20).text
    session = kite.generate_session(re.search(r"request_token: ([\w-]+)", page)[1], "secret")
    kite.set_access_token(session["access_token"])
    report: dict[str, Any] = {
        "login_time": isinstance(session["login_time"], datetime),
        "profile": kite.profile(),
        "margins": kite.margins(),
        "orders": kite.orders(),
    }
    instruments = kite.instruments()
    near = [item for item in instruments if item["name"] == "NIFTY" and item["instrument_type"] == "CE"][:50]
    report["instruments"] = len(instruments)
    report["types"] = {name: type(value).__name__ for name, value in near[20].items()}
    names = ["NSE:NIFTY 50", "NSE:M&M", "NSE:NOPE", f"NFO:{near[20]['tradingsymbol']}"]
    report["quote"] = list(kite.quote(names))
    report["too_many"] = attempt(lambda: kite.ohlc(names))
    report["history"] = len(kite.historical_data(256265, "2026-10-01", "2026-11-20", "day"))
    time.sleep(1.0)  # the rates are Kite's
    candles = kite.historical_data(
        near[20]["instrument_token"], "2026-11-20", "2026-11-21", "minute", oi=True
    )
    report["contract"] = len(candles)
    report["order"] = attempt(lambda: kite.place_order("regular", "NSE", "INFY", "BUY", 1, "MIS", "MARKET"))

    tokens = [256265, 738561, *(item["instrument_token"] for item in near)]
    last: dict[int, Any] = {}
    counted, enough, connects = [0], threading.Event(), [0]
    ticker = KiteTicker("mock", session["access_token"], root=root.replace("http", "ws"))

    def on_ticks(_: Any, ticks: list[dict[str, Any]]) -> None:
        counted[0] += 1
        last.update({tick["instrument_token"]: tick for tick in ticks})
        if counted[0] >= messages_wanted:
            enough.set()

    def on_connect(socket: Any, _: Any) -> None:
        connects[0] += 1
        socket.subscribe(tokens)
        socket.set_mode(socket.MODE_FULL, tokens)

    ticker.on_ticks, ticker.on_connect = on_ticks, on_connect
    ticker.connect(threaded=True)
    report["enough"] = enough.wait(30)
    report |= {"ticked": sorted(last), "tokens": tokens, "connects": connects[0]}
    report["index"] = {name: value for name, value in last[256265].items() if name != "exchange_timestamp"}
    report["depth"] = [len(side) for side in last[tokens[20]]["depth"].values()]
    hooked: list[int] = []
    kite.set_session_expiry_hook(lambda: hooked.append(1))
    report["logout"] = kite.invalidate_access_token()
    report["after"] = attempt(kite.profile)
    report["hooked"] = len(hooked)
    sys.stdout.write(json.dumps(report, default=str) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
