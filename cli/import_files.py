"""``server.py import``: files of candles and option chains into a history store."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.kite_history import SPANS, KiteHistory, Wanted
from cli.options import PROGRAM, load_settings, shared_options
from cli.store import Context, instant, run_on_store
from domain.instants import DAY_MS, IST, to_datetime
from domain.intervals import INTERVAL_ALIASES
from feed.history.progress import ProgressBar
from feed.market.candles import parse_width, width_name
from feed.recordings.reading import Options
from feed.recordings.report import ImportReport
from feed.recordings.text import ORDERS, parse_number
from feed.transfer.importing import files_in

BAD_ROWS_SHOWN = 20

IMPORT_HELP = (
    "Candles as CSV or as the JSON of brokers (Kite, Upstox, Dhan, …), option chains as the exchange's JSON, "
    "its download or CSV of snapshots, and its bhavcopies of derivatives; plain, gzipped or zipped, and "
    "whole folders. Each file ends with a report: what it is, what was kept, and why the rest was not. Ends "
    "with 0 where all was kept, 1 where some or all rows were refused, 2 where a file is of no use."
)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Import files; 0 where all was kept, 1 where rows were refused, 2 where a file is of no use."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} import", description=IMPORT_HELP, parents=[shared_options()]
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument(
        "--from-kite",
        nargs="+",
        metavar="SYMBOL",
        help="instead of files: candles of these from Kite Connect, on from where the last run stopped",
    )
    parser.add_argument("--candles", choices=SPANS, default="minute", help="their width (default: minute)")
    parser.add_argument("--from", dest="first", type=_date, metavar="DATE", help="their first day")
    parser.add_argument(
        "--to", dest="last", type=_date, metavar="DATE", help="their last day (default: today)"
    )
    parser.add_argument("--symbol", help="what the files are of, whatever their names say")
    parser.add_argument(
        "--interval",
        type=_width,
        metavar="WIDTH",
        help="width of candles, such as 5m or day, whatever the instants say",
    )
    parser.add_argument("--spot", type=_spot, metavar="PRICE", help="price of the underlying of a chain")
    parser.add_argument("--dates", choices=ORDERS, help="how dates such as 01/02/2026 are to be read")
    parser.add_argument(
        "--at", type=instant, metavar="INSTANT", help="when a chain was saved that does not tell it"
    )
    parser.add_argument("--dry-run", action="store_true", help="only report, and write nothing")
    parser.add_argument("--json", action="store_true", help="the reports as JSON, one a line")
    options = parser.parse_args(arguments)
    if bool(options.files) == bool(options.from_kite):
        parser.error("either FILE … or --from-kite SYMBOL … must be given")
    action = import_files
    if options.from_kite:
        history = KiteHistory(load_settings(options, environment).kite, sys.stderr)
        action = partial(import_from_kite, history)
    return run_on_store(action, options, environment, needs_store=not options.dry_run)


def import_from_kite(history: KiteHistory, arguments: argparse.Namespace, context: Context) -> int:
    """Fetch candles span by span and import each; a run that was stopped goes on after the last whole one."""
    today = to_datetime(context.now_ms).astimezone(IST).date()
    symbols = [symbol.upper() for symbol in arguments.from_kite]
    wanted = Wanted(symbols, arguments.candles, arguments.first, arguments.last or today)
    worst = 0
    with TemporaryDirectory() as folder:
        for symbol, last, path in history.files(wanted, Path(folder)):
            given = argparse.Namespace(**vars(arguments))
            given.files, given.symbol = [path], symbol
            given.interval = _width(INTERVAL_ALIASES[arguments.candles])
            worst = max(worst, import_files(given, context))
            path.unlink()
            if not arguments.dry_run:
                history.note(symbol, arguments.candles, last)
    return worst


def import_files(arguments: argparse.Namespace, context: Context) -> int:
    """Import every file and tell what came of it; returns the worst of the exit codes."""
    options = Options(
        symbol=arguments.symbol,
        spot=arguments.spot,
        interval=arguments.interval,
        dates=arguments.dates,
        at_ms=arguments.at,
    )
    worst = 0
    url = None if arguments.dry_run else context.url
    with replace(context, url=url).open(writable=True) as archive:
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


def _width(text: str) -> str:
    """The name of a width of candles."""
    try:
        return width_name(parse_width(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from None


def _date(text: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a date such as 2026-11-23, was {text!r}") from None


def _spot(text: str) -> float:
    """A price that is known."""
    try:
        price = parse_number("spot", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}") from None
    if not price == price or price == 0:
        raise argparse.ArgumentTypeError(f"must be a price, was {text!r}")
    return price
