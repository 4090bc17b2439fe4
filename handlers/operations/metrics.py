"""``/metrics``: what the parts know about themselves, read when Prometheus asks.

Nothing here counts what a part counts already: a collector reads the parts at scrape time. Only REST
latency, which nobody else keeps, is observed as it happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from tornado.web import RequestHandler

from domain.market import FaultKind, FeedStateName, ProblemKind
from domain.streams import STREAM_KINDS, StreamName
from feed.market.source import LineFigures
from handlers.access.rules import AccessRules
from handlers.monitoring.health import STATUSES
from handlers.monitoring.logs import AccessLog
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services

QUANTILES = (0.5, 0.9, 0.99, 1.0)  # the last is the worst: one blocked second hides below any other
# a cached answer takes one millisecond, a page of history tens; above 1 s something is wrong
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OTHER_ROUTE = "other"  # paths that are no route share a label: a stranger must not make series


class RestMetrics:
    """REST requests by route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._durations = Histogram(
            "market_rest_request_duration_seconds",
            "Time from the request's last byte to the answer's.",
            ("route", "status"),
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._cache_hits = Counter(
            "market_rest_cache_hits",
            "Requests answered with 304: the client has the state already.",
            ("route",),
            registry=registry,
        )

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._durations.labels(route, str(status)).observe(seconds)
        if status == 304:
            self._cache_hits.labels(route).inc()


class PartsCollector(Collector):
    """The figures of feed, fan-out, clients and history."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic

    def collect(self) -> Iterator[Metric]:
        """Every figure, as it is now."""
        statistics = self._services.socket_statistics()
        yield from self._service()
        yield from self._feed()
        yield from _connections(statistics)
        yield from _fan_out(statistics)
        yield from self._streams()
        yield from self._history()
        if self._services.mock_figures is not None:
            yield from _mock(self._services.mock_figures())
        relay = self._services.health.relay
        if relay is not None:
            yield from relay.metrics()

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: the parts may not run yet when this is registered."""
        return ()

    def _service(self) -> Iterator[Metric]:
        services = self._services
        labels = {"version": services.version, "source": services.market.source}
        yield InfoMetricFamily("market_server", "What runs here.", labels)
        uptime_s = self._monotonic() - services.started_s
        yield _gauge("market_uptime_seconds", "Time since the server started.", uptime_s)
        report = services.health.report()
        yield _gauge("market_ready", "1 while clients should be sent here.", float(report.status != "down"))
        health = GaugeMetricFamily(
            "market_health", "1 for the verdict on each part.", labels=("part", "status")
        )
        for name, part in report.parts.items():
            for status in STATUSES:
                health.add_metric((name, status), float(part.status == status))
        yield health

    def _feed(self) -> Iterator[Metric]:
        ticker = self._services.ticker
        states = [((name,), float(ticker.state.name == name)) for name in FeedStateName]
        yield _labelled_gauge("market_feed_state", "1 for the state the feed is in.", "state", states)
        problem = ticker.state.problem
        kinds = [((kind,), float(problem is not None and problem.kind == kind)) for kind in ProblemKind]
        yield _labelled_gauge(
            "market_feed_problem", "1 for what keeps a live feed's data from coming.", "kind", kinds
        )
        on_purpose = {fault.kind for fault in self._services.faults.in_force()}
        faults = [((kind,), float(kind in on_purpose)) for kind in FaultKind]
        yield _labelled_gauge("market_fault", "1 for a fault that is in force on purpose.", "kind", faults)
        if ticker.line_figures is not None:
            yield from _lines(ticker.line_figures())
        age_ms = ticker.last_tick_age_ms()
        age = GaugeMetricFamily(
            "market_feed_last_tick_age_seconds",
            "Market time since the newest input; absent before the first.",
        )
        if age_ms is not None:
            age.add_metric([], age_ms / 1000)
        yield age
        yield _gauge(
            "market_feed_updates_per_second", "Inputs a second, over the last minute.", ticker.rate()
        )
        yield _counter("market_feed_steps", "Steps the market took.", ticker.steps)
        yield _counter("market_feed_failures", "Steps in which the source failed.", ticker.failures)
        yield _counter("market_feed_restarts", "Restarts of a silent source.", ticker.restarts)
        samples = np.fromiter(ticker.step_ms, np.float64)
        yield _summary(
            "market_feed_step_duration_seconds",
            "Time of a step: input, valuation, recording; without the fan-out.",
            {share: float(np.quantile(samples, share)) if len(samples) else None for share in QUANTILES},
        )
        lag = self._services.loop_lag
        yield _summary(
            "market_event_loop_lag_seconds",
            "How late the event loop ran what was due, over the last minute.",
            {share: lag.percentile(100 * share) for share in QUANTILES},
        )
        tasks = GaugeMetricFamily("market_event_loop_tasks", "Tasks that are alive; absent before the start.")
        if (count := lag.tasks()) is not None:
            tasks.add_metric([], count)
        yield tasks

    def _streams(self) -> Iterator[Metric]:
        pulse = self._services.health.pulse
        age = GaugeMetricFamily(
            "market_stream_publish_age_seconds",
            "Time since a stream of that kind last went out; absent for a kind that never did.",
            labels=("kind",),
        )
        for kind, age_s in pulse.ages_s().items():
            if age_s is not None:
                age.add_metric((kind,), age_s)
        yield age
        pacing = self._services.health.pacing
        yield _gauge(
            "market_stream_pacing_level",
            "How far the rate of the least watched chains is reduced; 0: every chain at every cycle.",
            pacing.level,
        )
        yield _gauge(
            "market_streams_reduced",
            "Chains that are told more rarely than at every cycle.",
            pacing.reduced if pacing.level else 0,
        )
        yield _labelled_counter(
            "market_stream_failures", "Tries to tell a stream that failed.", "kind", dict(pulse.failures)
        )
        yield _labelled_counter(
            "market_part_failures",
            "Failures that were kept from stopping anything else; docs/failures.md lists the parts.",
            "part",
            self._services.guard.failures,
        )
        yield _labelled_counter(
            "market_internal_errors",
            "Requests and events that were answered INTERNAL_ERROR, by kind of exception.",
            "kind",
            self._services.failures.counts,
        )

    def _history(self) -> Iterator[Metric]:
        health = self._services.history.health()
        yield _gauge(
            "market_history_healthy", "1 while candles reach the store.", float(health.state == "ok")
        )
        yield _gauge("market_history_queue_length", "Batches that wait to be written.", health.queue_length)
        yield _gauge("market_history_lag_seconds", "How long the oldest batch has waited.", health.lag_s)
        yield _counter("market_history_dropped_batches", "Batches that were never written.", health.dropped)


MOCK = {
    "sockets": "Sockets of the Kite mock.",
    "instruments": "Instruments that they follow.",
    "messages_total": "Messages that they were sent, heartbeats too.",
    "packets_total": "Packets in these.",
    "bad_messages_total": "Messages of theirs that could not be read.",
}


def _mock(figures: Mapping[str, int]) -> Iterator[Metric]:
    """What the Kite mock serves."""
    for name, text in MOCK.items():
        make = _counter if name.endswith("_total") else _gauge
        yield make(f"market_kite_mock_{name.removesuffix('_total')}", text, figures[name])


def _lines(figures: LineFigures) -> Iterator[Metric]:
    """What a live source follows over its broker's lines."""
    yield _gauge("market_live_lines", "Sockets of the broker that are open.", figures.lines)
    followed = [(("line",), float(figures.on_lines)), (("polled",), float(figures.polled))]
    yield _labelled_gauge(
        "market_live_instruments", "Instruments followed on a socket, or asked for in turn.", "way", followed
    )
    yield _counter("market_live_reconnects", "Sockets of the broker that ended.", figures.reconnects)
    yield _counter(
        "market_live_bad_messages", "Messages of the broker that could not be read.", figures.bad_messages
    )
    yield _counter(
        "market_live_filled_minutes",
        "Minutes of underlyings that were missed and taken from the broker afterwards.",
        figures.filled_minutes,
    )


def _connections(statistics: Mapping[str, Any]) -> Iterator[Metric]:
    connections = statistics["connections"]
    transports = [((name,), count) for name, count in statistics["transports"].items()]
    yield _labelled_gauge("market_clients", "Clients that are connected.", "transport", transports)
    yield _gauge("market_clients_peak", "The most clients connected at once.", connections["peak"])
    yield _gauge(
        "market_slow_clients", "Clients that have not read what was sent.", statistics["slow_clients"]
    )
    yield _counter("market_connections", "Clients that were let in.", connections["total"])
    refused = connections["refused_by_code"]
    yield _labelled_counter("market_connections_refused", "Clients turned away.", "code", refused)
    closed = statistics["closed_by_reason"]
    yield _labelled_counter("market_connections_closed", "Clients that went.", "reason", closed)
    followers = dict.fromkeys(STREAM_KINDS, 0)
    for room in statistics["rooms"]:
        followers[StreamName.parse(room["stream"]).kind] += room["subscribers"]
    kinds = [((kind,), count) for kind, count in followers.items()]
    yield _labelled_gauge("market_subscriptions", "Streams followed, each client counted.", "kind", kinds)
    yield _gauge("market_rooms", "Groups of subscribers sent the same bytes.", len(statistics["rooms"]))


def _fan_out(statistics: Mapping[str, Any]) -> Iterator[Metric]:
    yield _counter("market_messages_sent", "Stream messages written to clients.", statistics["messages_out"])
    yield _counter("market_sent_bytes", "Their payload before compression.", statistics["bytes_out"])
    yield _counter(
        "market_updates_conflated", "Updates merged into a later message.", statistics["conflated"]
    )
    yield _counter(
        "market_resyncs", "Snapshots sent because too much had been missed.", statistics["resyncs"]
    )
    times = statistics["fan_out_ms"]
    yield _summary(
        "market_fan_out_duration_seconds",
        "Time in which a publish cycle reached every client.",
        {0.5: times["p50"], 0.99: times["p99"]},
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)


def _labelled_gauge(
    name: str, text: str, label: str, values: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _labelled_counter(name: str, text: str, label: str, counts: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family


def _summary(name: str, text: str, quantiles_ms: Mapping[float, float | None]) -> Metric:
    """Quantiles that the part keeps over its latest samples, in seconds; those it knows."""
    family = SummaryMetricFamily(name, text)
    for share, value_ms in quantiles_ms.items():
        if value_ms is not None:
            family.add_sample(name, {"quantile": str(share)}, value_ms / 1000)
    return family


class Metrics:
    """The registry of one server."""

    def __init__(self, services: Services) -> None:
        self._registry = CollectorRegistry()
        self.rest = RestMetrics(self._registry)
        self._registry.register(PartsCollector(services))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The text and its content type: Prometheus' format, or OpenMetrics for who asks for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class MetricsHandler(ApiHandler):
    """``/metrics``."""

    def initialize(self, services: Services, access: AccessRules, metrics: Metrics) -> None:  # type: ignore[override]
        """Take the parts, and the registry."""
        super().initialize(services, access)
        self._metrics = metrics

    def get(self) -> None:
        """Answer with the text."""
        self.no_arguments()
        text, content_type = self._metrics.render(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", content_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(text)


class RequestObserver:
    """Tornado's ``log_function``: what is done with every request once it is answered.

    ``routes`` names the documented route of each handler class; a class without one (Socket.IO's transport,
    whose requests last as long as a poll) is logged, but is no REST latency.
    """

    def __init__(
        self,
        routes: Mapping[type[RequestHandler], str | None],
        rest: RestMetrics,
        access_log: AccessLog | None = None,
    ) -> None:
        self._routes = routes
        self._rest = rest
        self._access_log = access_log

    def __call__(self, handler: RequestHandler) -> None:
        """Take note of an answered request."""
        route = self._routes.get(type(handler), OTHER_ROUTE)
        if route is not None:
            self._rest.observe(route, handler.get_status(), handler.request.request_time())
        if self._access_log is not None:
            self._access_log.write(handler, route)
