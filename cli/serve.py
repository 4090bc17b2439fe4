"""``server.py`` and ``server.py serve``: settings, a server built of them, and its life."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import sys
from collections.abc import Mapping
from contextlib import closing

from cli.options import PROGRAM, env_file, load_settings, shared_options
from domain.market import Role
from domain.version import VERSION
from handlers.monitoring.logs import Log, is_journal
from handlers.operations.build import build
from handlers.operations.roles import join
from handlers.operations.service_manager import ServiceManager
from handlers.operations.serving import serve
from handlers.transport.descriptors import raise_limit
from handlers.transport.loop import make_loop
from schemas.configuration.settings import Settings
from schemas.configuration.settings_file import warn_of_open_secrets

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
    level = "debug" if settings.server.debug else settings.server.log_level
    journal = environment.get("JOURNAL_STREAM", "")
    faulthandler.enable()  # when the watchdog ends a stuck process, the log says where it was stuck
    log = Log.on(sys.stderr, level, journal_stream=journal)
    log.start()
    warn_of_open_secrets(env_file(options))
    raise_limit()

    def reread() -> Settings:
        if "API_KEYS" in environment:
            logger.warning("API_KEYS stands in the environment, which stays as it is: revoke keys in .env")
        return load_settings(options, environment)

    out = None if is_journal(sys.stdout, journal) else sys.stdout
    with (
        closing(ServiceManager(environment)) as manager,
        asyncio.Runner(loop_factory=make_loop) as runner,
    ):
        shared = None if settings.server.role == Role.SINGLE else (lambda: join(settings))
        while runner.run(serve(lambda: build(settings), log, manager, reread, out, shared)):
            logger.warning("this feed stands by from here on")
    return 0
