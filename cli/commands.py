"""What the command line does with a store: import, export, and looking after it.

The parser is made here; what the settings say is given to ``run``. Every command ends with 0, with 1 where a
check found something wrong, or with 2 where it was refused, each with a sentence.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from domain.instants import DAY_MS
from domain.intervals import INTERVALS, Interval
from feed.history.history import HistoryError, Retention
from feed.history.progress import ProgressBar
from feed.market.candles import parse_width, width_name
from feed.recordings.reading import Options
from feed.recordings.report import ImportReport
from feed.recordings.text import ORDERS, local_ms, parse_moment, parse_number
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.transfer.archive import Archive
from feed.transfer.exporting import HEADER
from feed.transfer.importing import files_in
from feed.valuation.minute_metrics import MinuteMetrics

COMMANDS = ("import", "export", "history")
FORMATS = ("csv", "parquet")
PROGRAM = "server.py"
BAD_ROWS_SHOWN = 20
INTERRUPTED = 130  # as a shell says it of SIGINT

IMPORT_HELP = (
    "Candles as CSV or as the JSON of brokers (Kite, Upstox, Dhan, …), option chains as the exchange's JSON, "
    "its download or CSV of snapshots, and its bhavcopies of derivatives; plain, gzipped or zipped, and "
    "whole folders. Each file ends with a report: what it is, what was kept, and why the rest was not. Ends "
    "with 0 where all was kept, 1 where some or all rows were refused, 2 where a file is of no use."
)
EXPORT_HELP = (
    "Candles of an underlying. A CSV that was begun goes on after its last line; parquet needs pyarrow."
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with: the store, how the market runs, and where to write to."""

    url: str | None  # None keeps it in memory
    hours: str
    retention: Retention
    interest_rate: float
    now_ms: int
    out: TextIO
    err: TextIO
    calendar_override: Path | None = None


def make_parser(*shared: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of the commands; each also takes the options of ``shared``."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="What is done with a history store.")
    commands = parser.add_subparsers(dest="command", required=True)
    parents = list(shared)
    importing = commands.add_parser(
        "import", parents=parents, help="files into the store", description=IMPORT_HELP
    )
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    importing.add_argument("--symbol", help="what the files are of, whatever their names say")
    importing.add_argument(
        "--interval",
        type=_width,
        metavar="WIDTH",
        help="width of candles, such as 5m or day, whatever the instants say",
    )
    importing.add_argument("--spot", type=_spot, metavar="PRICE", help="price of the underlying of a chain")
    importing.add_argument("--dates", choices=ORDERS, help="how dates such as 01/02/2026 are to be read")
    importing.add_argument(
        "--at", type=_instant, metavar="INSTANT", help="when a chain was saved that does not tell it"
    )
    importing.add_argument("--dry-run", action="store_true", help="only report, and write nothing")
    importing.add_argument("--json", action="store_true", help="the reports as JSON, one a line")
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
    exporting.add_argument(
        "--interval", choices=[item.value for item in INTERVALS], default=Interval.ONE_MINUTE
    )
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
        moment = parse_moment(text)
    except ValueError:
        message = f"must be a date such as 2026-11-23 or an instant, was {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return local_ms(moment.day) if moment.time_ms is None else moment.time_ms


def _width(text: str) -> str:
    """The name of a width of candles."""
    try:
        return width_name(parse_width(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from None


def _spot(text: str) -> float:
    """A price that is known."""
    try:
        price = parse_number("spot", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from None
    if not price == price or price == 0:
        raise argparse.ArgumentTypeError(f"must be a price, was {text!r}")
    return price


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do what the arguments say; returns the exit code."""
    name = arguments.command if arguments.command != "history" else arguments.action
    try:
        if not context.url and not getattr(arguments, "dry_run", False):
            raise HistoryError("history.database_url is empty, so there is no store: name one.")
        return _ACTIONS[name](arguments, context)
    except HistoryError as error:
        context.err.write(f"{PROGRAM}: {error}\n")
        return 2
    except KeyboardInterrupt:
        context.err.write(f"\n{PROGRAM}: stopped; the same command goes on from here.\n")
        return INTERRUPTED


def _open(context: Context, *, writable: bool = False) -> Archive:
    calendar = Calendar.load(override=context.calendar_override)
    return Archive(
        context.url,
        calendar=calendar,
        catalogue=Catalogue.load(calendar),
        hours=context.hours,
        writable=writable,
        valuation=MinuteMetrics(context.interest_rate),
    )


def _import(arguments: argparse.Namespace, context: Context) -> int:
    options = Options(
        symbol=arguments.symbol,
        spot=arguments.spot,
        interval=arguments.interval,
        dates=arguments.dates,
        at_ms=arguments.at,
    )
    worst = 0
    url = None if arguments.dry_run else context.url
    with _open(replace(context, url=url), writable=True) as archive:
        for path in files_in(arguments.files):
            bar = ProgressBar(context.err, f"Importing {path.name}")
            reports = archive.import_file(path, options, bar, dry_run=arguments.dry_run)
            bar.clear()
            for report in reports:
                _warn_of_retention(report, context)
                _tell(report, context, as_json=arguments.json)
                worst = max(worst, report.exit_code)
    return worst


def _warn_of_retention(report: ImportReport, context: Context) -> None:
    """Say it where a server would delete what was read, for its age."""
    if report.span_ms is None:
        return
    policy = context.retention
    name = "chains_days" if report.what != "candles" else "minute_candles_days"
    if report.width == width_name(DAY_MS):
        name = "daily_candles_days"
    days: int | None = getattr(policy, name)
    if days is not None and report.span_ms[0] < context.now_ms - days * DAY_MS:
        report.notes.append(
            f"a server keeps the like of it for {days:,} days and deletes what is older: "
            f"history.{name}=0 keeps all"
        )


def _tell(report: ImportReport, context: Context, *, as_json: bool) -> None:
    """What a file is and what became of it: its bad rows first, the outcome last."""
    if as_json:
        context.out.write(json.dumps(report.as_json(), ensure_ascii=False) + "\n")
        return
    for rows, count in ((report.flaws, report.flawed), (report.bad_rows, report.refused)):
        for row in rows[:BAD_ROWS_SHOWN]:
            context.err.write(f"{report.file}:{row.number}: {row.reason}\n")
        if count > BAD_ROWS_SHOWN:
            context.err.write(f"{report.file}: {count - BAD_ROWS_SHOWN:,} more such rows\n")
    if report.error is not None:
        context.err.write(f"{PROGRAM}: {report.file}: {report.error}\n")
        return
    context.out.write(f"{report.file}: {report.description()}\n")
    for note in report.notes:
        context.out.write(f"  {note}\n")
    for rule, count in report.reasons.most_common():
        context.out.write(f"  refused {count:,}: {rule}\n")
    for symbol, count in report.unknown_symbols.most_common(BAD_ROWS_SHOWN):
        context.out.write(f"  unknown {symbol}: {count:,} rows\n")
    context.out.write(f"{report.file}: {report.summary()}\n")


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
