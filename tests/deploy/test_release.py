"""What a release is made of, nightly: bills of materials, checksums, the same bytes from the same commit."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from domain.version import VERSION
from tests.processes import ROOT

# to build a release takes as long as a tenth of the suite
pytestmark = [pytest.mark.timeout(170), pytest.mark.nightly]


def released(folder: Path, umask: int) -> Path:
    """What is built of this commit."""
    subprocess.run(
        [sys.executable, ROOT / "deploy" / "release.py", "--draft", "--installed", "--output", folder],
        cwd=folder.parent,
        check=True,
        capture_output=True,
        umask=umask,
        timeout=150,
    )
    return folder


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return released(tmp_path_factory.mktemp("release") / "of", 0o022)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_commit_gives_the_same_bytes_elsewhere_and_under_another_umask(release, tmp_path):
    assert contents(release) == contents(released(tmp_path / "again", 0o077))


def test_release_has_all_that_is_installed(release):
    first = contents(release)
    kinds = {"whl", "pyz", "json", "SHA256SUMS"} | ({"tgz"} if shutil.which("npm") else set())
    assert {name.rpartition(".")[2] for name in first} == kinds
    assert f"indian_options_server-{VERSION}-py3-none-any.whl" in first


def test_checksums_are_of_the_files(release):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, check=True)


def test_bill_of_materials_has_every_package_that_running_needs(release):
    bill = json.loads((release / "sbom-python.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(item["name"].lower(), item["version"]) for item in bill["components"]}
    pins = [line.partition(" ;")[0] for line in (ROOT / "requirements.lock").read_text().split("\n") if line]
    assert {tuple(pin.lower().split("==")) for pin in pins} == listed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert bill["metadata"]["component"]["name"] == project["name"]


@pytest.mark.skipif(shutil.which("npm") is None, reason="there are no JavaScript clients here")
def test_terminal_has_a_bill_of_its_own(release):
    bill = json.loads((release / "sbom-terminal.cdx.json").read_text())
    assert {"react", "socket.io-client"} <= {item["name"] for item in bill["components"]}
    assert "timestamp" not in bill["metadata"]


def test_version_that_the_changelog_does_not_describe_is_refused(tmp_path):
    described = f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    if described and not changed:
        pytest.skip("this is a release")
    refused = subprocess.run(
        [sys.executable, "deploy/release.py", "--output", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("release.py: ")
    assert not any(tmp_path.iterdir())
