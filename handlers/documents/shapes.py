"""JSON Schemas as tables for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from tornado.escape import xhtml_escape

from schemas.documents.json_schema import JsonSchema

_REFERENCE = re.compile("#/components/schemas/(.+)")


class Shapes:
    """Tables of fields; each named shape is shown where it comes up first, and linked from elsewhere."""

    def __init__(self, schemas: Mapping[str, JsonSchema], shown: Iterable[str] = ()) -> None:
        self.schemas = schemas
        self.shown = set(shown)

    def describe(self, schema: JsonSchema) -> str:
        """What a value is: the tables of what it is made of, or links to where they are."""
        fresh = [name for name in dict.fromkeys(_names(schema)) if name not in self.shown]
        if not fresh:
            return f"<p>{self._kind(schema)}</p>"
        return "".join(self._table(name) for name in fresh)

    def _table(self, name: str) -> str:
        self.shown.add(name)
        schema = self.schemas[name]
        inner = [other for other in dict.fromkeys(_names(schema)) if other not in self.shown]
        return (
            f'<div id="shape-{name}"><p class="quiet"><b>{name}</b>: {html(schema["description"])}'
            f"{bounds_of(schema)}</p>"
            f"{self._rows(schema)}{''.join(self._nested(other) for other in inner)}</div>"
        )

    def _nested(self, name: str) -> str:
        if name in self.shown:  # an earlier neighbour has it
            return ""
        schema = self.schemas[name]
        words = f"{len(schema['enum'])} values" if "enum" in schema else f"{len(schema['properties'])} fields"
        return f"<details><summary>{name}, {words}</summary>{self._table(name)}</details>"

    def _rows(self, schema: JsonSchema) -> str:
        required = schema.get("required", ())
        rows = "".join(
            self._row(name, field, name in required) for name, field in schema.get("properties", {}).items()
        )
        head = "<thead><tr><th>field</th><th>type</th><th>meaning</th><th>example</th></tr></thead>"
        return f'<table class="fields">{head}<tbody>{rows}</tbody></table>' if rows else ""

    def _row(self, name: str, field: JsonSchema, is_required: bool) -> str:
        optional = "" if is_required else ' <span class="quiet">optional</span>'
        examples = field.get("examples")
        example = f"<code>{html(as_json(examples[0]))}</code>" if examples else ""
        return (
            f"<tr><td><code>{html(name)}</code>{optional}</td><td>{self._kind(field)}{unit_of(field)}</td>"
            f"<td>{html(field.get('description', ''))}{bounds_of(field)}</td><td>{example}</td></tr>"
        )

    def _kind(self, schema: JsonSchema) -> str:
        """The type in words, with links to shapes."""
        found = _REFERENCE.fullmatch(schema.get("$ref", ""))
        if found:
            return f'<a href="#shape-{found[1]}">{found[1]}</a>'
        for alternatives in ("oneOf", "anyOf"):
            if alternatives in schema:
                return " or ".join(dict.fromkeys(self._kind(item) for item in schema[alternatives]))
        if "items" in schema:
            return f"list of {self._kind(schema['items'])}"
        kinds = schema.get("type", "anything")
        words = [kinds] if isinstance(kinds, str) else kinds
        return " or ".join(schema.get("format", word) if word == "string" else word for word in words)


def _names(schema: Any) -> Iterable[str]:
    """The named shapes that a schema refers to."""
    if isinstance(schema, dict):
        found = _REFERENCE.fullmatch(schema.get("$ref", ""))
        if found:
            yield found[1]
        for value in schema.values():
            yield from _names(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _names(item)


def unit_of(schema: JsonSchema) -> str:
    """The unit, in a quiet voice."""
    return f' <span class="quiet">{html(schema["x-unit"])}</span>' if "x-unit" in schema else ""


def bounds_of(schema: JsonSchema) -> str:
    """Choices, range, length and default in words."""
    words = []
    if "enum" in schema:
        words.append(f"one of {', '.join(as_json(value) for value in schema['enum'])}")
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if low in schema and high in schema:
            words.append(f"{as_json(schema[low])} to {as_json(schema[high])}{unit}")
        elif low in schema:
            words.append(f"at least {as_json(schema[low])}{unit}")
    if "default" in schema:
        words.append(f"default {as_json(schema['default'])}")
    return f' <span class="bounds">({html("; ".join(words))})</span>' if words else ""


def as_json(value: Any, *, indent: bool = False) -> str:
    """A value as JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0).decode()


def html(text: str) -> str:
    """Text as HTML; what stands in backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", xhtml_escape(str(text)))
