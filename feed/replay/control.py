"""What may be done to a replay while it runs: pause, go on, go elsewhere, go faster."""

from __future__ import annotations

from dataclasses import dataclass

from domain.instants import to_datetime
from feed.market.clock import VirtualClock
from feed.market.source import Recorded
from feed.market.ticker import Ticker


class OutsideRecording(ValueError):
    """An instant that the recording does not cover; the message is a sentence."""

    def __init__(self, instant_ms: int, start_ms: int, end_ms: int) -> None:
        requested, start, end = (to_datetime(at_ms).isoformat() for at_ms in (instant_ms, start_ms, end_ms))
        super().__init__(f"must lie within the recording, from {start} to {end}, was {requested}")


@dataclass(frozen=True, slots=True)
class ReplayState:
    """Where a replay stands."""

    paused: bool
    speed: float
    at_ms: int
    start_ms: int
    end_ms: int
    loop: bool
    finished: bool
    epoch: str


class ReplayControl:
    """Steers a replay. ``publish_interval_ms`` is kept at any speed; see ``Ticker`` for the rest."""

    def __init__(
        self,
        ticker: Ticker,
        clock: VirtualClock,
        source: Recorded,
        *,
        publish_interval_ms: int,
        stale_after_s: float,
    ) -> None:
        self._ticker = ticker
        self._clock = clock
        self._source = source
        self._publish_interval_ms = publish_interval_ms
        self._stale_after_s = stale_after_s

    def state(self) -> ReplayState:
        """Where it stands."""
        source, clock = self._source, self._clock
        return ReplayState(
            paused=clock.paused,
            speed=clock.speed,
            at_ms=clock.now_ms(),
            start_ms=source.start_ms,
            end_ms=source.end_ms,
            loop=source.loop,
            finished=source.finished,
            epoch=self._ticker.market.epoch,
        )

    def pause(self) -> None:
        """Stand still; streams go on saying that nothing changes."""
        self._clock.pause()

    def resume(self) -> None:
        """Go on."""
        if self._clock.paused:
            self._clock.resume()

    def set_speed(self, speed: float) -> None:
        """Go on so many times as fast as it was recorded."""
        step_ms = max(1, round(self._publish_interval_ms * speed))
        self._clock.set_speed(speed, step_ms)
        longest_ms = max(step_ms, self._source.step_ms)
        self._ticker.market.stale_after_ms = max(self._stale_after_s * 1000, 2 * longest_ms)

    async def seek(self, instant_ms: int) -> None:
        """Go to an instant, in a new epoch. Raises OutsideRecording."""
        start_ms, end_ms = self._source.start_ms, self._source.end_ms
        if not start_ms <= instant_ms <= end_ms:
            raise OutsideRecording(instant_ms, start_ms, end_ms)
        await self._ticker.seek(instant_ms)
