"""What clients call an underlying, made ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from marshmallow import ValidationError

from feed.reference.corporate_actions import corporate_actions
from feed.reference.identity import known_as
from schemas.requests.fields import path_symbol

T = TypeVar("T")


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


def note_on(named: Any) -> str | None:
    """What who names a share by a name it had is told: sentences, None where all names are of today."""
    names = named if isinstance(named, list) else [named]
    actions = corporate_actions()
    renames = [actions.renamed(name) for name in names if isinstance(name, str)]
    return " ".join(rename.sentence() for rename in renames if rename is not None) or None


def identified(request: T) -> T:
    """What a client asks for, with our symbol, or symbols. Raises ValidationError."""
    named: Any = getattr(request, "symbol", None)
    if isinstance(named, str):
        return replace(request, symbol=our_symbol(named))  # type: ignore[type-var]
    if isinstance(named, list):
        return replace(request, symbol=list(dict.fromkeys(map(our_symbol, named))))  # type: ignore[type-var]
    return request


def symbol_in_path(text: str) -> str:
    """The symbol that a path names. Raises ValidationError."""
    return our_symbol(path_symbol(text))
