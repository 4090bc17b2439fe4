"""What keeps the event loop's turns short when thousands of sockets want something at once."""

from __future__ import annotations

import asyncio
import select
import selectors
from collections.abc import Callable
from typing import Any

from feed.market.guard import Guard

EVENTS_A_TURN = 256  # sockets looked at before timers, publishing and answers get their turn: about 15 ms
PERIOD_S = 0.1  # resolution of a wheel: pings and time-outs are whole seconds


class SlicedSelector(selectors.EpollSelector):
    """epoll that reports few ready sockets at a time.

    The stock selector reports all of them, so that 5,000 clients that vanish in one moment are 5,000
    callbacks in one turn of the loop. The kernel reports the rest in the next turn, oldest first.
    """

    _selector: Any  # the select.epoll object of the base class

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for sockets to become ready; at most ``EVENTS_A_TURN`` of them are told."""
        wait_s = -1.0 if timeout is None else max(0.0, timeout)
        try:
            events = self._selector.poll(wait_s, EVENTS_A_TURN)
        except InterruptedError:
            return []
        keys = self.get_map()
        return [
            (keys[descriptor], _mask(event) & keys[descriptor].events)
            for descriptor, event in events
            if descriptor in keys
        ]


def _mask(event: int) -> int:
    """Epoll's bits as the selectors module tells them: an error or a hang-up is both."""
    read = selectors.EVENT_READ if event & ~select.EPOLLOUT else 0
    write = selectors.EVENT_WRITE if event & ~select.EPOLLIN else 0
    return read | write


def make_loop() -> asyncio.AbstractEventLoop:
    """An asyncio loop with short turns."""
    return asyncio.SelectorEventLoop(SlicedSelector())


class Alarm:
    """Something that a wheel is to do, until it is cancelled."""

    __slots__ = ("action", "slot")

    def __init__(self, slot: int, action: Callable[[], None]) -> None:
        self.slot = slot
        self.action = action


class TimerWheel:
    """Many coarse timers for the price of one.

    Each client has a timer that is nearly always cancelled before it goes off. In asyncio's heap a
    cancelled timer stays until its time comes; here it is gone at once.
    """

    def __init__(self, period_s: float = PERIOD_S, guard: Guard | None = None) -> None:
        self._guard = guard or Guard()
        self._period_s = period_s
        self.slots: dict[int, dict[Alarm, None]] = {}
        self._turned = 0
        self._handle: asyncio.TimerHandle | None = None

    def later(self, delay_s: float, action: Callable[[], None]) -> Alarm:
        """Call ``action`` after the delay, at most two periods late."""
        loop = asyncio.get_running_loop()
        now = self._now(loop)
        if self._handle is None:
            self._turned = now
            self._handle = loop.call_later(self._period_s, self._turn)
        alarm = Alarm(max(now, self._turned) + max(1, round(delay_s / self._period_s)), action)
        self.slots.setdefault(alarm.slot, {})[alarm] = None
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Do not call it; harmless after it went off."""
        slot = self.slots.get(alarm.slot)
        if slot is not None:
            slot.pop(alarm, None)

    def _now(self, loop: asyncio.AbstractEventLoop) -> int:
        return int(loop.time() / self._period_s)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = self._now(loop)
        while self._turned < now and self.slots:
            self._turned += 1
            for alarm in list(self.slots.pop(self._turned, ())):
                with self._guard.part("timers"):
                    alarm.action()
        # an empty wheel stands still, so that it keeps no loop alive
        self._handle = loop.call_later(self._period_s, self._turn) if self.slots else None
