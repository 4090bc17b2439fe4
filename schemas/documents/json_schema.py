"""marshmallow schemas as JSON Schema, by apispec, with units and examples.

One ``Definitions`` holds the named schemas of one document. A field's description, unit and example are
those of its own metadata, else what the glossary says of its name. Of an answer every field is required
unless its metadata has ``optional``; a request refuses what it does not know, an answer may gain fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from domain.intervals import INTERVAL_ALIASES, INTERVALS
from schemas import past
from schemas.documents.glossary import DESCRIPTIONS, EXAMPLES, REQUEST_DESCRIPTIONS, REQUEST_EXAMPLES, UNITS
from schemas.requests import fields as request_fields
from schemas.requests import leg_fields
from schemas.wire import Timestamp

OPENAPI_VERSION = "3.1.0"
_REFERENCE = "#/components/schemas/"

_SYMBOL = {"type": "string", "pattern": f"^{request_fields.SYMBOL_PATTERN}$"}
_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"

JsonSchema = dict[str, Any]


def _choices(field: Any) -> JsonSchema:
    name = f"({'|'.join(field.choices)})"
    return {"type": "string", "pattern": f"^{name}(,{name})*$"}


_FIELD_SETS_OR_LIST: JsonSchema = {
    "anyOf": [
        {"type": "string", "enum": list(leg_fields.FIELD_SETS)},
        {
            "type": "array",
            "items": {"type": "string", "enum": list(leg_fields.LEG_FIELDS)},
            "minItems": 1,
            "maxItems": leg_fields.MAX_FIELDS,
        },
    ]
}


def _field_choice(field: Any) -> JsonSchema:
    if field.in_url:
        return {"type": "string", "pattern": leg_fields.QUERY_PATTERN}
    return dict(_FIELD_SETS_OR_LIST)


# what our own fields take, which apispec cannot know
TYPES: Mapping[type[fields.Field[Any]], Callable[[Any], JsonSchema]] = {
    request_fields.Symbol: lambda field: dict(_SYMBOL),
    request_fields.SymbolOrList: lambda field: {
        "anyOf": [
            dict(_SYMBOL),
            {"type": "array", "items": dict(_SYMBOL), "minItems": 1, "maxItems": request_fields.MAX_STREAMS},
        ]
    },
    request_fields.Day: lambda field: {"type": "string", "format": "date"},
    request_fields.Moment: lambda field: {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    },
    request_fields.Interval: lambda field: {
        "type": "string",
        "enum": [*INTERVALS, *INTERVAL_ALIASES],
    },
    request_fields.Choices: _choices,
    request_fields.WholeNumber: lambda field: {"type": "integer"},
    request_fields.QueryFlag: lambda field: {"type": "boolean"},
    request_fields.Quantity: lambda field: {"type": "number"},
    request_fields.Window: lambda field: {"type": "integer", "enum": list(request_fields.WINDOWS)},
    request_fields.Strike: lambda field: {
        "type": "number",
        "minimum": request_fields.LEAST_STRIKE,
        "maximum": request_fields.GREATEST_STRIKE,
    },
    leg_fields.FieldChoice: _field_choice,
    leg_fields.ShownFields: lambda field: _FIELD_SETS_OR_LIST,
    past.StrikeChoice: lambda field: {"type": "string", "pattern": past.STRIKES_PATTERN},
    Timestamp: lambda field: {"type": "string", "format": "date-time", "pattern": _INSTANT},
}


class Converter(OpenAPIConverter):
    """apispec's converter, with our types, units and examples."""

    def init_attribute_functions(self) -> None:
        """Add ours between the type, which apispec must know, and null, which goes by it."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call]
        nullable = self.attribute_functions.index(self.field2nullable)
        self.attribute_functions[nullable:nullable] = [self._own_type, self._explained]
        self.attribute_functions.append(self._null_among_choices)

    def field2type_and_format(self, field: fields.Field[Any], **kwargs: Any) -> JsonSchema:
        """The JSON type; none yet for our own fields, so that apispec warns of no other."""
        if type(field) in TYPES:
            return {}
        return dict(super().field2type_and_format(field, **kwargs))

    def field2read_only(self, field: fields.Field[Any], **kwargs: Any) -> JsonSchema:
        """Nothing: answers and requests have schemas of their own."""
        return {}

    def field2default(self, field: fields.Field[Any], **kwargs: Any) -> JsonSchema:
        """The default, where there is one to name."""
        if field.load_default == leg_fields.ALL_FIELDS:
            return {"default": "all"}
        return {} if field.load_default is None else dict(super().field2default(field, **kwargs))

    def _own_type(self, field: fields.Field[Any], **_: Any) -> JsonSchema:
        known = TYPES.get(type(field))
        return known(field) if known else {}

    def _explained(self, field: fields.Field[Any], ret: JsonSchema) -> JsonSchema:
        """Description, unit and example, by the field or by its name."""
        name = field.data_key or field.name or ""
        is_request = isinstance(field.parent, request_fields.Request)
        description = (
            (is_request and REQUEST_DESCRIPTIONS.get(name)) or DESCRIPTIONS.get(name) or _shape_of(field)
        )
        unit = field.metadata.get("unit") or UNITS.get(re.sub("^(ce|pe)_", "", name))
        example = field.metadata.get(
            "example", (is_request and REQUEST_EXAMPLES.get(name)) or EXAMPLES.get(name)
        )
        if "enum" in ret and example not in ret["enum"]:
            example = ret["enum"][0]
        ret.pop("example", None)
        return {
            "description": field.metadata.get("description") or description,
            **({"x-unit": unit} if unit else {}),
            **({"examples": [example]} if example is not None and _may_be(ret, example) else {}),
        }

    def _null_among_choices(self, field: fields.Field[Any], ret: JsonSchema) -> JsonSchema:
        if "enum" in ret and field.allow_none and None not in ret["enum"]:
            return {"enum": [*ret["enum"], None]}
        return {}

    def schema2jsonschema(self, schema: Any) -> JsonSchema:
        """An object with its description; strict if a client sends it, complete if we do."""
        instance = resolve_schema_instance(schema)
        result = dict(super().schema2jsonschema(instance))  # type: ignore[no-untyped-call]
        result["description"] = _summary(type(instance))
        if isinstance(instance, request_fields.Request):
            return result
        result.pop("additionalProperties", None)
        required = [
            field.data_key or name
            for name, field in instance.fields.items()
            if not field.metadata.get("optional")
        ]
        if required:
            result["required"] = required
        return result


class Plugin(MarshmallowPlugin):
    """apispec's plugin with our converter."""

    Converter = Converter


class Definitions:
    """The named schemas of one document, each made once and referred to by name."""

    def __init__(self, title: str, version: str) -> None:
        plugin = Plugin(schema_name_resolver=_name)  # type: ignore[arg-type]
        self.spec = APISpec(title, version, OPENAPI_VERSION, plugins=[plugin])
        assert isinstance(plugin.converter, Converter)
        self._converter = plugin.converter

    def reference(self, schema: type[Schema]) -> JsonSchema:
        """A reference to a schema, which is defined on the way."""
        reference: JsonSchema = self._converter.resolve_nested_schema(schema())  # type: ignore[no-untyped-call]
        return reference

    def fields(self, schema: type[Schema]) -> dict[str, tuple[JsonSchema, bool]]:
        """Each field of a request by its name: its JSON Schema, and whether it is required."""
        return {
            field.data_key or name: (dict(self._converter.field2property(field)), bool(field.required))
            for name, field in schema().fields.items()
        }

    @property
    def schemas(self) -> dict[str, JsonSchema]:
        """All of them, by name."""
        return self.spec.components.schemas


def example_of(schema: JsonSchema, schemas: Mapping[str, JsonSchema]) -> Any:
    """A value as a schema describes it, put together from the examples of its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_REFERENCE)], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in schema:
            return example_of(schema[alternatives][0], schemas)
    if "properties" in schema:
        return {name: example_of(inner, schemas) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [example_of(schema["items"], schemas)]
    return {} if schema.get("type") == "object" else None


def _name(schema: Any) -> str | None:
    """Name of a schema in the document; None for one that shows a part of its fields."""
    if isinstance(schema, Schema) and schema.only:
        return None
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__.removesuffix("Schema"))


def _shape_of(field: fields.Field[Any]) -> str:
    """What the schema says of itself that a field nests."""
    return _summary(type(field.schema)) if isinstance(field, fields.Nested) else ""


def _summary(cls: type[Schema]) -> str:
    """First sentence of a schema's docstring."""
    text = (cls.__doc__ or "").strip().split("\n\n")[0].replace("``", "")
    return " ".join(text.split())


_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


def _may_be(schema: JsonSchema, example: Any) -> bool:
    """Whether a name's example is of the field's type: one name has several in a few places."""
    kind = schema.get("type")
    if not isinstance(kind, str):
        return "anyOf" in schema or not schema
    return isinstance(example, _PYTHON_TYPES[kind]) and not (kind != "boolean" and isinstance(example, bool))


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of JSON's own types alone: names out of a list are their texts."""
    return dict(orjson.loads(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)))
