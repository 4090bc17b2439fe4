"""The routes as an OpenAPI document.

``openapi_document`` takes one ``Operation`` a route; everything else comes from the schemas and from the
table of errors. HEAD, OPTIONS, conditional requests and the headers that every answer has are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from domain.errors import ErrorCode
from schemas.documents.enums import with_named_enums
from schemas.documents.json_schema import OPENAPI_VERSION, Definitions, JsonSchema, example_of, plain
from schemas.documents.openapi_parts import (
    COMMON_HEADERS,
    HEADERS,
    SECURITY_SCHEMES,
    header_component,
    headers_of,
    not_null,
    operation_id,
    parameter_of,
    preflight,
    security_of,
    symbol_parameter,
)
from schemas.envelope import ERROR_CODES, AnswerSchema, ErrorAnswerSchema, answer_schema, error_schema
from schemas.requests.fields import NoParameters

TITLE = "Indian options market data"
DESCRIPTION = (
    "Realtime market data for Indian options. Prices are rupees, times UTC, dates those of the exchange. "
    "A value that is not known is null, never 0. Fields may be added; ignore those you do not know. "
    "The same data as streams: see /api/asyncapi.json."
)
JSON = "application/json"
# told on any route: by the doors, by the parser, by the limits
ERRORS_OF_ALL = (
    ErrorCode.FORBIDDEN_ORIGIN,
    ErrorCode.METHOD_NOT_ALLOWED,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL_ERROR,
)
ERROR_HEADERS = {
    ErrorCode.UNAUTHORIZED: ("WWW-Authenticate",),
    ErrorCode.RATE_LIMITED: ("Retry-After",),
    ErrorCode.FEED_UNAVAILABLE: ("Retry-After",),
    ErrorCode.METHOD_NOT_ALLOWED: ("Allow",),
}


STEERING = ("POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it takes, what it answers, and what else there is to say about it.

    ``live`` answers carry an ETag, ``kept`` ones may be cached. ``query`` is None where any is taken,
    ``content_type`` is set where the answer is no envelope; ``also`` are further statuses with the same body.
    POST and DELETE to a route of ``control`` steer the feed and need a key of that scope; they alone answer
    the ``steering_errors``.
    """

    summary: str
    description: str
    answer: type[Schema] | None = None
    query: type[Schema] | None = NoParameters
    body: type[Schema] | None = None
    meta: tuple[str, ...] = ()
    errors: tuple[ErrorCode, ...] = ()
    aliases: tuple[str, ...] = ()
    live: bool = False
    cached: bool = False
    content_type: str = JSON
    also: tuple[tuple[int, str], ...] = ()
    control: bool = False
    steering_errors: tuple[ErrorCode, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteDescription:
    """A row of the route table, with its operation."""

    path: str
    methods: Sequence[str]
    needs_key: bool
    operation: Operation


def openapi_document(routes: Iterable[RouteDescription], version: str) -> dict[str, Any]:
    """The document."""
    writer = _RouteWriter(version)
    paths: dict[str, Any] = {}
    for route in routes:
        for path in (route.path, *route.operation.aliases):
            paths[path] = writer.path(path, route)
    document = {
        "openapi": OPENAPI_VERSION,
        "info": {"title": TITLE, "version": version, "description": DESCRIPTION, "license": {"name": "MIT"}},
        "servers": [{"url": "..", "description": "this server, where this document is"}],
        "tags": [{"name": "market", "description": "prices, chains, candles"}],
        "security": security_of("read"),
        "paths": paths,
        "components": {
            "schemas": writer.definitions.schemas,
            "responses": writer.responses,
            "headers": {name: header_component(name) for name in HEADERS},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }
    return with_named_enums(plain(document))


class _RouteWriter:
    """Writes operations, defining schemas and responses on the way."""

    def __init__(self, version: str) -> None:
        self.definitions = Definitions(TITLE, version)
        self.responses = {code: self._error_response(code) for code in ERROR_CODES}

    def path(self, path: str, route: RouteDescription) -> dict[str, Any]:
        """Every method of a path."""
        item: dict[str, Any] = {} if path == route.path else {"x-same-as": route.path}
        if "{symbol}" in path:
            item["parameters"] = [symbol_parameter(self.definitions)]
        for method in route.methods:
            if method == "OPTIONS":
                item["options"] = preflight(path)
            else:
                item[method.lower()] = self._operation(method, path, route)
        return item

    def _operation(self, method: str, path: str, route: RouteDescription) -> dict[str, Any]:
        operation = route.operation
        result: dict[str, Any] = {
            "operationId": operation_id(method, path),
            "tags": ["market"],
            "summary": operation.summary if method != "HEAD" else f"{operation.summary} (headers only)",
            "description": operation.description,
            "parameters": self._parameters(operation, method),
            "responses": self._responses(route, method),
        }
        if operation.body is not None and method == "POST":
            schema = self.definitions.reference(operation.body)
            content = {"schema": schema, "example": self._example(schema)}
            result["requestBody"] = {"required": True, "content": {JSON: content}}
        if not route.needs_key:
            result["security"] = []
        elif operation.control and method in STEERING:
            result["security"] = security_of("control")
        return result

    def _parameters(self, operation: Operation, method: str) -> list[dict[str, Any]]:
        query = None if method == "POST" and operation.body is not None else operation.query
        parameters = [
            parameter_of(name, "query", not_null(schema), required)
            for name, (schema, required) in self.definitions.fields(query or NoParameters).items()
        ]
        parameters.append(
            parameter_of(
                "X-Request-ID",
                "header",
                {
                    "type": "string",
                    "description": (
                        "an id of yours, 1 to 128 visible ASCII characters, for the answer and the log; "
                        "any other is replaced"
                    ),
                    "examples": ["8f6f0c2e9b1d4a57"],
                },
                False,
            )
        )
        if operation.live:
            known = {
                "type": "string",
                "description": "the ETag you hold: answered 304 while the state is the same",
                "examples": [HEADERS["ETag"][1]],
            }
            parameters.append(parameter_of("If-None-Match", "header", known, False))
        return parameters

    def _responses(self, route: RouteDescription, method: str) -> dict[str, Any]:
        operation = route.operation
        headers = (
            [*COMMON_HEADERS, "Cache-Control"] if operation.live or operation.cached else [*COMMON_HEADERS]
        )
        if operation.live:
            headers.append("ETag")
        success = {"headers": headers_of(headers)}
        if method != "HEAD":
            success["content"] = {operation.content_type: self._content(route)}
        responses = {"200": {"description": operation.summary, **success}}
        for status, description in operation.also:
            responses[str(status)] = {"description": description, **success}
        if operation.live:
            responses["304"] = {
                "description": "the state is still the one you hold",
                "headers": headers_of(headers),
            }
        responses |= self._errors(operation, route.needs_key, method)
        return dict(sorted(responses.items()))

    def _errors(self, operation: Operation, needs_key: bool, method: str) -> dict[str, Any]:
        """Responses of the codes that a route may answer, by status."""
        codes = [*ERRORS_OF_ALL, *operation.errors]
        codes += operation.steering_errors if method in STEERING else []
        codes += [ErrorCode.UNAUTHORIZED] if needs_key else []
        codes += [ErrorCode.VALIDATION_ERROR] if operation.query is not None else []
        by_status: dict[int, list[ErrorCode]] = {}
        for code in codes:
            by_status.setdefault(code.status, []).append(code)
        result: dict[str, Any] = {}
        for status, some in by_status.items():
            if len(some) == 1:
                result[str(status)] = {"$ref": f"#/components/responses/{some[0]}"}
            else:
                result[str(status)] = self._either(some)
        return result

    def _either(self, codes: Sequence[ErrorCode]) -> dict[str, Any]:
        """A response with one of several codes."""
        parts = [self.responses[code]["content"][JSON] for code in codes]
        return {
            "description": "; ".join(f"{code}: {ERROR_CODES[code].when}" for code in codes),
            "headers": self.responses[codes[0]]["headers"],
            "content": {
                JSON: {
                    "schema": {"oneOf": [part["schema"] for part in parts]},
                    "examples": {
                        code: {"value": part["example"]} for code, part in zip(codes, parts, strict=True)
                    },
                }
            },
        }

    def _error_response(self, code: ErrorCode) -> dict[str, Any]:
        schema = self.definitions.reference(error_schema(code, ErrorAnswerSchema))
        headers = [*COMMON_HEADERS, *ERROR_HEADERS.get(code, ())]
        if code == ErrorCode.FORBIDDEN_ORIGIN:
            headers = ["X-Request-ID"]  # refused before anything is counted, and the page may not read it
        return {
            "description": f"{code}: {ERROR_CODES[code].when}",
            "headers": headers_of(headers),
            "content": {JSON: {"schema": schema, "example": self._example(schema)}},
        }

    def _content(self, route: RouteDescription) -> dict[str, Any]:
        operation = route.operation
        if operation.answer is None:
            kind = "object" if operation.content_type == JSON else "string"
            return {"schema": {"type": kind, "description": operation.summary}}
        data = fields.Nested(operation.answer)
        name = _answer_name(route.path)
        schema = {"$ref": f"#/components/schemas/{name}"}
        if name not in self.definitions.schemas:
            schema = self.definitions.reference(answer_schema(name, AnswerSchema, data, operation.meta))
        return {"schema": schema, "example": self._example(schema)}

    def _example(self, schema: JsonSchema) -> Any:
        return example_of(schema, self.definitions.schemas)


def _answer_name(path: str) -> str:
    """``HistoricalDataAnswer`` of ``/api/historical-data/{symbol}``."""
    words = re.findall("[A-Za-z]+", re.sub(r"/api/|\{.*\}", "", path))
    return f"{''.join(word.capitalize() for word in words) or 'Index'}Answer"
