"""How the relay does, at either end: a verdict for health, figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from domain.market import FeedStateName, Role
from feed.market.hysteresis import Verdict
from feed.relay.follower import Follower
from feed.relay.publisher import Publisher
from feed.relay.source import RelaySource


class RelayEnd(Protocol):
    """One end of a relay."""

    role: Role

    def judge(self) -> tuple[Verdict, dict[str, Any]]:
        """A verdict, and the figures it rests on."""
        ...

    def metrics(self) -> Iterator[Metric]:
        """Figures for Prometheus."""
        ...


class FeedEnd:
    """What a feed publishes."""

    role = Role.FEED

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def judge(self) -> tuple[Verdict, dict[str, Any]]:
        """Whether records reach the bus."""
        publisher = self._publisher
        figures = {
            "role": self.role,
            "leads": publisher.is_leading,
            "term": publisher.term,
            "queue_length": publisher.queue_length,
            "dropped": publisher.dropped,
        }
        if publisher.problem:
            return Verdict(1, f"Nothing is published to edges: {publisher.problem}"), figures
        return Verdict(0, "Records reach the bus."), figures

    def metrics(self) -> Iterator[Metric]:
        """Figures of the publisher."""
        publisher = self._publisher
        yield CounterMetricFamily("market_relay_cycles", "Records put on the bus.", publisher.records)
        yield CounterMetricFamily("market_relay_bytes", "Their bytes.", publisher.bytes)
        yield CounterMetricFamily("market_relay_dropped", "Records that edges never saw.", publisher.dropped)
        yield GaugeMetricFamily("market_relay_queue_length", "Waiting for the bus.", publisher.queue_length)
        yield GaugeMetricFamily(
            "market_relay_leader", "1 while this feed leads.", float(publisher.is_leading)
        )
        yield GaugeMetricFamily("market_relay_term", "The term of its leadership.", publisher.term)
        yield from _seconds("market_relay_pack_seconds", "Packing a record", publisher.pack_s)


class EdgeEnd:
    """What an edge follows."""

    role = Role.EDGE

    def __init__(self, source: RelaySource, follower: Follower) -> None:
        self._source = source
        self._follower = follower

    def judge(self) -> tuple[Verdict, dict[str, Any]]:
        """Whether records arrive."""
        source, follower = self._source, self._follower
        silence = source.feed.silence
        figures = {
            "role": self.role,
            "term": follower.at.term if follower.at is not None else None,
            "silent_ms": round(1000 * source.silent_s),
            "gaps": follower.gaps.total(),
            "images": follower.images,
        }
        if silence is not None:
            return Verdict(1, silence.reason), figures
        if follower.problem is not None:
            return Verdict(1, follower.problem.message), figures
        if source.mismatch:
            return Verdict(1, source.mismatch), figures
        return Verdict(0, "Records of the feed arrive."), figures

    def metrics(self) -> Iterator[Metric]:
        """Figures of the follower."""
        source, follower = self._source, self._follower
        silence = source.feed.silence
        is_followed = silence is None or silence.name != FeedStateName.STALLED
        yield CounterMetricFamily("market_relay_records", "Records taken from the bus.", follower.records)
        yield CounterMetricFamily("market_relay_bytes", "Their bytes.", follower.bytes)
        yield CounterMetricFamily("market_relay_images", "Images taken over.", follower.images)
        yield CounterMetricFamily("market_relay_cuts", "Times that all was stale here alone.", source.cuts)
        gaps = CounterMetricFamily("market_relay_gaps", "Records that did not follow.", labels=("cause",))
        for cause, count in follower.gaps.items():
            gaps.add_metric((cause,), count)
        yield gaps
        yield GaugeMetricFamily("market_relay_connected", "1 while records arrive.", float(is_followed))
        yield GaugeMetricFamily("market_relay_lag_seconds", "Since the newest record.", source.silent_s)
        term = follower.at.term if follower.at is not None else 0
        yield GaugeMetricFamily("market_relay_term", "The term that is followed.", term)
        yield from _seconds("market_relay_apply_seconds", "Applying a record", source.apply_s)


def _seconds(name: str, what: str, samples: Any) -> Iterator[Metric]:
    family = GaugeMetricFamily(name, f"{what}: seconds at a quantile of the latest.", labels=("quantile",))
    if samples:
        for share in (0.5, 0.99):
            family.add_metric((str(share),), float(np.quantile(np.fromiter(samples, np.float64), share)))
    yield family
