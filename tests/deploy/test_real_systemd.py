"""Installed and run by a real systemd, booted in namespaces of its own: nightly, as root, on Linux."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOX = Path(__file__).with_name("systemd_box.sh")
TOOLS = ("systemctl", "unshare", "nsenter", "pivot_root", "ip", "useradd")
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"
CGROUP = "market-data-test"
# not the one that runs the tests: it may live in a home, where the service cannot see it
PYTHON = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or not all(shutil.which(tool, path=SEARCH) for tool in TOOLS),
        reason="this needs root, systemd and util-linux",
    ),
]


def cgroups():
    """A group of our own in every hierarchy there is."""
    base = Path("/sys/fs/cgroup")
    places = [base, *(path for path in base.iterdir() if path.is_dir() and not path.is_symlink())]
    return [place / CGROUP for place in places if (place / "cgroup.procs").exists()]


def enter_cgroup():
    for group in cgroups():
        with suppress(OSError):  # cpuset takes nobody before it is set up, and is not needed
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(str(os.getpid()))


REMOVE = """
until find "$@" -depth -type d -exec rmdir {} + 2>/dev/null; do
    for group; do [ ! -e "$group" ] || continue 2; done
    exit
done
"""


class Box:
    """A booted systemd."""

    def __init__(self, scratch):
        flags = ["--mount", "--pid", "--fork", "--ipc", "--uts", "--net", "--cgroup", "--kill-child"]
        self.outside = subprocess.Popen(
            ["unshare", *flags, "sh", BOX, scratch, ROOT, sys.prefix],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=enter_cgroup,
        )

    def boot(self):
        """Wait for it to be up; why it is not, if it is not."""
        children = Path(f"/proc/{self.outside.pid}/task/{self.outside.pid}/children")
        while self.outside.poll() is None:
            with suppress(OSError, IndexError):
                self.inside = children.read_text().split()[0]
                if Path(f"/proc/{self.inside}/comm").read_text() == "systemd\n":
                    break
        else:
            return self.outside.stderr.read().decode()
        state = self.run("timeout 60 sh -c 'until systemctl is-system-running --wait; do sleep 0.2; done'")
        return None if "running" in state.stdout else f"{state.stdout}{state.stderr}"

    def run(self, script, check=False):
        enter = ["nsenter", "-t", self.inside, "--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup"]
        # a new mount namespace leaves the working directory outside
        inside = ["env", "-i", f"PATH={SEARCH}", "sh", "-c", f"cd / && {script}"]
        done = subprocess.run([*enter, "--root", "--wd=/", *inside], capture_output=True, text=True, cwd="/")
        if check and done.returncode:
            raise AssertionError(f"{script}: {done.stdout}{done.stderr}")
        return done

    def show(self, name):
        return self.run(f"systemctl show --property {name} --value market-data", check=True).stdout.strip()

    def log(self):
        return self.run("journalctl --unit market-data --output cat --no-pager").stdout

    def end(self):
        self.outside.send_signal(signal.SIGKILL)
        self.outside.communicate()
        # what ran in it is gone a little later than its first process
        subprocess.run(["timeout", "10", "sh", "-c", REMOVE, "sh", *cgroups()], check=False)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp("box"))
    try:
        why = box.boot()
        if why:
            pytest.skip(f"no systemd could be booted here: {why.strip()[-300:]}")
        yield box
    finally:
        box.end()


@pytest.fixture(scope="module")
def service(box):
    """The server, installed as an operator would; only its packages are there already."""
    packages = (
        "mkdir -p bin",
        "cp -R /mnt/venv/lib /mnt/venv/pyvenv.cfg .",
        "cp /mnt/repository/requirements.lock installed.lock",
        f"ln -s {PYTHON} bin/python",
    )
    place = "/opt/market-data/.venv"
    box.run(" && ".join([f"mkdir -p {place}", f"cd {place}", *packages]), check=True)
    done = box.run(f"sh /mnt/repository/deploy/install.sh --python {PYTHON}")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}{box.log()}"
    return box


def test_service_is_up_and_says_how_it_is(service):
    assert (service.show("ActiveState"), service.show("SubState")) == ("active", "running")
    assert re.search(r"^ok: Data arrives", service.show("StatusText"))
    assert service.show("WatchdogUSec") == "20s"


def test_service_has_no_privilege_left(service):
    status = service.run(f"cat /proc/{service.show('MainPID')}/status").stdout
    found = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert found["CapBnd"].strip() == found["CapEff"].strip() == "0000000000000000"
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    assert found["Uid"].split()[0] != "0"


def test_metrics_have_process_figures_inside_the_confinement(service):
    text = service.run("curl -s http://127.0.0.1:5000/metrics").stdout
    assert re.search(r"^process_resident_memory_bytes [1-9]", text, re.M)
    assert re.search(r'^market_feed_state{state="live"} 1\.0$', text, re.M)


def test_history_goes_to_the_state_directory(service):
    assert service.run("stat -c %U:%a /var/lib/market-data").stdout == "market-data:700\n"
    assert service.run("ls /var/lib/market-data/var").stdout


def test_log_level_is_switched_by_a_signal_and_journald_knows_priorities(service):
    service.run("systemctl kill --signal USR1 market-data", check=True)
    service.run("systemctl kill --signal USR1 market-data", check=True)
    lines = service.run("journalctl --unit market-data --output json --no-pager").stdout.splitlines()
    told = [json.loads(line) for line in lines]
    levels = [
        (json.loads(line["MESSAGE"])["message"], line["PRIORITY"])
        for line in told
        if "the log level is now" in str(line["MESSAGE"])
    ]
    assert levels == [("the log level is now DEBUG", "6"), ("the log level is now INFO", "6")]


def test_restart_refuses_nobody(service):
    answers = service.run(f"{PYTHON} /mnt/repository/tests/deploy/knock.py", check=True).stdout
    seen = json.loads(answers)
    assert set(seen) == {"HTTP/1.1 200"}
    assert seen["HTTP/1.1 200"] >= 4


def test_stuck_server_is_ended_with_its_stack_and_started_again(service):
    service.run(
        "mkdir -p /run/systemd/system/market-data.service.d"
        " && printf '[Service]\\nWatchdogSec=2\\n' > /run/systemd/system/market-data.service.d/watchdog.conf"
        " && systemctl daemon-reload && systemctl restart market-data",
        check=True,
    )
    before = service.show("MainPID")
    service.run(f"kill -STOP {before}", check=True)
    # an answer comes when there is a new process: until then the socket keeps the question
    assert service.run("curl -s --max-time 60 http://127.0.0.1:5000/health?probe=live").stdout.startswith("{")
    assert service.show("MainPID") != before
    assert service.show("NRestarts") == "1"
    assert "Fatal Python error: Aborted" in service.log()


def test_bad_setting_stops_the_service_with_a_sentence_and_no_loop(service):
    service.run("echo LIMITS__MAX_CLIENTS=many >> /etc/market-data/environment", check=True)
    assert service.run("systemctl restart market-data").returncode != 0
    assert service.show("ExecMainStatus") == "2"
    assert service.show("ActiveState") == "failed"
    assert "max_clients" in service.log()
    service.run("sed -i '$d' /etc/market-data/environment && systemctl start market-data", check=True)


def test_stop_is_clean(service):
    service.run("systemctl stop market-data.socket market-data.service", check=True)
    assert (service.show("Result"), service.show("ExecMainStatus")) == ("success", "0")
