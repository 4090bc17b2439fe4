"""Debian's Chromium on a page of tests/client, which is served from an origin of its own."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CLIENT = Path(__file__).parent.parent / "client"
CHROMIUM = shutil.which("chromium")
PAGE = '<!doctype html><meta charset="utf-8"><body><script type="module" src="page.js"></script>'

needs_browser = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
    pytest.mark.skipif(
        shutil.which("node") is None or not (CLIENT / "node_modules").is_dir(),
        reason="Node.js or tests/client/node_modules is missing: make test sets it up",
    ),
]


class _Files(SimpleHTTPRequestHandler):
    """The page's files, without a line on the terminal for each."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path, *build: str) -> Iterator[str]:
    """The origin that serves what ``node build…`` makes of a page."""
    command = ["node", *build, str(folder / "page.js")]
    built = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=50, check=False)
    assert built.returncode == 0, built.stderr
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    with serving_files(folder) as origin:
        yield origin


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """The origin that serves a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as files:
        threading.Thread(target=files.serve_forever).start()
        try:
            yield f"http://localhost:{files.server_address[1]}"
        finally:
            files.shutdown()  # a thread that serves on would keep the process


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def browsing() -> Iterator[Page]:
    """A page in a browser of its own."""
    with chromium() as browser:
        yield browser.new_page()
