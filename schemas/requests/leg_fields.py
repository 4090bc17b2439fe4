"""Which fields of the legs a chain is shown with: all of them, a named set, or a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from marshmallow import ValidationError, fields
from numpy.typing import NDArray

from schemas.chains import IS_ATM, LEG_COLUMNS, ROW_COLUMNS, SIDES, STRIKE
from schemas.requests.fields import shown

LEG_FIELDS = tuple(column.name for column in LEG_COLUMNS)
MAX_FIELDS = 100  # of a list, doubles and all


@dataclass(frozen=True, slots=True)
class LegFields:
    """Fields of a leg by name, in the order of the columns, each once."""

    names: tuple[str, ...] = LEG_FIELDS

    @classmethod
    def of(cls, names: Collection[str]) -> LegFields:
        """Those of the names that there are."""
        return cls(tuple(name for name in LEG_FIELDS if name in names))

    @property
    def is_named(self) -> bool:
        """Whether it is a set that has a name."""
        return self.names in _NAMES

    def describe(self) -> str | list[str]:
        """The name of the set, or the list."""
        return _NAMES.get(self.names) or list(self.names)

    @property
    def columns(self) -> NDArray[np.bool_]:
        """Which columns of a chain's table are shown: (len(ROW_COLUMNS),)."""
        return _columns(self.names)


@cache
def _columns(names: tuple[str, ...]) -> NDArray[np.bool_]:
    told = {side + name for side in SIDES for name in names}
    columns = np.array([column.name in told for column in ROW_COLUMNS])
    columns[[STRIKE, IS_ATM]] = True
    return columns


ALL_FIELDS = LegFields()
FIELD_SETS: Mapping[str, LegFields] = {
    "all": ALL_FIELDS,
    "quotes": LegFields.of(("ltp", "change", "bid_price", "ask_price", "volume", "oi", "oi_change")),
    "greeks": LegFields.of(("ltp", "iv", "delta", "gamma", "theta", "vega")),
    "positioning": LegFields.of(("ltp", "change", "oi", "oi_change", "volume", "build_up")),
}
_NAMES = {chosen.names: name for name, chosen in FIELD_SETS.items()}
QUERY_PATTERN = f"^({'|'.join(FIELD_SETS)}|({'|'.join(LEG_FIELDS)})(,({'|'.join(LEG_FIELDS)}))*)$"


class ShownFields(fields.Raw):
    """What is shown of the legs, as ``LegFields.describe`` says it."""

    def __init__(self) -> None:
        super().__init__(
            data_key="fields",
            metadata={
                "description": "chains: the fields of each leg, as a set's name or a list",
                "example": "quotes",
                "optional": True,
            },
        )


class FieldChoice(fields.Field[LegFields]):
    """A named set of leg fields, or a list of them; in a URL separated by commas."""

    def __init__(self, *, in_url: bool = False, **kwargs: Any) -> None:
        self.in_url = in_url
        super().__init__(data_key="fields", load_default=ALL_FIELDS, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> LegFields:
        names = value.split(",") if self.in_url and isinstance(value, str) else value
        if isinstance(names, str):
            names = [names]
        if isinstance(names, list) and len(names) <= MAX_FIELDS and all(isinstance(n, str) for n in names):
            wanted = [name.strip() for name in names]
            if len(wanted) == 1 and wanted[0] in FIELD_SETS:
                return FIELD_SETS[wanted[0]]
            if wanted and set(wanted) <= set(LEG_FIELDS):
                return LegFields.of(wanted)
        raise ValidationError(
            f"must be {', '.join(FIELD_SETS)}, or a list of {', '.join(LEG_FIELDS)}, was {shown(value)}"
        )
