"""Dhan's bytes as arrays, and a server that is fed by a fake of its wire."""

from __future__ import annotations

import asyncio
import base64
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from cli.dhan_login import expires_at, one_time_password
from cli.login import run as run_login
from domain.refusals import OperatorError
from feed.live import backoff, dhan, source
from feed.live.broker import BrokerError, Limits
from feed.live.dhan_wire import LAYOUTS, decode, parse_instruments, segment_and_id, token_of
from feed.live.token_file import read_token, write_token
from tests.feed.live.fake_dhan import FakeDhan, packet_6, packet_8

TOKEN = "token-of-a-day"
# of every exchange and kind, and few enough for the sockets of one account
SYMBOLS = ["NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE", "M&M", "BAJAJ-AUTO", "CRUDEOIL", "GOLD", "GOLDM"]
QUOTE = {
    "last_price": 24817.35,
    "open": 24800.0,
    "high": 24900.05,
    "low": 24750.1,
    "previous_close": 24790.4,
    "volume": 1300.0,
    "open_interest": 65000.0,
    "bid": 24817.3,
    "ask": 24817.4,
    "bid_quantity": 65.0,
    "ask_quantity": 130.0,
}
FULL = packet_8(2, 49081, QUOTE)


def test_layouts_are_as_long_as_published() -> None:
    assert {code: layout.itemsize for code, layout in LAYOUTS.items()} == {2: 16, 4: 50, 5: 12, 6: 16, 8: 162}
    assert LAYOUTS[8].fields["open_interest"][1] == 34
    assert LAYOUTS[8].fields["depth"][1] == 62


def test_packets_of_several_kinds_in_one_message_are_told_with_their_prices_on_the_grid() -> None:
    light = struct.pack("<BHBIfI", 2, 16, 0, 13, 24800.05, 0)
    interest = struct.pack("<BHBII", 5, 12, 2, 49082, 4242)
    ticks = decode(packet_6(2, 49081, 24790.4, 60000) + FULL + light + interest)
    assert ticks.bad == 0
    at = {int(token): place for place, token in enumerate(ticks.tokens)}  # the last of a token
    full = at[token_of(2, 49081)]
    told = {name: float(ticks.fields[name][full]) for name in QUOTE if name != "previous_close"}
    assert told == {name: value for name, value in QUOTE.items() if name in told}
    first = ticks.tokens.tolist().index(token_of(2, 49081))
    assert ticks.fields["previous_open_interest"][first] == 60000
    assert ticks.fields["previous_close"][first] == 24790.4
    assert ticks.fields["last_price"][at[token_of(0, 13)]] == 24800.05
    assert np.isnan(ticks.fields["volume"][at[token_of(0, 13)]])
    assert ticks.fields["open_interest"][at[token_of(2, 49082)]] == 4242
    many = decode(FULL * 3)
    assert many.fields["ask"].tolist() == [24817.4] * 3


@given(st.binary(max_size=400))
def test_no_message_raises_but_the_end_of_a_line(message: bytes) -> None:
    try:
        ticks = decode(message)
    except BrokerError:
        assert 50 in message
        return
    assert all(len(values) == len(ticks.tokens) for values in ticks.fields.values())


@given(st.integers(0, len(FULL) - 1), st.integers(0, 255), st.integers(0, len(FULL)))
def test_packet_with_a_wrong_byte_or_an_end_too_soon_spoils_no_other(place: int, byte: int, end: int) -> None:
    changed = bytearray(FULL)
    changed[place] = byte
    assert len(decode(FULL + bytes(changed[:end]) if byte != 50 else FULL).tokens) >= 1


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (805, "rate_limited"),
        (806, "not_permitted"),
        (807, "login_required"),
        (808, "login_required"),
        (809, "login_required"),
        (999, "disconnected"),
    ],
)
def test_reason_of_a_line_that_ends_is_told(reason: int, kind: str) -> None:
    with pytest.raises(BrokerError) as raised:
        decode(FULL + struct.pack("<BHBIH", 50, 10, 0, 0, reason))
    assert raised.value.kind == kind


def test_list_is_read_by_its_trading_symbols() -> None:
    head = (
        "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_TRADING_SYMBOL,SEM_LOT_UNITS,"
        "SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_SERIES"
    )
    rows = [
        "NSE,D,35001,OPTSTK,BAJAJ-AUTO-Dec2026-9050.5-CE,75.0,2026-12-29 14:30:00,9050.50000,CE,",
        "MCX,M,442,FUTCOM,CRUDEOIL-18Dec2026-FUT,1.0,2026-12-18 23:30:00,-0.01,XX,",
        "NSE,E,2885,EQUITY,RELIANCE,1.0,,,XX,EQ",
        "NSE,E,2886,EQUITY,RELIANCE,1.0,,,XX,BL",
        "NSE,C,1,FUTCUR,USDINR-Dec2026-FUT,1.0,2026-12-29 14:30:00,0,XX,",
        "NSE,D,x,OPTSTK,TCS-Dec2026-3000-CE,175.0,2026-12-29 14:30:00,3000,CE,",
    ]
    found = parse_instruments("\n".join([head, *rows]))
    assert [(item.exchange, item.name, item.kind, item.strike, item.lot_size) for item in found] == [
        ("NFO", "BAJAJ-AUTO", "CE", 9050.5, 75),
        ("MCX", "CRUDEOIL", "FUT", 0.0, 1),
        ("NSE", "RELIANCE", "EQ", 0.0, 1),
    ]
    assert segment_and_id(found[0].token) == ("NSE_FNO", "35001")
    with pytest.raises(BrokerError, match="lacks the column SEM_EXM_EXCH_ID"):
        parse_instruments("<html>")


def test_one_time_password_is_the_published_one() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    # RFC 6238, appendix B: the last six of its eight digits
    assert [one_time_password(secret, at) for at in (59, 1111111109, 2000000000)] == [
        "287082",
        "081804",
        "279037",
    ]
    with pytest.raises(OperatorError, match="must be base32"):
        one_time_password("0189!", 0)


def test_end_of_a_token_is_read_where_it_says_one() -> None:
    body = base64.urlsafe_b64encode(json.dumps({"exp": 1796000000}).encode()).decode().rstrip("=")
    assert expires_at(f"e30.{body}.x").startswith("2026-11-")
    assert expires_at("opaque") == expires_at("a.b!.c") == ""


@pytest.fixture
def fed(io_loop, make_sandbox, monkeypatch, tmp_path):
    """A server that is fed by the fake."""
    for name in ("LOOK_S", "REPLAN_S", "LIST_RETRY_S"):
        monkeypatch.setattr(source, name, 0.02)
    monkeypatch.setattr(backoff, "FIRST_S", 0.02)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.1)
    monkeypatch.setattr(dhan, "MESSAGE_INTERVAL_S", 0.0)
    made = []

    async def start(token: str = TOKEN, **settings):
        fake = FakeDhan(await make_sandbox(own_market=True, feed={"symbols": SYMBOLS}), TOKEN)
        root = f"127.0.0.1:{fake.port}"
        path = tmp_path / "dhan.json"
        sandbox = await make_sandbox(
            own_market=True,
            feed={"source": "dhan", "stale_after_s": 30.0, "symbols": SYMBOLS},
            dhan={
                "client_id": "1000000001",
                "access_token": token,
                "token_file": str(path),
                "root_url": f"http://{root}/v2",
                "feed_url": f"ws://{root}",
                "instruments_url": f"http://{root}/list.csv",
                **settings,
            },
        )
        await sandbox.server.ticker.prime()
        made.append((fake, sandbox))
        return fake, sandbox, path

    yield start
    for fake, sandbox in made:
        io_loop.run_sync(sandbox.server.ticker.close)
        fake.server.stop()
        io_loop.run_sync(fake.server.close_all_connections)


async def until(condition) -> None:
    """Let both go on until something holds; the test's time is its limit."""
    while not condition():  # noqa: ASYNC110 - what is awaited is another server's affair
        await asyncio.sleep(0.01)


async def all_told(sandbox) -> None:
    """Until every row of the broker's list was told once."""
    live = sandbox.server.source
    await until(lambda: live.plan.socket_of or live.plan.polled)
    await until(lambda: not np.count_nonzero(live.gather.times_ms < 0))
    await sandbox.step()


def differs(ours, theirs) -> bool:
    known = np.nan_to_num(theirs) > 0
    return not np.allclose(ours[known], theirs[known], atol=0.0051)


@pytest.mark.gen_test
async def test_whole_universe_is_on_sockets_previous_open_interest_with_it(fed):
    fake, sandbox, _ = await fed()
    await all_told(sandbox)
    live, market = sandbox.server.source, sandbox.server.market
    assert live.differences == ()
    assert not live.plan.polled
    assert [item.key for item in market.universe.listings] == [
        item.key for item in fake.market.universe.listings
    ]
    for name in (
        "last_price",
        "open",
        "high",
        "low",
        "previous_close",
        "volume",
        "open_interest",
        "bid",
        "ask",
    ):
        assert not differs(market.contracts[name], fake.market.contracts[name]), name
    assert not differs(
        market.contracts["previous_open_interest"], fake.market.contracts["previous_open_interest"]
    )
    assert market.quote("SENSEX").last_price == pytest.approx(
        fake.market.quote("SENSEX").last_price, abs=0.0051
    )


@pytest.mark.gen_test
async def test_next_step_arrives_and_a_cut_packet_spoils_nothing(fed):
    fake, sandbox, _ = await fed()
    await all_told(sandbox)
    origin = fake.market.contracts["last_price"]
    origin += 1.0
    fake.publish()
    live = sandbox.server.source
    first = len(fake.market.universe.underlyings)
    await until(lambda: not differs(live.gather.values["last_price"][first:], origin))
    await sandbox.step()
    assert not differs(sandbox.server.market.contracts["last_price"], origin)
    assert live.bad >= 1
    assert live.problem is None


@pytest.mark.gen_test
async def test_everything_can_be_polled(fed, monkeypatch):
    monkeypatch.setattr(source, "REPLAN_S", 0.02)
    fake, sandbox, _ = await fed(sockets=0)
    live = sandbox.server.source
    live.broker.limits = Limits(0, 5000, 1000, 0.0, 90.0, has_heartbeat=False)
    await all_told(sandbox)
    assert not differs(sandbox.server.market.contracts["ask"], fake.market.contracts["ask"])


@pytest.mark.gen_test
async def test_session_that_has_ended_is_said_and_a_new_login_goes_on(fed):
    _fake, sandbox, path = await fed(token="")
    live = sandbox.server.source
    await until(lambda: live.problem is not None)
    assert live.problem.message == "Dhan needs today's login: run `python server.py login`."
    write_token(path, "1000000001", {"access_token": "of yesterday"})
    await until(lambda: live.problem is not None and "ended the session" in live.problem.message)
    assert live.problem.kind == "login_required"
    write_token(path, "1000000001", {"access_token": TOKEN})
    await until(lambda: live.problem is None)
    await all_told(sandbox)


@pytest.mark.gen_test
async def test_server_logs_in_without_a_browser_and_keeps_it_private(io_loop, tmp_path, monkeypatch):
    asked = []

    class Generate(RequestHandler):
        def post(self) -> None:
            asked.append({name: self.get_query_argument(name) for name in ("dhanClientId", "pin", "totp")})
            self.finish({"accessToken": TOKEN, "expiryTime": "2026-12-01T08:00:00"})

    class Renew(RequestHandler):
        def get(self) -> None:
            self.finish({"accessToken": f"{self.request.headers['access-token']}-renewed"})

    class Profile(RequestHandler):
        def get(self) -> None:
            self.finish({"tokenValidity": "01/12/2026 08:00"})

    listening, port = bind_unused_port()
    server = HTTPServer(
        Application([("/app/generateAccessToken", Generate), ("/RenewToken", Renew), ("/profile", Profile)])
    )
    server.add_socket(listening)
    path = tmp_path / "dhan.json"
    environment = {
        "DHAN_CLIENT_ID": "1000000001",
        "DHAN_PIN": "123456",
        "DHAN_TOTP_SECRET": base64.b32encode(b"12345678901234567890").decode(),
        "DHAN__TOKEN_FILE": str(path),
        "DHAN__LOGIN_URL": f"http://127.0.0.1:{port}",
        "DHAN__ROOT_URL": f"http://127.0.0.1:{port}",
    }

    async def login(*options: str) -> int:
        arguments = ["--broker", "dhan", *options]
        return await asyncio.get_running_loop().run_in_executor(None, run_login, arguments, environment)

    assert await login() == 0
    assert asked[0]["pin"] == "123456"
    assert len(asked[0]["totp"]) == 6
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_token(path, "1000000001") == TOKEN
    assert read_token(path, "another") == ""
    assert await login("--renew") == 0
    assert read_token(path, "1000000001") == f"{TOKEN}-renewed"
    assert await login("--check") == 0
    assert await login("--logout") == 0
    assert not path.exists()
    with pytest.raises(OperatorError, match="There is no login"):
        await login("--check")
    server.stop()
