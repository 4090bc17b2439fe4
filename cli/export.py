"""``server.py export``: candles out of a history store."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from cli.options import PROGRAM, shared_options
from cli.store import Context, instant, run_on_store
from domain.intervals import INTERVALS, Interval
from feed.history.history import HistoryError
from feed.history.progress import ProgressBar
from feed.transfer.exporting import HEADER

FORMATS = ("csv", "parquet")

EXPORT_HELP = (
    "Candles of an underlying. A CSV that was begun goes on after its last line; parquet needs pyarrow."
)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Export candles; 0 where it is done, 2 where it is refused."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} export", description=EXPORT_HELP, parents=[shared_options()]
    )
    parser.add_argument("symbol", metavar="SYMBOL")
    parser.add_argument(
        "--from", dest="start", type=instant, required=True, metavar="DATE", help="first day or instant"
    )
    parser.add_argument(
        "--to", dest="end", type=instant, metavar="DATE", help="end, itself not included; now when left out"
    )
    parser.add_argument("--interval", choices=[item.value for item in INTERVALS], default=Interval.ONE_MINUTE)
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument("--output", type=Path, metavar="FILE", help="SYMBOL-INTERVAL.csv when left out")
    return run_on_store(export, parser.parse_args(arguments), environment)


def export(arguments: argparse.Namespace, context: Context) -> int:
    """Write the candles of a symbol into a file. Raises HistoryError."""
    symbol = arguments.symbol.upper()
    output = arguments.output or Path(f"{symbol}-{arguments.interval}.{arguments.format}")
    end_ms = context.now_ms if arguments.end is None else arguments.end
    if not arguments.start < end_ms:
        raise HistoryError("--from must lie before --to, and before now where --to is left out.")
    bar = ProgressBar(context.err, f"Exporting {symbol}", "weeks")
    with context.open() as archive:
        span_ms = (arguments.start, end_ms)
        written = archive.export(symbol, arguments.interval, span_ms, output, arguments.format, bar)
    bar.clear()
    if not written and _is_empty(output, arguments.format):
        output.unlink()
        raise HistoryError(f"Nothing is recorded of {symbol} in that span.")
    context.out.write(f"{output}: {written:,} candles written\n")
    return 0


def _is_empty(output: Path, file_format: str) -> bool:
    return file_format == "parquet" or output.stat().st_size <= len(HEADER) + 1
