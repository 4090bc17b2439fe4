"""Market-data server for Indian options: command line -> settings -> market -> edge -> serve.

A table of contents. ``cli`` has a module for each command. ``cli.serve`` reads the settings;
``handlers.operations`` has the rest: ``process`` runs the loop, ``market`` and ``build`` put a market and an
edge together, ``serving`` is the life of a server. The environment is read here and nowhere else.
"""

from __future__ import annotations

import importlib
import os
import sys

from cli.packages import needed_packages
from domain.refusals import OperatorError

SERVE = "serve"
# a command and the module of its ``run``: imported when it is called, so that a small one starts at once
COMMANDS = {
    SERVE: "cli.serve",
    "import": "cli.import_files",
    "export": "cli.export",
    "history": "cli.history",
    "key": "cli.key",
    "login": "cli.login",
    "calendar": "cli.calendar",
}
CANNOT_START, TRY_AGAIN = 2, 75  # the second is EX_TEMPFAIL of sysexits.h: a database that is away


def main(arguments: list[str] | None = None) -> int:
    """Run a command, by default ``serve``: 0 after a clean end, 2 if it cannot start, 75 if it may later."""
    words = sys.argv[1:] if arguments is None else arguments
    name, rest = (words[0], words[1:]) if words and words[0] in COMMANDS else (SERVE, words)
    # read when NumPy is imported: threads that wait for the next small product spin beside the loop
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with needed_packages():
        command = importlib.import_module(COMMANDS[name])
    try:
        code: int = command.run(rest, os.environ)
    except OperatorError as error:
        sys.stderr.write(f"server.py: {error}\n")
        return TRY_AGAIN if error.is_passing else CANNOT_START
    return code


if __name__ == "__main__":
    sys.exit(main())
