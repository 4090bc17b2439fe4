"""Payloads made from the AsyncAPI document, good, bad and wild, over a real socket.

Every answer is as documented or an ``error`` with a code; what the document allows is not called invalid,
and what it does not allow is; nothing leaves a traceback.
"""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import VALIDATORS
from tests.contract.documents import ASYNCAPI, CLIENT_NAMES, payload_of

EXAMPLES, NIGHTLY_EXAMPLES = 25, 1000
SYMBOLS = ["NIFTY", "nifty", "RELIANCE", "M&M", "NIFTI"]
DAYS = ["2026-12-01", "2026-11-23", "2026-11-28", "0001-01-01", "9999-12-31"]
EACH_EVENT = pytest.mark.parametrize("event", CLIENT_NAMES)
RESERVED = {"connect", "disconnect", "connect_error"}  # Socket.IO's own: no event of a client

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from([*SYMBOLS, *DAYS])
)
wild = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def good(schema):
    """Values that a schema of the document allows."""
    if "$ref" in schema:
        return good(ASYNCAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of([good(item) for item in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "anything")
    if isinstance(kinds, list):
        return st.one_of([good({**schema, "type": kind}) for kind in kinds])
    return GOOD[kinds](schema)


def good_object(schema):
    fields = {name: good(field) for name, field in schema["properties"].items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def good_text(schema):
    if schema.get("format") == "date":
        return st.dates().map(str) | st.sampled_from(DAYS)
    if "stream" in schema.get("description", ""):
        return good_streams
    if "pattern" in schema:
        if "NSE" in schema["pattern"]:
            return st.lists(st.sampled_from(["NSE", "MCX", "BFO"]), min_size=1, max_size=3).map(",".join)
        return st.sampled_from(SYMBOLS) | st.from_regex(schema["pattern"], fullmatch=True, alphabet=LETTERS)
    return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 20), 20))


LETTERS = string.ascii_letters + string.digits + "&_-"
good_streams = st.one_of(
    st.sampled_from(SYMBOLS).map("symbol:{}".format),
    st.builds(
        "{}:{}:{}".format, st.sampled_from(["chain", "dashboard"]), st.sampled_from(SYMBOLS), st.dates()
    ),
    st.builds("candles:{}:{}".format, st.sampled_from(SYMBOLS), st.sampled_from(["1m", "1h", "1w"])),
)
GOOD = {
    "anything": lambda schema: wild,
    "null": lambda schema: st.none(),
    "boolean": lambda schema: st.booleans(),
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "number": lambda schema: st.floats(schema["minimum"], schema["maximum"]),
    "string": good_text,
    "array": lambda schema: st.lists(
        good(schema["items"]), min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 3), 3)
    ),
    "object": good_object,
}


def spoiled(event):
    """Payloads with something wrong in them, or wholly wild."""
    payload = payload_of(event)
    if "$ref" not in payload:
        return wild
    schema = ASYNCAPI["components"]["schemas"][payload["$ref"].rpartition("/")[2]]
    names = st.sampled_from([*schema["properties"], "x"])
    with_one_wrong = st.builds(lambda base, name, value: {**base, name: value}, good(schema), names, wild)
    with_one_less = st.builds(
        lambda base, name: {key: value for key, value in base.items() if key != name}, good(schema), names
    )
    return with_one_wrong | with_one_less | wild


def forgiven(value, name=""):
    """The payload without what the server overlooks: case and blanks around names."""
    if isinstance(value, dict):
        return {key: forgiven(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [forgiven(item, name) for item in value]
    if not isinstance(value, str):
        return value
    if name == "symbol":
        return value.strip()
    if name == "interval":
        return value.strip().lower()
    if name == "exchange":
        return ",".join(item.strip().upper() for item in value.split(",") if item.strip())
    if name == "stream":
        return ":".join(part.strip() for part in value.split(":"))
    return value


@pytest.fixture
def client(io_loop, make_sandbox, checked):
    """A client that may send as much as it likes."""
    limits = {
        "max_events_per_second": 100_000,
        "max_subscriptions": 100_000,
        "max_message_bytes": 1_048_576,
    }
    sandbox = io_loop.run_sync(lambda: make_sandbox(limits=limits))
    connected = io_loop.run_sync(lambda: checked(sandbox))
    connected.sandbox = sandbox
    return connected


def run(io_loop, client, event, payloads, judge, examples):
    """Send payloads, let the market move now and then, and judge each answer."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(payloads, st.booleans())
    def answered(payload, moves):
        async def exchange():
            if moves:
                await client.sandbox.step()
            return await client.call(event, payload)

        judge(payload, io_loop.run_sync(exchange))

    answered()


def is_refused(answer):
    return not answer["success"] and answer["error"]["code"] == "VALIDATION_ERROR"


def test_what_is_made_as_good_is_what_the_document_allows():
    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def allowed(data):
        event = data.draw(st.sampled_from(CLIENT_NAMES))
        payload = data.draw(good(payload_of(event)))
        assert VALIDATORS.problems(payload_of(event), payload) == []

    allowed()


@EACH_EVENT
def test_payload_that_the_document_allows_is_not_called_invalid(io_loop, client, caplog, event):
    def judge(payload, answer):
        assert not is_refused(answer), json.dumps(payload)
        assert answer["success"] or answer["error"]["code"] != "INTERNAL_ERROR"

    run(io_loop, client, event, good(payload_of(event)), judge, EXAMPLES)
    assert [record for record in caplog.records if record.exc_info] == []


def judge_bad(event):
    def judge(payload, answer):
        is_allowed = VALIDATORS.problems(payload_of(event), forgiven(payload)) == []
        may_be_none = payload is None and event in ("get_market_status", "list_subscriptions", "list_alerts")
        assert is_allowed or may_be_none or is_refused(answer), json.dumps(payload)
        assert answer["success"] or answer["error"]["code"] != "INTERNAL_ERROR"

    return judge


@EACH_EVENT
def test_payload_that_the_document_does_not_allow_is_refused(io_loop, client, caplog, event):
    run(io_loop, client, event, spoiled(event), judge_bad(event), EXAMPLES)
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.nightly
@EACH_EVENT
def test_many_payloads_are_answered_as_documented(io_loop, client, caplog, event):
    payloads = good(payload_of(event)) | spoiled(event)
    run(io_loop, client, event, payloads, judge_bad(event), NIGHTLY_EXAMPLES)
    assert [record for record in caplog.records if record.exc_info] == []


def test_event_of_any_other_name_is_refused(io_loop, client, caplog):
    known = {*CLIENT_NAMES, *RESERVED}
    near = st.sampled_from(["Ping", "ping ", "on_ping", "trigger_event", "__init__", "symbol_update", ""])

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given((st.text(max_size=80) | near).filter(lambda name: name not in known), wild)
    def refused(event, payload):
        assert is_refused(io_loop.run_sync(lambda: client.call(event, payload)))

    refused()
    assert [record for record in caplog.records if record.exc_info] == []
