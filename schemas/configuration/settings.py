"""Every setting: its section, type, range and default.

``SettingsSchema().load(tree)`` gives frozen ``Settings`` or a ValidationError whose messages are a
tree keyed like the file. ``ENVIRONMENT_NAMES`` are the short names a setting has in the environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

from domain.market import MarketHours, Role, ScenarioName, SourceName
from schemas.configuration.api_keys import ApiKey, parse_keys

DEFAULT_STORE = "sqlite:///var/history.sqlite3"
_UNKNOWN = "there is no such setting"

ENVIRONMENT_NAMES = {
    "DEBUG": "server.debug",
    "HOST": "server.host",
    "PORT": "server.port",
    "FRONTEND_URL": "server.frontend_url",
    "API_TIMEOUT": "server.api_timeout_s",
    "API_KEYS": "server.api_keys",
    "TLS_CERT": "server.tls_cert",
    "TLS_KEY": "server.tls_key",
    "WEBSOCKET_TIMEOUT": "websocket.timeout_s",
    "MAX_CLIENTS": "limits.max_clients",
    "RATE_LIMIT_PER_MINUTE": "limits.rate_limit_per_minute",
    "DATABASE_URL": "history.database_url",
    "RELAY_URL": "relay.url",
    "KITE_API_KEY": "kite.api_key",
    "KITE_API_SECRET": "kite.api_secret",
    "KITE_ACCESS_TOKEN": "kite.access_token",
    "DHAN_CLIENT_ID": "dhan.client_id",
    "DHAN_ACCESS_TOKEN": "dhan.access_token",
    "DHAN_PIN": "dhan.pin",
    "DHAN_TOTP_SECRET": "dhan.totp_secret",
}

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")

_PLAIN_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}")

SOURCES = (SourceName.SIMULATED, SourceName.REPLAY, SourceName.KITE, SourceName.DHAN)
KITE_ROOT_URL = "https://api.kite.trade"
DHAN_ROOT_URL = "https://api.dhan.co/v2"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server listens and whom it lets in."""

    debug: bool
    host: str
    port: int
    frontend_url: tuple[str, ...]
    hosts: tuple[str, ...]
    api_timeout_s: float
    api_keys: tuple[ApiKey, ...]
    trusted_proxies: tuple[str, ...]
    tls_cert: str
    tls_key: str
    max_body_bytes: int
    drain_timeout_s: float
    terminal: bool
    access_log: bool
    log_level: str
    role: str
    edge_name: str


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """Where prices come from and how often they are published."""

    source: str
    seed: int
    start: datetime | None
    speed: float
    hours: str
    scenario: str
    symbols: tuple[str, ...]
    publish_interval_ms: int
    stale_after_s: float
    heartbeat_s: float
    replay_depth: int
    calendar_override: str
    interest_rate: float
    control: bool


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """What is replayed when the source is ``replay``."""

    file: str
    loop: bool
    spot: float


@dataclass(frozen=True, slots=True)
class WebsocketSettings:
    """Heartbeat and compression of the socket."""

    timeout_s: int
    ping_interval_s: int
    compression: bool


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one client, and all of them, may take."""

    max_clients: int
    max_clients_per_address: int
    max_subscriptions: int
    max_events_per_second: int
    max_message_bytes: int
    connect_timeout_s: float
    idle_timeout_s: float
    slow_client_timeout_s: float
    max_write_buffer_bytes: int
    max_buffered_bytes: int
    rate_limit_per_minute: int


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Where candles and recorded chains are kept."""

    database_url: str
    flush_interval_s: float
    backfill_days: int
    backfill_sessions: int
    minute_candles_days: int
    daily_candles_days: int
    chains_days: int
    metrics_days: int
    archive_folder: str
    archive_after_days: int


@dataclass(frozen=True, slots=True)
class KiteMockSettings:
    """The Kite mock: its port, and the credentials of its one application, which no log shows."""

    port: int
    api_key: str
    redirect_url: str
    strict_limits: bool
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KiteSettings:
    """Where Kite is, and the credentials, which stay out of ``repr``, so that no log shows them."""

    root_url: str
    ticker_url: str
    login_url: str
    token_file: str
    sockets: int
    tokens_per_socket: int
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DhanSettings:
    """Where Dhan is, and the credentials, which stay out of ``repr``, so that no log shows them."""

    root_url: str
    feed_url: str
    login_url: str
    instruments_url: str
    token_file: str
    sockets: int
    instruments_per_socket: int
    client_id: str = field(repr=False)
    access_token: str = field(repr=False)
    pin: str = field(repr=False)
    totp_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The bus between a feed and its edges; its address may hold a password, so it stays out of ``repr``."""

    name: str
    image_every: int
    keep: int
    lease_ms: int
    silent_after_s: float
    feed_url: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompatSettings:
    """Views for front ends that were written for other servers."""

    smd: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, validated; read by ``server.py`` only."""

    server: ServerSettings
    feed: FeedSettings
    replay: ReplaySettings
    websocket: WebsocketSettings
    limits: LimitSettings
    history: HistorySettings
    kite: KiteSettings
    kite_mock: KiteMockSettings
    dhan: DhanSettings
    compat: CompatSettings
    relay: RelaySettings


class TextList(fields.List[Any]):
    """A list of texts; from the environment one text, its items separated by commas."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        return super()._deserialize(value, *args, **kwargs)


class KeyList(TextList):
    """A list of entries that each let a key in; loads into ``ApiKey``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return parse_keys(super()._deserialize(value, *args, **kwargs))


class Instant(fields.String):
    """An instant with its offset, such as 2026-11-23T15:00+05:30; empty is None."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if not text:
            return None
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise ValidationError(
                f"must be an instant with its offset, such as 2026-11-23T15:00+05:30, was {text!r}"
            )
        return instant


def _between(low: float, high: float, unit: str = "") -> validate.Range:
    suffix = f" {unit}" if unit else ""
    return validate.Range(low, high, error=f"must be between {low:g} and {high:g}{suffix}, was {{input}}")


def _one_of(choices: tuple[str, ...]) -> validate.OneOf:
    return validate.OneOf(choices, error=f"must be one of {', '.join(choices)}, was {{input!r}}")


def _origin(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise ValidationError(f"must be an origin such as http://localhost:3000, was {value!r}")


def _plain_word(value: str) -> None:
    if not _PLAIN_WORD.fullmatch(value):
        raise ValidationError("must be letters, digits, dots, dashes and underscores, 64 at most")


def _url(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.netloc or parts.query:
            raise ValidationError(f"must be a URL that begins with {schemes[-1]}://, was {value!r}")

    return check


def _edge_name(value: str) -> None:
    if value and not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", value):
        raise ValidationError(f"must be up to 16 letters, digits and dashes, was {value!r}")


def _relay_url(value: str) -> None:
    if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ValidationError("must be a URL that begins with redis://, rediss:// or unix://")


def _feed_url(value: str) -> None:
    if value:
        _url("http", "https")(value)


def _is_redirect(value: str) -> None:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ValidationError(f"must be a URL such as http://localhost:8000/login, or empty, was {value!r}")


def _host_name(value: str) -> None:
    if not _HOST_NAME.fullmatch(value):
        raise ValidationError(f"must be a host's name without a port, such as md.example.com, was {value!r}")


def _network(value: str) -> None:
    try:
        ip_network(value)
    except ValueError:
        raise ValidationError(f"must be an IP address or network, was {value!r}") from None


_PLAIN_RULES = {
    "Not a valid integer.": "must be a whole number, was {value!r}",
    "Not a valid number.": "must be a number, was {value!r}",
    "Not a valid boolean.": "must be true or false, was {value!r}",
    "Not a valid string.": "must be a text, was {value!r}",
    "Not a valid list.": "must be a list, was {value!r}",
    "Special numeric values (nan or infinity) are not permitted.": "must be a finite number, was {value!r}",
}


class WholeNumberSetting(fields.Integer):
    """An integer; a fraction is refused instead of cut off."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid")
        return super()._validated(value)


class SectionSchema(Schema):
    """A section of the file; loads into its frozen dataclass."""

    of: type
    error_messages = {"unknown": _UNKNOWN}  # noqa: RUF012 - marshmallow reads it of the class

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Name the value where marshmallow names the rule alone."""
        messages = error.messages
        if isinstance(messages, dict) and isinstance(data, Mapping):
            for name, texts in messages.items():
                if isinstance(texts, list):
                    messages[name] = [
                        _PLAIN_RULES[text].format(value=data.get(name)) if text in _PLAIN_RULES else text
                        for text in texts
                    ]

    @post_load
    def _freeze(self, data: Mapping[str, Any], **_: Any) -> Any:
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        return self.of(**values)


class ServerSchema(SectionSchema):
    """[server]."""

    of = ServerSettings
    debug = fields.Boolean(load_default=False)
    host = fields.String(load_default="0.0.0.0", validate=validate.Length(min=1))  # noqa: S104 - the contract's default
    port = WholeNumberSetting(load_default=5000, validate=_between(0, 65535))
    frontend_url = TextList(
        fields.String(validate=_origin),
        load_default=lambda: ["http://localhost:3000", "http://localhost:5173"],
    )
    hosts = TextList(fields.String(validate=_host_name), load_default=list)
    api_timeout_s = fields.Float(load_default=30, validate=_between(0.1, 600, "seconds"))
    api_keys = KeyList(load_default=list)
    trusted_proxies = TextList(fields.String(validate=_network), load_default=list)
    tls_cert = fields.String(load_default="")
    tls_key = fields.String(load_default="")
    max_body_bytes = WholeNumberSetting(load_default=65536, validate=_between(1024, 104857600, "bytes"))
    drain_timeout_s = fields.Float(load_default=10, validate=_between(0, 300, "seconds"))
    terminal = fields.Boolean(load_default=True)
    access_log = fields.Boolean(load_default=False)
    log_level = fields.String(load_default="info", validate=_one_of(("debug", "info", "warning", "error")))
    role = fields.String(load_default=Role.SINGLE, validate=_one_of(tuple(Role)))
    edge_name = fields.String(load_default="", validate=_edge_name)


class FeedSchema(SectionSchema):
    """[feed]."""

    of = FeedSettings
    source = fields.String(load_default="simulated", validate=_one_of(SOURCES))
    seed = WholeNumberSetting(load_default=42, validate=_between(0, 2**63 - 1))
    start = Instant(load_default=None)
    speed = fields.Float(load_default=1.0, validate=_between(0.01, 3600))
    hours = fields.String(load_default="always", validate=_one_of(tuple(MarketHours)))
    scenario = fields.String(load_default="calm", validate=_one_of(tuple(ScenarioName)))
    symbols = TextList(fields.String(), load_default=list)
    publish_interval_ms = WholeNumberSetting(load_default=500, validate=_between(20, 60000, "milliseconds"))
    stale_after_s = fields.Float(load_default=15, validate=_between(0.1, 86400, "seconds"))
    heartbeat_s = fields.Float(load_default=5, validate=_between(0.1, 3600, "seconds"))
    replay_depth = WholeNumberSetting(load_default=256, validate=_between(1, 100000))
    calendar_override = fields.String(load_default="")
    interest_rate = fields.Float(load_default=0.065, validate=_between(-0.5, 1))
    control = fields.Boolean(load_default=False)


class ReplaySettingsSchema(SectionSchema):
    """[replay]."""

    of = ReplaySettings
    file = fields.String(load_default="")
    loop = fields.Boolean(load_default=True)
    spot = fields.Float(load_default=0.0, validate=_between(0, 1e9))


class WebsocketSchema(SectionSchema):
    """[websocket]."""

    of = WebsocketSettings
    timeout_s = WholeNumberSetting(load_default=60, validate=_between(1, 3600, "seconds"))
    ping_interval_s = WholeNumberSetting(load_default=25, validate=_between(1, 3600, "seconds"))
    compression = fields.Boolean(load_default=True)


class LimitsSchema(SectionSchema):
    """[limits]."""

    of = LimitSettings
    max_clients = WholeNumberSetting(load_default=10000, validate=_between(1, 1000000))
    max_clients_per_address = WholeNumberSetting(load_default=100, validate=_between(1, 1000000))
    max_subscriptions = WholeNumberSetting(load_default=64, validate=_between(1, 100000))
    max_events_per_second = WholeNumberSetting(load_default=20, validate=_between(1, 100000))
    max_message_bytes = WholeNumberSetting(load_default=16384, validate=_between(512, 1048576, "bytes"))
    connect_timeout_s = fields.Float(load_default=10, validate=_between(0.1, 600, "seconds"))
    idle_timeout_s = fields.Float(load_default=75, validate=_between(0.1, 3600, "seconds"))
    slow_client_timeout_s = fields.Float(load_default=20, validate=_between(0.1, 3600, "seconds"))
    max_write_buffer_bytes = WholeNumberSetting(
        load_default=1048576, validate=_between(65536, 1073741824, "bytes")
    )
    max_buffered_bytes = WholeNumberSetting(
        load_default=268435456, validate=_between(1048576, 1099511627776, "bytes")
    )
    rate_limit_per_minute = WholeNumberSetting(load_default=1200, validate=_between(0, 10000000))


class HistorySchema(SectionSchema):
    """[history]."""

    of = HistorySettings
    database_url = fields.String(load_default=DEFAULT_STORE)
    flush_interval_s = fields.Float(load_default=5, validate=_between(0.1, 600, "seconds"))
    backfill_days = WholeNumberSetting(load_default=500, validate=_between(0, 5000))
    backfill_sessions = WholeNumberSetting(load_default=30, validate=_between(0, 250))
    minute_candles_days = WholeNumberSetting(load_default=400, validate=_between(0, 36500, "days"))
    daily_candles_days = WholeNumberSetting(load_default=0, validate=_between(0, 36500, "days"))
    chains_days = WholeNumberSetting(load_default=30, validate=_between(0, 36500, "days"))
    metrics_days = WholeNumberSetting(load_default=400, validate=_between(0, 36500, "days"))
    archive_folder = fields.String(load_default="")
    archive_after_days = WholeNumberSetting(load_default=20, validate=_between(1, 36500, "days"))


class KiteMockSchema(SectionSchema):
    """[kite_mock]."""

    of = KiteMockSettings
    port = WholeNumberSetting(load_default=0, validate=_between(0, 65535))
    api_key = fields.String(load_default="mock", validate=_plain_word)
    api_secret = fields.String(load_default="secret", validate=_plain_word)
    access_token = fields.String(load_default="")
    redirect_url = fields.String(load_default="", validate=_is_redirect)
    strict_limits = fields.Boolean(load_default=True)


class KiteSchema(SectionSchema):
    """[kite]."""

    of = KiteSettings
    api_key = fields.String(load_default="")
    api_secret = fields.String(load_default="")
    access_token = fields.String(load_default="")
    token_file = fields.String(load_default="")
    root_url = fields.String(load_default=KITE_ROOT_URL, validate=_url("http", "https"))
    ticker_url = fields.String(load_default="wss://ws.kite.trade", validate=_url("ws", "wss"))
    login_url = fields.String(
        load_default="https://kite.zerodha.com/connect/login", validate=_url("http", "https")
    )
    sockets = WholeNumberSetting(load_default=3, validate=_between(0, 20))
    tokens_per_socket = WholeNumberSetting(load_default=3000, validate=_between(100, 10000))


class DhanSchema(SectionSchema):
    """[dhan]."""

    of = DhanSettings
    client_id = fields.String(load_default="")
    access_token = fields.String(load_default="")
    pin = fields.String(load_default="")
    totp_secret = fields.String(load_default="")
    token_file = fields.String(load_default="")
    root_url = fields.String(load_default=DHAN_ROOT_URL, validate=_url("http", "https"))
    feed_url = fields.String(load_default="wss://api-feed.dhan.co", validate=_url("ws", "wss"))
    login_url = fields.String(load_default="https://auth.dhan.co", validate=_url("http", "https"))
    instruments_url = fields.String(
        load_default="https://images.dhan.co/api-data/api-scrip-master.csv", validate=_url("http", "https")
    )
    sockets = WholeNumberSetting(load_default=5, validate=_between(0, 20))
    instruments_per_socket = WholeNumberSetting(load_default=5000, validate=_between(100, 10000))


class RelaySchema(SectionSchema):
    """[relay]."""

    of = RelaySettings
    url = fields.String(load_default="", validate=_relay_url)
    name = fields.String(load_default="main", validate=_plain_word)
    image_every = WholeNumberSetting(load_default=20, validate=_between(1, 1000, "records"))
    keep = WholeNumberSetting(load_default=120, validate=_between(3, 100000, "records"))
    lease_ms = WholeNumberSetting(load_default=3000, validate=_between(300, 60000, "milliseconds"))
    silent_after_s = fields.Float(load_default=2, validate=_between(0.1, 3600, "seconds"))
    feed_url = fields.String(load_default="", validate=_feed_url)

    @validates_schema
    def _check(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["keep"] < 3 * data["image_every"]:
            raise ValidationError(
                {"keep": [f"must be at least three times relay.image_every, was {data['keep']}"]}
            )


class CompatSchema(SectionSchema):
    """[compat]."""

    of = CompatSettings
    smd = fields.Boolean(load_default=False)


class SettingsSchema(Schema):
    """The whole file."""

    error_messages = {"unknown": _UNKNOWN}  # noqa: RUF012 - marshmallow reads it of the class

    server = fields.Nested(ServerSchema, required=True)
    feed = fields.Nested(FeedSchema, required=True)
    replay = fields.Nested(ReplaySettingsSchema, required=True)
    websocket = fields.Nested(WebsocketSchema, required=True)
    limits = fields.Nested(LimitsSchema, required=True)
    history = fields.Nested(HistorySchema, required=True)
    kite = fields.Nested(KiteSchema, required=True)
    kite_mock = fields.Nested(KiteMockSchema, required=True)
    dhan = fields.Nested(DhanSchema, required=True)
    compat = fields.Nested(CompatSchema, required=True)
    relay = fields.Nested(RelaySchema, required=True)

    @pre_load
    def _sections(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """A section left out is a section of defaults."""
        return {**{name: {} for name in self.fields}, **data}

    @post_load
    def _freeze(self, data: Mapping[str, Any], **_: Any) -> Settings:
        return Settings(**data)


def sentences(messages: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Validation messages as sentences, each beginning with the key it is about."""
    result: list[str] = []
    for key, value in messages.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            result += sentences(value, name)
        else:
            result += [_unknown(name) if text == _UNKNOWN else f"{name}: {text}" for text in value]
    return result


def _unknown(name: str) -> str:
    """What to say of a name that is none: the nearest one, by all of it or by its key alone."""
    known = {
        f"{section}.{key}" if "." in name else section
        for section, nested in SettingsSchema().fields.items()
        for key in nested.schema.fields  # type: ignore[attr-defined]
    }
    by_key = {other.rpartition(".")[2]: other for other in known}
    near = get_close_matches(name, known, n=1) or [
        by_key[key] for key in get_close_matches(name.rpartition(".")[2], by_key, n=1)
    ]
    return f"{name}: {_UNKNOWN}" + (f"; the nearest is {near[0]}." if near else ".")
