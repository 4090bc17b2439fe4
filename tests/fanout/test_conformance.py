"""One table of cases for every client: the TypeScript one goes by it in its own tests."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from tests.fanout.states import ChainState, QuoteState
from tests.processes import ROOT

CASES = json.loads((ROOT / "clients" / "conformance.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_packets_make_the_states_of_the_table(case):
    client = ChainState() if case["kind"] == "chain" else QuoteState()
    states = ["gap" if not client.apply(*event) else deepcopy(client.state) for event in case["events"]]
    assert states == case["states"]
