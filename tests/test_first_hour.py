"""What a newcomer meets first: set-up, a Python without packages, a wheel, README's Python example."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

import server
from tests.processes import ROOT, STOP_S, Process

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
    assert "install --disable-pip-version-check -r requirements.lock" in plan.stdout
    assert "requirements-dev.lock" not in plan.stdout
    assert "Setting up .venv" in plan.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what the repository holds and unpacked as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3*", "node_modules")
    for name in ("analytics", "cli", "domain", "feed", "handlers", "schemas"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("server.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    built = run(*pip, "--wheel-dir", str(folder), str(source))
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_an_installed_wheel_starts_without_any_file_of_settings(installed: Path, tmp_path: Path) -> None:
    (entry,) = installed.glob("*.dist-info/entry_points.txt")
    assert "market-server = server:main" in entry.read_text(encoding="utf-8")
    program = "import sys, server; sys.exit(server.main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--host", "127.0.0.1", "--port", "0"],
        cwd=tmp_path,
        env={**BARE, "PYTHONPATH": str(installed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(found[1] for line in process.stdout if (found := re.search(r"(http://\S+?)/\s", line)))
        with urlopen(f"{address}/api/option_chain?symbol=NIFTY&strikes=5", timeout=10) as answer:
            assert json.load(answer)["success"]
        with urlopen(f"{address}/favicon.ico", timeout=10) as answer:
            assert answer.read().startswith(b"\0\0\1\0")
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=STOP_S)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert os.listdir(tmp_path) == ["var"]


def test_an_installed_wheel_reads_settings_of_the_folder_it_is_started_in(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text("[feed]\nspeed = 'fast'\n", encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", "import server; server.main([])"],
        cwd=tmp_path,
        env={**BARE, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "feed.speed" in told.stderr


def test_readmes_python_example_prints_a_chain_and_candles(run_server: object) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    process = run_server()  # type: ignore[operator]
    assert isinstance(process, Process)
    told = run(sys.executable, "-c", example.replace("http://localhost:5000", process.url))
    assert told.returncode == 0, told.stderr
    assert "ce_oi" in told.stdout
    assert "+05:30" in told.stdout


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
