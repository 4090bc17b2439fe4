"""Candles of Kite as files for the import: span by span, as fast as Kite allows, and on where it stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO
from urllib.parse import urlencode

from tornado.httpclient import HTTPClient, HTTPRequest, HTTPResponse

from domain.refusals import OperatorError
from feed.history.progress import ProgressBar
from feed.live.kite import EXCHANGES, NAMES
from feed.live.kite_wire import envelope, parse_instruments
from feed.live.token_file import read_token
from schemas.configuration.settings import KiteSettings

# the longest span of a request, in days
SPANS = {
    "minute": 60,
    "3minute": 100,
    "5minute": 100,
    "15minute": 200,
    "30minute": 200,
    "60minute": 400,
    "day": 2000,
}
DEFAULT_DAYS = 60
REQUEST_INTERVAL_S = 0.35  # three a second are allowed
LIMITED_WAIT_S = 2.0
TRIES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched; ``first`` is None where it goes on after what was fetched before."""

    symbols: Sequence[str]
    interval: str
    first: date | None
    last: date


class KiteHistory:
    """Asks Kite for candles. Raises OperatorError for what an operator has to mend."""

    def __init__(self, kite: KiteSettings, err: TextIO) -> None:
        self._kite = kite
        self._err = err
        self._token = kite.access_token or read_token(Path(kite.token_file), kite.api_key)
        self._done_file = Path(kite.token_file).with_name("kite-import.json")
        if not self._token:
            raise OperatorError("Kite needs today's login: run `python server.py login`.")

    def files(self, wanted: Wanted, folder: Path) -> Iterator[tuple[str, date, Path]]:
        """The answers as files: of which symbol, up to which day, and where."""
        tokens = self._tokens(wanted.symbols)
        spans = [
            (symbol, first, last) for symbol in wanted.symbols for first, last in self._spans(symbol, wanted)
        ]
        bar = ProgressBar(self._err, f"Asking Kite for {wanted.interval} candles", "spans")
        for done, (symbol, first, last) in enumerate(spans):
            bar(done, len(spans))
            query = urlencode({"from": f"{first} 00:00:00", "to": f"{last} 23:59:59", "oi": 1})
            answer = self._get(f"/instruments/historical/{tokens[symbol]}/{wanted.interval}?{query}")
            path = folder / f"kite-{first}.json"
            path.write_bytes(answer.body)
            bar.clear()
            yield symbol, last, path
        bar(len(spans), len(spans))

    def note(self, symbol: str, interval: str, last: date) -> None:
        """Keep how far a symbol was fetched, so that the next run goes on from there."""
        done = {**self._done(), f"{symbol} {interval}": str(last)}
        self._done_file.parent.mkdir(parents=True, exist_ok=True)
        self._done_file.write_text(json.dumps(done, indent=1), encoding="utf-8")

    def _done(self) -> dict[str, str]:
        try:
            told = json.loads(self._done_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _spans(self, symbol: str, wanted: Wanted) -> list[tuple[date, date]]:
        """Parts of what is wanted that Kite answers at once; the last day again, for it may have gone on."""
        done = self._done().get(f"{symbol} {wanted.interval}")
        first = wanted.first or wanted.last - timedelta(days=DEFAULT_DAYS - 1)
        if wanted.first is None and done is not None:
            first = max(first, date.fromisoformat(done))
        spans = []
        while first <= wanted.last:
            last = min(wanted.last, first + timedelta(days=SPANS[wanted.interval] - 1))
            spans.append((first, last))
            first = last + timedelta(days=1)
        return spans

    def _tokens(self, symbols: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for exchange in EXCHANGES:
            text = self._get(f"/instruments/{exchange}").body.decode("utf-8", "replace")
            for item in parse_instruments(text):
                if item.kind in ("EQ", "FUT"):
                    found.setdefault(item.name, item.token)
        tokens = {symbol: found.get(NAMES.get(symbol, symbol)) for symbol in symbols}
        unknown = [symbol for symbol, token in tokens.items() if token is None]
        if unknown:
            raise OperatorError(f"Kite's list of instruments has no {', '.join(unknown)}.")
        return {symbol: token for symbol, token in tokens.items() if token is not None}

    def _get(self, path: str) -> HTTPResponse:
        headers = {"X-Kite-Version": "3", "Authorization": f"token {self._kite.api_key}:{self._token}"}
        request = HTTPRequest(self._kite.root_url.rstrip("/") + path, headers=headers, request_timeout=60)
        client = HTTPClient(max_body_size=64 << 20)
        try:
            for _ in range(TRIES):
                time.sleep(REQUEST_INTERVAL_S)
                answer = client.fetch(request, raise_error=False)
                if answer.code != 429:
                    break
                time.sleep(LIMITED_WAIT_S)
        except OSError as error:
            raise OperatorError(f"Kite cannot be reached ({type(error).__name__}).") from None
        finally:
            client.close()
        if answer.code == 403:
            raise OperatorError(
                "Kite refused: log in again (`python server.py login`), or the plan has no history."
            )
        if answer.code != 200:
            told = (envelope(answer.body or b"") or {}).get("message") or ""
            raise OperatorError(f"Kite answered {answer.code}: {str(told)[:200]}")
        return answer
