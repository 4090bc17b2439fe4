"""What clients ask: anything at all is either loaded or refused in sentences."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from domain.intervals import INTERVAL_ALIASES
from handlers.access.errors import describe
from schemas.requests import events, fields, queries

SCHEMAS = [
    value
    for module in (queries, events)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, fields.Request) and value is not fields.Request
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def told(schema, payload):
    """The details a client is told; empty if the payload is taken."""
    try:
        schema().load(payload)
    except ValidationError as error:
        return describe(error).details
    return {}


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=30)
@given(payload=ANYTHING)
def test_any_payload_is_taken_or_refused_in_sentences(schema, payload):
    for field, sentences in told(schema, payload).items():
        assert isinstance(field, str)
        assert sentences
        assert all(isinstance(sentence, str) and sentence for sentence in sentences)


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_of_any_field_is_taken_or_refused_with_a_rule_of_ours(schema, data):
    names = [field.data_key or name for name, field in schema().fields.items()]
    payload = {name: data.draw(ANYTHING, name) for name in names}
    for sentences in told(schema, payload).values():
        for sentence in sentences:
            assert sentence.startswith(("must ", "is ")), sentence


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=30)
@given(value=ANYTHING)
def test_sentence_is_short_whatever_was_sent(schema, value):
    names = [field.data_key or name for name, field in schema().fields.items()]
    payload = {name: [value] * 3 for name in names} | {"x" * 500: value}
    for sentences in told(schema, payload).values():
        assert all(len(sentence) < 400 for sentence in sentences)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("value", ["x" * 3_000, "\U0001da8c" * 3_000, [{"\x1f" * 99: None}] * 9, 10**4_000])
def test_sentence_about_a_long_value_is_short(schema, value):
    payload = {field.data_key or name: value for name, field in schema().fields.items()}
    for sentences in told(schema, payload).values():
        assert all(len(sentence) < 400 for sentence in sentences)


@pytest.mark.parametrize("text", ["ce", "Pe", " CE "])
def test_option_type_is_taken_in_any_case(text):
    asked = {"expiry": "2026-12-01", "strike": "25000", "option_type": text}
    assert queries.HistoryRequest().load(asked)["option_type"] == text.strip().upper()


@given(st.text(string.ascii_letters + string.digits + "&-_", min_size=1, max_size=25))
def test_symbol_is_upper_case_whatever_it_was(text):
    if text[0] in "&-_":
        assert told(queries.ChainRequest, {"symbol": text})
    else:
        assert queries.ChainRequest().load({"symbol": text})["symbol"] == text.upper()


@given(st.dates())
def test_every_date_is_read(day):
    loaded = queries.ChainRequest().load({"symbol": "NIFTY", "expiry": day.isoformat()})
    assert loaded["expiry"] == day


@pytest.mark.parametrize(("alias", "interval"), INTERVAL_ALIASES.items())
def test_interval_is_read_in_any_case_by_both_names(alias, interval):
    for text in (alias, alias.upper(), interval, f" {interval} "):
        assert events.CandleEvent().load({"symbol": "NIFTY", "interval": text})["interval"] == interval


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        ("1970-01-01T05:30:00+05:30", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T05:30", 0),
        ("1970-01-01T05:30:00 05:30", 0),
        ("1970-01-01", -19_800_000),
        ("1970-01-01T00:00:00.250Z", 250),
    ],
)
def test_moment_is_read_with_its_offset_or_as_time_of_india(text, instant_ms):
    assert queries.HistoryRequest().load({"from": text})["start"] == instant_ms


@given(st.lists(st.sampled_from(["NIFTY", "nifty", "M&M", "BAJAJ-AUTO"]), min_size=1, max_size=20))
def test_list_of_symbols_loses_its_doubles_and_keeps_its_order(symbols):
    loaded = events.SymbolEvent().load({"symbol": symbols})["symbol"]
    assert loaded == list(dict.fromkeys(symbol.upper() for symbol in symbols))


def test_list_of_too_many_symbols_is_refused():
    assert "1 to 64" in told(events.SymbolEvent, {"symbol": ["NIFTY"] * 65})["symbol"][0]
