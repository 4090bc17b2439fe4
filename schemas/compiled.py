"""Schemas compiled to what they make of one value after the other, for what is shown many times a second.

A schema is the single definition: what is compiled from it makes the same bytes without its look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import attrgetter, itemgetter
from typing import Any

from marshmallow import Schema, fields

from schemas.wire import Count, Number, count, number

Format = Callable[[Any], Any]
Dump = Callable[[Any], dict[str, Any]]


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
