"""The envelope of every answer, and what each code of the table of errors tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from domain.errors import ErrorCode
from schemas.past import CoveredSchema
from schemas.reference import PaginationSchema
from schemas.wire import Timestamp, timestamp


def success(now_ms: int, message: str = "OK") -> dict[str, Any]:
    """The head of a success; ``data`` follows, and over REST ``meta``."""
    return {"success": True, "message": message, "timestamp": timestamp(now_ms)}


def refusal(now_ms: int, code: ErrorCode, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal; REST adds ``meta``."""
    return {
        "success": False,
        "message": message,
        "timestamp": timestamp(now_ms),
        "error": {"code": code, "details": details},
    }


class MetaSchema(Schema):
    """What the answer is about."""

    symbol = fields.String()
    expiry = fields.Date()
    pagination = fields.Nested(PaginationSchema)
    request_id = fields.String()


class AcknowledgementSchema(Schema):
    """The answer to an event; its ``data`` depends on the event."""

    success = fields.Boolean(metadata={"enum": [True]})
    message = fields.String(metadata={"example": "OK"})
    timestamp = Timestamp("time of the market's clock when it was answered")


class AnswerSchema(AcknowledgementSchema):
    """The answer to a request; its ``data`` and ``meta`` depend on the route."""

    meta = fields.Nested(MetaSchema(only=("request_id",)))


class RefusalSchema(Schema):
    """An error over Socket.IO; REST adds ``meta`` with the request's id."""

    success = fields.Boolean(metadata={"enum": [False]})
    message = fields.String()
    timestamp = Timestamp("time of the market's clock when it was answered")


class ErrorAnswerSchema(RefusalSchema):
    """An error over REST."""

    meta = fields.Nested(MetaSchema(only=("request_id",)))


class NoDetails(Schema):
    """The message says it all."""


class SymbolDetails(Schema):
    """Symbols that look like the one asked for."""

    symbol = fields.String(metadata={"description": "the symbol asked for", "example": "NIFTI"})
    close_matches = fields.List(
        fields.String(), metadata={"description": "listed symbols like it", "example": ["NIFTY"]}
    )


class ExpiryDetails(Schema):
    """The expiries that are listed."""

    symbol = fields.String()
    listed = fields.List(
        fields.Date(),
        metadata={"description": "what is listed, nearest first", "example": ["2026-12-01", "2026-12-08"]},
    )


class ContractDetails(Schema):
    """The strikes near the one asked for."""

    symbol = fields.String()
    near = fields.List(
        fields.Float(),
        metadata={"unit": "INR", "description": "listed strikes, ascending", "example": [22650.0, 22700.0]},
    )


class OriginDetails(Schema):
    """Whose page it was, and what would let it in."""

    origin = fields.String(
        metadata={
            "description": "as the browser named it, cut at 200 letters",
            "example": "https://elsewhere.example",
        }
    )
    setting = fields.String(
        metadata={
            "enum": ["server.frontend_url", "server.hosts"],
            "description": "the setting that would have to list it",
            "example": "server.frontend_url",
        }
    )


class NotFoundDetails(Schema):
    """Of a past state the span that is recorded."""

    covered = fields.Nested(
        CoveredSchema,
        allow_none=True,
        metadata={"optional": True, "description": "from first to last record; null where there is none"},
    )


class FailureDetails(Schema):
    """Where the log has it."""

    request_id = fields.String()


@dataclass(frozen=True, slots=True)
class ErrorDescription:
    """When a code is told, and what its ``details`` hold."""

    when: str
    message: str
    details: fields.Field[Any]


def _nested(schema: type[Schema]) -> fields.Field[Any]:
    return fields.Nested(schema, metadata={"description": "what helps to ask again"})


ERROR_CODES: Mapping[ErrorCode, ErrorDescription] = {
    ErrorCode.VALIDATION_ERROR: ErrorDescription(
        "a parameter is missing, unknown, malformed or out of range",
        "strikes must be a whole number from 1 to 1000, was '0'.",
        fields.Dict(
            keys=fields.String(),
            values=fields.List(
                fields.String(metadata={"description": "a sentence that names the rule and the value"}),
                metadata={"description": "sentences about one field"},
            ),
            metadata={
                "description": "by field, what is wrong with it",
                "example": {"strikes": ["must be a whole number from 1 to 1000, was '0'"]},
            },
        ),
    ),
    ErrorCode.UNAUTHORIZED: ErrorDescription(
        "a key is needed and none, a wrong one or one of too small a scope was shown, or it was revoked",
        "An API key is needed here and is missing.",
        _nested(NoDetails),
    ),
    ErrorCode.FORBIDDEN_ORIGIN: ErrorDescription(
        "a page of another origin called",
        "The origin https://elsewhere.example is not allowed here: "
        "server.frontend_url (FRONTEND_URL) does not list it.",
        _nested(OriginDetails),
    ),
    ErrorCode.NOT_FOUND: ErrorDescription(
        "there is no such route, it is off, or nothing is recorded of what was asked",
        "There is no route /api/nothing.",
        _nested(NotFoundDetails),
    ),
    ErrorCode.UNKNOWN_SYMBOL: ErrorDescription(
        "a well-formed symbol that is not listed", "The symbol NIFTI is not listed.", _nested(SymbolDetails)
    ),
    ErrorCode.UNKNOWN_EXPIRY: ErrorDescription(
        "no such expiry, or no option at all, is listed on the symbol",
        "NIFTY has no expiry on 2026-11-28.",
        _nested(ExpiryDetails),
    ),
    ErrorCode.UNKNOWN_CONTRACT: ErrorDescription(
        "the expiry has no such strike",
        "NIFTY 2026-12-01 has no strike 22701.",
        _nested(ContractDetails),
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorDescription(
        "the route takes other methods, named by Allow",
        "This route does not take that method.",
        _nested(NoDetails),
    ),
    ErrorCode.CONFLICT: ErrorDescription(
        "this process serves a market that another one makes: ask that one",
        "This is an edge: the feed steers the market, so ask it instead.",
        _nested(NoDetails),
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: ErrorDescription(
        "a body or a message over the limit",
        "The body is larger than this server takes.",
        fields.Dict(
            keys=fields.String(),
            values=fields.Integer(metadata={"unit": "bytes", "description": "the limit"}),
            metadata={"description": "the limit, by its name", "example": {}},
        ),
    ),
    ErrorCode.RATE_LIMITED: ErrorDescription(
        "too many requests, events, connections or subscriptions; Retry-After says when to ask again",
        "More than 1200 requests a minute; try again in 0.1 s.",
        fields.Dict(
            keys=fields.String(),
            values=fields.Integer(metadata={"unit": "as its name says", "description": "the limit"}),
            metadata={"description": "the limit, by its name", "example": {"limit": 1200}},
        ),
    ),
    ErrorCode.INTERNAL_ERROR: ErrorDescription(
        "anything else; the log has it under the request's id",
        "Something went wrong here; the log has it under this request id.",
        _nested(FailureDetails),
    ),
    ErrorCode.FEED_UNAVAILABLE: ErrorDescription(
        "no data has ever arrived for what was asked; Retry-After says when to ask again",
        "No data has arrived yet for NIFTY 2026-12-01.",
        _nested(NoDetails),
    ),
}


def error_schema(code: ErrorCode, base: type[Schema]) -> type[Schema]:
    """The envelope of one code: ``base`` is RefusalSchema or ErrorAnswerSchema."""
    known = ERROR_CODES[code]
    body = Schema.from_dict(
        {
            "code": fields.String(metadata={"enum": [code], "description": known.when}),
            "details": known.details,
        },
        name=f"{_camel(code)}Body",
    )
    body.__doc__ = "What went wrong."
    message = fields.String(metadata={"description": "a sentence for a person", "example": known.message})
    members = {"message": message, "error": fields.Nested(body, metadata={"description": known.when})}
    suffix = "Answer" if base is ErrorAnswerSchema else "Refusal"
    result: type[Schema] = base.from_dict(members, name=f"{_camel(code)}{suffix}")
    result.__doc__ = f"{code}: {known.when}."
    return result


def answer_schema(
    name: str, base: type[Schema], data: fields.Field[Any], meta: tuple[str, ...] = ()
) -> type[Schema]:
    """The envelope of a success: ``base`` is AcknowledgementSchema or AnswerSchema.

    ``meta`` names the fields of ``MetaSchema`` that are told; with a ``?`` those told at times.
    """
    members: dict[str, fields.Field[Any]] = {"data": data}
    if base is AnswerSchema:
        about = MetaSchema(only=(*(part.removesuffix("?") for part in meta), "request_id"))
        for part in meta:
            if part.endswith("?"):
                about.fields[part.removesuffix("?")].metadata = {"optional": True}
        members["meta"] = fields.Nested(about, metadata={"description": "what the answer is about"})
    result: type[Schema] = base.from_dict(members, name=name)
    result.__doc__ = "The envelope of a success."
    return result


def _camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("_"))
