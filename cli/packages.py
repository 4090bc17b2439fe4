"""A sentence instead of a traceback for an interpreter that lacks what the program needs.

Nothing here may import more than the standard library, nor use syntax newer than Python 3.8's.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).parent.parent
VENV_PYTHON = Path(".venv/bin/python")  # where `make setup` puts it
CANNOT_START = 2


@contextlib.contextmanager
def needed_packages() -> Iterator[None]:
    """Import packages in this block: one that is missing ends the process with a sentence and exit code 2."""
    try:
        yield
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"server.py: {_advice(missing.name or 'a package')}\n")
        sys.exit(CANNOT_START)


def _advice(missing: str) -> str:
    if sys.version_info < OLDEST:
        return f"Python {'.'.join(map(str, OLDEST))} or newer is needed; this is {sys.version.split()[0]}."
    lacks = f"this Python ({sys.executable}) has no package {missing.partition('.')[0]}. "
    if (ROOT / VENV_PYTHON).exists():
        return f"{lacks}The one of `make setup` has: {VENV_PYTHON} server.py"
    return f"{lacks}`make run` sets up {VENV_PYTHON.parts[0]} with all that is needed and starts the server."
