"""``server.py login``: the broker's daily login, so that a running server goes live without a restart."""

from __future__ import annotations

import argparse
import hashlib
import sys
import webbrowser
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from tornado.httpclient import HTTPClient, HTTPRequest, HTTPResponse

from cli import dhan_login
from cli.options import PROGRAM, load_settings, outside_of_the_program, shared_options
from domain.instants import IST
from domain.market import SourceName
from domain.refusals import OperatorError
from feed.live.kite_wire import envelope
from feed.live.token_file import read_token, write_token
from schemas.configuration.settings import KiteSettings

BROKERS = (SourceName.KITE.value, SourceName.DHAN.value)
WAIT_S = 300
FLUSH = (0, 8.5)  # hours of India's clocks in which the broker may still end what began before


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Log in, check a login, or end one. Raises SettingsError, OperatorError."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} login",
        description="The daily login of a broker: Kite's names a page and takes its request token; Dhan's "
        "takes a token that you made on its site, or makes one of dhan.pin and dhan.totp_secret. It is kept "
        "where only you can read it. A server that runs takes it without a restart.",
        parents=[shared_options()],
    )
    parser.add_argument(
        "--broker", choices=BROKERS, help="whose (default: the one of feed.source, else kite)"
    )
    parser.add_argument("--open", action="store_true", help="open the login page in a browser")
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help="wait for the redirect there (the redirect URL of your application), instead of asking for it",
    )
    parser.add_argument("--check", action="store_true", help="say whether the login that is kept still holds")
    parser.add_argument(
        "--renew", action="store_true", help="exchange one that holds for a longer one (Dhan)"
    )
    parser.add_argument("--logout", action="store_true", help="end it")
    options = parser.parse_args(arguments)
    settings = load_settings(options, environment)
    named = options.broker or settings.feed.source
    if named == SourceName.DHAN:
        return dhan_login.run(options, settings.dhan)
    kite = settings.kite
    if options.renew:
        raise OperatorError("Kite's logins cannot be renewed: log in again.")
    if not kite.api_key:
        raise OperatorError(
            "kite.api_key (KITE_API_KEY) must be set: it is on the page of your Kite application."
        )
    path = outside_of_the_program(Path(kite.token_file), "kite.token_file")
    if options.check:
        return _check(kite, path)
    if options.logout:
        return _log_out(kite, path)
    return _log_in(kite, path, listen=options.listen, opens=options.open)


def _log_in(kite: KiteSettings, path: Path, *, listen: str | None, opens: bool) -> int:
    if not kite.api_secret:
        raise OperatorError("kite.api_secret (KITE_API_SECRET) must be set, in .env or the environment.")
    address = f"{kite.login_url}?{urlencode({'v': 3, 'api_key': kite.api_key})}"
    _say(f"Log in here:\n\n    {address}\n")
    if opens:
        webbrowser.open(address)
    request_token = _listened(listen) if listen else _pasted()
    checksum = hashlib.sha256((kite.api_key + request_token + kite.api_secret).encode()).hexdigest()
    form = {"api_key": kite.api_key, "request_token": request_token, "checksum": checksum}
    answer = _ask(kite, "/session/token", method="POST", body=urlencode(form))
    told = envelope(answer.body or b"") or {}
    session = told.get("data")
    if answer.code == 403:
        raise OperatorError(
            "Kite refused the login: the request token was used or is some minutes old, or kite.api_secret "
            "is wrong. Begin again with the page above."
        )
    if answer.code != 200 or not isinstance(session, dict) or not session.get("access_token"):
        raise OperatorError(f"Kite answered the login with {answer.code} and no session.")
    try:
        write_token(path, kite.api_key, session)
    except OSError as error:
        raise OperatorError(f"The login cannot be kept in {path}: {error.strerror}.") from None
    _say(
        f"{session.get('user_name') or session.get('user_id')} is logged in; kept in {path}.\n"
        "It holds until the broker ends it, usually about 06:00 tomorrow."
    )
    hour = datetime.now(IST).hour + datetime.now(IST).minute / 60
    if FLUSH[0] <= hour < FLUSH[1]:
        _say("It is early: the broker's flush of this morning, up to 08:30, may still end it.")
    return 0


def _pasted() -> str:
    """The request token out of what is pasted: itself, or the whole address that the browser came to."""
    _say("Paste the request token, or the whole address that the page led to: ", end="")
    return _request_token(sys.stdin.readline().strip())


def _request_token(text: str) -> str:
    if "://" not in text:
        if not text:
            raise OperatorError("Nothing was pasted.")
        return text
    query = parse_qs(urlsplit(text).query)
    if query.get("status", ["success"])[0] != "success" or not query.get("request_token"):
        raise OperatorError("That address has no request token of a login that went well.")
    return query["request_token"][0]


def _listened(place: str) -> str:
    """The request token of the redirect that comes to a port of this machine."""
    host, _, port = place.rpartition(":")
    if not port.isdigit():
        raise OperatorError(f"--listen must be HOST:PORT, such as 127.0.0.1:5010, was {place!r}.")
    found: list[str] = []

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = "You are logged in; this page may be closed."
            try:
                found.append(_request_token(f"http://{host}{self.path}"))
            except OperatorError as error:
                text = str(error)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """The address has the token in it."""

    try:
        server = HTTPServer((host or "127.0.0.1", int(port)), Redirect)
    except OSError as error:
        raise OperatorError(f"Cannot listen on {place}: {error.strerror or error}.") from None
    _say(f"Waiting for the redirect on {place} …")
    with server:
        server.timeout = WAIT_S
        while not found:
            server.handle_request()
    return found[0]


def _check(kite: KiteSettings, path: Path) -> int:
    token = kite.access_token or read_token(path, kite.api_key)
    if not token:
        _say(f"There is no login of this application in {path}.")
        return 1
    answer = _ask(kite, "/user/profile", token=token)
    profile = (envelope(answer.body or b"") or {}).get("data") or {}
    if answer.code != 200:
        _say("The login has ended: log in again.")
        return 1
    _say(f"{profile.get('user_name') or profile.get('user_id')} is logged in.")
    return 0


def _log_out(kite: KiteSettings, path: Path) -> int:
    token = read_token(path, kite.api_key)
    if token:
        query = urlencode({"api_key": kite.api_key, "access_token": token})
        _ask(kite, f"/session/token?{query}", method="DELETE", token=token)
    path.unlink(missing_ok=True)
    _say("Logged out.")
    return 0


def _ask(
    kite: KiteSettings, path: str, *, method: str = "GET", body: str | None = None, token: str = ""
) -> HTTPResponse:
    """An answer of Kite's REST. Raises OperatorError where there is none."""
    headers = {"X-Kite-Version": "3"}
    if token:
        headers["Authorization"] = f"token {kite.api_key}:{token}"
    request = HTTPRequest(kite.root_url.rstrip("/") + path, method=method, body=body, headers=headers)
    client = HTTPClient()
    try:
        return client.fetch(request, raise_error=False)
    except OSError as error:
        raise OperatorError(f"Kite cannot be reached ({type(error).__name__}).") from None
    finally:
        client.close()


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()
