"""The fan-out: every figure that issue 3 bounds, measured in one run against peers on the same machine.

The server runs on one core and the load driver on another. Candidates alternate and figures are medians
over rounds, because machines are shared; what is compared is CPU time of the server's process, read by the
driver at the edges of its window.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench.costs import chain_rows, quote_rows
from bench.load.crowds import many_rows, stalled_rows, storm_rows, vanish_rows
from bench.machine import CANNOT_RUN, CannotRun, compiled, describe, raise_descriptor_limit, raise_priority
from bench.progress import Plan
from bench.sizes import delta_rows, memory_rows
from bench.verdicts import Row, table

MEASUREMENTS: dict[str, Callable[[Plan], list[Row]]] = {
    "quote": quote_rows,
    "chain": chain_rows,
    "memory": memory_rows,
    "many": many_rows,
    "stalled": stalled_rows,
    "vanish": vanish_rows,
    "storm": storm_rows,
    "delta": delta_rows,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table. Raises CannotRun."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each: for a first look")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (3)")
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, help="measure only this; may be repeated"
    )
    parser.add_argument(
        "--nice",
        type=int,
        default=0,
        help="priority of all that is measured: -15 where others use the machine too",
    )
    options = parser.parse_args(arguments)
    if options.nice:
        raise_priority(options.nice)
    compiled("load"), compiled("floor")
    raise_descriptor_limit()
    plan = Plan(quick=options.quick, rounds=options.rounds or (1 if options.quick else 3))
    print(describe(), flush=True)
    rows: list[Row] = []
    for name in options.only or MEASUREMENTS:
        plan.say(f"measuring: {name}")
        rows += MEASUREMENTS[name](plan)
    print(table(rows))


if __name__ == "__main__":
    try:
        main()
    except CannotRun as reason:
        print(f"It cannot run here. {reason}", flush=True)
        sys.exit(CANNOT_RUN)
