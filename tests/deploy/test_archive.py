"""The single-file build: what goes in, how it unpacks, and that it runs from an empty folder."""

import ast
import importlib.machinery
import json
import os
import pty
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy import archive_main, build_archive

ROOT = Path(__file__).parents[2]
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
SERVER = "import part, extension\nprint(part.WORDS, extension.WORDS)\n"


def run(archive, *arguments, cache, cwd, **options):
    """Run an archive with a Python that has no packages of its own."""
    environment = {"HOME": str(cwd), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-I", "-S", archive, *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, **options)


@pytest.fixture
def folder(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    return empty


@pytest.fixture
def make_archive(tmp_path):
    """Make a small archive with the real bootstrap."""

    def make(suffixes=None, **texts):
        files = {"common/app/server.py": SERVER, "common/app/part.py": "WORDS = 'all'", **texts}
        files = {
            "ours/site/extension.py": "WORDS = 'ours'",
            "other/site/extension.py": "WORDS = 'other'",
            **files,
        }
        arranged = {}
        for place, (name, text) in enumerate(files.items()):
            arranged[name] = tmp_path / f"{place}.source"
            arranged[name].write_text(text)
        output = tmp_path / "small.pyz"
        build_archive.write_archive(output, arranged, suffixes or {SUFFIX: "ours", ".x.so": "other"}, 1)
        return output

    return make


def unpacked(cache):
    return sorted(path.name for path in (cache / "market-server").iterdir())


def test_archive_unpacks_once_and_runs_with_what_suits_this_python(make_archive, folder, tmp_path):
    archive = make_archive()
    first = run(archive, cache=tmp_path / "cache", cwd=folder)
    assert (first.stdout, first.stderr, first.returncode) == ("all ours\n", "", 0)
    (name,) = unpacked(tmp_path / "cache")
    assert re.fullmatch(r"[0-9a-f]{20}-ours", name)
    # what was unpacked is what runs: a second start must not write it again
    (tmp_path / "cache" / "market-server" / name / "app" / "part.py").write_text("WORDS = 'kept'")
    assert run(archive, cache=tmp_path / "cache", cwd=folder).stdout == "kept ours\n"
    assert list(folder.iterdir()) == []


def test_another_content_unpacks_beside_the_first(make_archive, folder, tmp_path):
    run(make_archive(), cache=tmp_path / "cache", cwd=folder)
    changed = make_archive(**{"common/app/part.py": "WORDS = 'new'"})
    assert run(changed, cache=tmp_path / "cache", cwd=folder).stdout == "new ours\n"
    assert len(unpacked(tmp_path / "cache")) == 2


def test_python_without_packages_in_it_is_told_so(make_archive, folder, tmp_path):
    archive = make_archive({".cpython-399-x86_64-linux-gnu.so": "cp399"})
    done = run(archive, cache=tmp_path / "cache", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"holds packages for cp399 on {sysconfig.get_platform()}" in done.stderr
    assert f"this Python is {HERE} (ABI {SUFFIX})" in done.stderr
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("version", [[3, 6], [3, 10]])
def test_python_that_is_too_old_is_told_so(version):
    with pytest.raises(
        archive_main.CannotRun, match=rf"Python 3\.11 or newer is needed, this is 3\.{version[1]}\."
    ):
        archive_main.find_packages({"extensions": {SUFFIX: "ours"}}, [SUFFIX], version)


def test_bootstrap_can_be_read_by_a_python_that_is_too_old():
    ast.parse((ROOT / "deploy" / "archive_main.py").read_text(), feature_version=(3, 6))


def test_cache_that_cannot_be_written_is_named(make_archive, folder, tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the directory should be")
    done = run(make_archive(), cache=blocked, cwd=folder)
    assert done.returncode == 2
    assert f"The cache {blocked}/market-server cannot be written" in done.stderr
    assert "set XDG_CACHE_HOME" in done.stderr


def test_cache_that_others_may_write_is_not_run(make_archive, folder, tmp_path):
    archive = make_archive()
    run(archive, cache=tmp_path / "cache", cwd=folder)
    (name,) = unpacked(tmp_path / "cache")
    (tmp_path / "cache" / "market-server" / name).chmod(0o777)
    done = run(archive, cache=tmp_path / "cache", cwd=folder)
    assert done.returncode == 2
    assert "can be written by others" in done.stderr


@pytest.mark.parametrize(
    ("environment", "root"),
    [
        ({"XDG_CACHE_HOME": "/c"}, "/c/market-server"),
        ({"XDG_CACHE_HOME": "relative", "LOCALAPPDATA": "/local"}, "/local/market-server"),
        ({}, os.path.expanduser("~/.cache/market-server")),
    ],
)
def test_cache_is_where_the_platform_keeps_caches(environment, root):
    assert archive_main.cache_root(environment) == root


def test_several_first_starts_at_once_agree_on_one_folder(make_archive, folder, tmp_path):
    archive = make_archive()
    environment = {"HOME": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    starts = [
        subprocess.Popen([sys.executable, "-I", "-S", archive], env=environment, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert {start.communicate()[0] for start in starts} == {b"all ours\n"}
    assert len(unpacked(tmp_path / "cache")) == 1


def test_unpacking_that_breaks_off_leaves_nothing_to_run(make_archive, folder, tmp_path):
    archive = make_archive()
    whole = archive.read_bytes()
    with zipfile.ZipFile(archive) as source:
        item = next(item for item in source.infolist() if item.filename.endswith("part.py"))
    start = item.header_offset + 30 + len(item.filename)
    archive.write_bytes(whole[:start] + b"\xff" * 8 + whole[start + 8 :])
    broken = run(archive, cache=tmp_path / "cache", cwd=folder)
    assert broken.returncode == 2
    assert "The archive is damaged" in broken.stderr
    assert unpacked(tmp_path / "cache") == []
    archive.write_bytes(whole)
    assert run(archive, cache=tmp_path / "cache", cwd=folder).stdout == "all ours\n"


def test_progress_is_shown_on_a_terminal_only(make_archive, folder, tmp_path):
    main, side = pty.openpty()
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-I", "-S", make_archive()]
    subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=side, check=True)
    os.close(side)
    shown = os.read(main, 65536)
    os.close(main)
    assert b"Unpacking, once: [" in shown
    assert shown.rstrip().endswith(b"100 %")


def test_same_files_give_the_same_bytes(make_archive):
    assert make_archive().read_bytes() == make_archive().read_bytes()


def test_archive_names_its_interpreter_and_may_be_executed(make_archive):
    archive = make_archive()
    assert archive.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert os.access(archive, os.X_OK)


def test_lock_is_read_as_the_python_in_question_would():
    lock = ROOT / "requirements.lock"
    old, new = (
        {
            str(item.specifier)
            for item in build_archive.locked_requirements(lock, python)
            if item.name == "numpy"
        }
        for python in ("3.11", "3.13")
    )
    assert len(old) == len(new) == 1
    assert old != new


def test_every_source_file_goes_in():
    """A package forgotten in pyproject.toml would be missing from the archive alone."""
    packed = set(build_archive.application_files(ROOT))
    for package in ("analytics", "domain", "feed", "handlers", "schemas"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".toml", ".csv"):
                assert f"app/{path.relative_to(ROOT).as_posix()}" in packed
    assert {"app/server.py", "app/settings.toml"} <= packed


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so", True),
        ("numpy.libs/libscipy_openblas64_-32a4b2a6.so", True),
        ("numpy/_core/tests/_natype.py", True),
        ("numpy/_core/tests/test_api.py", False),
        ("scipy/special/tests/data/boost.npz", False),
        ("tornado/test/web_test.py", True),
        ("numpy/_core/include/numpy/arrayobject.h", False),
        ("tornado-6.6.1.dist-info/METADATA", True),
        ("tornado-6.6.1.dist-info/RECORD", False),
        ("../../../bin/dotenv", False),
        ("bin/dotenv", False),
        ("dotenv/__pycache__/main.cpython-311.pyc", False),
    ],
)
def test_what_is_not_read_at_run_time_stays_out(name, used):
    assert build_archive.is_used(name) == used


def test_files_shared_by_all_pythons_are_stored_once(tmp_path):
    def file(text):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        path.write_text(text)
        return path

    arranged = build_archive.arrange(
        {"app/server.py": file("server")},
        {
            "cp311": {
                "site/pure.py": file("pure"),
                "site/part.py": file("old"),
                "site/gone.py": file("gone"),
            },
            "cp312": {"site/pure.py": file("pure"), "site/part.py": file("new")},
        },
    )
    assert {name: path.read_text() for name, path in arranged.items()} == {
        "common/app/server.py": "server",
        "common/site/pure.py": "pure",
        "cp311/site/part.py": "old",
        "cp311/site/gone.py": "gone",
        "cp312/site/part.py": "new",
    }


def test_suffix_of_another_python_differs_in_its_version_only():
    digits = HERE.replace(".", "")
    assert build_archive.extension_suffix(HERE) == SUFFIX
    assert build_archive.extension_suffix("3.99") == SUFFIX.replace(digits, "399")


def test_packages_are_asked_for_an_old_c_library():
    names = build_archive.portable_platforms()
    minors = [int(found[1]) for name in names if (found := re.match(r"manylinux_2_(\d+)_", name))]
    assert max(minors, default=0) <= 28
    assert names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--python", "3.10"], "--python must be 3.11 or newer, was 3.10"),
        (["--python", "3.99", "--installed"], "cannot serve 3.99"),
    ],
)
def test_build_that_makes_no_sense_is_refused(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as raised:
        build_archive.main(arguments)
    assert raised.value.code == 2
    assert sentence in capsys.readouterr().err


def test_package_of_another_version_than_locked_is_refused():
    with pytest.raises(build_archive.BuildError, match=r"tornado==0\.1 is wanted, but .* is installed"):
        build_archive.installed_files([Requirement("tornado==0.1")])


@pytest.fixture(scope="module")
def real_archive(tmp_path_factory):
    """The server itself, not compressed: that would take longer than everything else here."""
    output = tmp_path_factory.mktemp("dist") / "market-server.pyz"
    assert build_archive.main(["--installed", "--level", "0", "--output", str(output)]) == 0
    return output


@pytest.mark.nightly
def test_server_runs_from_one_file_in_an_empty_folder(real_archive, folder, tmp_path):
    command = [sys.executable, "-I", "-S", real_archive, "--host", "127.0.0.1", "--port", "0"]
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with (tmp_path / "log").open("w+") as log:
        with subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        ) as server:
            shown = iter(server.stdout.readline, "")
            url = next(
                (found[1] for line in shown if (found := re.search(r"server\s+(http\S+?)/\s", line))), None
            )
            try:
                assert url, (tmp_path / "log").read_text()
                with urllib.request.urlopen(
                    f"{url}/api/option_chain?symbol=NIFTY&strikes=2", timeout=30
                ) as answer:
                    assert len(json.load(answer)["data"]["option_chain"]) == 5
            finally:
                server.send_signal(signal.SIGTERM)
        assert server.returncode == 0
    # history belongs to the folder it was started from, code to the cache
    assert [path.name for path in folder.iterdir()] == ["var"]


def test_archive_holds_what_its_manifest_says(real_archive):
    with zipfile.ZipFile(real_archive) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = archive.namelist()
    assert manifest["extensions"] == {SUFFIX: "cp" + HERE.replace(".", "")}
    assert any(name.endswith(SUFFIX) for name in names)
    assert "common/app/settings.toml" in names
    assert not [name for name in names if name.endswith(".pyc")]
