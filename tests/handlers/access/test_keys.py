"""API keys: the entries of the setting, the command that makes one, and what SIGHUP does to them."""

from __future__ import annotations

import asyncio
import hmac
import re

import pytest
from marshmallow import ValidationError

import server as server_module
from handlers.access.keys import Keys
from schemas.configuration.api_keys import ApiKey, digest_of, parse_key, parse_keys
from schemas.configuration.settings import SettingsSchema, sentences

TOKENS = {"alice": "the-token-of-alice", "bob": "the-token-of-bob", "carol": "the-token-of-carol"}
HASH = digest_of("x").hex()


def entry(name, scope="read"):
    return ApiKey(name, scope, digest_of(TOKENS[name])).entry


# entries


@pytest.mark.parametrize(
    ("text", "name", "scope", "token"),
    [
        (f"grafana:read:{HASH}", "grafana", "read", "x"),
        (f"a.b-c_1:control:{HASH.upper()}", "a.b-c_1", "control", "x"),
        ("a-plain-key", "unnamed-3", "read", "a-plain-key"),
    ],
)
def test_entry_is_taken(text, name, scope, token):
    key = parse_key(text, place=3)
    assert (key.name, key.scope, key.digest) == (name, scope, digest_of(token))
    assert key.is_plain is (":" not in text)


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        (["short"], "at least 8 characters"),
        ([f"grafana:write:{HASH}"], "scope of grafana must be read or control"),
        (["grafana:read:abc"], "SHA-256 of grafana must be 64 hexadecimal digits"),
        ([f"grafana:read:{HASH[:-1]}z"], "64 hexadecimal digits"),
        ([f":read:{HASH}"], "a name has 1 to 40 letters"),
        ([f"two words:read:{HASH}"], "a name has 1 to 40 letters"),
        ([f"{'n' * 41}:read:{HASH}"], "a name has 1 to 40 letters"),
        ([f"grafana:read:{HASH}:more"], "more than two colons"),
        (["grafana:secret-token"], "scope of grafana"),
        ([f"one:read:{HASH}", f"one:control:{digest_of('y').hex()}"], "two keys have the name one"),
        ([f"one:read:{HASH}", f"two:control:{HASH}"], "one and two are the same key"),
        (["a-plain-key", "a-plain-key"], "unnamed-1 and unnamed-2 are the same key"),
        (["a-plain-key", f"one:read:{digest_of('a-plain-key').hex()}"], "unnamed-1 and one are the same key"),
    ],
)
def test_bad_entries_are_refused_in_a_sentence_without_a_key(entries, rule):
    with pytest.raises(ValidationError) as refused:
        SettingsSchema().load({"server": {"api_keys": entries}})
    told = "; ".join(sentences(refused.value.normalized_messages()))
    assert told.startswith("server.api_keys")
    assert rule in told
    for secret in ("short", "secret-token", "a-plain-key", HASH):
        assert secret not in told


def test_settings_hold_and_show_no_key():
    settings = SettingsSchema().load({"server": {"api_keys": ["a-plain-key", f"one:read:{HASH}"]}})
    assert "a-plain-key" not in repr(settings)
    assert HASH not in repr(settings)


@pytest.mark.parametrize(
    ("scope", "may_read", "may_control"), [("read", True, False), ("control", True, True)]
)
def test_control_includes_read(scope, may_read, may_control):
    key = ApiKey("any", scope, b"")
    assert (key.may("read"), key.may("control")) == (may_read, may_control)


@pytest.mark.parametrize("name", [*TOKENS, None])
def test_every_key_is_compared_in_constant_time_whichever_is_shown(monkeypatch, name):
    compared, compare = [], hmac.compare_digest

    def watched(one, other):
        compared.append(other)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    keys = parse_keys([entry(name) for name in TOKENS])
    found = Keys(keys).find(TOKENS.get(name, "nobody's"))
    assert (found and found.name) == name
    assert compared == [key.digest for key in keys]


@pytest.mark.parametrize(
    ("known", "shown", "is_let_in"),
    [
        ((), None, True),  # no keys: everybody
        ((), "alice", True),
        (("alice",), None, False),
        (("alice",), "alice", True),
        (("bob",), "alice", False),
        (("alice", "bob"), "bob", True),
    ],
)
def test_open_socket_stays_if_it_would_be_let_in_now(known, shown, is_let_in):
    keys = Keys(parse_keys([entry(name) for name in known]))
    assert keys.admits(shown and parse_key(entry(shown))) is is_let_in


def test_new_key_under_an_old_name_ends_the_old_one():
    old, new = ApiKey("alice", "read", digest_of("old")), ApiKey("alice", "read", digest_of("new"))
    keys = Keys([old])
    assert keys.replace([new]) == "changed alice"
    assert (keys.admits(old), keys.admits(new)) == (False, True)
    assert keys.replace([new]) == "unchanged"


# the command


def make_key(capsys, *arguments):
    assert server_module.main(["key", *arguments]) == 0
    told = capsys.readouterr().out
    token, line = re.search(r"^    (\S+)$.*^    API_KEYS=(\S+)$", told, re.MULTILINE | re.DOTALL).groups()
    return told, token, line


@pytest.mark.parametrize(("arguments", "scope"), [((), "read"), (("--scope", "control"), "control")])
def test_command_makes_a_key_that_its_line_lets_in(capsys, arguments, scope):
    told, token, line = make_key(capsys, "grafana", *arguments)
    key = parse_key(line)
    assert (key.name, key.scope) == ("grafana", scope)
    assert Keys([key]).find(token) == key
    assert token not in line
    assert told.count(token) == 1


def test_command_makes_another_key_each_time(capsys):
    assert make_key(capsys, "one")[1] != make_key(capsys, "one")[1]


@pytest.mark.parametrize("arguments", [(), ("two words",), ("one", "--scope", "write"), ("a:b",)])
def test_command_refuses_what_is_no_name_or_scope(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        server_module.main(["key", *arguments])
    assert ended.value.code == 2
    assert "server.py key: error:" in capsys.readouterr().err


def test_command_explains_itself(capsys):
    with pytest.raises(SystemExit) as ended:
        server_module.main(["key", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "NAME" in told
    assert "--scope" in told


# a server that runs


@pytest.fixture
def configured(run_server, tmp_path):
    """``process, write`` of a server whose settings file a test writes anew."""
    path = tmp_path / "settings.toml"

    def write(*entries, **more):
        lines = [f"{name} = {value!r}" for name, value in more.items()]
        path.write_text("\n".join(["[server]", f"api_keys = {list(entries)!r}", *lines]))

    write(entry("alice"), entry("bob", "control"))
    return run_server("--settings", str(path), "--set", "server.access_log=true"), write


RELOADED = "reloaded the API keys"


async def status_of(fetch, process, name):
    return (await fetch(process, "/api/symbols", headers={"X-API-Key": TOKENS[name]})).status


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.gen_test
async def test_revoked_key_closes_its_sockets_and_no_other(configured, connect, fetch, transport):
    process, write = configured
    alice = [await connect(process, transport, auth={"token": TOKENS["alice"]}) for _ in range(2)]
    bob = await connect(process, transport, auth={"token": TOKENS["bob"]})
    for client in (*alice, bob):
        await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    assert [await status_of(fetch, process, name) for name in TOKENS] == [200, 200, 401]
    # alice goes, carol comes, bob may less than before, which no socket asks for
    write(entry("bob"), entry("carol"))
    await process.hang_up(RELOADED)
    for client in alice:
        told = await client.next("error")
        assert (told["code"], told["event"]) == ("UNAUTHORIZED", "")
        assert told["message"].endswith(".")
        await asyncio.wait_for(client.disconnected.wait(), 10)
        assert client.order[-1][0] == "error"  # nothing of the market after it
    assert [await status_of(fetch, process, name) for name in TOKENS] == [401, 200, 200]
    await bob.ask("ping")
    assert bob.waiting("error") == []
    again = await connect(process, transport, auth={"token": TOKENS["alice"]})
    assert (await again.next("connect_error"))["data"]["code"] == "UNAUTHORIZED"
    carol = await connect(process, transport, auth={"token": TOKENS["carol"]})
    assert (await carol.next("connection_status"))["status"] == "connected"
    log = process.log.read_text()
    assert "added carol; changed bob; revoked alice; 2 connections closed" in log
    assert not any(token in log for token in TOKENS.values())


@pytest.mark.gen_test
async def test_first_key_closes_the_sockets_that_came_without_one(configured, connect):
    process, write = configured
    write()
    await process.hang_up(RELOADED)
    stranger = await connect(process)
    bob = await connect(process, auth={"token": TOKENS["bob"]})  # a key that nobody asks for is not looked at
    await bob.settle()
    write(entry("bob"))
    await process.hang_up(RELOADED)
    assert (await stranger.next("error"))["code"] == "UNAUTHORIZED"
    await asyncio.wait_for(stranger.disconnected.wait(), 10)


@pytest.mark.gen_test
async def test_bad_entry_changes_nothing(configured, connect, fetch):
    process, write = configured
    alice = await connect(process, auth={"token": TOKENS["alice"]})
    write("alice:everything:abc")
    await process.hang_up("nothing was reloaded")
    assert await status_of(fetch, process, "alice") == 200
    await alice.settle()


@pytest.mark.gen_test
async def test_access_log_names_the_key_and_never_shows_it(configured, fetch):
    process, _ = configured
    assert await status_of(fetch, process, "alice") == 200
    assert await status_of(fetch, process, "carol") == 401
    process.stop()
    log = process.log.read_text()
    assert '"key":"alice"' in log
    assert not any(token in log for token in TOKENS.values())


@pytest.mark.gen_test
async def test_plain_key_is_let_in_to_read_with_one_warning(run_server, fetch):
    process = run_server("--set", "feed.control=true", environment={"API_KEYS": TOKENS["alice"]})
    assert await status_of(fetch, process, "alice") == 200
    headers = {"X-API-Key": TOKENS["alice"], "Content-Type": "application/json"}
    answer = await fetch(
        process, "/api/simulation/scenario", method="POST", body='{"scenario": "crash"}', headers=headers
    )
    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")
    log = process.log.read_text()
    assert log.count("in plain text (unnamed-1)") == 1
    await process.hang_up("API_KEYS stands in the environment")
    assert TOKENS["alice"] not in log
