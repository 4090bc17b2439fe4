"""What answers tell a browser to do, and not to do, with them."""

from __future__ import annotations

from collections.abc import Mapping

# An answer is data for a program: a page may read it if its origin may, but none may frame, run or embed
# it, and nobody guesses its type. Pages for people widen the policy by what they need.
DATA_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
# the terminal: its own scripts and styles, this server's data, and nothing from elsewhere
TERMINAL_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' ws: wss:; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
# for this host alone: its neighbours may have no TLS
TLS_HEADERS = {**DATA_HEADERS, "Strict-Transport-Security": "max-age=31536000"}
EXPOSED_HEADERS = (
    "ETag, X-Request-ID, Retry-After, RateLimit, RateLimit-Policy, "
    "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)


def security_headers(protocol: str) -> Mapping[str, str]:
    """The headers of every answer; a connection that TLS protects shall have it from now on."""
    return TLS_HEADERS if protocol == "https" else DATA_HEADERS
