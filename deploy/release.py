"""Build all that a release is made of, from a commit: ``python deploy/release.py`` (``make release``).

    dist/indian_options_server-VERSION-py3-none-any.whl   pip installs the command indian-options-server
    dist/market-server.pyz                                  one file for Python 3.11 to 3.14
    dist/indian-options-client-VERSION.tgz                  npm installs the client for TypeScript
    dist/sbom-python.cdx.json, dist/sbom-terminal.cdx.json  what is inside, as CycloneDX 1.6
    dist/SHA256SUMS                                         of all of them

The same commit gives the same bytes: times are the commit's, and what is not in it is not in them. A tree
with changes is refused, and so is a version that CHANGELOG.md does not describe; ``--draft`` builds anyway.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy import build_archive  # noqa: E402 - found beside this file, however it is run
from domain.version import VERSION  # noqa: E402

TERMINAL = "indian-options-terminal"


class ReleaseError(Exception):
    """Why there is no release, in a sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; 0 when it is built, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    parser.add_argument(
        "--draft", action="store_true", help="from a tree with changes, or before its version"
    )
    parser.add_argument(
        "--installed", action="store_true", help="pack what is installed here, without network"
    )
    options = parser.parse_args(arguments)
    try:
        for path in build(options.output, is_draft=options.draft, installed=options.installed):
            print(f"{_digest(path)}  {path}")
    except (ReleaseError, build_archive.BuildError) as error:
        print(f"release.py: {error}", file=sys.stderr)
        return 2
    return 0


def build(output: Path, *, is_draft: bool, installed: bool) -> list[Path]:
    """Build all, and return the files. Raises ReleaseError, BuildError."""
    if not is_draft:
        _refuse_what_is_no_release()
    commit_s = _git("log", "-1", "--format=%ct")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": commit_s, "PYTHONHASHSEED": "0"}
    output.mkdir(parents=True, exist_ok=True)
    pyz = output / "market-server.pyz"
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with tempfile.TemporaryDirectory() as scratch:
        source = _exported(Path(scratch) / "source")
        wheel = _wheel(source, output, environment)
        client = _client(source, output)
        build_archive.build(
            pyz, [here] if installed else build_archive.PYTHONS, installed=installed, level=6, root=source
        )
    built = [wheel, pyz, *client, *_bills(output, environment)]
    sums = output / "SHA256SUMS"
    sums.write_text("".join(f"{_digest(path)}  {path.name}\n" for path in built))
    return [*built, sums]


def _refuse_what_is_no_release() -> None:
    if changed := _git("status", "--porcelain"):
        raise ReleaseError(
            f"the tree must be as it was committed, and is not: {', '.join(changed.splitlines())}"
        )
    if f"## {VERSION}" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise ReleaseError(f"CHANGELOG.md must have a part for {VERSION} (domain/version.py).")


def _exported(folder: Path) -> Path:
    """The commit's files alone, and the terminal where it is built."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    terminal = ROOT / "web" / "dist"
    if (terminal / "index.html").exists():
        shutil.copytree(terminal, folder / "web" / "dist")
    return folder


def _wheel(source: Path, output: Path, environment: dict[str, str]) -> Path:
    for old in output.glob("*.whl"):
        old.unlink()
    for path in source.rglob("*"):  # whatever the umask of this machine
        path.chmod(0o755 if path.is_dir() else 0o644)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(output), str(source)]
    done = subprocess.run(
        [*command, *options], env=environment, umask=0o022, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ReleaseError(f"the wheel could not be built: {done.stderr.strip()[-500:]}")
    (wheel,) = output.glob("*.whl")
    return wheel


def _client(source: Path, output: Path) -> list[Path]:
    """What npm installs, compiled by what is installed here; nothing where there is no npm."""
    if shutil.which("npm") is None:
        return []
    for old in output.glob("*.tgz"):
        old.unlink()
    for folder in (Path(), Path("clients/typescript")):
        if (ROOT / folder / "node_modules").is_dir():
            (source / folder / "node_modules").symlink_to(ROOT / folder / "node_modules")
    npm = ["npm", "pack", "--silent"]
    done = subprocess.run(
        [*npm, "--pack-destination", str(output.resolve())],
        cwd=source / "clients" / "typescript",
        umask=0o022,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ReleaseError(f"npm could not pack the client: {(done.stderr or done.stdout).strip()[-500:]}")
    return list(output.glob("*.tgz"))


def _bills(output: Path, environment: dict[str, str]) -> list[Path]:
    """The bills of materials of the server and of the terminal."""
    python = output / "sbom-python.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.lock"]
    options = ["--pyproject", "pyproject.toml", "--output-reproducible", "-o", str(python.resolve())]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ReleaseError(f"the bill of materials could not be made: {done.stderr.strip()[-500:]}")
    if shutil.which("npm") is None:
        return [python]
    terminal = output / "sbom-terminal.cdx.json"
    npm = ["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]
    told = subprocess.run(npm, cwd=ROOT, check=False, capture_output=True, text=True)
    if told.returncode:
        raise ReleaseError(f"npm made no bill of materials: {told.stderr.strip()[-500:]}")
    terminal.write_text(json.dumps(_of_the_terminal(json.loads(told.stdout)), indent=2) + "\n")
    return [python, terminal]


def _of_the_terminal(bill: dict[str, Any]) -> dict[str, Any]:
    """Of all that npm installs what a browser is served, and nothing that differs from run to run.

    ``npm sbom --omit dev`` leaves React out, since the client's tests need it too.
    """
    wanted = [
        name
        for workspace in ("web", "clients/typescript")
        for name in json.loads((ROOT / workspace / "package.json").read_text())["dependencies"]
    ]
    needs = {item["ref"]: item["dependsOn"] for item in bill["dependencies"]}
    parts = {item["bom-ref"]: item for item in bill["components"]}
    waiting = [ref for ref, item in parts.items() if item["name"] in wanted]
    served: set[str] = set()
    while waiting:
        ref = waiting.pop()
        if ref not in served:
            served.add(ref)
            waiting += needs.get(ref, [])
    whole = {"type": "application", "name": TERMINAL, "version": VERSION, "bom-ref": f"{TERMINAL}@{VERSION}"}
    return {
        **{name: value for name, value in bill.items() if name != "serialNumber"},
        "metadata": {"component": whole},
        "components": [parts[ref] for ref in sorted(served)],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needs.get(ref, []))} for ref in sorted(served)],
    }


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
