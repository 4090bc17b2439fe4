"""A server's process: its log, its loop, and the server that is built of the settings."""

from __future__ import annotations

import asyncio
import faulthandler
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from domain.market import Role
from handlers.monitoring.logs import Log, is_journal
from handlers.operations.build import build
from handlers.operations.roles import join
from handlers.operations.service_manager import ServiceManager
from handlers.operations.serving import logger, serve
from handlers.transport.descriptors import raise_limit
from handlers.transport.loop import make_loop
from schemas.configuration.settings import Settings
from schemas.configuration.settings_file import warn_of_open_secrets


def serve_until_stopped(
    settings: Settings, reread: Callable[[], Settings], secrets: Path, environment: Mapping[str, str]
) -> int:
    """Serve until SIGTERM; 0 after a clean stop. Raises OperatorError.

    SIGHUP has the settings read again, by ``reread``. ``secrets`` is the file of keys, of which the log warns
    where others may read it.
    """
    level = "debug" if settings.server.debug else settings.server.log_level
    journal = environment.get("JOURNAL_STREAM", "")
    faulthandler.enable()  # when the watchdog ends a stuck process, the log says where it was stuck
    log = Log.on(sys.stderr, level, journal_stream=journal)
    log.start()
    warn_of_open_secrets(secrets)
    raise_limit()
    out = None if is_journal(sys.stdout, journal) else sys.stdout
    with (
        closing(ServiceManager(environment)) as manager,
        asyncio.Runner(loop_factory=make_loop) as runner,
    ):
        shared = None if settings.server.role == Role.SINGLE else (lambda: join(settings))
        while runner.run(serve(lambda: build(settings), log, manager, reread, out, shared)):
            logger.warning("this feed stands by from here on")
    return 0
