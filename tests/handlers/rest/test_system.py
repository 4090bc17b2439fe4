"""/, /api, /health, /api/market-status, /api/websocket/stats: the service itself."""

import re
from urllib.parse import urljoin

import pytest

from schemas.documents.routes import ROUTES
from schemas.events import CLIENT, SERVER
from schemas.reference import MarketStatusSchema
from tests.handlers.shapes import problems

PARTS = {"feed", "streams", "history", "event_loop", "clients"}


@pytest.mark.gen_test
async def test_front_page_links_to_every_route_and_the_links_work(sandbox, fetch):
    page = await fetch(sandbox, "/")
    text = page.raw.decode()
    assert page.headers["Content-Type"].startswith("text/html")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', text)]
    assert {urljoin("/", link) for link in links} >= {route.example for route in ROUTES}
    for link in links:
        assert (await fetch(sandbox, urljoin("/", link))).status == 200, link


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/docs", "/api/openapi.json"])
@pytest.mark.gen_test
async def test_links_lead_on_behind_a_prefix_too(sandbox, fetch, path):
    """As behind a proxy that serves this at /md/: no link may leave that folder."""
    answer = await fetch(sandbox, path)
    links = re.findall(r'href="([^"#]+)', answer.raw.decode())
    if path.startswith("/api") and path != "/api/docs":
        document = answer.body
        data = document.get("data") or {"links": {}, "routes": []}
        links += [*data["links"].values(), *(row["example"] for row in data["routes"])]
        links += [server["url"] for server in document.get("servers", ())]
    assert links
    for link in links:
        at = urljoin(f"/md{path}", link.replace("&amp;", "&"))
        assert at.startswith("/md/"), link
        if "socket.io" not in at:
            assert (await fetch(sandbox, at.removeprefix("/md"))).status == 200, link


@pytest.mark.gen_test
async def test_browsers_get_an_icon(sandbox, fetch):
    answer = await fetch(sandbox, "/favicon.ico")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/x-icon")
    assert answer.raw.startswith(b"\0\0\1\0")


@pytest.mark.gen_test
async def test_front_page_may_run_no_script(sandbox, fetch):
    page = await fetch(sandbox, "/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.gen_test
async def test_index_names_every_route_and_every_event(sandbox, fetch):
    data = (await fetch(sandbox, "/api")).data
    assert data["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["version"])
    assert data["links"]
    assert [row["route"] for row in data["routes"]] == [route.path for route in ROUTES]
    assert [row["event"] for row in data["events"]["client_to_server"]] == list(CLIENT)
    assert [row["event"] for row in data["events"]["server_to_client"]] == list(SERVER)


@pytest.mark.parametrize("path", ["/health", "/api/health"])
@pytest.mark.gen_test
async def test_health_gives_a_verdict_with_a_reason_for_each_part(sandbox, fetch, path):
    data = (await fetch(sandbox, path)).data
    assert data["status"] in ("ok", "degraded")
    assert re.fullmatch(r"\d+\.\d+\.\d+", data["version"])
    assert data["uptime_s"] >= 0
    assert data["parts"].keys() == PARTS
    for part in data["parts"].values():
        assert part["status"] in ("ok", "degraded", "down")
        assert part["reason"].endswith(".")
    assert data["parts"]["feed"]["state"] == "live"
    assert data["parts"]["feed"]["last_tick_age_ms"] == 0
    assert data["parts"]["feed"]["rate_per_s"] > 0
    assert data["parts"]["event_loop"]["lag_p99_ms"] >= 0


@pytest.mark.gen_test
async def test_health_counts_connected_clients(sandbox, fetch, connect):
    await connect(sandbox)
    await connect(sandbox, "polling")
    data = (await fetch(sandbox, "/health")).data
    assert data["parts"]["clients"]["connected"] == 2


@pytest.mark.gen_test
async def test_health_is_down_before_any_data_arrived(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, steps=0)
    answer = await fetch(sandbox, "/health")
    assert answer.status == 503
    assert answer.body["data"]["status"] == "down"
    assert answer.body["data"]["parts"]["feed"]["status"] == "down"


@pytest.mark.parametrize(("probe", "status"), [("live", 200), ("ready", 503)])
@pytest.mark.gen_test
async def test_probes_tell_a_process_that_runs_from_one_that_serves(make_sandbox, fetch, probe, status):
    sandbox = await make_sandbox(own_market=True, steps=0)
    assert (await fetch(sandbox, f"/health?probe={probe}")).status == status


@pytest.mark.parametrize("probe", ["live", "ready"])
@pytest.mark.gen_test
async def test_probes_of_a_serving_process_succeed(sandbox, fetch, probe):
    answer = await fetch(sandbox, f"/health?probe={probe}")
    assert answer.status == 200
    assert answer.data["status"] in ("ok", "degraded")


class FailingSource:
    """A source whose venue went away; everything else is the real one's."""

    def __init__(self, source):
        self._source = source

    def __getattr__(self, name):
        return getattr(self._source, name)

    def advance(self, now_ms):
        raise ConnectionError("the venue hung up")


@pytest.mark.gen_test
async def test_failed_feed_degrades_health_and_marks_prices_stale(make_sandbox, fetch, caplog):
    sandbox = await make_sandbox(own_market=True, feed={"stale_after_s": 1})
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    sandbox.server.ticker.source = FailingSource(sandbox.server.source)
    await sandbox.step(4)
    health = await fetch(sandbox, "/health")
    assert health.status == 200
    assert health.data["status"] == "degraded"
    assert health.data["parts"]["feed"]["state"] == "stalled"
    assert health.data["parts"]["feed"]["last_tick_age_ms"] == 2000
    after = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert (before["stale"], after["stale"]) == (False, True)
    assert after["spot_price"] == before["spot_price"]
    assert after["as_of"] == before["as_of"]
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=1")).data
    assert chain["stale"] is True


@pytest.mark.gen_test
async def test_failing_feed_is_logged_once_and_not_at_every_tick(make_sandbox, caplog):
    sandbox = await make_sandbox(own_market=True)
    sandbox.server.ticker.source = FailingSource(sandbox.server.source)
    await sandbox.step(20)
    assert len([record for record in caplog.records if record.exc_info]) == 1


@pytest.mark.parametrize("path", ["/api/market-status", "/api/market_status"])
@pytest.mark.gen_test
async def test_market_status_is_as_its_schema_says(sandbox, fetch, path):
    answer = await fetch(sandbox, path)
    assert problems(MarketStatusSchema(), answer.data) == []


@pytest.mark.gen_test
async def test_market_status_shows_the_default_exchange_at_the_top(sandbox, fetch):
    data = (await fetch(sandbox, "/api/market-status")).data
    rows = {row["exchange"]: row for row in data["exchanges"]}
    assert rows.keys() >= {"NSE", "BSE", "NFO", "MCX"}
    for name, value in rows["NFO"].items():
        assert data[name] == value


@pytest.mark.gen_test
async def test_market_status_tells_the_session_and_how_the_feed_runs(sandbox, fetch):
    data = (await fetch(sandbox, "/api/market-status?exchange=NFO")).data
    assert (data["exchange"], data["phase"], data["is_open"]) == ("NFO", "open", True)
    assert data["since"] < (await fetch(sandbox, "/api")).body["timestamp"] < data["next_change"]
    assert data["feed"] == "live"
    assert data["hours"] == "always"
    assert data["holiday"] is None


@pytest.mark.parametrize(
    ("asked", "given"), [("MCX", ["MCX"]), ("nse,bse", ["NSE", "BSE"]), ("NFO,NFO", ["NFO"])]
)
@pytest.mark.gen_test
async def test_market_status_of_the_exchanges_asked_for(sandbox, fetch, asked, given):
    data = (await fetch(sandbox, f"/api/market-status?exchange={asked}")).data
    assert [row["exchange"] for row in data["exchanges"]] == given
    assert data["exchange"] in given


@pytest.mark.gen_test
async def test_closed_market_is_told_truthfully_while_the_feed_runs_round_the_clock(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, feed={"start": "2026-11-22T12:00+05:30"})  # a Sunday
    data = (await fetch(sandbox, "/api/market-status?exchange=NFO")).data
    assert (data["is_open"], data["feed"], data["hours"]) == (False, "live", "always")


@pytest.mark.gen_test
async def test_holiday_is_named(make_sandbox, fetch):
    sandbox = await make_sandbox(own_market=True, feed={"start": "2026-11-24T12:00+05:30"})
    data = (await fetch(sandbox, "/api/market-status?exchange=NFO")).data
    assert data["is_open"] is False
    assert data["holiday"]


@pytest.mark.gen_test
async def test_statistics_count_connections_rooms_and_messages(sandbox, fetch, connect):
    follower = await connect(sandbox, "websocket")
    other = await connect(sandbox, "polling")
    await follower.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await other.ask("subscribe_symbol", {"symbol": ["NIFTY", "BANKNIFTY"]})
    await sandbox.step()
    data = (await fetch(sandbox, "/api/websocket/stats")).data
    assert data["connections"]["now"] == 2
    assert data["connections"]["total"] == 2
    assert data["connections"]["peak"] == 2
    assert data["connections"]["refused"] == 0
    assert data["transports"] == {"websocket": 1, "polling": 1}
    rooms = {room["stream"]: room["subscribers"] for room in data["rooms"]}
    assert rooms == {"symbol:NIFTY": 2, "symbol:BANKNIFTY": 1}
    assert data["messages_out"] >= 1
    assert data["bytes_out"] > data["messages_out"]
    assert data["fan_out_ms"]["p99"] >= data["fan_out_ms"]["p50"] >= 0
    for name in ("conflated", "resyncs", "slow_clients"):
        assert data[name] == 0, name


@pytest.mark.gen_test
async def test_statistics_forget_clients_that_left_and_remember_their_peak(sandbox, fetch, connect):
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    await client.socket.disconnect()
    await client.disconnected.wait()
    await sandbox.step()
    data = (await fetch(sandbox, "/api/websocket/stats")).data
    assert data["connections"]["now"] == 0
    assert data["connections"]["peak"] == 1
    assert data["rooms"] == []


@pytest.mark.gen_test
async def test_statistics_count_refusals_by_their_code(guarded, fetch, connect):
    await connect(guarded)
    data = (await fetch(guarded, "/api/websocket/stats", headers={"X-API-Key": "an-operator-key"})).data
    assert data["connections"]["refused"] == 1
    assert data["connections"]["refused_by_code"] == {"UNAUTHORIZED": 1}


@pytest.fixture
def guarded(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(server={"api_keys": ["an-operator-key"]}))
