"""A bar for whoever waits at a terminal; nothing where nobody looks."""

from __future__ import annotations

import threading
from typing import TextIO

_WIDTH = 28


class ProgressBar:
    """Shows what is done of what there is to do, in one line that is wiped at the end.

    Called with both numbers, from any thread; it draws only what differs, and only on a terminal.
    """

    def __init__(self, stream: TextIO, label: str, unit: str = "") -> None:
        self._stream = stream
        self._label = label
        self._unit = f" {unit}" if unit else ""
        self._is_shown = stream.isatty()
        self._line = ""
        self._lock = threading.Lock()

    def __call__(self, done: int, total: int) -> None:
        """Draw the state; the bar is gone once everything is done."""
        if not self._is_shown:
            return
        filled = _WIDTH * done // max(total, 1)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        line = f"{self._label} {bar} {done:,} of {total:,}{self._unit}"
        self._draw("" if done >= total else line)

    def clear(self) -> None:
        """Wipe the line, to write something else."""
        if self._is_shown:
            self._draw("")

    def _draw(self, line: str) -> None:
        with self._lock:
            if line == self._line:
                return
            self._stream.write("\r" + line + " " * max(0, len(self._line) - len(line)))
            if not line:
                self._stream.write("\r")
            self._stream.flush()
            self._line = line
