"""Run the benchmarks, all or those named: ``python -m bench [--quick] [NAME …]``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

from bench.machine import CANNOT_RUN

BENCHMARKS = {
    "analytics": "Valuation: a universe, its implied volatilities, one chain",
    "market.tick": "One tick of the simulated universe",
    "history": "History: recording, reading back",
    "history_routes": "History over REST, and what its readers do to the fan-out (6 minutes; --quick: 1)",
    "rest": "REST: CPU time and bytes of an answer",
    "market.live": "Live path: decoding a broker's frames, and a cycle of many ticks",
    "market.kite": "Kite mock: three sockets with 3,000 instruments each",
    "breadth": "Breadth: every chain of the universe watched at once (6 minutes; --quick: 1)",
    "scale.relay": "Relay: records of a market, a feed, its edges (4 minutes; --quick: 1)",
    "scale.archive": "Archive: a session as Parquet, and years of them asked (2 minutes; --quick: 1)",
    "scale.universe": "Universe: the NIFTY 50 beside all underlyings (10 minutes; --quick: 2)",
    "fanout": "Fan-out: Socket.IO beside its peers and the floor (about 25 minutes; --quick: 5)",
}
HAVE_QUICK = {
    "history_routes",
    "rest",
    "market.kite",
    "breadth",
    "scale.relay",
    "scale.archive",
    "scale.universe",
    "fanout",
}


def main() -> int:
    """Run them one after the other; return how many failed."""
    there = {name: title for name, title in BENCHMARKS.items() if importlib.util.find_spec(f"bench.{name}")}
    listed = "\n".join(f"  {name:14} {title}" for name, title in there.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"benchmarks:\n{listed}\n\nEach has options of its own: python -m bench.fanout --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*there, []], metavar="NAME", help="by default all")
    parser.add_argument(
        "--quick", action="store_true", help="a first look: shorter, where a benchmark can be"
    )
    parser.add_argument("--list", action="store_true", help="list them and run none")
    options = parser.parse_args()
    if options.list:
        print(listed)
        return 0
    return sum(_failed(name, there[name], options.quick) for name in options.names or there)


def _failed(name: str, title: str, quick: bool) -> bool:
    print(f"\n## {name}: {title}\n", flush=True)
    command = [sys.executable, "-m", f"bench.{name}"]
    status = subprocess.run([*command, "--quick"] if quick and name in HAVE_QUICK else command, check=False)
    if status.returncode == CANNOT_RUN:
        print("Skipped: see the reason above.", flush=True)
        return False
    if status.returncode:
        print(f"Failed with status {status.returncode}.", flush=True)
    return status.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
