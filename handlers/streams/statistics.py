"""Figures of the streams: who is connected, what is followed, what was sent and how fast."""

from __future__ import annotations

from typing import Any

from handlers.access.admission import Admission
from handlers.monitoring.loop_lag import LoopLag
from handlers.streams.broadcaster import Broadcaster
from handlers.transport.engine import EngineServer
from schemas.wire import number


class StreamStatistics:
    """``/api/websocket/stats``: called, it says how things are now."""

    def __init__(
        self, broadcaster: Broadcaster, admission: Admission, engine: EngineServer, lag: LoopLag
    ) -> None:
        self._broadcaster = broadcaster
        self._admission = admission
        self._engine = engine
        self._lag = lag

    def __call__(self) -> dict[str, Any]:
        """Figures since the start, and of this moment."""
        broadcaster, admission, lag = self._broadcaster, self._admission, self._lag
        clients = broadcaster.clients.values()
        websockets = sum(client.socket.link is not None for client in clients)
        out = broadcaster.statistics
        return {
            "connections": {
                "now": len(clients),
                "peak": admission.peak,
                "total": admission.total,
                "refused": sum(admission.refused.values()),
                "refused_by_code": dict(admission.refused),
            },
            "transports": {"websocket": websockets, "polling": len(clients) - websockets},
            "rooms": [
                {**room.describe(), "subscribers": len(room.subscriptions)}
                for room in broadcaster.rooms.values()
            ],
            "messages_out": out.messages,
            "bytes_out": out.bytes,
            "conflated": out.conflated,
            "resyncs": out.resyncs,
            "slow_clients": sum(client.lagging_since is not None for client in clients),
            "slow_disconnects": out.slow_disconnects,
            "closed_by_reason": dict(self._engine.closed_by_reason),
            "fan_out_ms": {"p50": number(out.percentile(50), 3), "p99": number(out.percentile(99), 3)},
            "loop_lag_ms": {
                "p50": number(lag.percentile(50), 3),
                "p99": number(lag.percentile(99), 3),
                "max": number(lag.percentile(100), 3),
            },
            "unread_bytes": self._engine.holdings.total,
        }
