"""Alerts and dashboard ask only for figures that ``/metrics`` has."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.market import FeedStateName
from feed.market.source import LineFigures
from feed.market.ticker import Ticker
from feed.relay.bus import RecordId
from handlers.monitoring.relay import EdgeEnd, FeedEnd
from handlers.operations.metrics import MOCK, Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"\b(?:market|process|python)_[a-z0-9_]+\b")


@pytest.fixture(scope="module")
def alerts():
    """Name and expression of every rule."""
    text = (DEPLOY / "alerts.yml").read_text()
    return dict(zip(re.findall(r"- alert: (\w+)", text), re.findall(r"expr: (.+)", text), strict=True))


@pytest.fixture(scope="module")
def dashboard():
    return json.loads((DEPLOY / "grafana-dashboard.json").read_text())


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def relay_ends():
    """Both ends of a relay, with whatever a figure is read from."""
    publisher = SimpleNamespace(
        is_leading=True, problem="", term=7, queue_length=0, dropped=0, records=1, bytes=9, pack_s=[0.001]
    )
    follower = SimpleNamespace(
        at=RecordId(7, 1), gaps=Counter(missing=1), images=1, records=1, bytes=9, problem=None
    )
    source = SimpleNamespace(
        feed=SimpleNamespace(silence=None), silent_s=0.1, mismatch="", cuts=0, apply_s=[0.001]
    )
    return FeedEnd(publisher), EdgeEnd(source, follower)


@pytest.fixture
def known(sandbox, monkeypatch):
    """Every name a sample can have, by the types that the text announces."""
    metrics = Metrics(sandbox.server.services)
    metrics.rest.observe("/health", 304, 0.001)
    text = metrics.render()[0].decode()
    live = property(lambda _ticker: lambda: LineFigures(3, 9000, 0, 1, 0, 0))
    monkeypatch.setattr(Ticker, "line_figures", live)
    sandbox.server.services.mock_figures = lambda: dict.fromkeys(MOCK, 0)
    text += metrics.render()[0].decode()
    for end in relay_ends():
        sandbox.server.services.health.relay = end
        text += metrics.render()[0].decode()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def test_alerts_ask_only_for_what_there_is(alerts, known):
    asked = {name for expression in alerts.values() for name in NAME.findall(expression)}
    assert len(asked) > 10
    assert asked <= known


def test_dashboard_asks_only_for_what_there_is(dashboard, known):
    asked = {name for expression in expressions(dashboard) for name in NAME.findall(expression)}
    assert asked <= known


def test_dashboard_shows_every_figure_of_ours(dashboard, known):
    text = json.dumps(dashboard)
    shown_elsewhere = {
        "market_server_info",  # names no figure
        "market_clients_peak",  # the graph of clients shows it
        "market_rest_request_duration_seconds_sum",
    }
    ours = {name for name in known if name.startswith("market_") and not name.endswith("_created")}
    assert {name for name in ours - shown_elsewhere if name not in text} == set()


def test_states_and_quantiles_that_are_asked_for_exist(alerts, dashboard, sandbox):
    text = "\n".join([*alerts.values(), *expressions(dashboard)])
    for states in re.findall(r'state=~?"([^"]+)"', text):
        assert set(states.split("|")) <= set(FeedStateName)
    sandbox.server.services.loop_lag.late_ms.append(1.0)
    rendered = Metrics(sandbox.server.services).render()[0].decode()
    for name, quantile in re.findall(r'(market_\w+){[^}]*quantile="([^"]+)"', text):
        assert f'{name}{{quantile="{quantile}"}}' in rendered


def test_every_kind_of_trouble_has_an_alert(alerts):
    wanted = {
        "MarketFeedStalled",
        "MarketEventLoopLag",
        "MarketSlowClients",
        "MarketHistoryDrops",
        "MarketServerRestarts",
    }
    assert wanted <= set(alerts)


def test_panels_lie_side_by_side_and_have_ids_of_their_own(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    cells = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        taken = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in taken) < 24
        cells |= taken


def test_alerts_are_yaml_with_a_severity_and_a_sentence_each():
    yaml = pytest.importorskip("yaml")
    (group,) = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alerts_pass_promtool():
    done = subprocess.run(
        ["promtool", "check", "rules", DEPLOY / "alerts.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
