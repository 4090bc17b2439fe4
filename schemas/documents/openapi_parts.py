"""Parts of the OpenAPI document that any route may need: headers, parameters, keys, preflight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.documents.json_schema import Definitions, JsonSchema
from schemas.requests.fields import Request, Symbol

HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-ID": ("the request's id: yours, or a fresh one", "8f6f0c2e9b1d4a57"),
    "ETag": ("the state: epoch, sequence number, question", '"sim-2a-1a206ab0140-16-"'),
    "Cache-Control": ("how long the answer may be kept", "no-cache"),
    "Retry-After": ("seconds until it is worth asking again", "5"),
    "RateLimit": ("requests left (r) and seconds until all are back (t)", '"default";r=1199;t=1'),
    "RateLimit-Policy": ("requests allowed (q) in a window of seconds (w)", '"default";q=1200;w=60'),
    "RateLimit-Limit": ("requests allowed in a minute; a dear route takes several", "1200"),
    "RateLimit-Remaining": ("requests left", "1199"),
    "RateLimit-Reset": ("seconds until all are back", "1"),
    "WWW-Authenticate": ("how a key is shown; X-API-Key does too", "Bearer"),
    "Allow": ("methods that the route takes", "GET, HEAD, OPTIONS"),
    "Access-Control-Allow-Origin": ("the page's origin, if it may call", "http://localhost:3000"),
    "Access-Control-Allow-Methods": ("methods that the route takes", "GET, HEAD, OPTIONS"),
    "Access-Control-Allow-Headers": ("request headers that a page may send", "content-type"),
    "Access-Control-Max-Age": ("seconds for which this holds", "600"),
}
COMMON_HEADERS = (
    "X-Request-ID",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Access-Control-Allow-Origin",
)
PREFLIGHT_HEADERS = (
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
)


SECURITY_SCHEMES = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": (
            "needed where the operator configured keys. A key has a scope: `read`, or `control`, which "
            "includes it; control needs one from beyond the server's machine even where none is configured"
        ),
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "the same key as a bearer token"},
}


# without `api` their names would be those of other routes
_LIKE_OTHERS = ("/api/health", "/api/market_status")


def security_of(scope: str) -> list[dict[str, list[str]]]:
    """The ways to show a key of a scope; none is needed where none is configured."""
    return [{}, *({scheme: [scope]} for scheme in SECURITY_SCHEMES)]


def operation_id(method: str, path: str) -> str:
    """``getSpotPrice`` of ``/api/spot_price/{symbol}``: the name of a method, and an anchor on the page."""
    words = re.findall(r"[A-Za-z0-9]+", path.replace("{symbol}", "")) or ["index"]
    if words[0] == "api" and len(words) > 1 and path not in _LIKE_OTHERS:
        words = words[1:]
    return method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def parameter_of(name: str, location: str, schema: JsonSchema, required: bool) -> dict[str, Any]:
    """A parameter; what its schema says of meaning and example is the parameter's to say."""
    schema = dict(schema)
    parameter: dict[str, Any] = {"name": name, "in": location, "required": required}
    parameter["description"] = schema.pop("description", "")
    examples = schema.pop("examples", None)
    parameter["schema"] = schema
    if examples:
        parameter["example"] = examples[0]
    return parameter


class _SymbolPath(Request[Any]):
    symbol = Symbol(required=True)


def not_null(schema: JsonSchema) -> JsonSchema:
    """The schema of a parameter: a URL has no null."""
    result = dict(schema)
    if isinstance(result.get("type"), list):
        result["type"] = next(kind for kind in result["type"] if kind != "null")
    if "enum" in result:
        result["enum"] = [value for value in result["enum"] if value is not None]
    return result


def symbol_parameter(definitions: Definitions) -> dict[str, Any]:
    """The symbol in a path."""
    schema, _ = definitions.fields(_SymbolPath)["symbol"]
    return parameter_of("symbol", "path", schema, True)


def preflight(path: str) -> dict[str, Any]:
    """CORS."""
    return {
        "operationId": operation_id("OPTIONS", path),
        "tags": ["market"],
        "summary": "Methods, and whether a page of another origin may call",
        "security": [],
        "responses": {
            "204": {
                "description": "what may be asked for",
                "headers": headers_of(("X-Request-ID", "Access-Control-Allow-Origin", *PREFLIGHT_HEADERS)),
            },
            "403": {"$ref": "#/components/responses/FORBIDDEN_ORIGIN"},
        },
    }


def headers_of(names: Iterable[str]) -> dict[str, Any]:
    """Headers of a response, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header_component(name: str) -> dict[str, Any]:
    """A header that responses refer to."""
    description, example = HEADERS[name]
    return {"description": description, "schema": {"type": "string"}, "example": example}
