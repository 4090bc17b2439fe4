"""``server.py key NAME``: an API key."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping

from cli.options import PROGRAM
from schemas.configuration.api_keys import NAME_RULE, SCOPES, ApiKey, digest_of, valid_name

KEY_BYTES = 32  # 256 random bits: nobody guesses one, however fast


def _name(text: str) -> str:
    try:
        return valid_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Make a key, show it once, and what to put into ``.env``."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} key",
        description="Make an API key. It is shown once; only its SHA-256 is kept, in API_KEYS.",
    )
    parser.add_argument(
        "name", metavar="NAME", type=_name, help=f"who will hold it, for the log: {NAME_RULE}"
    )
    parser.add_argument(
        "--scope",
        choices=SCOPES,
        default=SCOPES[0],
        help="read (default) is all but the control of replay and scenario; control includes read",
    )
    options = parser.parse_args(arguments)
    token = secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey(options.name, options.scope, digest_of(token))
    sys.stdout.write(
        f"The key of {key.name}, shown this once (X-API-Key, or auth.token of Socket.IO):\n\n"
        f"    {token}\n\n"
        "For .env (after a comma where API_KEYS has entries already); `kill -HUP` makes a running server "
        f"take it:\n\n    API_KEYS={key.entry}\n"
    )
    return 0
