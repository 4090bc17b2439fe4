"""A server's process: its log, its loop, and the server that is built of the settings."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import sys
from collections.abc import Mapping
from contextlib import closing

from cli.options import env_file, load_settings
from domain.market import Role
from handlers.monitoring.logs import Log, is_journal
from handlers.operations.build import build
from handlers.operations.roles import join
from handlers.operations.service_manager import ServiceManager
from handlers.operations.serving import serve
from handlers.transport.descriptors import raise_limit
from handlers.transport.loop import make_loop
from schemas.configuration.settings import Settings
from schemas.configuration.settings_file import warn_of_open_secrets

logger = logging.getLogger("server")


def serve_until_stopped(
    options: argparse.Namespace, settings: Settings, environment: Mapping[str, str]
) -> int:
    """Serve until SIGTERM; 0 after a clean stop. SIGHUP has the options read again. Raises OperatorError."""
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
