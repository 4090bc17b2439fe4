"""Memory that an idle client costs, and bytes that a chain's delta saves."""

from __future__ import annotations

from bench.load.driver import ADDRESSES, SUBSCRIBE_CHAIN, SUBSCRIBE_QUOTES, drive
from bench.load.servers import ours
from bench.progress import Plan
from bench.verdicts import Row, at_most, middle

IDLE_MUST_BYTES, IDLE_AIM_BYTES = 40_000, 25_000
SPEED = 10  # a market second each 100 ms; what is published is a function of seed and start alone


def memory_rows(plan: Plan) -> list[Row]:
    """Resident memory per client that is connected, subscribed to a quote, and quiet."""
    clients = plan.size(2000, 1000)
    rows = []
    for deflate in (False, True):
        sizes = []
        for turn in range(plan.rounds):
            with ours(500) as server:
                drive(server, clients=1, seconds=1)
                run = drive(
                    server, clients=clients, seconds=2, settle=3, addresses=ADDRESSES, deflate=deflate
                )
            sizes.append(run.grown_bytes("start", "end") / clients)
            plan.say(f"round {turn + 1}: {sizes[-1] / 1000:.1f} kB a client, deflate offered: {deflate}")
        size = middle(sizes, float)
        offered = "offered" if deflate else "not offered"
        rows.append(
            Row(
                f"memory per idle client, {clients} clients, deflate {offered}",
                f"{size / 1000:.1f} kB",
                must="at most 40 kB",
                aim="25 kB",
                verdict=at_most(size, IDLE_MUST_BYTES, IDLE_AIM_BYTES),
            )
        )
    return rows


def delta_rows(plan: Plan) -> list[Row]:
    """The mean delta of a market second of NIFTY's nearest weekly, within 20 strikes of the money.

    With all fields, and with the quotes alone; both beside the snapshot of all fields.
    """
    every, snapshot_bytes = _deltas(plan, SUBSCRIBE_CHAIN)
    quotes, _ = _deltas(plan, SUBSCRIBE_QUOTES)
    return [
        _delta_row("", every, snapshot_bytes, 0.35, 0.20),
        _delta_row(", fields: quotes", quotes, snapshot_bytes, 0.12),
    ]


def _deltas(plan: Plan, emit: str) -> tuple[dict[str, int], int]:
    """What came as deltas, and the bytes of the snapshot before them."""
    seconds = plan.size(300, 60) // SPEED + 2
    with ours(1000 // SPEED, "--speed", str(SPEED)) as server:
        # no settling: the snapshot that answers the subscription is to be in the window
        run = drive(server, clients=1, seconds=seconds, settle=0, emit=emit)
    snapshot, deltas = run.event("option_chain_data"), run.event("option_chain_delta")
    if snapshot["frames"] != 1:
        raise RuntimeError(f"One snapshot was to come, but {snapshot['frames']} did.")
    plan.say(f"{deltas}, {snapshot}")
    return deltas, snapshot["bytes"]


def _delta_row(
    fields: str, deltas: dict[str, int], snapshot_bytes: int, must: float, aim: float | None = None
) -> Row:
    mean = deltas["bytes"] / deltas["frames"]
    share = mean / snapshot_bytes
    return Row(
        f"chain delta, NIFTY weekly, window 20{fields}, 1 Hz: mean of {deltas['frames']}",
        f"{mean:,.0f} B (from {deltas['shortest']:,} to {deltas['longest']:,})",
        f"full snapshot: {snapshot_bytes:,} B",
        f"{share:.0%}",
        f"at most {must:.0%}",
        "" if aim is None else f"{aim:.0%}",
        at_most(share, must, aim),
    )
