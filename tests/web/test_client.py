"""The client for TypeScript: its own tests, its types against the documents, and what would be published."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile

import pytest

from tests.processes import ROOT, spawn
from tests.web.conftest import MORNING, NODE, needs_workspace

pytestmark = [needs_workspace, pytest.mark.timeout(120)]
CLIENT = ROOT / "clients" / "typescript"
BIN = ROOT / "node_modules" / ".bin"


def ran(*command: object, cwd=CLIENT, **more) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=100, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


EXTERNAL = ("--external:socket.io-client", "--external:react")
REQUIRE = "--banner:js=import{createRequire}from'module';const require=createRequire(import.meta.url);"


def bundled(source, target, *options: str) -> None:
    ran(BIN / "esbuild", source, "--bundle", "--format=esm", f"--outfile={target}", *options)


def test_types_are_those_of_the_documents(tmp_path):
    ran(sys.executable, "-m", "cli.documents", tmp_path, cwd=ROOT)
    made = ran(NODE, "scripts/generate.mjs", tmp_path / "openapi.json", tmp_path / "asyncapi.json")
    kept = (CLIENT / "src" / "generated" / "wire.ts").read_text(encoding="utf-8")
    assert made == kept, "make client-types writes clients/typescript/src/generated/wire.ts anew"


@pytest.mark.parametrize("folder", [CLIENT, ROOT / "web"], ids=["client", "terminal"])
def test_code_compiles_as_strict_typescript(folder):
    """By TypeScript 7; what builds the package is 5.9, which openapi-typescript wants."""
    ran(ROOT / "tests" / "client" / "node_modules" / ".bin" / "tsc", "--noEmit", cwd=folder)


def test_client_passes_its_own_tests():
    assert "failed" not in ran(BIN / "vitest", "run")


def test_what_would_be_published_is_small_and_whole(tmp_path):
    ran("npm", "pack", "--silent", "--pack-destination", tmp_path)
    (packed,) = tmp_path.glob("indian-options-client-*.tgz")
    assert packed.name in (CLIENT / "README.md").read_text()
    with tarfile.open(packed) as files:
        files.extractall(tmp_path, filter="data")
    package = tmp_path / "package"
    names = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {
        "dist/index.js",
        "dist/index.d.ts",
        "dist/rest.js",
        "dist/react.js",
        "dist/testing.js",
        "README.md",
    } <= names
    entries = "\n".join(
        f'export * from "{package}/dist/{name}.js";' for name in ("index", "rest", "react", "testing")
    )
    (tmp_path / "all.js").write_text(entries)
    bundled(tmp_path / "all.js", tmp_path / "out.js", "--minify", *EXTERNAL)
    assert len(gzip.compress((tmp_path / "out.js").read_bytes(), 9)) <= 20_000


def test_client_holds_what_rest_says_at_the_same_place(tmp_path):
    """Against a real server: chain, window and quote by stream, over cut lines and lost publications."""
    server = spawn(tmp_path / "log", *MORNING)
    script = tmp_path / "follow.mjs"
    bundled(CLIENT / "tests" / "follow.ts", script, "--platform=node", REQUIRE)
    told = json.loads(ran(NODE, script, server.url))
    assert told["compared"] >= 12
    assert told["faults"] == ["sequence_gap", "drop_sockets"]
    assert server.end() == 0
