"""Compiled schemas make the bytes that marshmallow makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, post_dump

from schemas.chains import ChainHeaderSchema, CoverageSchema, ProvenanceSchema, TotalsSchema
from schemas.compiled import compiled
from schemas.dashboard import SentimentSchema
from schemas.quotes import QuoteSchema
from schemas.wire import Count, Number, Timestamp, encode

FIGURES = st.floats() | st.none() | st.sampled_from([-0.0, 0.005, 1.005, 2.675, 2.0**53, 2.0**53 + 2])
VALUES: dict[type[fields.Field[Any]], st.SearchStrategy[Any]] = {
    Number: FIGURES,
    Count: FIGURES,
    Timestamp: st.integers(0, 4_000_000_000_000) | st.none() | st.datetimes(timezones=st.timezones()),
    fields.Integer: st.integers(-(2**53), 2**53) | st.none(),
    fields.Boolean: st.booleans(),
    fields.Date: st.dates(),
    fields.String: st.text(),
}
SHAPES = [
    (ChainHeaderSchema, tuple(TotalsSchema().fields), False),
    (TotalsSchema, (), True),
    (ProvenanceSchema, (), False),
    (CoverageSchema, (), False),
    (QuoteSchema, (), False),
    (SentimentSchema, (), False),
]


def _values(schema: Schema, without: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            field.attribute or name: (
                _values(field.schema).map(lambda values: SimpleNamespace(**values))
                if isinstance(field, fields.Nested)
                else VALUES[type(field)]
            )
            for name, field in schema.fields.items()
            if name not in without
        }
    )


@pytest.mark.parametrize(
    ("schema", "without", "keys"), SHAPES, ids=lambda item: getattr(item, "__name__", "")
)
@given(data=st.data())
def test_compiled_schema_makes_the_bytes_that_marshmallow_makes(
    schema: type[Schema], without: tuple[str, ...], keys: bool, data: st.DataObject
) -> None:
    values = data.draw(_values(schema(), without))
    source = values if keys else SimpleNamespace(**values)
    made = compiled(schema, keys=keys, without=without)(source)
    assert encode(made) == encode(schema().dump(source))


class _One(Schema):
    price = Number(2, attribute="last_price")


class _Stepping(Schema):
    price = Number(2)

    @post_dump
    def _double(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"price": 2 * data["price"]}


def test_schema_of_one_field_is_compiled_too() -> None:
    assert compiled(_One)(SimpleNamespace(last_price=1.239)) == {"price": 1.24}


def test_schema_with_steps_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError, match="_Stepping has steps"):
        compiled(_Stepping)
