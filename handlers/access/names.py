"""What clients call an underlying, made ours."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from feed.reference.identity import known_as
from schemas.requests import path_symbol


def our_symbol(name: str) -> str:
    """Our symbol for a name; one without blanks that is not known is its own. Raises ValidationError."""
    found = known_as(name)
    if found is None and " " in name:
        raise ValidationError(
            {
                "symbol": [
                    "must be a symbol of letters, digits, &, - or _ (at most 25), or another name that is "
                    f"known, such as NIFTY 50 or NIFTY BANK, was {name!r}"
                ]
            }
        )
    return found or name


def identified(query: dict[str, Any]) -> dict[str, Any]:
    """What a client asks for, with our symbol, or symbols. Raises ValidationError."""
    payload = query.get("symbol")
    if isinstance(payload, str):
        return {**query, "symbol": our_symbol(payload)}
    if isinstance(payload, list):
        return {**query, "symbol": list(dict.fromkeys(map(our_symbol, payload)))}
    return query


def symbol_in_path(text: str) -> str:
    """The symbol that a path names. Raises ValidationError."""
    return our_symbol(path_symbol(text))
