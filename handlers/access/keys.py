"""API keys at work: who shows which, which are still good, and the command that makes one."""

from __future__ import annotations

import argparse
import hmac
import logging
import secrets
from collections.abc import Sequence
from typing import TextIO

from schemas.configuration.api_keys import NAME_RULE, SCOPES, ApiKey, digest_of, valid_name

COMMAND = "key"
KEY_BYTES = 32  # 256 random bits: nobody guesses one, however fast

logger = logging.getLogger(__name__)


class Keys:
    """The keys that are let in now; ``replace`` changes them while the server runs."""

    def __init__(self, keys: Sequence[ApiKey] = ()) -> None:
        self._keys = tuple(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def find(self, token: str) -> ApiKey | None:
        """The key that a token is, found in a time that says nothing about which it is or nearly is."""
        digest = digest_of(token)
        found = [key for key in self._keys if hmac.compare_digest(digest, key.digest)]
        return found[0] if found else None

    def admits(self, key: ApiKey | None) -> bool:
        """Whether who came with ``key`` (None: without one) would be let in now."""
        return not self._keys or (key is not None and any(key.digest == known.digest for known in self._keys))

    def replace(self, keys: Sequence[ApiKey]) -> str:
        """Take these from now on; return what changed, by name."""
        before = {key.name: key for key in self._keys}
        after = {key.name: key for key in keys}
        self._keys = tuple(keys)
        parts = (
            ("added", [name for name in after if name not in before]),
            ("changed", [name for name in after if name in before and after[name] != before[name]]),
            ("revoked", [name for name in before if name not in after]),
        )
        return "; ".join(f"{what} {', '.join(names)}" for what, names in parts if names) or "unchanged"

    def warn_of_plain(self) -> None:
        """Say once which keys stand in the settings where they can be read."""
        plain = [key.name for key in self._keys if key.is_plain]
        if plain:
            logger.warning(
                "API_KEYS holds %d %s in plain text (%s), which may read only: "
                "`python server.py key NAME` makes one whose hash stands there",
                len(plain),
                "key" if len(plain) == 1 else "keys",
                ", ".join(plain),
            )


def _name(text: str) -> str:
    try:
        return valid_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_command(arguments: Sequence[str], out: TextIO) -> int:
    """``server.py key NAME``: make a key, show it once, and what to put into ``.env``."""
    parser = argparse.ArgumentParser(
        prog=f"server.py {COMMAND}",
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
    out.write(
        f"The key of {key.name}, shown this once (X-API-Key, or auth.token of Socket.IO):\n\n"
        f"    {token}\n\n"
        "For .env (after a comma where API_KEYS has entries already); `kill -HUP` makes a running server "
        f"take it:\n\n    API_KEYS={key.entry}\n"
    )
    return 0
