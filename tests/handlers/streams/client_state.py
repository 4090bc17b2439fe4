"""What a client does with a stream: replace its state on a snapshot, assign the values of a delta."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

BOOKKEEPING = frozenset({"kind", "prev_seq", "conflated", "removed", "rows", "reason"})


class ClientState:
    """The state of one stream as a client holds it; a delta that does not fit is an error."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.applied = 0

    @property
    def position(self) -> tuple[str, int]:
        return self.values["epoch"], self.values["seq"]

    def replace(self, snapshot: dict[str, Any]) -> None:
        """Take over a snapshot."""
        self.values = {name: deepcopy(value) for name, value in snapshot.items() if name not in BOOKKEEPING}

    def apply(self, delta: dict[str, Any]) -> None:
        """Assign what a delta names. Raises AssertionError if it belongs to another state."""
        assert delta["epoch"] == self.values["epoch"], "the delta is of another epoch"
        assert delta["prev_seq"] == self.values["seq"], "the delta leaves a gap"
        self.values.update({name: value for name, value in delta.items() if name not in BOOKKEEPING})
        if "option_chain" in self.values:
            rows = {row["strike_price"]: row for row in self.values["option_chain"]}
            for strike in delta.get("removed", ()):
                del rows[strike]
            for row in delta.get("rows", ()):
                rows.setdefault(row["strike_price"], {}).update(row)
            self.values["option_chain"] = [rows[strike] for strike in sorted(rows)]
        self.applied += delta["seq"] > delta["prev_seq"]

    def take(self, event: str, payload: dict[str, Any]) -> None:
        """Do what an event asks for."""
        is_snapshot = event in ("option_chain_data", "option_chain_update")
        if is_snapshot or payload.get("kind") == "snapshot":
            self.replace(payload)
        else:
            self.apply(payload)
