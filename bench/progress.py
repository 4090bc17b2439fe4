"""Progress of a long benchmark, a line a step, on stderr: stdout is for the results."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Plan:
    """How thoroughly to measure, and a word to whoever waits."""

    quick: bool = False
    rounds: int = 3
    began: float = field(default_factory=time.monotonic)

    def size(self, full: int, quick: int) -> int:
        """A number of clients or seconds."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell which step is done."""
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)
