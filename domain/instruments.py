"""What is traded: exchanges, kinds of underlyings and expiries, and the two types of an option."""

from __future__ import annotations

from enum import StrEnum


class Exchange(StrEnum):
    """An exchange or a segment of one."""

    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"
    MCX = "MCX"


class Kind(StrEnum):
    """What an underlying is."""

    INDEX = "index"
    STOCK = "stock"
    COMMODITY = "commodity"


class ExpiryKind(StrEnum):
    """How often contracts of a series expire."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"


class OptionType(StrEnum):
    """A European call or put, by the names that the exchanges use."""

    CALL = "CE"
    PUT = "PE"

    @classmethod
    def of(cls, is_call: bool) -> OptionType:
        """The type of an option that is a call, or is none."""
        return cls.CALL if is_call else cls.PUT

    @property
    def is_call(self) -> bool:
        """Whether it is a call."""
        return self is OptionType.CALL
