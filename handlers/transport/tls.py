"""TLS: a context from the operator's certificate and key, or a sentence that says what is wrong with them."""

from __future__ import annotations

import ssl
from pathlib import Path

from domain.refusals import OperatorError


class TlsError(OperatorError):
    """Why TLS cannot be offered, in a sentence for the operator."""


def make_context(cert: str, key: str) -> ssl.SSLContext | None:
    """What connections are encrypted with; None where neither file is set. Raises TlsError.

    A new context each time: what is under way goes on with the one it began with, and files that do not fit
    together leave nothing half changed.
    """
    if not cert and not key:
        return None
    if not cert or not key:
        missing, named = ("tls_key", "tls_cert") if cert else ("tls_cert", "tls_key")
        raise TlsError(f"server.{named} is set, so server.{missing} must be too: TLS needs both.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # what HTTP/1.1 and WebSocket need; a client that offers nothing else finds out in the handshake
    context.set_alpn_protocols(["http/1.1"])
    for setting, path in (("tls_cert", cert), ("tls_key", key)):
        _check_readable(setting, path)
    try:
        context.load_cert_chain(cert, key, password=_refuse_to_ask)
    except ssl.SSLError as error:
        raise TlsError(_reason(error, cert, key)) from None
    return context


def _refuse_to_ask() -> str:
    # without this OpenSSL would ask on the terminal, and a service would wait for ever
    raise TlsError("server.tls_key: the key has a passphrase, which nobody can type here: store it without.")


def _check_readable(setting: str, path: str) -> None:
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as error:
        raise TlsError(f"server.{setting}: the file {path} cannot be read: {error.strerror}.") from None


def _reason(error: ssl.SSLError, cert: str, key: str) -> str:
    """What OpenSSL found wrong."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"server.tls_key: the key {key} does not belong to the certificate {cert}."
    return (
        f"server.tls_cert and server.tls_key: {cert} must be a PEM certificate chain and {key} its PEM key "
        f"({error.reason or 'not PEM'})."
    )
