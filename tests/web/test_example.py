"""The example of the client: README's code as it stands, built by Vite and looked at in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.handlers.browser import serving_files
from tests.processes import spawn
from tests.web.conftest import MORNING, needs_terminal, needs_workspace
from tests.web.test_client import BIN, CLIENT, ran

pytestmark = [*needs_terminal, needs_workspace, pytest.mark.timeout(120)]
EXAMPLE = CLIENT / "examples" / "vite-react"


def test_code_of_readme_is_that_of_the_example():
    code = (EXAMPLE / "src" / "App.tsx").read_text(encoding="utf-8")
    assert f"```tsx\n{code}```" in (CLIENT / "README.md").read_text(encoding="utf-8")


def test_example_shows_a_live_chain_from_another_origin(browser, tmp_path):
    config = tmp_path / "vite.config.mjs"
    config.write_text(
        f"""export default {{ root: {str(EXAMPLE)!r}, configFile: false, logLevel: "warn",
        esbuild: {{ jsx: "automatic" }}, oxc: {{ jsx: {{ runtime: "automatic" }} }},
        resolve: {{ alias: {{ "indian-options-client/react": {str(CLIENT / "src" / "react.ts")!r} }} }},
        build: {{ outDir: {str(tmp_path / "dist")!r} }} }};"""
    )
    ran(BIN / "vite", "build", EXAMPLE, "--config", config)
    with serving_files(tmp_path / "dist") as origin:
        server = spawn(tmp_path / "log", *MORNING, environment={"FRONTEND_URL": origin})
        page = browser.new_page()
        # the page asks port 5000 of this machine: here that is the server under test
        page.add_init_script(
            f"""const known = globalThis.WebSocket;
            globalThis.WebSocket = class extends known {{
              constructor(url, more) {{ super(url.replace("localhost:5000", "{server.url[7:]}"), more); }}
            }};"""
        )
        page.goto(origin)
        expect(page.locator("pre")).to_contain_text("live", timeout=20_000)
        before = page.locator("pre").inner_text()
        assert len(before.splitlines()) >= 21
        page.wait_for_function("text => document.querySelector('pre').innerText !== text", arg=before)
        page.close()
        assert server.end() == 0
