"""The generated documents, and strict validators for what is sent under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from handlers.documents.handlers import Documents
from handlers.operations.application import HANDLERS
from schemas.events import CLIENT, SERVER

DOCUMENTS = Documents(HANDLERS, "0.1.0")
OPENAPI, ASYNCAPI = DOCUMENTS.openapi, DOCUMENTS.asyncapi
CLIENT_NAMES = list(CLIENT)
SERVER_NAMES = list(SERVER)
METHODS = ("get", "head", "post", "delete", "options")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of every route."""
    for path, item in OPENAPI["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def closed(schema: Any) -> Any:
    """The schema without room for fields that it does not name: the documents promise only more of them."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(value) for name, value in schema.items()}
    if isinstance(result.get("properties"), dict) and result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


class Validators:
    """Strict validators of a document's schemas, each compiled once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components = closed({"schemas": document["components"]["schemas"]})
        self._known: dict[str, Any] = {}

    def problems(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        """Where a value differs from a schema of the document; empty if nowhere."""
        key = repr(schema)
        validator = self._known.get(key)
        if validator is None:
            whole = {**closed(dict(schema)), "components": self._components}
            validator = self._known[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [
            f"{'/'.join(map(str, error.instance_path)) or 'it'}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]


def response_of(operation: Mapping[str, Any], status: int) -> Mapping[str, Any]:
    """What the document says of a status; an undocumented one is a KeyError."""
    response: Mapping[str, Any] = operation["responses"][str(status)]
    if "$ref" in response:
        response = OPENAPI["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


def payload_of(event: str) -> Mapping[str, Any]:
    """The schema of an event's payload, or of ``…_answer``, an acknowledgement."""
    payload: Mapping[str, Any] = ASYNCAPI["components"]["messages"][event]["payload"]
    return payload


def documented_codes(operation: Mapping[str, Any]) -> set[str]:
    """The codes that an operation may answer."""
    found: set[str] = set()
    for status in operation["responses"]:
        for content in response_of(operation, int(status)).get("content", {}).values():
            found |= _codes_within(content["schema"])
    return found


def _codes_within(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_codes_within, schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        known = OPENAPI["components"]["schemas"][name]
        if "error" in known["properties"]:
            body = OPENAPI["components"]["schemas"][known["properties"]["error"]["$ref"].rpartition("/")[2]]
            return set(body["properties"]["code"]["enum"])
        return set()
    return set().union(*map(_codes_within, schema.values())) if schema else set()
