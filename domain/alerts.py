"""When a watched figure makes an alert fire: a state of two or three, and no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

HYSTERESIS = 0.001  # of the threshold, where none is named: less is noise


class AlertField(StrEnum):
    """What can be watched. Choices are told in this order."""

    SPOT_PRICE = "spot_price"
    PCR_OI = "pcr_oi"
    ATM_IV = "atm_iv"
    MAX_PAIN = "max_pain"
    MAX_PAIN_MOVE = "max_pain_move"
    CE_OI_CHANGE = "ce_oi_change"
    PE_OI_CHANGE = "pe_oi_change"


OF_A_STRIKE = (AlertField.CE_OI_CHANGE, AlertField.PE_OI_CHANGE)


class AlertOp(StrEnum):
    """How a figure must stand to its threshold."""

    ABOVE = "above"
    BELOW = "below"
    CROSSES = "crosses"


@dataclass(slots=True)
class Condition:
    """A threshold, and where the figure stands to it.

    ``above`` and ``below`` fire as soon as the figure is there, at once if it is so already; ``crosses`` when
    it has changed sides. Having fired it fires again only after the figure was back by ``hysteresis``.
    """

    op: AlertOp
    value: float
    hysteresis: float
    side: int = 0  # of a crossing: -1 below, 1 above, 0 too near to say; else 1 while it may fire

    def __post_init__(self) -> None:
        if self.op != AlertOp.CROSSES:
            self.side = 1

    def observe(self, value: float) -> bool:
        """Take in the figure, and say whether it makes the alert fire; one that is not known never does."""
        if math.isnan(value):
            return False
        if self.op == AlertOp.CROSSES:
            return self._crosses(value - self.value)
        over = value - self.value if self.op == AlertOp.ABOVE else self.value - value
        if self.side and over > 0:
            self.side = 0
            return True
        if over <= -self.hysteresis:
            self.side = 1
        return False

    def _crosses(self, over: float) -> bool:
        if self.side and over * self.side < 0:
            self.side = 0
            return True
        if abs(over) > self.hysteresis:
            self.side = 1 if over > 0 else -1
        return False
