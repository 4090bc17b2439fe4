"""Whose address counts: a stranger's header says nothing, a trusted proxy's does, as far as it vouches."""

from __future__ import annotations

import pytest

from tests.handlers.access.strangers import request_from, rules_of

PROXY = ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "address"),
    [
        # a stranger's header says nothing
        ((), "198.51.100.7", ("203.0.113.9",), "198.51.100.7"),
        (PROXY, "198.51.100.7", ("203.0.113.9",), "198.51.100.7"),
        (PROXY, "198.51.100.7", ("10.1.1.1",), "198.51.100.7"),
        # a trusted proxy's does
        (PROXY, "10.1.1.1", ("203.0.113.9",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("203.0.113.9, 10.2.2.2",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("203.0.113.9", "10.2.2.2"), "203.0.113.9"),  # two headers are one list
        # as far as it vouches: what stands before is the client's own claim
        (PROXY, "10.1.1.1", ("192.0.2.66, 203.0.113.9",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("10.9.9.9, 203.0.113.9",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("192.0.2.66, nonsense",), "10.1.1.1"),
        (PROXY, "10.1.1.1", ("192.0.2.66, unknown, 10.2.2.2",), "10.2.2.2"),
        (PROXY, "10.1.1.1", ("nonsense",), "10.1.1.1"),
        (PROXY, "10.1.1.1", ("",), "10.1.1.1"),
        (PROXY, "10.1.1.1", (", ,",), "10.1.1.1"),
        # nobody but proxies: the farthest of them
        (PROXY, "10.1.1.1", ("10.3.3.3, 10.2.2.2",), "10.3.3.3"),
        # both families, and IPv4 as a dual-stack socket wraps it
        (("::1/128",), "::1", ("2001:db8::5",), "2001:db8::5"),
        (PROXY, "::ffff:10.1.1.1", ("203.0.113.9",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("::ffff:203.0.113.9",), "203.0.113.9"),
        (PROXY, "10.1.1.1", ("203.0.113.9, ::ffff:10.2.2.2",), "203.0.113.9"),
        ((), "::ffff:198.51.100.7", (), "198.51.100.7"),
    ],
)
def test_address_is_the_last_one_not_vouched_for(proxies, remote, forwarded, address):
    rules = rules_of(trusted_proxies=proxies)
    assert rules.address(request_from(remote, *forwarded)) == address


@pytest.mark.gen_test
async def test_header_of_a_stranger_gets_nobody_a_fresh_allowance(make_sandbox, fetch):
    sandbox = await make_sandbox(limits={"rate_limit_per_minute": 2})
    statuses = [
        (await fetch(sandbox, "/api/spot_price/NIFTY", headers={"X-Forwarded-For": f"203.0.113.{n}"})).status
        for n in range(4)
    ]
    assert statuses == [200, 200, 429, 429]


@pytest.mark.gen_test
async def test_clients_behind_a_trusted_proxy_have_allowances_of_their_own(make_sandbox, fetch):
    sandbox = await make_sandbox(
        server={"trusted_proxies": ["127.0.0.1"]}, limits={"rate_limit_per_minute": 1}
    )
    for n in range(4):
        headers = {"X-Forwarded-For": f"203.0.113.{n}"}
        assert (await fetch(sandbox, "/api/spot_price/NIFTY", headers=headers)).status == 200
        assert (await fetch(sandbox, "/api/spot_price/NIFTY", headers=headers)).status == 429


@pytest.mark.parametrize(
    ("proxies", "told", "protocol"),
    [
        (PROXY, "https", "https"),
        (PROXY, "http", "http"),
        (PROXY, "http, https", "https"),
        (PROXY, "gopher", "http"),
        (PROXY, "", "http"),
        ((), "https", "http"),
    ],
)
def test_protocol_is_believed_of_a_trusted_proxy_only(proxies, told, protocol):
    request = request_from("10.1.1.1", X_Forwarded_Proto=told)
    assert rules_of(trusted_proxies=proxies).protocol(request) == protocol
