"""``server.py history``: what a store holds, whether it is sound, and deleting what is old."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import date

from cli.options import PROGRAM, shared_options
from cli.store import Action, Context, run_on_store
from feed.history.history import HistoryError
from feed.history.progress import ProgressBar


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Look after the store; 0 where all is well, 1 where a check found something, 2 where it is refused."""
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} history", description="Look after the store.")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, (text, _) in ACTIONS.items():
        action = actions.add_parser(name, parents=[shared_options()], help=text, description=text)
        if name == "archive":
            action.add_argument(
                "--again", type=date.fromisoformat, metavar="DAY", help="a day that was changed since"
            )
    options = parser.parse_args(arguments)
    return run_on_store(ACTIONS[options.action][1], options, environment)


def _info(_: argparse.Namespace, context: Context) -> int:
    with context.open() as archive:
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
    with context.open(writable=True) as archive:
        deleted = archive.prune(context.retention, context.now_ms, bar)
    bar.clear()
    context.out.write(f"{deleted:,} rows deleted\n")
    return 0


def _archive(options: argparse.Namespace, context: Context) -> int:
    with context.open() as archive:
        days = (
            [options.again] if options.again else archive.due_days(context.archive_after_days, context.now_ms)
        )
        for place, day in enumerate(days, 1):
            bar = ProgressBar(context.err, f"Archiving {day} ({place} of {len(days)})", "chains")
            done = archive.archive_day(day, bar)
            bar.clear()
            context.out.write(
                f"{day}  {len(done.chains):,} chains, {done.rows:,} rows, {done.size_bytes / 1e6:,.1f} MB\n"
            )
        kept = archive.archived_days()
    total = sum(day.size_bytes for day in kept)
    context.out.write(f"{len(days)} sessions archived; {len(kept)} in all, {total / 1e6:,.1f} MB\n")
    try:
        with context.open(writable=True) as archive:
            deleted = archive.prune(context.retention, context.now_ms)
    except HistoryError:
        context.out.write("The server that records deletes them from the store within ten minutes.\n")
    else:
        context.out.write(f"{deleted:,} rows deleted from the store\n")
    return 0


def _check(_: argparse.Namespace, context: Context) -> int:
    bar = ProgressBar(context.err, "Checking", "symbols and chains")
    with context.open() as archive:
        checked = archive.check(bar)
    bar.clear()
    for problem in checked.problems:
        context.out.write(f"{problem}\n")
    verdict = f"{len(checked.problems):,} problems" if checked.problems else "all sound"
    context.out.write(f"{checked.records:,} records read, {verdict}\n")
    return 1 if checked.problems else 0


ACTIONS: Mapping[str, tuple[str, Action]] = {
    "info": ("Say what the store holds and how large it is.", _info),
    "archive": ("Move old sessions into Parquet files, each read back before anything is deleted.", _archive),
    "prune": ("Delete what is older than the retention settings say; no server may be recording.", _prune),
    "check": ("Read everything and say what is not sound; ends with 1 where something is not.", _check),
}
