"""Bytes of a chain's deltas against its snapshot, for one client that follows NIFTY's nearest weekly."""

from __future__ import annotations

from bench.driver import SUBSCRIBE_CHAIN, drive
from bench.progress import Plan
from bench.servers import ours
from bench.verdicts import Row, at_most

SPEED = 10  # a market second each 100 ms; what is published is a function of seed and start alone


def delta_rows(plan: Plan) -> list[Row]:
    """The mean delta of a market second, within 20 strikes of the money."""
    seconds = plan.size(300, 60) // SPEED + 2
    with ours(1000 // SPEED, "--speed", str(SPEED)) as server:
        # no settling: the snapshot that answers the subscription is to be in the window
        run = drive(server, clients=1, seconds=seconds, settle=0, emit=SUBSCRIBE_CHAIN)
    snapshot, deltas = run.event("option_chain_data"), run.event("option_chain_delta")
    if snapshot["frames"] != 1:
        raise RuntimeError(f"One snapshot was to come, but {snapshot['frames']} did.")
    mean = deltas["bytes"] / deltas["frames"]
    share = mean / snapshot["bytes"]
    plan.say(f"{deltas}, {snapshot}")
    return [
        Row(
            f"chain delta, NIFTY weekly, window 20, 1 Hz: mean of {deltas['frames']}",
            f"{mean:,.0f} B (from {deltas['shortest']:,} to {deltas['longest']:,})",
            f"snapshot: {snapshot['bytes']:,} B",
            f"{share:.0%}",
            "at most 35 %",
            "20 %",
            at_most(share, 0.35, 0.20),
        )
    ]
