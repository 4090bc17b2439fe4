"""docs/python.md: its code, run as it stands against a server as it stands."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.processes import ROOT, spawn

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.S)


@pytest.mark.timeout(90)
def test_code_of_the_page_runs_and_shows_frames(tmp_path):
    server = spawn(tmp_path / "log", "--set", "history.database_url=")
    code = "\n".join(BLOCKS).replace("http://localhost:5000", server.url)
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert server.end() == 0
    assert done.returncode == 0, done.stderr
    assert len(BLOCKS) == 2
    for wanted in ("NIFTY", "from simulated", "ce_delta", "strike_price", "open", "+05:30"):
        assert wanted in done.stdout, wanted
    assert re.search(r"Z \d+\.\d", done.stdout)  # a price that came live
