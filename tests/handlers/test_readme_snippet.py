"""The front-end snippet of README, run as it stands there."""

import json
import subprocess
from pathlib import Path

CLIENT = Path(__file__).parent.parent / "client"


def test_react_hook_of_readme_holds_what_rest_answers(run_server):
    server = run_server("--publish-interval-ms", "100")
    done = subprocess.run(
        ["node", "react_snippet.mjs", server.url], cwd=CLIENT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["compared"] == 5
