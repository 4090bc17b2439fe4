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


def identified(wanted: dict[str, Any]) -> dict[str, Any]:
    """What a client asks for, with our symbol, or symbols. Raises ValidationError."""
    asked = wanted.get("symbol")
    if isinstance(asked, str):
        return {**wanted, "symbol": our_symbol(asked)}
    if isinstance(asked, list):
        return {**wanted, "symbol": list(dict.fromkeys(map(our_symbol, asked)))}
    return wanted


def symbol_in_path(text: str) -> str:
    """The symbol that a path names. Raises ValidationError."""
    return our_symbol(path_symbol(text))
