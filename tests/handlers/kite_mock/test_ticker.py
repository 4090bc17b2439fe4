"""The ticker over real sockets: modes, limits, what changed, slow readers, other lists of contracts."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from tornado.httpclient import HTTPClientError

from tests.handlers.kite_mock.test_frames import parsed

NIFTY, RELIANCE = 256265, 738561


async def greeted(kite, **options):
    """A socket after its greeting."""
    socket = await kite.ticker(**options)
    assert await socket.read_message() == b"\x00"
    texts = [json.loads(await socket.read_message()) for _ in range(2)]
    assert [text["type"] for text in texts] == ["instruments_meta", "app_code"]
    return socket


async def say(socket, action, value):
    await socket.write_message(json.dumps({"a": action, "v": value}))


async def ticks(socket):
    """The next message that has packets, as Kite's own client reads it."""
    while True:
        message = await socket.read_message()
        assert message is not None, socket.close_code
        if isinstance(message, bytes) and len(message) > 1:
            return {tick["instrument_token"]: tick for tick in parsed(message)}


def some_contracts(kite, count=4):
    """Tokens of contracts near the money of NIFTY's first expiry."""
    universe = kite.sandbox.server.market.universe
    listing = universe.listing("NIFTY")
    middle = len(listing.strikes) // 2
    return listing.tokens[middle : middle + count].tolist()


@pytest.mark.gen_test
async def test_subscribing_tells_the_last_values_at_once_in_the_mode_there_is(kite):
    mock = await kite()
    socket = await greeted(mock)
    token = some_contracts(mock, 1)[0]
    await say(socket, "subscribe", [NIFTY, token])
    told = await ticks(socket)
    assert {key: tick["mode"] for key, tick in told.items()} == {NIFTY: "quote", token: "quote"}
    await say(socket, "mode", ["full", [token]])
    assert (await ticks(socket))[token]["mode"] == "full"
    await say(socket, "mode", ["ltp", [NIFTY, 999]])
    assert (await ticks(socket))[NIFTY]["mode"] == "ltp"
    await say(socket, "subscribe", [token])  # once more, as Python's client does: nothing changes
    assert (await ticks(socket))[token]["mode"] == "full"


@pytest.mark.gen_test
async def test_mode_of_what_is_not_subscribed_is_nothing(kite):
    mock = await kite()
    socket = await greeted(mock)
    await say(socket, "mode", ["full", [NIFTY]])
    await say(socket, "subscribe", [RELIANCE])
    assert list(await ticks(socket)) == [RELIANCE]


@pytest.mark.gen_test
async def test_each_publication_tells_what_changed_and_nothing_else(kite):
    mock = await kite()
    socket = await greeted(mock)
    market = mock.sandbox.server.market
    tokens = [*some_contracts(mock, 60), NIFTY]
    await say(socket, "subscribe", tokens)
    await say(socket, "mode", ["full", tokens])
    held = await ticks(socket)
    held |= await ticks(socket)
    assert set(held) == set(tokens)
    seen = 0
    for _ in range(12):
        await mock.sandbox.step()
        told = await ticks(socket)
        seen += len(told)
        assert set(told) <= set(tokens)
        for token, tick in told.items():
            before = {name: value for name, value in held[token].items() if name != "exchange_timestamp"}
            assert before != {name: value for name, value in tick.items() if name != "exchange_timestamp"}
        held |= told
    assert seen < 12 * len(tokens)
    row = int(np.flatnonzero(market.universe.token == tokens[0])[0])
    assert held[tokens[0]]["last_price"] == round(float(market.contracts["last_price"][row]), 2)
    assert held[NIFTY]["last_price"] == pytest.approx(market.quote("NIFTY").last_price)


@pytest.mark.gen_test
async def test_ticks_are_the_quotes_of_rest_and_the_chain_in_units(kite):
    mock = await kite()
    socket = await greeted(mock)
    await mock.sandbox.step(3)
    universe = mock.sandbox.server.market.universe
    for symbol in ("NIFTY", "RELIANCE", "CRUDEOIL"):
        listing = universe.listing(symbol)
        tokens = listing.tokens[len(listing.strikes) // 2 - 3 : len(listing.strikes) // 2 + 3].tolist()
        await say(socket, "subscribe", tokens)
        await ticks(socket)
        await say(socket, "mode", ["full", tokens])
        told = await ticks(socket)
        quotes = await mock.data("/quote", i=tokens)
        chain = json.loads(mock.sandbox.server.services.views.chain(listing).whole())
        rows = {int(row["ce_token"]): row for row in chain["option_chain"]}
        unit = 1 if symbol == "CRUDEOIL" else listing.expiry.lot_size
        for token in tokens:
            tick, quote, row = told[token], quotes[str(token)], rows[token]
            assert tick["last_price"] == quote["last_price"] == (row["ce_ltp"] or 0)
            assert tick["ohlc"] == quote["ohlc"]
            assert tick["depth"] == {
                side: [{**level} for level in quote["depth"][side]] for side in ("buy", "sell")
            }
            assert tick["oi"] == quote["oi"] == (row["ce_oi"] or 0) * unit
            assert tick["volume_traded"] == quote["volume"] == (row["ce_volume"] or 0) * unit
            assert quote["depth"]["buy"][0]["price"] == (row["ce_bid_price"] or 0)
            bid = (row["ce_bid_qty"] or 0) / (listing.expiry.lot_size if symbol == "CRUDEOIL" else 1)
            assert quote["depth"]["buy"][0]["quantity"] == bid


@pytest.mark.gen_test
async def test_three_thousand_tokens_a_socket_and_three_sockets_a_key(kite):
    mock = await kite()
    sockets = [await greeted(mock) for _ in range(3)]
    for token, key, status in (
        ("fixed-token", "mock", 429),
        ("wrong", "mock", 403),
        ("fixed-token", "other", 403),
    ):
        with pytest.raises(HTTPClientError) as refused:
            await mock.ticker(token, key=key)
        assert refused.value.code == status
    tokens = mock.mock.wire.tokens[:3000].tolist()
    await say(sockets[0], "subscribe", tokens)
    assert len(await ticks(sockets[0])) == 3000
    await say(sockets[0], "subscribe", [tokens[0], int(mock.mock.wire.tokens[3000])])
    text = await sockets[0].read_message()
    while isinstance(text, bytes):
        text = await sockets[0].read_message()
    assert json.loads(text) == {"type": "error", "data": "Can't subscribe to more than 3000 instruments."}
    assert list(await ticks(sockets[0])) == [tokens[0]]
    sockets[1].close()
    while len(mock.mock.tickers.followers) > 2:
        await mock.get("/user/profile")
    await greeted(mock, path="/ws")


@pytest.mark.gen_test
async def test_tokens_as_texts_get_no_ticks_and_are_told_so_once(kite):
    mock = await kite()
    socket = await greeted(mock)
    await say(socket, "subscribe", [str(NIFTY)])
    await say(socket, "subscribe", [str(NIFTY), True, -5, 2**40, None, RELIANCE])
    texts, found = [], None
    while found is None:
        message = await socket.read_message()
        if isinstance(message, str):
            texts.append(json.loads(message))
        elif len(message) > 1:
            found = parsed(message)
    assert [tick["instrument_token"] for tick in found] == [RELIANCE]
    assert [text["type"] for text in texts] == ["message"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "7",
        '{"a":"fly"}',
        '{"a":"subscribe","v":7}',
        '{"a":"mode","v":["loud",[1]]}',
        "\ud800"[:0] + "x" * 9,
    ],
)
@pytest.mark.gen_test
async def test_message_that_is_none_of_kites_closes_that_socket_alone(kite, message):
    mock = await kite()
    other, socket = await greeted(mock), await greeted(mock)
    await socket.write_message(message)
    while await socket.read_message() is not None:
        pass
    assert socket.close_code == 1008
    assert mock.mock.tickers.bad_messages == 1
    await say(other, "subscribe", [NIFTY])
    assert NIFTY in await ticks(other)


@pytest.mark.gen_test
async def test_logout_closes_the_sockets_of_that_session(kite):
    mock = await kite()
    login = mock.mock.sessions
    token = login.request_token(0.0)
    checksum = hashlib.sha256(f"mock{token}secret".encode()).hexdigest()
    session = login.begin("mock", token, checksum, 0.0, 0)
    mine, fixed = await greeted(mock, token=session.access_token), await greeted(mock)
    login.end(session.access_token)
    while await mine.read_message() is not None:
        pass
    await say(fixed, "subscribe", [NIFTY])
    assert NIFTY in await ticks(fixed)


@pytest.mark.gen_test
async def test_heartbeat_comes_while_nothing_else_does(kite):
    mock = await kite()
    socket = await greeted(mock)
    assert [await socket.read_message() for _ in range(2)] == [b"\x00", b"\x00"]


@pytest.mark.gen_test
async def test_who_does_not_read_gets_current_values_once_it_does(kite, monkeypatch):
    mock = await kite()
    socket = await greeted(mock)
    tokens = some_contracts(mock, 40)
    await say(socket, "subscribe", tokens)
    await ticks(socket)
    busy = type(next(iter(mock.mock.tickers.followers)))
    with monkeypatch.context() as stalled:
        stalled.setattr(busy, "is_busy", property(lambda _: True))
        await mock.sandbox.step(6)
    await mock.sandbox.step()
    told = await ticks(socket)
    market = mock.sandbox.server.market
    for token, tick in told.items():
        row = int(np.flatnonzero(market.universe.token == token)[0])
        assert tick["last_price"] == round(float(np.nan_to_num(market.contracts["last_price"][row])), 2)
    assert len(told) > 5


@pytest.mark.gen_test
async def test_page_says_how_a_program_is_pointed_here(kite):
    mock = await kite()
    answer = await mock.get("/", token="")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f'KiteConnect("mock", root="{mock.mock.url}")' in answer.body.decode()
