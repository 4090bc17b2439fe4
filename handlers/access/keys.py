"""API keys at work: who shows which, and which are still good."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence

from schemas.configuration.api_keys import ApiKey, digest_of

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
