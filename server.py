"""Market-data server for Indian options: command line -> settings -> market -> edge -> serve.

A table of contents. ``cli`` has a module for each command. ``cli.serve`` reads the settings,
``handlers.operations.build`` puts a market and an edge together from them, and
``handlers.operations.serving`` is the life of a server. The environment is read here and nowhere else.
"""

from __future__ import annotations

import os
import sys

from cli.packages import needed_packages

with needed_packages():
    from cli import calendar, export, history, import_files, key, login, serve
    from feed.history.history import HistoryError
    from feed.recordings.frames import RecordingError
    from feed.reference.calendar import CalendarError
    from handlers.operations.service_manager import ServiceManagerError
    from handlers.operations.serving import StartError
    from handlers.transport.tls import TlsError
    from schemas.configuration.settings_file import SettingsError

SERVE = "serve"
COMMANDS = {
    SERVE: serve.run,
    "import": import_files.run,
    "export": export.run,
    "history": history.run,
    "key": key.run,
    "login": login.run,
    "calendar": calendar.run,
}
# what an operator can mend: told in a sentence, without a traceback
REFUSALS = (
    SettingsError,
    StartError,
    CalendarError,
    HistoryError,
    RecordingError,
    ServiceManagerError,
    TlsError,
)
CANNOT_START, TRY_AGAIN = 2, 75  # the second is EX_TEMPFAIL of sysexits.h: a database that is away


def main(arguments: list[str] | None = None) -> int:
    """Run a command, by default ``serve``: 0 after a clean end, 2 if it cannot start, 75 if it may later."""
    words = sys.argv[1:] if arguments is None else arguments
    name, rest = (words[0], words[1:]) if words and words[0] in COMMANDS else (SERVE, words)
    try:
        return COMMANDS[name](rest, os.environ)
    except REFUSALS as error:
        sys.stderr.write(f"server.py: {error}\n")
        return TRY_AGAIN if isinstance(error, HistoryError) and error.is_passing else CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
