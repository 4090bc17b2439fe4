"""The client's side of the contract: how snapshots and deltas make a state."""

from __future__ import annotations

from typing import Any

BOOKKEEPING = {"prev_seq", "rows", "removed", "conflated", "reason", "kind"}


class ChainState:
    """A chain put together from a snapshot and the deltas after it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None

    @property
    def position(self) -> tuple[str, int]:
        return ("", -1) if self.state is None else (self.state["epoch"], self.state["seq"])

    def apply(self, event: str, payload: dict[str, Any]) -> bool:
        """Take an event; False where the client would have to ask again."""
        if event in ("option_chain_data", "option_chain_update"):
            if self.state is not None and payload["epoch"] == self.state["epoch"]:
                assert payload["seq"] >= self.state["seq"], "seq went back within an epoch"
            self.state = {name: value for name, value in payload.items() if name not in BOOKKEEPING}
            return True
        if self.state is None or payload["epoch"] != self.state["epoch"]:
            return False
        if "prev_seq" in payload and payload["prev_seq"] != self.state["seq"]:
            return False
        assert payload["seq"] >= self.state["seq"], "seq went back within an epoch"
        rows = {row["strike_price"]: row for row in self.state["option_chain"]}
        for strike in payload.get("removed", ()):
            del rows[strike]
        for row in payload.get("rows", ()):
            rows.setdefault(row["strike_price"], {}).update(row)
        fields = {name: value for name, value in payload.items() if name not in BOOKKEEPING}
        ordered = [rows[strike] for strike in sorted(rows)]
        self.state = {**self.state, **fields, "option_chain": ordered}
        return True


class QuoteState:
    """A quote put together from a snapshot and the deltas after it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None

    @property
    def position(self) -> tuple[str, int]:
        return ("", -1) if self.state is None else (self.state["epoch"], self.state["seq"])

    def apply(self, event: str, payload: dict[str, Any]) -> bool:
        """Take an event; False where the client would have to ask again."""
        fields = {name: value for name, value in payload.items() if name not in BOOKKEEPING}
        if payload["kind"] == "snapshot":
            self.state = fields
            return True
        if self.state is None or (payload["epoch"], payload["prev_seq"]) != self.position:
            return False
        assert payload["seq"] >= self.state["seq"], "seq went back within an epoch"
        self.state = {**self.state, **fields}
        return True
