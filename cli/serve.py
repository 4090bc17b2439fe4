"""``server.py`` and ``server.py serve``: the command line, and the settings that it makes."""

from __future__ import annotations

import argparse
import importlib
import logging
from collections.abc import Mapping

from cli.options import PROGRAM, env_file, load_settings, shared_options
from cli.packages import needed_packages
from domain.version import VERSION
from schemas.configuration.settings import Settings

EPILOG = """commands, each with --help:
  server.py                      serve (serve may be written too)
  server.py import FILE...       files of candles and option chains into the history store
  server.py export SYMBOL        candles out of it, as CSV or parquet
  server.py history info|check|prune|archive
                                 what the store holds, whether it is sound, and what to do with what is old
  server.py key NAME             make an API key
  server.py login                the daily login of Kite or Dhan
  server.py calendar check FILE  what an override, or a circular's table, changes of the calendar

Settings: settings.toml, then .env, then the environment, then this command line."""
# option, the setting that it overrides, and what it is
OPTIONS = (
    ("--host", "server.host", "address to listen on"),
    ("--port", "server.port", "port to listen on; 0 takes a free one"),
    ("--log-level", "server.log_level", "debug, info, warning or error"),
    ("--role", "server.role", "single, feed or edge: several processes that share a market over a bus"),
    ("--relay", "relay.url", "the bus between a feed and its edges: redis://HOST:PORT/0"),
    ("--seed", "feed.seed", "seed of the simulated market"),
    ("--hours", "feed.hours", "always, or exchange for the calendar's sessions"),
    ("--scenario", "feed.scenario", "what the simulated market goes through"),
    ("--start", "feed.start", "market time to start at, such as 2026-11-23T15:00+05:30"),
    ("--speed", "feed.speed", "market seconds for a real second"),
    ("--publish-interval-ms", "feed.publish_interval_ms", "milliseconds between two published states"),
    ("--replay", "replay.file", "serve a recorded chain, or a day of a store (STORE#DAY)"),
    ("--spot", "replay.spot", "spot price for a recording that lacks one"),
)

logger = logging.getLogger("server")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line; every option but ``--settings`` and ``--env-file`` overrides a setting."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Realtime market data for Indian options over REST and Socket.IO.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared_options()],
    )
    parser.add_argument("--version", action="version", version=VERSION)
    for option, setting, text in OPTIONS:
        parser.add_argument(option, dest=setting, metavar=setting.rpartition(".")[2].upper(), help=text)
    parser.add_argument(
        "--debug",
        dest="server.debug",
        action="store_true",
        default=None,
        help="log at DEBUG level, and which file a request touched",
    )
    return parser.parse_args(arguments)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Serve until SIGTERM; 0 after a clean stop. Raises OperatorError."""
    options = parse_arguments(arguments)
    settings = load_settings(options, environment)

    def reread() -> Settings:
        if "API_KEYS" in environment:
            logger.warning("API_KEYS stands in the environment, which stays as it is: revoke keys in .env")
        return load_settings(options, environment)

    # most of a second of imports, for which ``--help`` and a setting that is refused do not wait
    with needed_packages():
        process = importlib.import_module("handlers.operations.process")
    code: int = process.serve_until_stopped(settings, reread, env_file(options), environment)
    return code
