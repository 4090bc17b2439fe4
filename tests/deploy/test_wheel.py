"""A wheel of the tree, installed into a bare environment, nightly: it starts, and serves the terminal."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest

from domain.version import VERSION
from tests.processes import ROOT

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(150)]

PARTS = (
    "analytics",
    "cli",
    "domain",
    "feed",
    "handlers",
    "schemas",
    "server.py",
    "pyproject.toml",
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "bench/README.md",
    "clients/typescript/README.md",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of an environment that has the wheel, and finds its packages where the tests have them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # built elsewhere, since a build leaves files behind
    source.mkdir()
    for name in PARTS:
        kind = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        kind(ROOT / name, source / name)
    assets = source / "web" / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text("<!doctype html><title>the terminal</title>")
    (assets / "app.js").write_text("export {}")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, source]
    subprocess.run([*pip, *build], check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=60)
    python = folder / "venv" / "bin" / "python"
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    (Path(site.strip()) / "packages.pth").write_text(sysconfig.get_path("purelib"))
    install = ["--python", python, "install", "--no-deps", "--no-index", wheel]
    subprocess.run([*pip, *install], check=True, capture_output=True, timeout=100)
    return folder / "venv"


def test_command_starts_without_a_settings_file_and_serves(installed, tmp_path):
    command = installed / "bin" / "indian-options-server"
    assert subprocess.check_output([command, "--version"], cwd=tmp_path, text=True).strip() == VERSION
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [command, "--host", "127.0.0.1", "--port", "0", "--database-url", ""],
            cwd=tmp_path,
            env=dict(os.environ),  # noqa: TID251 (PATH and the like)
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        url = next(
            found[1] for line in process.stdout if (found := re.search(r"server\s+(http://\S+?)/\s", line))
        )
        with urllib.request.urlopen(f"{url}/", timeout=20) as answer:
            assert b"the terminal" in answer.read()
        with urllib.request.urlopen(f"{url}/api/spot_price/NIFTY", timeout=20) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{url}/docs/testing", timeout=20) as answer:
            assert b"<h1" in answer.read()
        with urllib.request.urlopen(f"{url}/favicon.ico", timeout=20) as answer:
            assert answer.read().startswith(b"\0\0\1\0")
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
    assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert os.listdir(tmp_path) == ["log"]


def test_command_reads_the_settings_of_the_folder_it_is_started_in(installed, tmp_path):
    (tmp_path / "settings.toml").write_text("[feed]\nspeed = 'fast'\n", encoding="utf-8")
    command = [installed / "bin" / "indian-options-server"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert told.returncode == 2
    assert "feed.speed" in told.stderr
