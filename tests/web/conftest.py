"""The terminal in Debian's Chromium, over a server as a user runs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from handlers.rest.terminal import BUILT
from tests.handlers.browser import CHROMIUM, chromium
from tests.processes import ROOT, Process, spawn

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NODE = shutil.which("node")
needs_workspace = pytest.mark.skipif(
    NODE is None or not (ROOT / "node_modules" / "vitest").is_dir(),
    reason="Node.js or node_modules is missing: make test sets it up",
)
needs_terminal = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
    pytest.mark.skipif(
        not (BUILT / "index.html").exists(), reason="the terminal is not built: make test does it"
    ),
]


class Screen:
    """A page of the terminal, and what its browser complained of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, query: str = "") -> Page:
        """Go to an address of the terminal."""
        self.page.goto(f"{self.url}/?{query}")
        return self.page

    @property
    def state(self) -> str:
        """What the page says of its prices."""
        return self.page.get_by_test_id("state").inner_text()

    def until_state(self, *wanted: str) -> None:
        """Until the page says one of these.

        A feed that was down counts as live only when half of twenty inputs are there and it was well for ten
        seconds more: twenty, where an input comes each second.
        """
        self.page.wait_for_function(
            "wanted => wanted.includes(document.querySelector('[data-testid=state]')?.innerText)",
            arg=wanted,
            timeout=60_000,
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module."""
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that records into memory; a virtual morning, so that the market is open."""
    log = tmp_path_factory.mktemp("terminal") / "log"
    made = spawn(log, *MORNING)
    yield made
    made.end()


MORNING = (
    "--set",
    "feed.start=2026-11-23T10:04:50+05:30",
    "--set",
    "history.database_url=",
    "--set",
    "limits.rate_limit_per_minute=0",
    "--set",
    "feed.control=true",
    "--set",
    "feed.stale_after_s=3",
    "--set",
    "history.flush_interval_s=0.5",
)


@pytest.fixture
def screen(browser: Browser, server: Process) -> Iterator[Callable[..., Screen]]:
    """Open a window of the terminal."""
    contexts = []

    def make(url: str = server.url, **context: Any) -> Screen:
        contexts.append(browser.new_context(**{"viewport": {"width": 1360, "height": 850}, **context}))
        return Screen(contexts[-1].new_page(), url)

    yield make
    for context in contexts:
        context.close()
