"""The install script: what it says, what it refuses, and what it leaves behind."""

import getpass
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from handlers.documents.guide import ELSEWHERE

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "install.sh"


def install(*arguments, python=sys.executable):
    return subprocess.run(["sh", SCRIPT, "--python", python, *arguments], capture_output=True, text=True)


@pytest.fixture
def target(tmp_path):
    """Options for an installation below a directory of the test's, its packages there already."""
    environment = tmp_path / "prefix" / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    shutil.copy(ROOT / "requirements.lock", environment / "installed.lock")
    return [
        *("--prefix", tmp_path / "prefix"),
        *("--units", tmp_path / "units"),
        *("--config", tmp_path / "etc"),
        *("--user", getpass.getuser()),
    ]


def test_help_names_every_option():
    text = SCRIPT.read_text()
    shown = install("--help").stdout
    for line in text.splitlines():
        option = line.strip().partition(")")[0]
        if option.startswith("--") and ";;" in line:
            assert f"  {option} " in shown, option


def test_dry_run_says_what_it_would_do_and_does_nothing(tmp_path):
    places = ("--prefix", tmp_path / "p", "--units", tmp_path / "u", "--config", tmp_path / "c")
    done = install("--dry-run", "--postgres", "--user", "market-data-test", *places)
    assert done.returncode == 0, done.stderr
    for part in ("useradd --system", "pip install", "requirements-postgres.lock", "/u/market-data.socket"):
        assert part in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bogus"], "there is no option --bogus"),
        (["--prefix"], "--prefix needs a value"),
        (["--prefix", "relative/path"], "--prefix must be an absolute path, was relative/path"),
        (["--prefix", "/a b"], "may hold letters, digits and / . _ + - only, was /a b"),
        (["--units", "/x|y"], "--units may hold letters"),
        (["--user", "a;b"], "--user may hold small letters, digits, _ and - only, was a;b"),
        (["--user", "-rf"], "--user may hold small letters"),
    ],
)
def test_bad_option_is_refused_with_a_sentence(arguments, sentence):
    done = install("--dry-run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_python_that_is_too_old_or_none_is_refused(tmp_path):
    done = install("--dry-run", python=tmp_path / "python")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


@pytest.mark.parametrize("prefix", ["/home/me/market", "/root", "/run/user/1000/x"])
def test_prefix_that_the_service_could_not_read_is_refused(prefix):
    done = install("--dry-run", "--prefix", prefix)
    assert done.returncode == 1
    assert f"the service cannot read {prefix}" in done.stderr
    assert install("--dry-run", "--prefix", prefix, "--units", "/elsewhere").returncode == 0


def test_installation_runs_from_its_prefix(target, tmp_path):
    done = install(*target)
    assert done.returncode == 0, done.stderr
    prefix = tmp_path / "prefix"
    command = [sys.executable, prefix / "server.py", "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    unit = (tmp_path / "units" / "market-data.service").read_text()
    program, settings = f"{prefix}/.venv/bin/python {prefix}/server.py", f"{tmp_path}/etc/environment"
    assert f"ExecStart={program} --env-file {settings}\n" in unit
    assert f"User={getpass.getuser()}\n" in unit
    assert "/opt/market-data" not in unit
    assert (tmp_path / "etc" / "environment").stat().st_mode & 0o777 == 0o600


def test_second_run_keeps_settings_and_drops_files_that_are_gone(target, tmp_path):
    install(*target)
    (tmp_path / "etc" / "environment").write_text("FEED__SEED=7\n")
    stale = tmp_path / "prefix" / "feed" / "removed_in_this_version.py"
    stale.write_text("")
    done = install(*target)
    assert done.returncode == 0, done.stderr
    for line in (
        "the packages are up to date",
        "market-data.socket is up to date",
        "market-data.service is up to date",
    ):
        assert line in done.stdout
    assert (tmp_path / "etc" / "environment").read_text() == "FEED__SEED=7\n"
    assert not stale.exists()
    assert not (tmp_path / "prefix" / ".new").exists()


def test_compiled_files_come_along_and_name_their_place(target, tmp_path):
    """The service may not write to its prefix, and a traceback must name files that exist."""
    install(*target)
    compiled = list((tmp_path / "prefix" / "feed" / "market" / "__pycache__").glob("clock.*.pyc"))
    assert len(compiled) == 1
    assert os.fsencode(tmp_path / "prefix" / "feed" / "market" / "clock.py") in compiled[0].read_bytes()


@pytest.mark.parametrize("name", ["deploy/install.sh", "deploy/Dockerfile"])
def test_everything_the_server_consists_of_is_copied(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    text = (ROOT / name).read_text()
    for item in {package.partition(".")[0] for package in project["packages"]}:
        assert f" {item} " in text.replace("\n", " ")
    for module in project["py-modules"]:
        assert f"{module}.py " in text
    for item in ("docs", "web/dist", *ELSEWHERE.values()):  # the handbook and the terminal
        assert re.search(rf"[ /]{re.escape(item)}[ ;]", text), item


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_script_passes_shellcheck():
    done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
