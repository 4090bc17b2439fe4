"""Choices that stand in many places, each defined once by name in a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.alerts import AlertField, AlertOp
from domain.instruments import Exchange, ExpiryKind, Kind, OptionType
from domain.intervals import INTERVAL_ALIASES, INTERVALS
from domain.market import (
    FaultKind,
    FeedStateName,
    HealthStatus,
    MarketHours,
    PhaseName,
    ProblemKind,
    ScenarioName,
    SourceName,
)
from domain.orders import OrderSide, PriceSource
from schemas.chains import BUILD_UPS
from schemas.dashboard import SENTIMENTS

JsonSchema = dict[str, Any]

# name in the documents -> what it is, and its values
ENUMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Interval": ("Length of a candle.", tuple(INTERVALS)),
    "IntervalOrAlias": (
        "Length of a candle, by its short or its Kite name.",
        (*INTERVALS, *INTERVAL_ALIASES),
    ),
    "OptionType": ("CE for a call, PE for a put.", tuple(OptionType)),
    "FeedState": ("What the feed does.", tuple(FeedStateName)),
    "Phase": ("What an exchange does.", tuple(PhaseName)),
    "Scenario": ("What a simulated market goes through.", tuple(ScenarioName)),
    "Source": ("Where prices come from.", tuple(SourceName)),
    "ProblemKind": ("What is the matter with a broker's feed.", tuple(ProblemKind)),
    "FaultKind": ("What can be brought about on purpose.", tuple(FaultKind)),
    "HealthStatus": ("A verdict.", tuple(HealthStatus)),
    "MarketHours": ("When a market moves.", tuple(MarketHours)),
    "Exchange": ("An exchange, or its segment of derivatives.", tuple(Exchange)),
    "UnderlyingKind": ("What an underlying is.", tuple(Kind)),
    "ExpiryKind": ("Which series a contract belongs to.", tuple(ExpiryKind)),
    "OrderSide": ("Bought or sold.", tuple(OrderSide)),
    "PriceSource": ("Where the price of a leg is from.", tuple(PriceSource)),
    "AlertField": ("A figure that an alert watches.", tuple(AlertField)),
    "AlertOp": ("How a figure must stand to its threshold.", tuple(AlertOp)),
    "BuildUp": ("Price and open interest together.", BUILD_UPS),
    "SentimentWord": ("A word for three figures.", SENTIMENTS),
}
_NAMES = {frozenset(values): name for name, (_, values) in ENUMS.items()}


def with_named_enums(document: JsonSchema) -> JsonSchema:
    """A document whose choices refer to the one definition that each has; those that are used are added."""
    used: set[str] = set()
    result: JsonSchema = _named(document, used)
    for name in sorted(used):
        description, values = ENUMS[name]
        result["components"]["schemas"][name] = {
            "type": "string",
            "description": description,
            "enum": list(values),
            "examples": [values[0]],
        }
    return result


def _named(value: Any, used: set[str]) -> Any:
    if isinstance(value, list):
        return [_named(item, used) for item in value]
    if not isinstance(value, dict):
        return value
    choices = value["enum"] if isinstance(value.get("enum"), list) else []
    name = _NAMES.get(frozenset(choices) - {None})
    if name is None:
        return {key: _named(inner, used) for key, inner in value.items()}
    used.add(name)
    others = {key: inner for key, inner in value.items() if key not in ("enum", "type")}
    reference = {"$ref": f"#/components/schemas/{name}"}
    if None in choices:
        return {**others, "anyOf": [reference, {"type": "null"}]}
    return {**others, **reference}
