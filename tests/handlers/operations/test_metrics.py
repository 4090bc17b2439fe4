"""What Prometheus is told, against what the parts know."""

import re
from types import SimpleNamespace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler

from feed.market.watchdog import FeedState
from handlers.access.rules import AccessRules
from handlers.operations.metrics import LATENCY_BUCKETS_S, Metrics, MetricsHandler, RequestObserver
from schemas.configuration.api_keys import parse_key


@pytest.fixture
def services(sandbox):
    return sandbox.server.services


@pytest.fixture
def metrics(services):
    return Metrics(services)


def samples_of(metrics):
    """Every sample by name and labels."""
    text, _ = metrics.render()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }


def test_feed_figures_are_those_of_the_ticker(metrics, sandbox):
    ticker = sandbox.server.ticker
    samples = samples_of(metrics)
    assert samples["market_feed_steps_total",] == ticker.steps > 0
    assert samples["market_feed_failures_total",] == ticker.failures == 0
    assert samples["market_feed_last_tick_age_seconds",] == ticker.last_tick_age_ms() / 1000
    assert samples["market_feed_updates_per_second",] == ticker.rate()
    worst_s = max(ticker.step_ms) / 1000
    assert samples["market_feed_step_duration_seconds", ("quantile", "1.0")] == pytest.approx(worst_s)
    assert samples["market_server_info", ("source", "simulated"), ("version", "0.1.0")] == 1


def test_exactly_one_feed_state_is_set(metrics, sandbox):
    for name in ("live", "stalled"):
        sandbox.server.ticker.watchdog.state = FeedState(name, "as the test says")
        states = {
            key[1][1]: value for key, value in samples_of(metrics).items() if key[0] == "market_feed_state"
        }
        assert [state for state, value in states.items() if value] == [name]


def test_lag_quantiles_are_seconds_and_the_last_is_the_worst(metrics, services):
    services.loop_lag.late_ms.extend([1.0] * 1199 + [2000.0])
    samples = samples_of(metrics)
    assert samples["market_event_loop_lag_seconds", ("quantile", "0.5")] == 0.001
    assert samples["market_event_loop_lag_seconds", ("quantile", "1.0")] == 2.0


def test_what_is_not_known_yet_is_absent_and_not_zero(metrics, sandbox):
    sandbox.server.ticker.step_ms.clear()
    names = {key[0] for key in samples_of(metrics)}
    assert "market_feed_steps_total" in names
    assert not {"market_event_loop_lag_seconds", "market_feed_step_duration_seconds"} & names


def test_history_figures_are_those_of_its_health(metrics, services):
    health = services.history.health()
    samples = samples_of(metrics)
    assert samples["market_history_healthy",] == (health.state == "ok")
    assert samples["market_history_queue_length",] == health.queue_length
    assert samples["market_history_dropped_batches_total",] == health.dropped


def test_client_figures_are_those_of_the_namespace(metrics, services):
    statistics = {
        **services.socket_statistics(),
        "connections": {
            "now": 5,
            "peak": 9,
            "total": 21,
            "refused": 3,
            "refused_by_code": {"UNAUTHORIZED": 1, "RATE_LIMITED": 2},
        },
        "closed_by_reason": {"transport close": 15, "ping timeout": 1},
        "transports": {"websocket": 4, "polling": 1},
        "rooms": [
            {"stream": "symbol:NIFTY", "subscribers": 3},
            {"stream": "symbol:M&M", "subscribers": 1},
            {"stream": "chain:NIFTY:2026-11-24", "subscribers": 2},
        ],
        "messages_out": 1000,
        "bytes_out": 250_000,
        "conflated": 17,
        "resyncs": 2,
        "slow_clients": 1,
        "fan_out_ms": {"p50": 1.5, "p99": None},
    }
    services.socket_statistics = lambda: statistics
    samples = samples_of(metrics)
    assert samples["market_clients", ("transport", "websocket")] == 4
    assert samples["market_clients", ("transport", "polling")] == 1
    assert samples["market_clients_peak",] == 9
    assert samples["market_connections_total",] == 21
    assert samples["market_connections_refused_total", ("code", "RATE_LIMITED")] == 2
    assert samples["market_connections_closed_total", ("reason", "ping timeout")] == 1
    assert samples["market_subscriptions", ("kind", "symbol")] == 4
    assert samples["market_subscriptions", ("kind", "chain")] == 2
    assert samples["market_subscriptions", ("kind", "dashboard")] == 0
    assert samples["market_rooms",] == 3
    assert samples["market_messages_sent_total",] == 1000
    assert samples["market_sent_bytes_total",] == 250_000
    assert samples["market_updates_conflated_total",] == 17
    assert samples["market_resyncs_total",] == 2
    assert samples["market_slow_clients",] == 1
    assert samples["market_fan_out_duration_seconds", ("quantile", "0.5")] == 0.0015
    assert ("market_fan_out_duration_seconds", ("quantile", "0.99")) not in samples


def test_process_figures_come_along(metrics):
    samples = samples_of(metrics)
    assert samples["process_resident_memory_bytes",] > 0
    assert samples["process_open_fds",] > 0
    assert samples["python_gc_collections_total", ("generation", "0")] > 0


def test_two_servers_in_one_process_have_registries_of_their_own(services):
    one, other = Metrics(services), Metrics(services)
    one.rest.observe("/health", 200, 0.002)
    assert (
        "market_rest_request_duration_seconds_count",
        ("route", "/health"),
        ("status", "200"),
    ) in samples_of(one)
    assert "market_rest_request_duration_seconds_count" not in {key[0] for key in samples_of(other)}


@pytest.mark.parametrize("seconds", [0.0005, 0.003, 0.7, 100.0])
def test_latency_is_counted_in_every_bucket_it_fits(metrics, seconds):
    metrics.rest.observe("/api/symbols", 200, seconds)
    samples = samples_of(metrics)
    route, status = ("route", "/api/symbols"), ("status", "200")
    name = "market_rest_request_duration_seconds"
    for edge in LATENCY_BUCKETS_S:
        assert samples[f"{name}_bucket", ("le", str(edge)), route, status] == (seconds <= edge)
    assert samples[f"{name}_sum", route, status] == seconds


def test_only_an_answer_of_304_is_a_cache_hit(metrics):
    for status in (200, 304, 404, 304):
        metrics.rest.observe("/api/option_chain", status, 0.001)
    assert samples_of(metrics)["market_rest_cache_hits_total", ("route", "/api/option_chain")] == 2


def test_names_follow_the_convention(metrics):
    metrics.rest.observe("/health", 304, 0.001)
    for family in parse(metrics.render()[0].decode()):
        if not family.name.startswith("market_"):
            continue
        assert re.fullmatch(r"market_[a-z0-9]+(_[a-z0-9]+)*", family.name)
        assert family.documentation.endswith(".")
        assert not re.search(r"_(ms|millis|kb|minutes)$", family.name), "base units only"
        assert family.type == "counter" or all(not s.name.endswith("_total") for s in family.samples)


class Ok(RequestHandler):
    def get(self):
        self.finish("ok")


class Broken(RequestHandler):
    def get(self):
        raise HTTPError(503)


class Unknown(Ok):
    pass


class Socket(Ok):
    pass


@pytest.fixture
def served(io_loop, metrics, services):
    """The handler on a port, with requests observed."""
    access = AccessRules(
        origins=[], api_keys=[parse_key("a-key-of-8")], trusted_proxies=[], rate_limit_per_minute=0
    )
    observer = RequestObserver({Ok: "/ok", Broken: "/broken", Socket: None}, metrics.rest)
    routes = [("/ok", Ok), ("/broken", Broken), ("/unknown", Unknown), ("/socket", Socket)]
    parts = {"services": services, "access": access, "metrics": metrics}
    application = Application(
        [*routes, ("/metrics", MetricsHandler, parts)], log_function=observer, compress_response=True
    )
    socket, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_sockets([socket])
    yield SimpleNamespace(url=f"http://127.0.0.1:{port}")
    server.stop()
    io_loop.run_sync(server.close_all_connections)


KEY = {"X-API-Key": "a-key-of-8"}


@pytest.mark.gen_test
async def test_handler_answers_in_prometheus_format(served, fetch):
    answer = await fetch(served, "/metrics", headers=KEY)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "market_clients" in {family.name for family in parse(answer.raw.decode())}


@pytest.mark.gen_test
async def test_handler_answers_in_openmetrics_to_who_asks(served, fetch):
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    answer = await fetch(served, "/metrics", headers={**KEY, **accept})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family.type for family in parse_openmetrics(answer.raw.decode())}
    assert families["market_messages_sent"] == "counter"
    assert families["market_fan_out_duration_seconds"] == "summary"


@pytest.mark.gen_test
async def test_metrics_are_behind_the_key_like_everything_else(served, fetch):
    answer = await fetch(served, "/metrics")
    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.gen_test
async def test_requests_are_observed_by_route_and_status(served, fetch, metrics):
    for path in ("/ok", "/ok?x=1", "/broken", "/unknown", "/no/route", "/socket"):
        await fetch(served, path)
    name = "market_rest_request_duration_seconds_count"
    counted = {
        (dict(key[1:])["route"], dict(key[1:])["status"]): value
        for key, value in samples_of(metrics).items()
        if key[0] == name
    }
    assert counted == {("/ok", "200"): 2, ("/broken", "503"): 1, ("other", "200"): 1, ("other", "404"): 1}
