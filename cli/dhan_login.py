"""``server.py login --broker dhan``: a token by paste, or by PIN and one-time password without a browser."""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import struct
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import HTTPClient, HTTPRequest, HTTPResponse

from cli.options import outside_of_the_program
from domain.refusals import OperatorError
from feed.live.kite_wire import envelope
from feed.live.token_file import read_token, write_token
from schemas.configuration.settings import DhanSettings

PASSWORD_EVERY_S = 30


def run(options: argparse.Namespace, dhan: DhanSettings) -> int:
    """Log in, renew, check or end a login. Raises OperatorError."""
    if not dhan.client_id:
        raise OperatorError("dhan.client_id (DHAN_CLIENT_ID) must be set: it is in your Dhan profile.")
    if options.listen or options.open:
        raise OperatorError("Dhan's login has no page that leads back: --open and --listen are Kite's.")
    path = outside_of_the_program(Path(dhan.token_file), "dhan.token_file")
    if options.check:
        return _check(dhan, path)
    if options.logout:
        path.unlink(missing_ok=True)
        _say("Logged out here; the token itself holds until its day is over.\n")
        return 0
    if options.renew:
        return _keep(path, dhan, _renewed(dhan, path))
    if dhan.pin and dhan.totp_secret:
        return _keep(path, dhan, _generated(dhan, now_s=time.time()))  # noqa: TID251 - passwords are of real time
    _say(
        "Make an access token at https://web.dhan.co (My Profile, Access DhanHQ APIs), and paste it.\n"
        "(With DHAN_PIN and DHAN_TOTP_SECRET in .env this command needs no browser.)\nToken: "
    )
    token = sys.stdin.readline().strip()
    if not token:
        raise OperatorError("Nothing was pasted.")
    return _keep(path, dhan, {"accessToken": token})


def one_time_password(secret: str, now_s: float) -> str:
    """The six digits of an instant (RFC 6238, SHA-1, 30 s). Raises OperatorError for what is no base32."""
    try:
        key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
    except binascii.Error:
        raise OperatorError("dhan.totp_secret must be base32, as an authenticator app takes it.") from None
    digest = hmac.new(key, struct.pack(">Q", int(now_s // PASSWORD_EVERY_S)), hashlib.sha1).digest()
    place = digest[-1] & 0x0F
    number = struct.unpack_from(">I", digest, place)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def _generated(dhan: DhanSettings, *, now_s: float) -> dict[str, Any]:
    query = urlencode(
        {
            "dhanClientId": dhan.client_id,
            "pin": dhan.pin,
            "totp": one_time_password(dhan.totp_secret, now_s),
        }
    )
    address = f"{dhan.login_url.rstrip('/')}/app/generateAccessToken?{query}"
    answer = _ask(HTTPRequest(address, method="POST", body=""))
    return _session(answer, "dhan.client_id, dhan.pin or dhan.totp_secret is wrong, or this clock is.")


def _renewed(dhan: DhanSettings, path: Path) -> dict[str, Any]:
    headers = {"access-token": _token(dhan, path), "dhanClientId": dhan.client_id}
    answer = _ask(HTTPRequest(f"{dhan.root_url.rstrip('/')}/RenewToken", headers=headers))
    return _session(answer, "only a token that still holds can be renewed.")


def _session(answer: HTTPResponse, why: str) -> dict[str, Any]:
    told = envelope(answer.body or b"") or {}
    if answer.code >= 500:
        raise OperatorError(f"Dhan answers {answer.code}.")
    data = told.get("data")
    session: dict[str, Any] = data if isinstance(data, dict) else told
    if answer.code != 200 or not session.get("accessToken"):
        raise OperatorError(f"Dhan gave no token: {why}")
    return session


def _keep(path: Path, dhan: DhanSettings, session: dict[str, Any]) -> int:
    until = session.get("expiryTime") or expires_at(str(session["accessToken"]))
    try:
        write_token(path, dhan.client_id, {"user_id": dhan.client_id, "access_token": session["accessToken"]})
    except OSError as error:
        raise OperatorError(f"The login cannot be kept in {path}: {error.strerror}.") from None
    _say(f"Kept in {path}. It holds {'until ' + str(until) if until else 'for about a day'}.\n")
    return 0


def expires_at(token: str) -> str:
    """Until when a token of JSON (JWT) says that it holds; empty where it says nothing."""
    parts = token.split(".")
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (IndexError, binascii.Error):
        return ""
    expires_s = (envelope(body) or {}).get("exp")
    if not isinstance(expires_s, int):
        return ""
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(expires_s))


def _check(dhan: DhanSettings, path: Path) -> int:
    answer = _ask(
        HTTPRequest(f"{dhan.root_url.rstrip('/')}/profile", headers={"access-token": _token(dhan, path)})
    )
    profile = envelope(answer.body or b"") or {}
    if answer.code != 200:
        _say("The login has ended: log in again.\n")
        return 1
    _say(f"{dhan.client_id} is logged in, until {profile.get('tokenValidity', 'an unknown time')}.\n")
    return 0


def _token(dhan: DhanSettings, path: Path) -> str:
    token = dhan.access_token or read_token(path, dhan.client_id)
    if not token:
        raise OperatorError(f"There is no login of this account in {path}.")
    return token


def _ask(request: HTTPRequest) -> HTTPResponse:
    """An answer of Dhan's. Raises OperatorError where there is none."""
    client = HTTPClient()
    try:
        return client.fetch(request, raise_error=False)
    except OSError as error:
        raise OperatorError(f"Dhan cannot be reached ({type(error).__name__}).") from None
    finally:
        client.close()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
