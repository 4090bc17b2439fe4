"""Build ``dist/market-server.pyz``: the server and all it needs in one executable archive.

    python deploy/build_archive.py                        for this platform and Python 3.11 to 3.14
    python deploy/build_archive.py --python 3.12          for one version only
    python deploy/build_archive.py --installed            from the packages installed here, without network

Run it with any Python 3.11 or newer that has the packages of requirements.lock. The same sources and packages
give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.machinery
import importlib.metadata
import json
import platform
import re
import stat
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import platform_tags

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SHEBANG = b"#!/usr/bin/env python3\n"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file knows: times must not change the bytes
NEWEST_GLIBC_MINOR = 28  # 2.28: what enterprise distributions of 2019 have; all our packages are built for it
COMMON = "common"  # files that are the same for every Python
DATA_FILES = ("settings.toml", "LICENSE", "README.md", "SECURITY.md", "CHANGELOG.md")
HANDBOOK = ("docs/*.md", "docs/pictures/*.png", "bench/README.md", "clients/typescript/README.md")
# headers, sources and stubs: half of NumPy's files, none of them read at run time
UNUSED_SUFFIXES = (".pyi", ".pxd", ".pyx", ".h", ".c", ".a", ".f", ".f90", ".pyc")
# what an installer notes of where it ran and what from
INSTALLER_NOTE = re.compile(r"[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)")
# imported by numpy.testing, which parts of SciPy import
NEEDED_TEST_FILES = ("numpy/_core/tests/_natype.py", "numpy/_core/tests/__init__.py")

Files = dict[str, Path]  # path inside the archive or a folder of it -> file


class BuildError(Exception):
    """Why no archive was built, in a sentence."""


def application_files(root: Path) -> Files:
    """What the server itself consists of, by its path under ``app/``: what pyproject.toml lists."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]
    modules = project["tool"]["setuptools"]["py-modules"]
    files = {name: root / name for name in DATA_FILES if (root / name).is_file()}
    files |= {f"{module}.py": root / f"{module}.py" for module in modules}
    for package in packages:
        folder = root / package.replace(".", "/")
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                files[path.relative_to(root).as_posix()] = path
    for pattern in HANDBOOK:
        files |= {path.relative_to(root).as_posix(): path for path in sorted(root.glob(pattern))}
    terminal = root / "web" / "dist"  # where `make web` has built it
    for path in sorted(terminal.rglob("*")) if (terminal / "index.html").exists() else ():
        if path.is_file():
            files[path.relative_to(root).as_posix()] = path
    return {f"app/{name}": path for name, path in files.items()}


def locked_requirements(lock: Path, python: str) -> list[Requirement]:
    """The lines of a lock file that hold for a Python version; pip itself asks only the one it runs on."""
    is_this = python == ".".join(platform.python_version_tuple()[:2])
    full = platform.python_version() if is_this else f"{python}.0"
    environment = {"python_version": python, "python_full_version": full}
    lines = (line.partition("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return [item for item in requirements if item.marker is None or item.marker.evaluate(environment)]


def is_used(name: str) -> bool:
    """Whether a package's file is needed to run."""
    if name in NEEDED_TEST_FILES:
        return True
    parts = name.split("/")
    if (
        parts[0] in ("bin", "..")
        or INSTALLER_NOTE.fullmatch(name)
        or "__pycache__" in parts
        or name.endswith(UNUSED_SUFFIXES)
    ):
        return False
    return not (parts[0] in ("numpy", "scipy") and "tests" in parts)


def installed_files(requirements: Iterable[Requirement]) -> Files:
    """The files of packages installed in this Python, by their path under ``site/``."""
    files: Files = {}
    for requirement in requirements:
        try:
            distribution = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            raise BuildError(f"{requirement} is not installed here.") from None
        if not requirement.specifier.contains(distribution.version):
            raise BuildError(f"{requirement} is wanted, but {distribution.version} is installed.")
        for item in distribution.files or ():
            name = item.as_posix()
            if is_used(name):
                files[f"site/{name}"] = Path(str(item.locate()))
    return files


def portable_platforms() -> list[str]:
    """The tags of this platform, without those that ask for a newer C library than need be."""
    versions = {name: re.match(r"manylinux_2_(\d+)_", name) for name in platform_tags()}
    return [name for name, found in versions.items() if found is None or int(found[1]) <= NEWEST_GLIBC_MINOR]


def downloaded_files(requirements: Sequence[Requirement], python: str, folder: Path) -> Files:
    """The same from the package index, for another version of Python on this platform."""
    tag = "cp" + python.replace(".", "")
    platforms = [word for name in portable_platforms() for word in ("--platform", name)]
    abis = [word for name in (tag, "abi3", "none") for word in ("--abi", name)]
    pinned = [f"{item.name}{item.specifier}" for item in requirements]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder)]
    command += ["--implementation", "cp", "--python-version", python, *abis, *platforms, *pinned]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise BuildError(f"pip could not get the packages for Python {python}:\n{done.stdout.strip()}")
    paths = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {f"site/{name}": path for name, path in named.items() if is_used(name)}


def arrange(application: Files, packages: Mapping[str, Files]) -> Files:
    """Every file by its path in the archive: what all Pythons share once, the rest by Python."""
    digests = {path: _digest(path) for files in packages.values() for path in files.values()}
    arranged = {f"{COMMON}/{name}": path for name, path in application.items()}
    for tag, files in packages.items():
        for name, path in files.items():
            others = [other.get(name) for other in packages.values()]
            is_shared = all(other is not None and digests[other] == digests[path] for other in others)
            arranged[f"{COMMON if is_shared else tag}/{name}"] = path
    return arranged


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def extension_suffix(python: str) -> str:
    """What ends the name of an extension of that Python on this platform: the whole of its ABI."""
    here = "".join(str(part) for part in sys.version_info[:2])
    return importlib.machinery.EXTENSION_SUFFIXES[0].replace(here, python.replace(".", ""), 1)


def make_manifest(arranged: Mapping[str, Path], suffixes: Mapping[str, str]) -> bytes:
    """What the archive tells its bootstrap: the ABIs it has packages for, and a name for its content."""
    content = hashlib.sha256()
    for name in sorted(arranged):
        content.update(f"{name} {_digest(arranged[name])}\n".encode())
    build = {"hash": content.hexdigest()[:20], "platform": sysconfig.get_platform()}
    return json.dumps({"build": build, "extensions": dict(suffixes)}, indent=2, sort_keys=True).encode()


def write_archive(output: Path, arranged: Files, suffixes: Mapping[str, str], level: int) -> None:
    """Write the archive; ``suffixes`` names the folder of each extension suffix. Complete or not at all."""
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(output.name + ".new")
    with unfinished.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w") as archive:
            bootstrap = (ROOT / "deploy" / "archive_main.py").read_bytes()
            archive.writestr(_entry("__main__.py"), bootstrap)
            archive.writestr(_entry("manifest.json"), make_manifest(arranged, suffixes))
            for name in _with_progress(sorted(arranged)):
                # the level goes with each entry: one given to the archive does not reach those made by hand
                archive.writestr(_entry(name), arranged[name].read_bytes(), compresslevel=level)
    unfinished.chmod(0o755)
    unfinished.replace(output)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _with_progress(names: Sequence[str]) -> Iterator[str]:
    """The names, with a bar on a terminal."""
    is_terminal = sys.stderr.isatty()
    for count, name in enumerate(names, 1):
        yield name
        if is_terminal and (count % 50 == 0 or count == len(names)):
            end = "\n" if count == len(names) else ""
            sys.stderr.write(f"\rPacking {count} of {len(names)} files{end}")
            sys.stderr.flush()


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def build(output: Path, pythons: Sequence[str], *, installed: bool, level: int, root: Path = ROOT) -> None:
    """Build the archive of the sources in ``root``. Raises BuildError."""
    lock = ROOT / "requirements.lock"
    packages: dict[str, Files] = {}
    with tempfile.TemporaryDirectory(prefix="market-server-") as scratch:
        for python in pythons:
            tag = "cp" + python.replace(".", "")
            requirements = locked_requirements(lock, python)
            if installed:
                packages[tag] = installed_files(requirements)
            else:
                _tell(f"Getting the packages for Python {python}")
                packages[tag] = downloaded_files(requirements, python, Path(scratch) / tag)
        arranged = arrange(application_files(root), packages)
        suffixes = {extension_suffix(python): "cp" + python.replace(".", "") for python in pythons}
        write_archive(output, arranged, suffixes, level)
    _tell(f"{output} ({output.stat().st_size / 1e6:.1f} MB) for Python {', '.join(pythons)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; 0 when it is built, 2 when it cannot be."""
    parser = argparse.ArgumentParser(description="Build the market-data server as one executable archive.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "market-server.pyz", metavar="FILE")
    parser.add_argument("--python", action="append", metavar="3.N", help=f"default: {' '.join(PYTHONS)}")
    parser.add_argument("--installed", action="store_true", help="pack what is installed in this Python")
    parser.add_argument("--level", type=int, choices=range(10), default=6, help="compression, 0 to 9")
    options = parser.parse_args(arguments)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    pythons = options.python or ([here] if options.installed else PYTHONS)
    for python in pythons:
        if not re.fullmatch(r"3\.(1[1-9]|[2-9]\d)", python):
            parser.error(f"--python must be 3.11 or newer, was {python}")
    if options.installed and list(pythons) != [here]:
        parser.error(f"--installed packs what this Python {here} has; it cannot serve {' '.join(pythons)}")
    try:
        build(options.output, list(dict.fromkeys(pythons)), installed=options.installed, level=options.level)
    except BuildError as error:
        _tell(f"build_archive.py: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
