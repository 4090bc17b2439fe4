"""The generated documents: valid, complete, and about nothing but what there is."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import jsonschema_rs
import orjson
import pytest

from domain.errors import ErrorCode
from handlers.documents.handlers import Documents
from handlers.operations.application import HANDLERS
from schemas.documents.routes import ROUTES
from schemas.envelope import ERROR_CODES
from schemas.events import CLIENT, SERVER
from tests.contract.documents import (
    ASYNCAPI,
    CLIENT_NAMES,
    DOCUMENTS,
    METHODS,
    OPENAPI,
    SERVER_NAMES,
    Validators,
    documented_codes,
    operations,
    response_of,
)
from tests.processes import ROOT

# carried by the npm package of the AsyncAPI project; there is none on PyPI
ASYNCAPI_METASCHEMA = ROOT / "tests/client/node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
BOTH = pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
SCHEMAS = [
    pytest.param(document, name, id=f"{kind}-{name}")
    for kind, document in (("openapi", OPENAPI), ("asyncapi", ASYNCAPI))
    for name, schema in document["components"]["schemas"].items()
    if "enum" not in schema
]
EACH_SCHEMA = pytest.mark.parametrize(("document", "name"), SCHEMAS)


def test_openapi_document_is_valid():
    # imported here: it makes forty grammars, which takes two seconds of each worker
    validator = pytest.importorskip("openapi_spec_validator").OpenAPIV31SpecValidator
    validator(json.loads(DOCUMENTS.openapi_json)).validate()


def test_asyncapi_document_is_valid():
    if not ASYNCAPI_METASCHEMA.exists():
        pytest.skip("the metaschema is in @asyncapi/specs, which is not installed")
    validator = jsonschema_rs.validator_for(json.loads(ASYNCAPI_METASCHEMA.read_text()))
    errors = validator.iter_errors(json.loads(DOCUMENTS.asyncapi_json))
    assert [f"{error.instance_path}: {error.message[:200]}" for error in errors] == []


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@BOTH
def test_every_reference_leads_somewhere(document):
    for reference in set(references(document)):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in target, reference
            target = target[part]


@BOTH
def test_every_shape_and_response_is_used(document):
    used = set(references(document))
    for kind in ("schemas", "headers", "messages"):
        for name in document["components"].get(kind, {}):
            assert f"#/components/{kind}/{name}" in used, name


@BOTH
def test_document_is_the_same_whenever_it_is_built(document):
    again = Documents(HANDLERS, "0.1.0")
    built = again.openapi if document is OPENAPI else again.asyncapi
    assert orjson.dumps(built) == orjson.dumps(document)


def test_every_route_is_described_and_no_other():
    aliases = {alias for path, _ in TABLE_ROUTES for alias in OPERATIONS[path].aliases}
    assert set(OPENAPI["paths"]) == {path for path, _ in TABLE_ROUTES} | aliases


TABLE_ROUTES = list(HANDLERS.items())
OPERATIONS = {route.path: route.operation for route in ROUTES}


def test_every_path_leads_to_the_handler_that_it_describes():
    for path, pattern in ((route.path, route.pattern) for route in ROUTES):
        for other in (path, *OPERATIONS[path].aliases):
            assert re.fullmatch(pattern, other.replace("{symbol}", "NIFTY")), other


def test_every_method_of_a_route_is_described_and_no_other():
    for path, handler in TABLE_ROUTES:
        item = OPENAPI["paths"][path]
        assert {method.upper() for method in METHODS if method in item} == set(handler.methods), path


def test_route_that_needs_no_key_says_so():
    for path, handler in TABLE_ROUTES:
        for method in set(METHODS) & set(OPENAPI["paths"][path]) - {"options"}:
            needs_none = OPENAPI["paths"][path][method].get("security") == []
            assert needs_none == (not handler.needs_key), path


STEERING = ("/api/replay", "/api/simulation/scenario", "/api/simulation/faults")


def test_routes_that_steer_the_feed_need_a_key_of_the_scope_control():
    for path, _ in TABLE_ROUTES:
        operation = OPENAPI["paths"][path].get("post", {})
        scopes = {scope for way in operation.get("security", []) for scope in way.get("ApiKey", [])}
        assert scopes == ({"control"} if path in STEERING else set()), path
    assert {"ApiKey": ["read"]} in OPENAPI["security"]


def test_operations_have_distinct_ids():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))


def test_every_code_is_described_and_no_other():
    assert set(ERROR_CODES) == set(ErrorCode) == set(OPENAPI["components"]["responses"])


def test_every_code_is_documented_at_a_route():
    told = set().union(*(documented_codes(operation) for _, _, operation in operations()))
    assert told == set(ErrorCode)


def test_code_stands_under_its_status():
    for path, method, operation in operations():
        for status in operation["responses"]:
            only = {"responses": {status: operation["responses"][status]}}
            for code in documented_codes(only):
                assert ErrorCode(code).status == int(status), (path, method, code)


def test_live_routes_document_conditional_requests():
    for path in ("/api/spot_price/{symbol}", "/api/option_chain", "/api/dashboard_data"):
        operation = OPENAPI["paths"][path]["get"]
        assert "If-None-Match" in [parameter["name"] for parameter in operation["parameters"]]
        assert "content" not in operation["responses"]["304"]
        for status in (200, 304):
            assert "ETag" in response_of(operation, status)["headers"]


def test_every_event_is_described_and_no_other():
    assert list(CLIENT) == CLIENT_NAMES
    assert list(SERVER) == SERVER_NAMES
    received = {name for name, item in ASYNCAPI["operations"].items() if item["action"] == "receive"}
    sent = {name for name, item in ASYNCAPI["operations"].items() if item["action"] == "send"}
    assert received == set(CLIENT_NAMES)
    assert sent == {f"send_{name}" for name in SERVER_NAMES}
    messages = {*CLIENT_NAMES, *(f"{name}_answer" for name in CLIENT_NAMES), *SERVER_NAMES}
    assert set(ASYNCAPI["components"]["messages"]) == messages
    assert set(ASYNCAPI["channels"]["market"]["messages"]) == messages


def leaves(schema):
    """The alternatives of a field that hold values, inside lists too."""
    for alternatives in ("anyOf", "oneOf"):
        for item in schema.get(alternatives, ()):
            yield from leaves(item)
    if "items" in schema:
        yield from leaves(schema["items"])
    if "type" in schema:
        yield schema


@EACH_SCHEMA
def test_every_field_has_type_description_example_and_unit(document, name):
    schema = document["components"]["schemas"][name]
    assert schema["description"].endswith("."), name
    assert schema["type"] == "object"
    lacking = []
    for field_name, field in schema["properties"].items():
        kinds = {
            kind
            for leaf in leaves(field)
            for kind in ([leaf["type"]] if isinstance(leaf["type"], str) else leaf["type"])
        }
        is_nested = "$ref" in json.dumps(field) or "object" in kinds
        if not field.get("description"):
            lacking.append(f"{field_name}: description")
        if not kinds and not is_nested and field_name != "sent":
            lacking.append(f"{field_name}: type")
        if not is_nested and "examples" not in field:
            lacking.append(f"{field_name}: example")
        has_number = bool(kinds & {"integer", "number"})
        if has_number and "x-unit" not in field and "x-unit" not in field.get("items", {}):
            lacking.append(f"{field_name}: unit")
    assert lacking == []


@EACH_SCHEMA
def test_every_example_is_as_its_field_says(document, name):
    validators = Validators(document)
    for field_name, field in document["components"]["schemas"][name]["properties"].items():
        for example in field.get("examples", ()):
            assert validators.problems(field, example) == [], field_name


def test_every_parameter_has_description_example_and_unit():
    for path, method, operation in operations():
        shared = OPENAPI["paths"][path].get("parameters", [])
        for parameter in [*shared, *operation.get("parameters", [])]:
            where = (path, method, parameter["name"])
            assert parameter["description"], where
            assert parameter["example"] is not None, where
            if parameter["schema"].get("type") in ("integer", "number"):
                assert parameter["schema"]["x-unit"], where
                assert {"minimum", "maximum"} <= parameter["schema"].keys(), where
            assert Validators(OPENAPI).problems(parameter["schema"], parameter["example"]) == [], where


def test_every_example_of_a_body_is_as_its_schema_says():
    validators = Validators(OPENAPI)
    count = 0
    for path, method, operation in operations():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [response_of(operation, int(status)) for status in operation["responses"]]
        for body in bodies:
            for content in body.get("content", {}).values():
                examples = [item["value"] for item in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                for example in examples:
                    count += 1
                    assert validators.problems(content["schema"], example) == [], (path, method)
    assert count > 100


@pytest.mark.parametrize("message", ASYNCAPI["components"]["messages"])
def test_every_example_of_a_message_is_as_its_schema_says(message):
    described = ASYNCAPI["components"]["messages"][message]
    (example,) = described["examples"]
    assert Validators(ASYNCAPI).problems(described["payload"], example["payload"]) == []


class Page(HTMLParser):
    """What a page is made of; fails on a tag that is closed in the wrong place."""

    VOID = ("meta", "br", "hr", "link", "img")

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.words = [], [], [], set(), []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]
        assert not [name for name in given if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def page():
    return Page(DOCUMENTS.page.decode())


def test_page_loads_nothing_and_runs_nothing(page):
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert all(not urlsplit(link).netloc for link in page.links)
    assert "url(" not in DOCUMENTS.page.decode()
    assert "@import" not in DOCUMENTS.page.decode()


def test_every_link_within_the_page_leads_somewhere(page):
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link


def test_page_tells_of_every_route_event_code_and_field(page):
    text = " ".join(page.words)
    words = set(re.findall(r"[\w/{}.-]+", text))
    assert set(OPENAPI["paths"]) - {"/"} <= words
    assert {*CLIENT_NAMES, *SERVER_NAMES, *ErrorCode} <= words
    for document in (OPENAPI, ASYNCAPI):
        for name, schema in document["components"]["schemas"].items():
            if not name.endswith(("Answer", "Refusal", "Body", "Details", "Event")):
                assert set(schema.get("properties", schema.get("enum"))) <= words, name


def test_table_of_routes_links_to_the_section_of_what_cannot_be_clicked(page):
    anchors = [example.partition("#")[2] for example in (route.example for route in ROUTES) if "#" in example]
    assert anchors
    assert set(anchors) <= set(page.ids)
