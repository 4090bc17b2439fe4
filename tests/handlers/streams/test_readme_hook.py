"""README's React hook, as it stands there: strict TypeScript, and right in Chromium whatever happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from tests.handlers.browser import chromium, needs_browser, serving
from tests.processes import Process

WAIT_S = 20
LAST_SECONDS = "2026-12-01T15:39:56+05:30"

pytestmark = needs_browser


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page around the hook, built as Vite would."""
    with serving(tmp_path_factory.mktemp("hook"), "build_hook.mjs") as served:
        yield served


class Screen:
    """What a user sees of the hook."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.seen: list[dict[str, Any]] = []

    @property
    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(self._page.inner_text("pre"))
        if not self.seen or self.seen[-1] != view:
            self.seen.append(view)
        return view

    def until(self, is_so: Any) -> dict[str, Any]:
        """Watch until a view is as it must become."""
        over_s = time.monotonic() + WAIT_S
        while not is_so(self.view):
            assert time.monotonic() < over_s, {**self.view, "chain": bool(self.view["chain"])}
            self._page.wait_for_timeout(20)
        return self.seen[-1]

    def choose(self, symbol: str) -> None:
        """Ask for another symbol."""
        self._page.get_by_label("symbol").fill(symbol)


@pytest.fixture
def serve(origin: str, run_server: Callable[..., Process]) -> Callable[..., Process]:
    """``serve("--start", …)``: a server that lets the page in."""
    return partial(run_server, environment={"FRONTEND_URL": origin})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module."""
    with chromium() as made:
        yield made


@pytest.fixture
def show(origin: str, browser: Browser) -> Iterator[Callable[[str], Screen]]:
    """``show(server_url)``: the page, with nothing left of the one before."""
    page = browser.new_page()

    def open_page(url: str) -> Screen:
        page.goto(f"{origin}/?server={url}")
        page.wait_for_selector("pre")
        return Screen(page)

    yield open_page
    page.close()


def rest(url: str, symbol: str) -> dict[str, Any]:
    with urlopen(f"{url}/api/option_chain?symbol={symbol}&strikes=10", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
    return found


def test_hook_holds_what_rest_answers(serve: Callable[..., Process], show: Callable[[str], Screen]) -> None:
    server = serve("--publish-interval-ms", "100")
    screen = show(server.url)
    for symbol in ("NIFTY", "RELIANCE"):
        screen.choose(symbol)
        compared = 0
        while compared < 3:
            wanted = rest(server.url, symbol)
            screen.until(
                lambda view, wanted=wanted: (
                    view["live"]
                    and view["chain"]["symbol"] == wanted["symbol"]
                    and view["chain"]["seq"] >= wanted["seq"]
                )
            )
            if screen.seen[-1]["chain"]["seq"] == wanted["seq"]:
                assert screen.seen[-1]["chain"] == wanted
                compared += 1
    for view in screen.seen:
        assert view["chain"] is None or view["chain"]["symbol"] == view["symbol"]


def test_hook_goes_over_to_the_next_expiry(
    serve: Callable[..., Process], show: Callable[[str], Screen]
) -> None:
    server = serve("--start", LAST_SECONDS)
    screen = show(server.url)
    screen.until(lambda view: view["live"] and view["chain"]["expiry"] == "2026-12-01")
    after = screen.until(lambda view: view["live"] and view["chain"]["expiry"] == "2026-12-08")
    screen.until(lambda view: view["live"] and view["chain"]["seq"] > after["chain"]["seq"])


def test_hook_says_that_a_symbol_is_unknown_and_shows_no_other_chain_under_its_name(
    serve: Callable[..., Process], show: Callable[[str], Screen]
) -> None:
    server = serve("--publish-interval-ms", "100")
    screen = show(server.url)
    screen.until(lambda view: view["live"])
    screen.choose("NIFTI")
    refused = screen.until(lambda view: view["error"])
    assert refused["error"] == "The symbol NIFTI is not listed."
    assert (refused["symbol"], refused["chain"], refused["live"]) == ("NIFTI", None, False)
    screen.choose("SENSEX")
    screen.until(lambda view: view["live"] and view["chain"]["symbol"] == "SENSEX" and view["error"] is None)
    for view in screen.seen:
        assert view["chain"] is None or view["chain"]["symbol"] == view["symbol"]


def test_hook_is_not_live_while_the_server_is_away_and_comes_back_with_it(
    serve: Callable[..., Process], show: Callable[[str], Screen]
) -> None:
    server = serve()
    screen = show(server.url)
    before = screen.until(lambda view: view["live"])
    assert server.stop() == 0
    away = screen.until(lambda view: not view["live"])
    assert away["error"]
    serve("--port", server.url.rpartition(":")[2])
    after = screen.until(lambda view: view["live"])
    assert after["chain"]["epoch"] != before["chain"]["epoch"]
    assert after["error"] is None
