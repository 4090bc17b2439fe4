"""What the terminal costs a browser: ``python -m bench.web.terminal [--minutes N]``.

Debian's Chromium, headless, on a server of its own: time to the first chain, main-thread CPU of a chain with
all its strikes at 2 Hz (``TaskDuration`` of the DevTools protocol), script size, and the heap over minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession

from handlers.rest.terminal import BUILT
from tests.handlers.browser import chromium
from tests.processes import spawn

WINDOW_S = 20


def figures_of(session: CDPSession) -> dict[str, float]:
    """The browser's own counters."""
    told: dict[str, Any] = session.send("Performance.getMetrics")
    return {item["name"]: item["value"] for item in told["metrics"]}


def heap_of(session: CDPSession) -> float:
    """Megabytes in use after a collection."""
    session.send("HeapProfiler.collectGarbage")
    return figures_of(session)["JSHeapUsedSize"] / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2, help="how long the heap is watched")
    parser.add_argument("--symbol", default="SENSEX", help="SENSEX lists the most strikes")
    parser.add_argument("--start", default="2026-11-23T10:00+05:30", help="market time to start at")
    options = parser.parse_args()
    for path in sorted((BUILT / "assets").glob("*.js.gz")):
        print(f"{path.name:32} {path.stat().st_size / 1000:6.1f} kB gzip")
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        server = spawn(Path(scratch) / "log", "--set", "history.database_url=", "--start", options.start)
        page = browser.new_page(viewport={"width": 1360, "height": 850})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(f"{server.url}/?strikes=all&symbol={options.symbol}")
        page.wait_for_selector("tr.atm")
        rows = page.locator(".chain tbody tr").count()
        began_ms = page.evaluate("performance.now()")
        print(f"first chain, {rows} rows: {began_ms:.0f} ms after the navigation began")
        page.wait_for_timeout(3000)
        before, first_mb = figures_of(session), heap_of(session)
        page.wait_for_timeout(WINDOW_S * 1000)
        after = figures_of(session)
        share = (after["TaskDuration"] - before["TaskDuration"]) / (after["Timestamp"] - before["Timestamp"])
        print(f"main thread, {rows} rows at 2 Hz: {100 * share:.1f} % of a core")
        for minute in range(round(options.minutes)):
            page.wait_for_timeout(60_000)
            print(
                f"heap after {minute + 1} min: {heap_of(session):.2f} MB (at first {first_mb:.2f})",
                flush=True,
            )
        server.end()


if __name__ == "__main__":
    main()
