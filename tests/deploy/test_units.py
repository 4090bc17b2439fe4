"""The systemd units: well formed, as closed as promised, and agreeing with the server they start."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import server
from cli.options import load_settings
from cli.serve import parse_arguments
from handlers.operations import serving
from schemas.configuration.settings import LimitsSchema, ServerSchema
from schemas.configuration.settings_file import SettingsError

DEPLOY = Path(__file__).parents[2] / "deploy"
EXPOSURE = 12  # tenths, of 100: what a daemon with a port can hardly go below
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def unit(name):
    """A unit as sections of keys; of a key given twice the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string((DEPLOY / name).read_text())
    return parser


def seconds(text):
    number, scale = re.fullmatch(r"(\d+)(s|min)?", text).groups()
    return int(number) * (60 if scale == "min" else 1)


@pytest.fixture
def units(tmp_path):
    """Copies whose ExecStart exists on this machine."""
    for name in ("market-data.service", "market-data.socket"):
        text = (DEPLOY / name).read_text().replace("/opt/market-data/.venv/bin/python", sys.executable)
        (tmp_path / name).write_text(text)
    return tmp_path


@needs_analyze
def test_units_verify_without_a_word(units):
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            units / "market-data.service",
            units / "market-data.socket",
        ],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_analyze
def test_exposure_stays_low(units):
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--no-pager",
            "--offline=true",
            f"--threshold={EXPOSURE}",
            units / "market-data.service",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1]


HARDENING = """
    LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateMounts PrivateTmp
    PrivateUsers
    ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules
    ProtectKernelTunables RemoveIPC RestrictNamespaces RestrictRealtime RestrictSUIDSGID
"""


def test_hardening_is_on():
    service = unit("market-data.service")["Service"]
    assert {name: service[name] for name in HARDENING.split()} == dict.fromkeys(HARDENING.split(), "yes")
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""


def test_service_notifies_itself_and_has_a_watchdog():
    service = unit("market-data.service")["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    # a shell in between would be the main process, and nobody would believe the server
    assert re.fullmatch(r"\S+/python \S+/server\.py --env-file \S+", service["ExecStart"])
    assert seconds(service["WatchdogSec"]) == 20


def test_stop_leaves_time_for_the_drain():
    drain_s = ServerSchema().fields["drain_timeout_s"].load_default
    allowed_s = seconds(unit("market-data.service")["Service"]["TimeoutStopSec"])
    assert allowed_s >= drain_s + serving.HISTORY_STOP_S + 10


def test_descriptors_suffice_for_every_client():
    limit = int(unit("market-data.service")["Service"]["LimitNOFILE"])
    assert limit > LimitsSchema().fields["max_clients"].load_default + 1000


def test_start_that_cannot_succeed_is_not_repeated():
    with pytest.raises(SettingsError):
        load_settings(parse_arguments(["--set", "nonsense"]), {})
    assert server.main(["--set", "nonsense"]) == 2
    assert unit("market-data.service")["Service"]["RestartPreventExitStatus"] == "2"


def test_service_and_socket_belong_together():
    service, socket = unit("market-data.service"), unit("market-data.socket")
    assert service["Unit"]["Requires"] == "market-data.socket"
    assert "market-data.socket" in service["Unit"]["After"].split()
    assert service["Install"]["Also"] == "market-data.socket"
    assert socket["Install"]["WantedBy"] == "sockets.target"


def test_no_address_of_a_client_is_a_mapped_one():
    socket = unit("market-data.socket")["Socket"]
    assert socket["BindIPv6Only"] == "ipv6-only"
    text = (DEPLOY / "market-data.socket").read_text()
    assert re.findall(r"^ListenStream=(.*)$", text, re.M) == ["0.0.0.0:5000", "[::]:5000"]


def test_every_key_stands_for_a_whole_line_comment():
    """systemd takes a comment after a value for a part of the value."""
    for name in ("market-data.service", "market-data.socket"):
        for line in (DEPLOY / name).read_text().splitlines():
            assert line.startswith(("#", "[")) or "#" not in line
