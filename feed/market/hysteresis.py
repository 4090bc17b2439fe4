"""A verdict that does not flap: worse soon, better only once it has held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """How something does: ``rank`` 0 is well and more is worse; ``reason`` is a sentence that says why."""

    rank: int
    reason: str


class Hysteresis:
    """Verdicts with hysteresis; the time is an argument, in seconds of whatever clock suits.

    A sample that is worse counts once all have been worse for ``worse_after_s``; one that is better once all
    have been better for ``better_after_s``, and then as the one of them nearest to what counted before. What
    was never well gets well at once: a start is no recovery. A clock that goes back begins to count afresh.
    """

    def __init__(self, *, better_after_s: float, worse_after_s: float = 0.0) -> None:
        self._better_after_s = better_after_s
        self._worse_after_s = worse_after_s
        self._rank: int | None = None
        self._was_well = False
        self._since_s: float | None = None  # since when all samples were worse, or all better
        self._was_worse = False
        self._nearest = 0

    def take(self, verdict: Verdict) -> Verdict:
        """Have a verdict count at once: what is judged is no longer the same."""
        self._rank, self._since_s = verdict.rank, None
        self._was_well |= verdict.rank == 0
        return verdict

    def observe(self, now_s: float, sample: Verdict) -> Verdict:
        """The verdict that counts; where that is not the sample's, its reason says until when."""
        starts_well = not self._was_well and sample.rank == 0
        if self._rank is None or starts_well or sample.rank == self._rank:
            return self.take(sample)
        is_worse = sample.rank > self._rank
        if self._since_s is None or is_worse != self._was_worse or now_s < self._since_s:
            self._since_s, self._was_worse, self._nearest = now_s, is_worse, sample.rank
        self._nearest = min(self._nearest, sample.rank) if is_worse else max(self._nearest, sample.rank)
        needed_s = self._worse_after_s if is_worse else self._better_after_s
        if now_s - self._since_s >= needed_s:
            self._rank = self._nearest
            if self._rank == sample.rank:
                return self.take(sample)
            self._since_s, self._nearest = now_s, sample.rank
        left_s = needed_s - (now_s - self._since_s)
        word = "worse" if is_worse else "better"
        return Verdict(self._rank, f"{sample.reason} It counts as {word} if it stays so for {left_s:.0f} s.")
