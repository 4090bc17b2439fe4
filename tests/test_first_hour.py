"""What a newcomer meets first: set-up, a Python without packages, README's recording."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import server
from tests.processes import ROOT

BARE = {"PATH": "/usr/bin:/bin"}


def run(*command: str, cwd: Path = ROOT, path: str = BARE["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env={"PATH": path}, capture_output=True, text=True, timeout=50, check=False
    )


def test_a_python_without_the_packages_says_what_to_do_in_a_sentence(tmp_path: Path) -> None:
    for folder in ("cli", "domain", "feed", "analytics", "handlers", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "server.py", tmp_path)
    told = run(sys.executable, "-S", "server.py", "--help", cwd=tmp_path)  # -S: without what is installed
    assert (told.returncode, told.stdout) == (2, "")
    assert re.fullmatch(
        r"server\.py: this Python \(.+\) has no package \w+\. `make run` sets up .+\n", told.stderr
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    told = run(sys.executable, "-S", "server.py", cwd=tmp_path)
    assert ".venv/bin/python server.py" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"]])
def test_help_lists_the_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server.main(arguments)
    told = capsys.readouterr().out
    for command in ("import", "export", "history", "key"):
        assert f"server.py {command}" in told
        with pytest.raises(SystemExit) as ended:
            server.main([command, "--help"])
        assert ended.value.code == 0


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_test_without_npm_tests_the_rest_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("make", "sh", "echo", "touch", "test"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin" / program).symlink_to(found)
    (tmp_path / "tests" / "client").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "client" / "package-lock.json", tmp_path / "tests" / "client")
    shutil.copy(ROOT / "Makefile", tmp_path)
    stamp = "tests/client/node_modules/.package-lock.json"
    told = run("make", stamp, cwd=tmp_path, path=str(tmp_path / "bin"))
    assert told.returncode == 0, told.stderr
    assert "the tests that drive JavaScript clients are skipped" in told.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_run_installs_what_running_needs_and_says_so(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    plan = run("make", "--dry-run", "run", cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert "pip-version-check -r requirements.lock" in plan.stdout
    assert "requirements-dev.lock" not in plan.stdout
    assert "Setting up .venv" in plan.stdout


def test_readmes_recording_replays_and_imports(
    run_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (name,) = set(re.findall(r"--replay (docs/[\w.]+)", readme))
    process = run_server("--replay", str(ROOT / name), "--speed", "10")  # type: ignore[operator]
    with urlopen(f"{process.url}/api/option_chain?symbol=NIFTY", timeout=10) as answer:
        chain = json.load(answer)["data"]
    assert (chain["expiry"], chain["source"]) == ("2026-12-01", "replay")
    assert chain["coverage"]["iv_solved"] > 20
    assert server.main(["import", "--dry-run", str(ROOT / name), "--database-url", ""]) == 0
    assert "0 refused" in capsys.readouterr().out
