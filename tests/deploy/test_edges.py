"""Several processes as they are deployed: units, compose and nginx agree with each other and the server."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.options import load_settings
from cli.serve import parse_arguments
from deploy.nginx_edges import configuration

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = (DEPLOY / "compose-edges.yaml").read_text()
NGINX = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin")
UNITS = ("market-feed.service", "market-edge@.service")
OF_THEIR_OWN = {"ExecStart"}


def service(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string((DEPLOY / name).read_text())
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_units_are_as_closed_as_that_of_a_single_server(name):
    single, mine = (dict(service(of)["Service"]) for of in ("market-data.service", name))
    assert {key for key in single.keys() | mine.keys() if single.get(key) != mine.get(key)} == OF_THEIR_OWN


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_units_verify_without_a_word(tmp_path):
    for name in (*UNITS, "market-edge@.socket"):
        text = (DEPLOY / name).read_text().replace("/opt/market-data/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(text)
    for name in UNITS:
        (tmp_path / name.replace("@", "@1")).write_text((tmp_path / name).read_text())
    (tmp_path / "market-edge@1.socket").write_text((tmp_path / "market-edge@.socket").read_text())
    names = ("market-feed.service", "market-edge@1.service", "market-edge@1.socket")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in names)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "role"), [(UNITS[0], "feed"), (UNITS[1], "edge")])
def test_units_start_a_server_of_their_role(name, role):
    words = service(name)["Service"]["ExecStart"].replace("%i", "1").split()[2:]
    place = words.index("--env-file")
    options = parse_arguments(words[:place] + words[place + 2 :])
    settings = load_settings(options, {"RELAY_URL": "redis://127.0.0.1:6379/0"})
    assert settings.server.role == role
    assert settings.server.edge_name == ("e1" if role == "edge" else "")
    assert settings.relay.url


def test_compose_starts_a_feed_and_two_edges_that_nginx_knows():
    commands = re.findall(r'command: (\["--role".*\])', COMPOSE)
    named = {}
    for command in commands:
        settings = load_settings(
            parse_arguments(re.findall(r'"([^"]+)"', command)), {"RELAY_URL": "redis://redis:6379/0"}
        )
        named[settings.server.edge_name] = settings.server.role
    assert named == {"": "feed", "e1": "edge", "e2": "edge"}
    feed, first, second, nginx = re.findall(r"ipv4_address: (\S+)", COMPOSE)
    made = configuration({"e1": f"{first}:5000", "e2": f"{second}:5000"}, f"{feed}:5000")
    assert (DEPLOY / "nginx-edges.conf").read_text() == made
    assert f"SERVER__TRUSTED_PROXIES: {nginx}" in COMPOSE


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_takes_what_is_made(tmp_path):
    edges = {f"e{number}": f"127.0.0.1:500{number}" for number in range(1, 6)}
    (tmp_path / "nginx.conf").write_text(configuration(edges, "127.0.0.1:5000"))
    command = [NGINX, "-t", "-q", "-c", tmp_path / "nginx.conf", "-p", tmp_path]
    done = subprocess.run([*command, "-g", f"pid {tmp_path}/nginx.pid;"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_program_prints_it():
    command: list[str] = [
        sys.executable,
        str(DEPLOY / "nginx_edges.py"),
        "--edge",
        "a=127.0.0.1:1",
        "--feed",
        "127.0.0.1:2",
    ]
    assert "market_edge_a" in subprocess.check_output(command, text=True)
    done = subprocess.run([*command[:2], "--help"], capture_output=True, text=True)
    assert (done.returncode, "--edge" in done.stdout) == (0, True)
