"""What answers tell a browser not to do with them."""

from __future__ import annotations

import pytest

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
ALL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/", PAGE_POLICY),
        ("/api/docs", PAGE_POLICY),
        ("/api/symbols", DATA_POLICY),
        ("/api/openapi.json", DATA_POLICY),
        ("/health", DATA_POLICY),
        ("/metrics", DATA_POLICY),
        ("/api/spot_price/NOTHING", DATA_POLICY),  # 404
        ("/api/symbols?nothing=1", DATA_POLICY),  # 400
        ("/no/such/route", DATA_POLICY),
    ],
)
@pytest.mark.gen_test
async def test_every_answer_says_what_may_be_done_with_it(sandbox, fetch, path, policy):
    answer = await fetch(sandbox, path)
    assert {name: answer.headers.get(name) for name in ALL} == ALL
    assert answer.headers["Content-Security-Policy"] == policy
    is_page = policy == PAGE_POLICY
    assert (answer.headers.get("Cross-Origin-Opener-Policy") == "same-origin") is is_page
    # without TLS a browser would heed nothing else, and a server behind a proxy leaves it to the proxy
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/symbols",
        "/no/such/route",
        "/socket.io/?EIO=4&transport=polling",
        "/socket.io/?EIO=3&transport=polling",
        "/socket.io/?EIO=4&transport=carrier-pigeon",
    ],
)
@pytest.mark.gen_test
async def test_no_answer_tells_what_software_runs_here(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert "Server" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "tornado" not in answer.raw.decode().lower()


@pytest.mark.gen_test
async def test_page_of_another_origin_may_fetch_though_none_may_embed(sandbox, fetch):
    origin = "http://localhost:3000"
    answer = await fetch(sandbox, "/api/symbols", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
