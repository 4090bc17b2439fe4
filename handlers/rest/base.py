"""The base of every REST handler: schema in, envelope out, and everything HTTP has to say about it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
import zlib
from asyncio import Future
from collections.abc import Awaitable, Mapping
from datetime import date
from typing import Any, TypeVar

import orjson
from marshmallow import Schema, ValidationError
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler
from webargs.tornadoparser import TornadoParser, is_json_request

from domain.errors import ErrorCode
from domain.instants import day_in_india, to_datetime
from domain.market import FaultKind
from feed.history.history import HistoryError
from handlers.access.errors import RETRY_AFTER_S, ApiError, Problem, describe
from handlers.access.names import identified, note_on, symbol_in_path
from handlers.access.rate_limit import NORMAL
from handlers.access.rules import AccessRules
from handlers.access.security_headers import EXPOSED_HEADERS, PAGE_HEADERS, security_headers
from handlers.rest.services import Services
from handlers.transport.compression import GZIP_FROM_BYTES, gzipped, gzipped_alone
from schemas.configuration.api_keys import ApiKey
from schemas.envelope import refusal, success
from schemas.requests.fields import NoParameters, Q, Request
from schemas.wire import encode

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_URL_CHARACTERS = 8000  # what RFC 9110 wants taken at least; ours have a few hundred
REFERENCE_MAX_AGE_S = 60  # listings change once a day; a minute keeps a roll visible
_PASSED_ON = ("Authorization", "X-API-Key", "If-None-Match", "Accept")
_PASSED_BACK = ("Content-Type", "ETag", "Cache-Control", "Retry-After")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Parser(TornadoParser):
    """webargs, leaving unknown names and error texts to our schemas."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": None, "json": None}  # noqa: RUF012

    def load_json(self, req: HTTPServerRequest, schema: Schema) -> Any:
        """Parse a body; the standard library's parser takes NaN, and fails on deep nesting."""
        if not is_json_request(req):
            received = req.headers.get("Content-Type", "none")[:60]
            raise ValidationError({"Content-Type": [f"must be application/json, was {received}"]})
        try:
            return orjson.loads(req.body)
        except orjson.JSONDecodeError as error:
            raise ValidationError({"body": [f"must be JSON, was not: {error}"]}) from None

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> Any:
        """Let the one table of errors tell it, without webargs' mention of where the values were."""
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise ValidationError(messages.get("query") or messages.get("json") or messages)


_parser = Parser()


class ApiHandler(RequestHandler):
    """One resource. A subclass has ``get`` with a line or two that call ``reply``."""

    note: str | None = None  # beside the answer, in place of OK

    services: Services
    access: AccessRules
    methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS")
    needs_key = True  # once keys are set; supervisors and a browser's address bar have none
    cost = NORMAL
    key: ApiKey | None = None  # that the request showed
    _client = ""

    def initialize(self, services: Services, access: AccessRules) -> None:
        """Take the parts to work on and the rules of who may."""
        self.services = services
        self.access = access
        self._own_headers: dict[str, str] = {}

    def prepare(self) -> Awaitable[None] | None:
        """Give the request its id, then check origin, key and allowance; wait where that is wanted."""
        received = self.request.headers.get("X-Request-ID", "")
        self.services.answering.add(self)
        if self.services.health.draining:
            self._add_header("Connection", "close")  # whoever asks again asks another server
        self.request_id = received if _REQUEST_ID.fullmatch(received) else secrets.token_hex(8)
        self._add_header("X-Request-ID", self.request_id)
        self._allow_origin()
        if self.request.method == "OPTIONS":
            return None
        address = self.access.address(self.request)
        if self.needs_key:
            self.key = self.access.key_of(self.request.headers, address)
        self._client = self.access.client(self.key, address)
        self._add_headers(self.access.spend(self._client, self.cost_of_request()))
        if self.needs_key:
            self.access.check_reader(self.key)
        self._check_size()
        late = self.services.faults.on(FaultKind.LATENCY) if self.is_late() else None
        if late is not None:
            return asyncio.sleep((late.latency_ms or 0) / 1000)
        return self._ask_feed() if self.services.feed_url and self.asks_past() else None

    def asks_past(self) -> bool:
        """Whether the answer rests on what was recorded."""
        return False

    async def _ask_feed(self) -> None:
        """Answer as the feed does, which has the store that this edge has not."""
        headers = {name: self.request.headers[name] for name in _PASSED_ON if name in self.request.headers}
        headers["X-Forwarded-For"] = self.access.address(self.request)
        headers["X-Request-ID"] = self.request_id
        try:
            answer = await AsyncHTTPClient().fetch(
                self.services.feed_url.rstrip("/") + self.request.uri,
                method=self.request.method,
                headers=headers,
                request_timeout=self.services.api_timeout_s,
                follow_redirects=False,
                raise_error=False,
            )
        except (HTTPClientError, OSError):
            raise ApiError(
                ErrorCode.FEED_UNAVAILABLE, "The feed, which keeps what was recorded, cannot be reached."
            ) from None
        self.set_status(answer.code, answer.reason)
        for name in _PASSED_BACK:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        await self.finish(answer.body or None)

    def is_late(self) -> bool:
        """Whether this answer waits while answers are to be late."""
        return True

    def on_finish(self) -> None:
        """Nobody needs to wait for this answer any more."""
        self.services.answering.discard(self)

    def cost_of_request(self) -> float:
        """What the request takes from its client's allowance."""
        return self.cost

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End the answer; one that the client had already costs it less."""
        if self.get_status() == 304:
            self.was_cached()
        return super().finish(chunk)

    def was_cached(self) -> None:
        """Take note that the answer was there already: it costs a share of what was taken for it."""
        self._add_headers(self.access.refund(self._client, self.cost_of_request()))

    def _check_size(self) -> None:
        limit, received = self.services.max_body_bytes, len(self.request.body)
        if received > limit:
            message = f"A body may have {limit} bytes, this one had {received}."
            raise ApiError(ErrorCode.PAYLOAD_TOO_LARGE, message, {"max_body_bytes": limit})
        length = len(self.request.uri or "")
        if length > MAX_URL_CHARACTERS:
            rule = f"must have at most {MAX_URL_CHARACTERS} characters, had {length}"
            raise ValidationError({"url": [rule]})

    def set_default_headers(self) -> None:
        """What every answer has; Tornado clears the rest when an answer turns into an error."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        for name, value in security_headers(self.request.protocol).items():
            self.set_header(name, value)
        self.set_header("Vary", "Origin")
        self.clear_header("Server")
        for name, value in getattr(self, "_own_headers", {}).items():
            self.set_header(name, value)

    def _add_header(self, name: str, value: str) -> None:
        """Set a header that an error has too."""
        self._own_headers[name] = value
        self.set_header(name, value)

    def _add_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self._add_header(name, value)

    def set_page_headers(self) -> None:
        """Let the answer be a page: with styles of its own, alone in its window."""
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)

    async def head(self, *args: Any, **kwargs: Any) -> None:
        """Answer as GET does; Tornado leaves the body out."""
        answering = self.get(*args, **kwargs)
        if answering is not None:
            await answering

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer a preflight."""
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", ", ".join(self.methods))
        requested = self.request.headers.get("Access-Control-Request-Headers", "")
        if re.fullmatch(r"[A-Za-z0-9, -]{1,500}", requested):
            self.set_header("Access-Control-Allow-Headers", requested)
        self.set_header("Access-Control-Max-Age", "600")

    def arguments_of(self, schema: type[Request[Q]]) -> Q:
        """The query as an object. Raises ValidationError."""
        return self._identified(schema.made_of(_parser.parse(schema(), self.request, location="query")))

    def body_of(self, schema: type[Request[Q]]) -> Q:
        """The JSON body as an object. Raises ValidationError."""
        return self._identified(schema.made_of(_parser.parse(schema(), self.request, location="json")))

    def _identified(self, request: Q) -> Q:
        self.note = note_on(getattr(request, "symbol", None)) or self.note
        return identified(request)

    def symbol_of(self, path: str) -> str:
        """The symbol that a path names. Raises ValidationError."""
        self.note = note_on(path) or self.note
        return symbol_in_path(path)

    def today(self) -> date:
        """The day on the market's clock, in India."""
        return day_in_india(to_datetime(self.services.clock.now_ms()))

    def no_arguments(self) -> None:
        """Refuse any query."""
        self.arguments_of(NoParameters)

    def reply(
        self,
        data: Any,
        *,
        message: str = "OK",
        meta: dict[str, Any] | None = None,
        version: tuple[str, int] | None = None,
        status: int = 200,
    ) -> None:
        """Answer with the envelope; ``version`` (epoch, seq) of a live answer becomes its ETag."""
        self.set_status(status)
        if version is None or self._is_news(version):
            before, after = self._envelope(message, meta)
            body = before + encode(data) + after
            if self._takes_gzip(body):
                self.set_header("Content-Encoding", "gzip")
                body = gzipped_alone(body)
            self.finish(body)

    def reply_shared(
        self, data: bytes, *, meta: dict[str, Any], version: tuple[str, int], is_cached: bool = False
    ) -> None:
        """Answer with JSON that others are answered with too, and which therefore is compressed once.

        ``kept`` is one that was there already.
        """
        if not self._is_news(version):
            return
        if is_cached:
            self.was_cached()
        before, after = self._envelope("OK", meta)
        if not self._takes_gzip(data):
            self.finish(before + data + after)
            return
        self.set_header("Content-Encoding", "gzip")
        self.finish(gzipped(before, data, after))

    def _takes_gzip(self, body: bytes) -> bool:
        """Whether an answer is worth compressing, and its client takes it so."""
        return len(body) >= GZIP_FROM_BYTES and "gzip" in self.request.headers.get("Accept-Encoding", "")

    def _is_news(self, version: tuple[str, int]) -> bool:
        """Whether the client has not that state yet; else it is told so."""
        self._tag(*version)
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return False
        return True

    def _envelope(self, message: str, meta: dict[str, Any] | None) -> tuple[bytes, bytes]:
        """What goes before the data and after it."""
        before = success(self.services.clock.now_ms(), self.note or message)
        after = {**(meta or {}), "request_id": self.request_id}
        return encode(before)[:-1] + b',"data":', b',"meta":' + encode(after) + b"}"

    def _tag(self, epoch: str, seq: int) -> None:
        """The state and the question, since one state answers many (strikes, expiry)."""
        question = self.request.query.encode()
        mark = format(zlib.crc32(question), "x") if question else ""
        self.set_header("ETag", f'"{epoch}-{seq}-{mark}"')
        self._set_cache_rule("no-cache")

    def _set_cache_rule(self, rule: str) -> None:
        """Say who may keep the answer: once keys are set nobody for others, whatever header the key is in."""
        self.set_header("Cache-Control", f"private, {rule}" if self.access.keys else rule)

    def compute_etag(self) -> str | None:
        """No tag but the state's: hashing a body that holds the time would never match."""
        return None

    async def within_time(self, work: Awaitable[T]) -> T:
        """Wait for something slow, no longer than ``api_timeout_s``."""
        try:
            return await asyncio.wait_for(work, self.services.api_timeout_s)
        except TimeoutError:
            message = f"The answer was not ready within {self.services.api_timeout_s:g} s."
            raise ApiError(ErrorCode.FEED_UNAVAILABLE, message, retry_after_s=RETRY_AFTER_S) from None

    def cache_reference_data(self) -> None:
        """Let the client keep this answer for a while."""
        self._set_cache_rule(f"max-age={REFERENCE_MAX_AGE_S}")

    def finish_unchanging(self, body: bytes, content_type: str) -> None:
        """Answer with what changes with the server's version only, or with 304 to who has it."""
        self.set_header("Content-Type", content_type)
        self.cache_reference_data()
        self.set_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
        else:
            self.finish(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell of any failure in the one shape there is."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else HTTPError(status_code)
        self.tell(describe(error))

    def tell(self, problem: Problem) -> None:
        """Answer with an error."""
        self.set_status(problem.status)
        self.clear_header("ETag")
        self.clear_header("Cache-Control")
        if problem.retry_after_s is not None:
            self.set_header("Retry-After", str(max(1, round(problem.retry_after_s))))
        if problem.status == 405:
            self.set_header("Allow", ", ".join(self.methods))
        for name, value in problem.headers.items():
            self.set_header(name, value)
        request_id = getattr(self, "request_id", None) or secrets.token_hex(8)
        self.set_header("X-Request-ID", request_id)
        details = {**problem.details, "request_id": request_id} if problem.status == 500 else problem.details
        envelope = refusal(self.services.clock.now_ms(), problem.code, problem.message, details)
        self.finish(encode({**envelope, "meta": {"request_id": request_id}}))

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """A refusal is no news, nor is a failing store, which says so itself; all else gets its traceback."""
        if isinstance(value, ApiError | ValidationError | LookupError | HTTPError | HistoryError):
            problem = describe(value)
            if problem.status < 500 or problem.code == ErrorCode.FEED_UNAVAILABLE:
                logger.debug("%s %s refused: %s", self.request.method, self.request.path, problem.code)
                return
        if value is not None:
            request = (self.request.method, self.request.path[:200], getattr(self, "request_id", "?"))
            self.services.failures.log(logger, value, "%s %s failed (request %s)", *request)

    def _allow_origin(self) -> None:
        origin = self.request.headers.get("Origin")
        if origin is None:
            return
        self.access.check_origin(self.request)
        self._add_header("Access-Control-Allow-Origin", origin)
        self._add_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)


class NotFoundHandler(ApiHandler):
    """Every path that is no route."""

    def is_late(self) -> bool:
        """Never: it refuses at once."""
        return False

    def prepare(self) -> None:
        """Refuse, in the envelope."""
        super().prepare()
        raise ApiError(ErrorCode.NOT_FOUND, f"There is no route {self.request.path[:200]}.")
