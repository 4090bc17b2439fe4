"""Rules and requests without a server."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from handlers.access.rules import AccessRules


def rules_of(**options):
    """The doors with these settings, at an instant that stays."""
    given = {"origins": (), "api_keys": (), "trusted_proxies": (), "rate_limit_per_minute": 60}
    return AccessRules(**{**given, **options}, monotonic=lambda: 0.0)


def request_from(address, *forwarded, host="here:5000", **headers):
    """A request of an address, with an X-Forwarded-For each and other headers (``X_Real_IP=…``)."""
    given = HTTPHeaders({"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}})
    for value in forwarded:
        given.add("X-Forwarded-For", value)
    request = HTTPServerRequest(start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=given)
    request.remote_ip = address
    return request
