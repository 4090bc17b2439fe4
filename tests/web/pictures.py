"""``python -m tests.web.pictures``: README's pictures of the terminal, made of a seeded morning."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.handlers.browser import chromium
from tests.processes import ROOT, spawn
from tests.web.conftest import MORNING, Screen
from tests.web.test_terminal import PAGES, legs_near_the_money

WIDE = {"width": 1120, "height": 660}
PHONE = {"width": 390, "height": 760}


def take(folder: Path) -> None:
    """Write a picture of each page, and of the chain on a phone in the dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        server = spawn(Path(scratch) / "log", *MORNING, "--speed", "10")
        wanted = [(page, WIDE, "light") for page in PAGES] + [("chain", PHONE, "dark")]
        for page, size, scheme in wanted:
            context = browser.new_context(viewport=size, color_scheme=scheme)
            shown = Screen(context.new_page(), server.url)
            legs = f"&{legs_near_the_money(server.url)}" if page == "strategy" else ""
            opened = shown.open(f"page={page}{legs}")
            opened.locator(PAGES[page]).first.wait_for()
            opened.wait_for_timeout(1500)
            name = page if size is WIDE else f"{page}-phone"
            opened.screenshot(path=folder / f"{name}.png")
            context.close()
        server.end()


if __name__ == "__main__":
    take(ROOT / "docs" / "pictures")
