"""Schemas compiled to what they make of one value after the other, for what is shown many times a second.

A schema is the single definition: what is compiled from it makes the same bytes without its look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter, getitem, itemgetter
from typing import Any

import numpy as np
from marshmallow import Schema, fields

from schemas.wire import Count, Number, count, counts, number, numbers

Format = Callable[[Any], Any]
Dump = Callable[[Any], dict[str, Any]]
Column = Callable[[Any], list[Any]]
_AS_IT_IS = (fields.Integer, fields.String, fields.Boolean)  # JSON writes a column of them without our help


def compiled(schema: type[Schema], *, keys: bool = False, without: Collection[str] = ()) -> Dump:
    """What ``schema().dump`` makes of an object, or of a mapping where ``keys``; all of it must be there.

    ``without`` names fields that the object does not have. Raises TypeError for a schema that has steps of
    its own before or after its fields.
    """
    if any(schema._hooks.get(hook) for hook in ("pre_dump", "post_dump")):
        raise TypeError(f"{schema.__name__} has steps before or after its fields, which cannot be compiled.")
    dumped = {name: field for name, field in schema().dump_fields.items() if name not in without}
    formats = [(field.data_key or name, _format(name, field)) for name, field in dumped.items()]
    sources = [field.attribute or name for name, field in dumped.items()]
    read: Callable[[Any], Any] = itemgetter(*sources) if keys else attrgetter(*sources)
    if len(sources) == 1:
        only, single = formats[0], read
        return lambda source: {only[0]: only[1](single(source))}
    return lambda source: {
        name: form(value) for (name, form), value in zip(formats, read(source), strict=True)
    }


def compiled_columns(
    schema: type[Schema], *, keys: bool = False, without: Collection[str] = ()
) -> Callable[[Any], dict[str, list[Any]]]:
    """As ``compiled``, of many at once: the object has an array or a list for each attribute.

    For a nested schema it has a mapping of them, for a list what was written of it already.
    """
    parts = _parts(schema, without)
    read: Callable[[Any, str], Any] = getitem if keys else getattr
    return lambda source: {name: column(read(source, attribute)) for name, attribute, column in parts}


def by_row(columns: Mapping[str, Iterable[Any]]) -> list[dict[str, Any]]:
    """What ``compiled_columns`` made, object by object."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _parts(schema: type[Schema], without: Collection[str]) -> list[tuple[str, str, Column]]:
    parts = []
    for name, field in schema().dump_fields.items():
        if name not in without:
            parts.append((field.data_key or name, field.attribute or name, _column(name, field)))
    return parts


def _column(name: str, field: fields.Field[Any]) -> Column:
    """What a field makes of a column of values."""
    if isinstance(field, Number):
        places = field.places
        return lambda values: numbers(np.asarray(values, np.float64), places)
    if isinstance(field, fields.Nested) and not field.many:
        nested = compiled_columns(type(field.schema), keys=True)
        return lambda columns: by_row(nested(columns))
    if isinstance(field, fields.List):
        return lambda written: written
    if isinstance(field, Count):
        return lambda values: counts(np.asarray(values, np.float64))
    if type(field) in _AS_IT_IS:
        return lambda values: values.tolist() if isinstance(values, np.ndarray) else values
    form = _format(name, field)
    return lambda values: list(map(form, values))


def _format(name: str, field: fields.Field[Any]) -> Format:
    """What a field makes of a value."""
    if isinstance(field, Number):
        places = field.places
        return lambda value: number(value, places)
    if isinstance(field, Count):
        return count
    if isinstance(field, fields.Nested) and not field.many:
        nested = compiled(type(field.schema))
        return lambda value: None if value is None else nested(value)
    serialize = field._serialize
    return lambda value: serialize(value, name, None)
