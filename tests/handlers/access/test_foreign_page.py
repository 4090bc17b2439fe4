"""A page of an origin that FRONTEND_URL does not list is told so, in Chromium, in words and in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.handlers.browser import browsing, needs_browser, serving
from tests.processes import Process

pytestmark = needs_browser


@pytest.mark.parametrize("is_listed", [False, True])
def test_refusal_is_readable(tmp_path: Path, run_server: Callable[..., Process], is_listed: bool) -> None:
    with serving(tmp_path, "build_page.mjs", "origin_page.ts") as origin:
        listed = origin if is_listed else "http://localhost:3000"
        server = run_server(environment={"FRONTEND_URL": listed})
        with browsing() as page:
            page.goto(f"{origin}/?server={server.url}")
            page.wait_for_function("window.refused", timeout=15_000)
            told = page.evaluate("window.refused")
    log = server.log.read_text(encoding="utf-8")
    if is_listed:
        assert told == "let in"
        assert origin not in log
        return
    assert told["data"]["code"] == "FORBIDDEN_ORIGIN"
    assert told["data"]["details"]["origin"] == origin
    assert "FRONTEND_URL" in str(told) + log
    assert log.count(origin) == 1  # once a minute at most, whatever it tries
