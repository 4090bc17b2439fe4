"""What is served against the schemas that describe it: every field, no other, of its type and precision."""

from __future__ import annotations

import json
import re
from typing import Any

from marshmallow import Schema, fields

from schemas.wire import Count, Number, Timestamp

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
REQUEST_ID = re.compile(r"[0-9a-f]{16}")


def problems(schema: Schema, data: Any, path: str = "") -> list[str]:
    """Where an object differs from its schema; empty if nowhere."""
    if not isinstance(data, dict):
        return [f"{path or 'it'} is no object but {data!r}"]
    described = described_fields(schema)
    found = [f"{path}{name} is missing" for name in described.keys() - data.keys()]
    found += [f"{path}{name} is not described" for name in data.keys() - described.keys()]
    for name in described.keys() & data.keys():
        found += _value_problems(described[name], data[name], f"{path}{name}")
    return found


def described_fields(schema: Schema) -> dict[str, fields.Field[Any]]:
    """Fields of a schema by their name on the wire."""
    return {field.data_key or name: field for name, field in schema.fields.items()}


def _value_problems(field: fields.Field[Any], value: Any, path: str) -> list[str]:
    if value is None:
        return [] if field.allow_none else [f"{path} is null"]
    if isinstance(field, fields.Nested):
        return problems(field.schema, value, f"{path}.")
    if isinstance(field, fields.List):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [p for i, item in enumerate(value) for p in _value_problems(field.inner, item, f"{path}[{i}]")]
    return [] if _fits(field, value) else [f"{path} is {value!r}, no {type(field).__name__}"]


def _fits(field: fields.Field[Any], value: Any) -> bool:
    if isinstance(field, fields.Boolean):
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if isinstance(field, Number):
        return isinstance(value, int | float) and round(value, field.places) == value
    if isinstance(field, Count):
        return isinstance(value, int) or (isinstance(value, float) and value != int(value))
    if isinstance(field, fields.Integer):
        return isinstance(value, int)
    if isinstance(field, Timestamp):
        return isinstance(value, str) and INSTANT.fullmatch(value) is not None
    if isinstance(field, fields.Date):
        return isinstance(value, str) and DAY.fullmatch(value) is not None
    choices = field.metadata.get("enum")
    return isinstance(value, str) and (choices is None or value in choices)


def strict_json(raw: bytes) -> Any:
    """Parse JSON as a browser does: NaN and Infinity are errors."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is on the wire")

    return json.loads(raw, parse_constant=refuse)
