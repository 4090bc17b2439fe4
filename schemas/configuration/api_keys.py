"""API keys as settings: one an entry, ``NAME:SCOPE:SHA-256``, so that no file holds the key itself.

One SHA-256 without salt or stretching is right for keys that this server makes: 256 random bits stand in no
dictionary, so a slow hash would protect nothing and cost every request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from marshmallow import ValidationError

SCOPES = ("read", "control")  # each includes those before it
NAME_RULE = "1 to 40 letters, digits, dots, dashes and underscores"
LEAST_PLAIN_CHARACTERS = 8
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_SHA_256 = re.compile(r"[0-9a-fA-F]{64}")
FORM = "NAME:SCOPE:SHA-256 as `python server.py key NAME` writes it"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that is let in: who holds it, what it may do, and the key's hash."""

    name: str
    scope: str
    digest: bytes = field(repr=False)
    is_plain: bool = False  # stood in the settings itself, where whoever reads them has it

    def may(self, scope: str) -> bool:
        """Whether the key reaches so far."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    @property
    def entry(self) -> str:
        """What stands in ``API_KEYS``."""
        return f"{self.name}:{self.scope}:{self.digest.hex()}"


def digest_of(token: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def valid_name(text: str) -> str:
    """The name, if it is one. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"a key's name has {NAME_RULE}, was {text[:80]!r}")
    return text


def parse_key(entry: str, place: int = 1) -> ApiKey:
    """A key from its entry; one without colons is the key itself. Raises ValidationError, never with a key.

    ``place`` names a key that has no name.
    """
    if ":" not in entry:
        if len(entry) < LEAST_PLAIN_CHARACTERS:
            raise ValidationError(f"must have at least {LEAST_PLAIN_CHARACTERS} characters, or be {FORM}")
        return ApiKey(f"unnamed-{place}", "read", digest_of(entry), is_plain=True)
    name, scope, digest, *more = [*entry.split(":"), "", ""]
    if any(more):
        raise ValidationError(f"must be {FORM}, had more than two colons")
    if not _NAME.fullmatch(name):
        raise ValidationError(f"must be {FORM}: a name has {NAME_RULE}")
    if scope not in SCOPES:
        raise ValidationError(f"must be {FORM}: the scope of {name} must be {' or '.join(SCOPES)}")
    if not _SHA_256.fullmatch(digest):
        raise ValidationError(f"must be {FORM}: the SHA-256 of {name} must be 64 hexadecimal digits")
    return ApiKey(name, scope, bytes.fromhex(digest))


def check_distinct(keys: Sequence[ApiKey]) -> None:
    """Refuse two keys of one name, and one key of two names. Raises ValidationError."""
    by_name: dict[str, ApiKey] = {}
    by_digest: dict[bytes, ApiKey] = {}
    for key in keys:
        if key.name in by_name:
            raise ValidationError(f"two keys have the name {key.name}: the log could not tell them apart")
        if key.digest in by_digest:
            other = by_digest[key.digest].name
            raise ValidationError(f"{other} and {key.name} are the same key: each holder needs one")
        by_name[key.name] = by_digest[key.digest] = key


def parse_keys(entries: Sequence[str]) -> list[ApiKey]:
    """The keys of the entries. Raises ValidationError, by place where an entry is wrong by itself."""
    keys, refused = [], {}
    for place, entry in enumerate(entries, 1):
        try:
            keys.append(parse_key(entry, place))
        except ValidationError as error:
            refused[place - 1] = error.messages
    if refused:
        raise ValidationError(refused)
    check_distinct(keys)
    return keys
