"""The events as an AsyncAPI document.

There is one channel, the default namespace of Socket.IO. A client event is an operation that this server
receives, with its acknowledgement as the reply; a server event is one that it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from domain.errors import ErrorCode
from schemas.documents.enums import with_named_enums
from schemas.documents.json_schema import Definitions, JsonSchema, example_of, plain
from schemas.envelope import ERROR_CODES, AcknowledgementSchema, RefusalSchema, answer_schema, error_schema
from schemas.events import CLIENT, ERRORS_OF_ALL, ERRORS_OF_CONNECT, REVOKED, SERVER, ClientEvent

ASYNCAPI_VERSION = "3.0.0"
TITLE = "Indian options market data: streams"
DESCRIPTION = (
    "Socket.IO 5 protocol (JavaScript client 4.x), default namespace, path /socket.io/, WebSocket and "
    "polling. Every event you send answers its acknowledgement, if you gave one, with an envelope. "
    "A subscriber gets a snapshot with (epoch, seq), then deltas: apply one only if its epoch is yours and "
    "its prev_seq is your seq, else subscribe again. A value that is not known is null, never 0."
)
CHANNEL = "market"
_JSON = "application/json"


def asyncapi_document(version: str) -> dict[str, Any]:
    """The document."""
    writer = _EventWriter(version)
    operations: dict[str, Any] = {}
    for name, event in CLIENT.items():
        operations[name] = writer.receive(name, event.what, event)
    for name, sent in SERVER.items():
        operations[f"send_{name}"] = writer.send(name, sent.what)
    document = {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:indian-options-server:streams",
        "info": {
            "title": TITLE,
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": _JSON,
        "servers": {"this": _SERVER},
        "channels": {
            CHANNEL: {
                "address": "/socket.io/",
                "title": "the default namespace",
                "description": "One Socket.IO connection carries all events in both directions.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in writer.messages},
            }
        },
        "operations": operations,
        "components": {
            "messages": writer.messages,
            "schemas": writer.definitions.schemas,
            "securitySchemes": {"ApiKey": _API_KEY},
        },
    }
    return with_named_enums(plain(document))


_SERVER = {
    "host": "{host}",
    "protocol": "ws",
    "pathname": "/socket.io/",
    "description": (
        "Socket.IO over WebSocket or polling; wss where TLS is on, here or in a proxy. A refused connection "
        f"gets a connect_error whose data has the code: {', '.join(ERRORS_OF_CONNECT)}."
    ),
    "variables": {
        "host": {"default": "localhost:5000", "description": "where the server listens"},
    },
    "security": [{"$ref": "#/components/securitySchemes/ApiKey"}],
}
_API_KEY = {
    "type": "apiKey",
    "in": "password",
    "description": (
        "where the operator configured keys: the connection's auth payload, {token: …}. When the key is "
        "revoked, the connection gets an error with the code UNAUTHORIZED and is closed."
    ),
}


class _EventWriter:
    """Writes operations, defining messages and schemas on the way."""

    def __init__(self, version: str) -> None:
        self.definitions = Definitions(TITLE, version)
        self.messages: dict[str, Any] = {}
        self._refusals = {
            code: self.definitions.reference(error_schema(code, RefusalSchema)) for code in _event_codes()
        }

    def receive(self, name: str, what: str, event: ClientEvent) -> dict[str, Any]:
        """What a client sends, and how it is acknowledged."""
        payload = {} if event.payload is None else self.definitions.reference(event.payload)
        note = "" if event.payload_required else " The payload may be left out."
        self._message(name, what + note, payload)
        acknowledgement = f"{name}_answer"
        self._message(acknowledgement, f"acknowledgement of {name}", self._answer(name, event))
        return {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "title": name,
            "summary": what,
            "messages": [_in_channel(name)],
            "reply": {
                "channel": {"$ref": f"#/channels/{CHANNEL}"},
                "messages": [_in_channel(acknowledgement)],
            },
        }

    def send(self, name: str, what: str) -> dict[str, Any]:
        """What the server sends."""
        schemas = [self.definitions.reference(schema) for schema in SERVER[name].payloads]
        if name == "error":
            schemas = [self.definitions.reference(_event_error(code)) for code in (*_event_codes(), REVOKED)]
        self._message(name, what, schemas[0] if len(schemas) == 1 else {"oneOf": schemas})
        return {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "title": name,
            "summary": what,
            "messages": [_in_channel(name)],
        }

    def _answer(self, name: str, event: ClientEvent) -> JsonSchema:
        title = "".join(word.capitalize() for word in name.split("_"))
        envelope = answer_schema(f"{title}Answer", AcknowledgementSchema, fields.Nested(event.answer))
        codes = dict.fromkeys((*ERRORS_OF_ALL, *event.errors))
        success = self.definitions.reference(envelope)
        return {"oneOf": [success, *(self._refusals[code] for code in codes)]}

    def _message(self, name: str, what: str, payload: JsonSchema) -> None:
        example = example_of(payload, self.definitions.schemas) if payload else {"n": 1}
        self.messages[name] = {
            "name": name,
            "title": name,
            "summary": what,
            "contentType": _JSON,
            "payload": payload or {"description": "anything; it comes back"},
            "examples": [{"payload": example}] if isinstance(example, Mapping) else [],
        }


def _event_codes() -> list[ErrorCode]:
    codes = [*ERRORS_OF_ALL, *(code for event in CLIENT.values() for code in event.errors)]
    return list(dict.fromkeys(codes))


def _event_error(code: ErrorCode) -> type[Schema]:
    """The ``error`` event of one code: what an envelope has, beside the event's name."""
    known = ERROR_CODES[code]
    members: dict[str, fields.Field[Any]] = {
        "code": fields.String(metadata={"enum": [code], "description": known.when}),
        "message": fields.String(metadata={"example": known.message}),
        "details": known.details,
        "event": fields.String(),
    }
    name = "".join(word.capitalize() for word in code.split("_"))
    result = Schema.from_dict(members, name=f"{name}Event")
    result.__doc__ = f"{code}: {known.when}."
    return result


def _in_channel(message: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{message}"}
