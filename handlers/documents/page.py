"""The two documents as one page for people: plain HTML, no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.documents.shapes import Shapes, as_json, bounds_of, html, unit_of
from schemas.documents.json_schema import JsonSchema, example_of
from schemas.envelope import ERROR_CODES

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#f3f5f8;--line:#dfe4ea;
--quiet:#5b6571;--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14181d;--soft:#1e242b;--line:#313a44;
--quiet:#9aa6b2;--link:#7ab7f5}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:64rem;padding:1rem 1rem 4rem}
h1{font-size:1.6rem}h2{margin-top:3rem;border-bottom:2px solid var(--line)}
h3{margin:2.5rem 0 .5rem;font-size:1.1rem;overflow-wrap:anywhere}
a{color:var(--link);overflow-wrap:anywhere}
code,pre{font:14px/1.45 ui-monospace,monospace;background:var(--soft);border-radius:.25rem}
code{padding:.1em .3em;overflow-wrap:anywhere}pre{padding:.75rem;overflow-x:auto;max-height:28rem}
.verb{font-weight:700;margin-right:.4rem}.quiet{color:var(--quiet)}.bounds{font-size:.9em;color:var(--quiet)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th{text-align:left;font-weight:600;color:var(--quiet);font-size:.85rem}
th,td{padding:.35rem .75rem .35rem 0;vertical-align:top;border-top:1px solid var(--line)}
.fields td:nth-child(2){width:26%}.fields td:last-child{overflow-wrap:anywhere}
td:first-child code{overflow-wrap:normal}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}
nav ul{columns:16rem;padding-left:1.2rem}
@media(max-width:40rem){thead{display:none}table,tbody,tr,td{display:block}
tr{border-top:1px solid var(--line);padding:.5rem 0}
td,.fields td:nth-child(2){border:0;padding:.05rem 0;width:auto}}
""".replace("\n", "")


def render_page(openapi: Mapping[str, Any], asyncapi: Mapping[str, Any]) -> str:
    """The page."""
    shapes = Shapes(openapi["components"]["schemas"])
    routes = "".join(_route(path, item, shapes) for path, item in openapi["paths"].items())
    events = Shapes(asyncapi["components"]["schemas"], shapes.shown)
    sent, received = _events(asyncapi, "receive", events), _events(asyncapi, "send", events)
    title = html(openapi["info"]["title"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><header><h1>{title}</h1>"
        f"<p>{html(openapi['info']['description'])}</p><p>Version {html(openapi['info']['version'])} · "
        '<a href="openapi.json">OpenAPI</a> · <a href="asyncapi.json">AsyncAPI</a> · '
        f'<a href="../">start</a></p></header>{_contents(openapi, asyncapi)}<main>'
        f'{_conventions(openapi)}<h2 id="routes">Routes</h2>{routes}'
        f'<h2 id="events">Streams</h2><p>{html(asyncapi["info"]["description"])}</p>'
        f"<p>{html(asyncapi['servers']['this']['description'])}</p>"
        f'<h2 id="sent">Events you send</h2>{sent}<h2 id="received">Events you receive</h2>{received}'
        "</main></body></html>"
    )


def _contents(openapi: Mapping[str, Any], asyncapi: Mapping[str, Any]) -> str:
    routes = "".join(
        f'<li><a href="#{_main(item)[1]["operationId"]}">{html(path)}</a></li>'
        for path, item in openapi["paths"].items()
    )
    events = "".join(
        f'<li><a href="#event-{item["title"]}">{item["title"]}</a></li>'
        for item in asyncapi["operations"].values()
    )
    return (
        f"<nav><details><summary>Contents</summary><p>Routes</p><ul>{routes}</ul>"
        f"<p>Events</p><ul>{events}</ul></details></nav>"
    )


def _conventions(openapi: Mapping[str, Any]) -> str:
    """The envelope, the codes, the headers: what holds for every route."""
    schemas = openapi["components"]["schemas"]
    success = example_of(schemas["MarketStatusAnswer"], schemas)
    failure = example_of(schemas["UnknownSymbolAnswer"], schemas)
    codes = "".join(
        f'<tr id="code-{code}"><td><code>{code}</code></td><td>{code.status}</td>'
        f"<td>{html(known.when)}</td></tr>"
        for code, known in ERROR_CODES.items()
    )
    headers = "".join(
        f"<tr><td><code>{name}</code></td><td>{html(header['description'])}</td>"
        f"<td><code>{html(header['example'])}</code></td></tr>"
        for name, header in openapi["components"]["headers"].items()
    )
    keys = "; ".join(scheme["description"] for scheme in openapi["components"]["securitySchemes"].values())
    return (
        '<h2 id="conventions">What holds for every route</h2>'
        "<p>Answers come in one envelope, errors too; routes tell what its <code>data</code> holds. "
        "Every request may carry an <code>X-Request-ID</code>, which the answer and the log repeat.</p>"
        f"<pre>{html(as_json({**success, 'data': '…'}, indent=True))}</pre>"
        f"<pre>{html(as_json(failure, indent=True))}</pre>"
        f"<p>Where keys are configured: the header <code>X-API-Key</code> ({html(keys)}).</p>"
        f"<h3>Codes</h3><table><tbody>{codes}</tbody></table>"
        f"<h3>Headers</h3><table><tbody>{headers}</tbody></table>"
    )


def _route(path: str, item: Mapping[str, Any], shapes: Shapes) -> str:
    verb, operation = _main(item)
    if "x-same-as" in item:
        same = f"<code>{html(item['x-same-as'])}</code>"
        return f'<p id="{operation["operationId"]}"><code>{html(path)}</code> is the same as {same}.</p>'
    methods = ", ".join(name.upper() for name in item if name in ("get", "head", "post", "options"))
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    heading = f'<h3><span class="verb">{verb.upper()}</span>{html(path)}</h3>'
    return (
        f'<section id="{operation["operationId"]}">{heading}'
        f"<p><b>{html(operation['summary'])}.</b> {html(operation['description'])}</p>"
        f"{_parameters(parameters)}{_body(operation, shapes)}{_answer(operation, shapes)}"
        f'<p class="quiet">Methods: {methods}. {_refusals(operation)}</p></section>'
    )


def _main(item: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The method that a route is for."""
    verb = "post" if "post" in item else "get"
    return verb, item[verb]


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> str:
    rows = "".join(
        f'<tr><td><code>{html(item["name"])}</code> <span class="quiet">{item["in"]}'
        f"{', required' if item['required'] else ''}</span></td>"
        f"<td>{html(item['description'])}{unit_of(item['schema'])}{bounds_of(item['schema'])}</td>"
        f"<td><code>{html(_plain(item['example']))}</code></td></tr>"
        for item in parameters
        if item["name"] != "X-Request-ID"  # told once for all
    )
    head = "<thead><tr><th>parameter</th><th>meaning</th><th>example</th></tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>" if rows else ""


def _plain(example: Any) -> str:
    """An example as it stands in a URL or a header."""
    return example if isinstance(example, str) else as_json(example)


def _body(operation: Mapping[str, Any], shapes: Shapes) -> str:
    if "requestBody" not in operation:
        return ""
    content = operation["requestBody"]["content"]["application/json"]
    return f"<h4>Body</h4>{shapes.describe(content['schema'])}{_example('body', content['example'])}"


def _answer(operation: Mapping[str, Any], shapes: Shapes) -> str:
    ((kind, content),) = operation["responses"]["200"]["content"].items()
    if "example" not in content:
        return f"<p>Answers <code>{html(kind)}</code>.</p>"
    example = content["example"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    shown = {"data": example["data"], "meta": example["meta"]}
    data = shapes.schemas[name]["properties"]["data"]
    return f"<h4>Answer</h4>{shapes.describe(data)}{_example('answer', shown)}"


def _example(of: str, value: Any) -> str:
    text = html(as_json(value, indent=True))
    return f"<details><summary>Example {of}</summary><pre>{text}</pre></details>"


def _refusals(operation: Mapping[str, Any]) -> str:
    codes = [
        (status, code)
        for status, response in operation["responses"].items()
        for code in ERROR_CODES
        if response.get("$ref", "").endswith(f"/{code}") or f"{code}:" in response.get("description", "")
    ]
    links = ", ".join(f'{status} <a href="#code-{code}">{code}</a>' for status, code in codes)
    conditional = "304 when the state is the one you hold. " if "304" in operation["responses"] else ""
    return f"{conditional}Errors: {links}."


def _events(asyncapi: Mapping[str, Any], action: str, shapes: Shapes) -> str:
    operations = [item for item in asyncapi["operations"].values() if item["action"] == action]
    return "".join(_event(item, asyncapi["components"]["messages"], shapes) for item in operations)


def _event(operation: Mapping[str, Any], messages: Mapping[str, Any], shapes: Shapes) -> str:
    name = operation["title"]
    message = messages[name]
    example = message["examples"][0]["payload"] if message["examples"] else None
    payload = f"{_payload(message['payload'], shapes)}{_example('payload', example)}"
    return (
        f'<section id="event-{name}"><h3>{name}</h3><p>{html(message["summary"])}</p>'
        f"{payload}{_acknowledgement(operation, messages, shapes)}</section>"
    )


def _payload(payload: JsonSchema, shapes: Shapes) -> str:
    if payload.get("$ref") or "oneOf" in payload:
        return shapes.describe(payload)
    return f"<p>Payload: {html(payload.get('description', 'none'))}.</p>"


def _acknowledgement(operation: Mapping[str, Any], messages: Mapping[str, Any], shapes: Shapes) -> str:
    if "reply" not in operation:
        return ""
    name = operation["reply"]["messages"][0]["$ref"].rpartition("/")[2]
    success, *refusals = messages[name]["payload"]["oneOf"]
    schema = shapes.schemas[success["$ref"].rpartition("/")[2]]
    codes = [
        shapes.schemas[item["$ref"].rpartition("/")[2]]["description"].partition(":")[0] for item in refusals
    ]
    links = ", ".join(f'<a href="#code-{code}">{code}</a>' for code in codes)
    return (
        f"<h4>Acknowledged with</h4>{shapes.describe(schema['properties']['data'])}"
        f'<p class="quiet">Or refused: {links}.</p>'
    )
