"""What ``python market-server.pyz`` runs: unpack once to the cache, then start the server from there.

Packages with C extensions cannot be imported from a zip file. This file becomes the archive's
``__main__.py``; it keeps to the syntax of Python 3.6, so that an older Python is told what is wrong.
"""

import importlib.machinery
import json
import os
import runpy
import shutil
import sys
import tempfile
import zipfile
import zlib

ARCHIVE = os.path.dirname(os.path.abspath(__file__))
MANIFEST = "manifest.json"
COMMON = "common/"
BAR_WIDTH = 30


class CannotRun(Exception):
    """Why the archive does not run here, in a sentence."""


def find_packages(manifest: "dict[str, dict[str, str]]", suffixes: "list[str]", version: "list[int]") -> str:
    """The archive's folder of extensions for a Python. Raises CannotRun."""
    here = "{}.{}".format(*version)
    if version < [3, 11]:
        raise CannotRun(f"Python 3.11 or newer is needed, this is {here}.")
    offered = manifest["extensions"]
    for suffix in suffixes:
        if suffix in offered:
            return offered[suffix]
    known = ", ".join(sorted(offered.values()))
    platform = manifest["build"]["platform"]
    abi = suffixes[0] if suffixes else "none"
    raise CannotRun(
        f"This archive holds packages for {known} on {platform}, and this Python is {here} (ABI {abi}). "
        "Run it with a Python it is made for, or make one for this Python with 'make dist'."
    )


def cache_root(environment: "dict[str, str]") -> str:
    """Where unpacked archives are kept: XDG_CACHE_HOME, or what the platform has for that."""
    # a relative XDG_CACHE_HOME is to be ignored, says its specification
    base = environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = environment.get("LOCALAPPDATA", "") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "market-server")


def unpack(archive: str, folder: str, target: str) -> None:
    """Unpack what this Python needs to ``target``, complete or not at all. Raises CannotRun."""
    parent, name = os.path.split(target)
    try:
        os.makedirs(parent, mode=0o700, exist_ok=True)
        staged = tempfile.mkdtemp(prefix=name + ".", dir=parent)
    except OSError as error:
        raise CannotRun(
            f"The cache {parent} cannot be written ({error.strerror}); set XDG_CACHE_HOME to one that can."
        ) from None
    try:
        _extract(archive, folder, staged)
        try:
            os.rename(staged, target)
        except OSError:
            # another start was faster, with the same files
            if not os.path.isdir(target):
                raise
    except (zipfile.BadZipFile, zlib.error) as error:
        raise CannotRun(f"The archive is damaged ({error}); get it again.") from None
    except OSError as error:
        why = error.strerror or error
        raise CannotRun(f"The archive cannot be unpacked to {parent}: {why}.") from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _extract(archive: str, folder: str, target: str) -> None:
    with zipfile.ZipFile(archive) as source:
        members = [item for item in source.infolist() if item.filename.startswith((COMMON, folder + "/"))]
        total = sum(item.file_size for item in members) or 1
        done = 0
        for item in members:
            path = os.path.join(target, *item.filename.split("/")[1:])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with source.open(item) as packed, open(path, "wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            done += item.file_size
            _show(done / total)


def _show(share: float) -> None:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return
    filled = int(share * BAR_WIDTH)
    bar = "#" * filled + "." * (BAR_WIDTH - filled)
    end = "\n" if share >= 1 else ""
    sys.stderr.write(f"\rUnpacking, once: [{bar}] {share * 100:3.0f} %{end}")
    sys.stderr.flush()


def check_owner(target: str) -> None:
    """Refuse to run files that somebody else may have put there. Raises CannotRun."""
    if not hasattr(os, "getuid"):
        return
    status = os.stat(target)
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise CannotRun(f"The cache {target} can be written by others; remove it and start again.")


def prepare(archive: str, environment: "dict[str, str]") -> str:
    """The folder the server runs from, unpacked if need be. Raises CannotRun."""
    with zipfile.ZipFile(archive) as source:
        manifest = json.loads(source.read(MANIFEST).decode("utf-8"))
    folder = find_packages(manifest, importlib.machinery.EXTENSION_SUFFIXES, list(sys.version_info[:2]))
    target = os.path.join(cache_root(environment), "{}-{}".format(manifest["build"]["hash"], folder))
    if not os.path.isdir(target):
        unpack(archive, folder, target)
    check_owner(target)
    return target


def main() -> None:
    """Run the server as if ``python server.py`` had been called."""
    try:
        environment = dict(os.environ)  # noqa: TID251 (a program of its own, before there is a server)
        target = prepare(ARCHIVE, environment)
    except CannotRun as error:
        sys.stderr.write(f"market-server: {error}\n")
        sys.exit(2)
    sys.path[:] = [os.path.join(target, "app"), os.path.join(target, "site")] + [
        path for path in sys.path if path != ARCHIVE
    ]
    server = os.path.join(target, "app", "server.py")
    sys.argv[0] = server
    runpy.run_path(server, run_name="__main__")


if __name__ == "__main__":
    main()
