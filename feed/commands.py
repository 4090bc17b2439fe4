"""What the command line does with a store: import, export, and looking after it.

The parser is made here; what the settings say is given to ``run``. Every command ends with 0, with 1 where a
check found something wrong, or with 2 where it was refused, each with a sentence.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from feed.calendar import IST, Calendar
from feed.candles import INTERVALS
from feed.clock import to_ms
from feed.history import HistoryError, Retention
from feed.instruments import Catalogue
from feed.minute_metrics import MinuteMetrics
from feed.progress import ProgressBar
from feed.store.archive import Archive
from feed.store.exporting import HEADER
from feed.store.importing import ImportReport

COMMANDS = ("import", "export", "history")
FORMATS = ("csv", "parquet")
PROGRAM = "server.py"
BAD_ROWS_SHOWN = 20
INTERRUPTED = 130  # as a shell says it of SIGINT

IMPORT_HELP = (
    "Candles as CSV (date, open, high, low, close and, as there are, time, symbol, volume, oi), option "
    "chains as the exchange's JSON or as CSV of one-minute snapshots, plain or gzipped. A file that was "
    "begun goes on where it stopped; bad rows are named and skipped."
)
EXPORT_HELP = (
    "Candles of an underlying. A CSV that was begun goes on after its last line; parquet needs pyarrow."
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with: the store, how the market runs, and where to write to."""

    url: str
    hours: str
    retention: Retention
    interest_rate: float
    now_ms: int
    out: TextIO
    err: TextIO


def make_parser(*shared: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of the commands; each also takes the options of ``shared``."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="What is done with a history store.")
    commands = parser.add_subparsers(dest="command", required=True)
    parents = list(shared)
    importing = commands.add_parser(
        "import", parents=parents, help="files into the store", description=IMPORT_HELP
    )
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE")
    importing.add_argument("--symbol", help="of a file whose rows and name do not tell it")
    exporting = commands.add_parser(
        "export", parents=parents, help="candles out of the store", description=EXPORT_HELP
    )
    exporting.add_argument("symbol", metavar="SYMBOL")
    exporting.add_argument(
        "--from", dest="start", type=_instant, required=True, metavar="DATE", help="first day or instant"
    )
    exporting.add_argument(
        "--to", dest="end", type=_instant, metavar="DATE", help="end, itself not included; now when left out"
    )
    exporting.add_argument("--interval", choices=INTERVALS, default="1m")
    exporting.add_argument("--format", choices=FORMATS, default="csv")
    exporting.add_argument("--output", type=Path, metavar="FILE", help="SYMBOL-INTERVAL.csv when left out")
    history = commands.add_parser("history", help="look after the store", description="Look after the store.")
    actions = history.add_subparsers(dest="action", required=True)
    for name, text in (
        ("info", "Say what the store holds and how large it is."),
        ("prune", "Delete what is older than the retention settings say; no server may be recording."),
        ("check", "Read everything and say what is not sound; ends with 1 where something is not."),
    ):
        actions.add_parser(name, parents=parents, help=text, description=text)
    return parser


def _instant(text: str) -> int:
    """A day or an instant; one without an offset is India's."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"must be a date such as 2026-11-23 or an instant, was {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return to_ms(instant if instant.tzinfo else instant.replace(tzinfo=IST))


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do what the arguments say; returns the exit code."""
    name = arguments.command if arguments.command != "history" else arguments.action
    try:
        if not context.url:
            raise HistoryError("history.database_url is empty, so there is no store: name one.")
        return _ACTIONS[name](arguments, context)
    except HistoryError as error:
        context.err.write(f"{PROGRAM}: {error}\n")
        return 2
    except KeyboardInterrupt:
        context.err.write(f"\n{PROGRAM}: stopped; the same command goes on from here.\n")
        return INTERRUPTED


def _open(context: Context, *, writable: bool = False) -> Archive:
    calendar = Calendar.load()
    return Archive(
        context.url,
        calendar=calendar,
        catalogue=Catalogue.load(calendar),
        hours=context.hours,
        writable=writable,
        valuation=MinuteMetrics(context.interest_rate),
    )


def _import(arguments: argparse.Namespace, context: Context) -> int:
    refused = 0
    with _open(context, writable=True) as archive:
        for path in arguments.files:
            bar = ProgressBar(context.err, f"Importing {path.name}")
            try:
                report = archive.import_file(path, arguments.symbol, bar)
            except HistoryError as error:
                bar.clear()
                context.err.write(f"{PROGRAM}: {error}\n")
                refused += 1
            else:
                bar.clear()
                _tell(report, context)
    return 2 if refused else 0


def _tell(report: ImportReport, context: Context) -> None:
    """What became of a file, its bad rows first."""
    for row in report.bad_rows[:BAD_ROWS_SHOWN]:
        context.err.write(f"{report.path}:{row.line}: {row.reason}\n")
    if report.skipped > BAD_ROWS_SHOWN:
        context.err.write(f"{report.path}: {report.skipped - BAD_ROWS_SHOWN:,} more bad rows\n")
    words = [f"{report.kept:,} rows kept", f"{report.skipped:,} skipped"]
    if report.resumed_after:
        words.append(f"{report.resumed_after:,} had been imported before")
    context.out.write(f"{report.path}: {', '.join(words)}\n")


def _export(arguments: argparse.Namespace, context: Context) -> int:
    symbol = arguments.symbol.upper()
    output = arguments.output or Path(f"{symbol}-{arguments.interval}.{arguments.format}")
    end_ms = context.now_ms if arguments.end is None else arguments.end
    if not arguments.start < end_ms:
        raise HistoryError("--from must lie before --to, and before now where --to is left out.")
    bar = ProgressBar(context.err, f"Exporting {symbol}", "weeks")
    with _open(context) as archive:
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


def _info(_: argparse.Namespace, context: Context) -> int:
    with _open(context) as archive:
        info = archive.info()
    lines = [
        f"store          {info.name}",
        f"schema         version {info.schema_version}",
        f"size           {info.size_bytes / 1e6:,.1f} MB",
        f"symbols        {info.symbols:,}",
        f"chains         {info.chains:,}",
    ]
    for kind in info.kinds:
        span = f", {kind.first:%Y-%m-%d} to {kind.last:%Y-%m-%d}" if kind.first and kind.last else ""
        lines.append(f"{kind.name:<14} {kind.rows:,}{span}")
    context.out.write("\n".join(lines) + "\n")
    return 0


def _prune(_: argparse.Namespace, context: Context) -> int:
    bar = ProgressBar(context.err, "Pruning", "steps")
    with _open(context, writable=True) as archive:
        deleted = archive.prune(context.retention, context.now_ms, bar)
    bar.clear()
    context.out.write(f"{deleted:,} rows deleted\n")
    return 0


def _check(_: argparse.Namespace, context: Context) -> int:
    bar = ProgressBar(context.err, "Checking", "symbols and chains")
    with _open(context) as archive:
        checked = archive.check(bar)
    bar.clear()
    for problem in checked.problems:
        context.out.write(f"{problem}\n")
    verdict = f"{len(checked.problems):,} problems" if checked.problems else "all sound"
    context.out.write(f"{checked.records:,} records read, {verdict}\n")
    return 1 if checked.problems else 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, Context], int]] = {
    "import": _import,
    "export": _export,
    "info": _info,
    "prune": _prune,
    "check": _check,
}
