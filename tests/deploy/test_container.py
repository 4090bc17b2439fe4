"""Dockerfile and compose file: their structure, and the image itself where a Docker daemon answers."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
import uuid
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

from cli.options import load_settings
from cli.serve import parse_arguments
from handlers.operations.serving import HISTORY_STOP_S
from handlers.rest.terminal import BUILT
from schemas.configuration.settings import ServerSchema

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def instructions():
    """Stages of the Dockerfile as lists of (instruction, argument)."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    stages = [[]]
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                stages.append([])
            stages[-1].append((word, " ".join(rest.split())))
    return stages


HEAD, TERMINAL, BUILD, FINAL = instructions()


def argument(stage, word):
    (found,) = [rest for name, rest in stage if name == word]
    return found


def test_base_is_pinned_to_a_release_that_the_server_runs_on():
    base = re.fullmatch(r"BASE=python:3\.(\d+)\.\d+-slim-[a-z]+", argument(HEAD, "ARG"))
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert int(base[1]) >= int(lowest.removeprefix(">=3."))
    assert argument(FINAL, "FROM") == "${BASE}"


def test_final_image_is_built_from_files_without_installing_anything():
    for word, rest in FINAL:
        assert not (word == "RUN" and re.search(r"\b(pip|apt|apt-get|gcc|curl|wget)\b", rest))
    assert [rest for word, rest in FINAL if word == "COPY"] == [
        "--from=build /opt/market-data /opt/market-data"
    ]
    # not even pip is left in what is copied
    assert any("pip uninstall --yes pip" in rest for word, rest in BUILD if word == "RUN")


def test_image_carries_the_terminal_where_the_server_looks_for_it():
    assert "--from=terminal /src/web/dist /opt/market-data/web/dist" in [rest for _, rest in BUILD]
    assert BUILT.relative_to(ROOT) == Path("web/dist")
    assert any("npm ci" in rest and "npm run build --workspace web" in rest for _, rest in TERMINAL)


def test_image_runs_as_nobody_special():
    user, group = argument(FINAL, "USER").split(":")
    assert int(user) >= 10000
    assert int(group) >= 10000
    words = [word for word, _ in FINAL]
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_server_is_the_main_process_and_gets_the_signal():
    assert json.loads(argument(FINAL, "ENTRYPOINT"))[-1] == "/opt/market-data/server.py"
    assert argument(FINAL, "STOPSIGNAL") == "SIGTERM"


def test_what_is_copied_exists_and_is_not_ignored():
    kept = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.M)
    for word, rest in TERMINAL + BUILD:
        if word == "COPY" and not rest.startswith("--from="):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in kept


def test_driver_of_postgresql_is_the_one_that_is_tested():
    tested = (ROOT / "requirements-dev.lock").read_text().splitlines()
    pins = {line.partition(" ;")[0] for line in tested}
    wanted = (DEPLOY / "requirements-postgres.lock").read_text().split()
    assert wanted
    assert set(wanted) <= pins


def _has_docker():
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, timeout=20, check=False).returncode == 0


@pytest.mark.skipif(not _has_docker(), reason="no Docker daemon answers here")
@pytest.mark.timeout(900)
def test_image_is_built_and_serves_as_nobody_special():
    tag = f"market-data-test:{uuid.uuid4().hex[:8]}"
    subprocess.run(["docker", "build", "-q", "-f", DEPLOY / "Dockerfile", "-t", tag, ROOT], check=True)
    run = ["docker", "run", "-d", "--rm", "-p", "127.0.0.1::5000", tag, "--database-url", ""]
    name = subprocess.check_output(run, text=True).strip()
    try:
        port = subprocess.check_output(["docker", "port", name, "5000"], text=True).strip().rpartition(":")[2]
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.2)
        user = subprocess.check_output(["docker", "exec", name, "id", "-u"], text=True).strip()
        assert user == "10001"
    finally:
        subprocess.run(["docker", "stop", "-t", "20", name], check=True)
        subprocess.run(["docker", "rmi", "-f", tag], check=False)


@pytest.mark.gen_test
async def test_health_check_tells_a_server_that_answers_from_one_that_does_not(sandbox):
    _, _, command = argument(FINAL, "HEALTHCHECK").partition(" CMD ")
    _, *arguments = json.loads(command)
    listener, silent = bind_unused_port()
    listener.close()
    for port, healthy in ((sandbox.url.rpartition(":")[2], True), (str(silent), False)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env={"PORT": port}, stderr=asyncio.subprocess.DEVNULL
        )
        assert (await process.wait() == 0) == healthy


@pytest.fixture(scope="module")
def compose():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_images_are_pinned(compose):
    images = [service["image"] for service in compose["services"].values() if "build" not in service]
    assert len(images) == 2
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+[.\w-]*", image)


def test_addresses_agree(compose):
    server, nginx = compose["services"]["server"], compose["services"]["nginx"]
    address = {
        name: compose["services"][name]["networks"]["default"]["ipv4_address"] for name in ("server", "nginx")
    }
    assert server["environment"]["SERVER__TRUSTED_PROXIES"] == address["nginx"]
    before, after = re.search(r"s/([^/]+)/([^/]+)/", nginx["command"][-1]).groups()
    text, count = re.subn(before, after, (DEPLOY / "nginx.conf").read_text())
    assert count == 1
    assert f"server {address['server']}:5000;" in text


def test_only_nginx_is_reached_from_outside(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["nginx"]


def test_password_has_no_default(compose):
    database = compose["services"]["database"]["environment"]["POSTGRES_PASSWORD"]
    assert database.startswith("${POSTGRES_PASSWORD:?")
    assert "${POSTGRES_PASSWORD:?" in compose["services"]["server"]["environment"]["DATABASE_URL"]


def test_server_is_confined_and_has_time_to_drain(compose):
    server = compose["services"]["server"]
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    drain_s = ServerSchema().fields["drain_timeout_s"].load_default
    assert int(server["stop_grace_period"].removesuffix("s")) >= drain_s + HISTORY_STOP_S + 10


def test_environment_names_are_settings(compose):
    given = {name: str(value) for name, value in compose["services"]["server"]["environment"].items()}
    settings = load_settings(parse_arguments([]), given)
    assert settings.server.trusted_proxies == ("172.29.81.20",)
    assert settings.history.database_url.startswith("postgresql://market:")
