"""The terminal as a user sees it: pages, live values, what goes wrong, and that it recovers."""

from __future__ import annotations

import json
import re
import subprocess
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.processes import spawn
from tests.web.conftest import AXE, MORNING, Screen, needs_terminal

pytestmark = [*needs_terminal, pytest.mark.timeout(120)]

PAGES = {
    "chain": "tr.atm",
    "dashboard": "figure.plot svg",
    "chart": ".candles canvas",
    "volatility": "figure.plot svg path",
    "strategy": ".legs tbody tr",
    "replay": "text=Scenario of the simulated market",
    "status": "text=Callbacks run",
}
LEGS = "legs=B1CE24000,S1CE24200"
PHONE = {"width": 390, "height": 844}
COPIED = "button[aria-label='Copy as curl']"


def asked(url: str, path: str, **body: object) -> dict:
    """The data of an answer of REST."""
    request = Request(url + path)
    if body:
        request = Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request) as answer:
            return json.load(answer)["data"]
    except HTTPError as error:
        raise AssertionError(f"{path}: {error.read().decode()}") from None


def legs_near_the_money(url: str) -> str:
    atm = asked(url, "/api/option_chain?symbol=NIFTY&strikes=5")["atm_strike"]
    return f"legs=B1CE{atm:.0f},S1CE{atm + 200:.0f}"


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_live_data_fits_and_is_accessible(screen, server, page):
    """By day on a wide screen, and then by night on a phone's."""
    shown = screen(color_scheme="light")
    opened = shown.open(f"page={page}&{legs_near_the_money(server.url) if page == 'strategy' else ''}")
    expect(opened.locator(PAGES[page]).first).to_be_visible(timeout=20_000)
    shown.until_state("live")
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    looked_at(shown, PAGES[page])
    for command in opened.eval_on_selector_all(COPIED, "found => found.map(item => item.title)"):
        answer = json.loads(subprocess.check_output(["bash", "-c", command], timeout=20))
        # a page's steering is off where the operator did not allow it
        assert answer["success"] or answer["error"]["code"] == "NOT_FOUND", command
    opened.emulate_media(color_scheme="dark")
    opened.set_viewport_size(PHONE)
    looked_at(shown, PAGES[page])
    assert shown.complaints == []


def test_page_opens_on_a_phone_by_night(screen):
    shown = screen(color_scheme="dark", viewport=PHONE)
    opened = shown.open()
    expect(opened.locator(PAGES["chain"])).to_be_visible()
    shown.until_state("live")
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    looked_at(shown, PAGES["chain"])
    assert shown.complaints == []


def looked_at(shown: Screen, wanted: str) -> None:
    """The page has what is wanted, says where it comes from, fits and is accessible."""
    expect(shown.page.locator(wanted).first).to_be_visible()
    assert shown.page.get_by_test_id("source").inner_text() == "simulated"
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = shown.page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [
        (item["id"], item["nodes"][0]["html"][:200])
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]
    assert serious == []


def number(text: str) -> float | None:
    """A number as the page shows it."""
    plain = text.replace(",", "").replace("−", "-").replace("+", "")
    return None if plain == "–" else float(plain)


def test_values_on_the_screen_are_those_of_rest_at_the_same_place(screen, server):
    opened = screen().open("columns=greeks&strikes=all")
    expect(opened.locator("tr.atm")).to_be_visible()
    read = """() => {
      const table = document.querySelector("table.chain");
      const texts = (row) => [...row.children].map((cell) => cell.innerText);
      const rows = [...table.querySelectorAll("tbody tr")].map(texts);
      return {epoch: table.dataset.epoch, seq: Number(table.dataset.seq), rows};
    }"""
    for _ in range(60):
        served = asked(server.url, "/api/option_chain?symbol=NIFTY")
        seen = opened.evaluate(read)
        if (seen["epoch"], seen["seq"]) == (served["epoch"], served["seq"]):
            break
        time.sleep(0.05)
    assert (seen["epoch"], seen["seq"]) == (served["epoch"], served["seq"])
    assert len(seen["rows"]) == len(served["option_chain"])
    for cells, row in zip(seen["rows"], served["option_chain"], strict=True):
        assert number(cells[6]) == row["strike_price"]
        for place, field, digits in (
            (5, "ce_ltp", 2),
            (7, "pe_ltp", 2),
            (3, "ce_delta", 2),
            (9, "pe_delta", 2),
        ):
            expected = row[field]
            if expected is None:
                assert number(cells[place]) is None
            else:
                assert number(cells[place]) == pytest.approx(expected, abs=0.51 * 10**-digits)


def test_everything_is_in_the_address_and_keys_move_about(screen, server):
    shown = screen()
    opened = shown.open()
    expect(opened.locator("tr.atm")).to_be_visible()
    opened.keyboard.press("c")
    expect(opened.locator("th", has_text="Delta").first).to_be_visible()
    opened.keyboard.press("]")
    second = asked(server.url, "/api/expiries/NIFTY")["expiry_dates"][1]
    assert f"expiry={second}" in opened.url
    opened.keyboard.press("2")
    expect(opened.get_by_role("heading", name="NIFTY dashboard")).to_be_visible()
    opened.keyboard.press("/")
    opened.keyboard.type("BANKNIFTY\n")
    expect(opened.get_by_role("heading", name="BANKNIFTY dashboard")).to_be_visible()
    opened.go_back()
    expect(opened.get_by_role("heading", name="NIFTY dashboard")).to_be_visible()
    again = screen()
    again.open(opened.url.partition("?")[2])
    expect(again.page.get_by_role("heading", name="NIFTY dashboard")).to_be_visible()
    assert again.page.get_by_label("Expiry").input_value() == second
    assert shown.complaints == []


def test_click_on_a_price_is_a_leg_and_a_position_is_priced(screen):
    opened = screen().open()
    opened.locator("tr.atm .ltp").first.click()
    opened.locator("tr.atm .ltp").last.click(modifiers=["Shift"])
    opened.keyboard.press("5")
    expect(opened.locator(".legs tbody tr")).to_have_count(2)
    expect(opened.locator(".legs tbody tr").nth(0)).to_contain_text("buy")
    expect(opened.locator(".legs tbody tr").nth(1)).to_contain_text("sell")
    expect(opened.get_by_text("unlimited").first).to_be_visible()
    error = opened.locator(".figure", has_text="Margin of error")
    expect(error).to_contain_text("±")  # of the legs' spreads, which are never nothing
    assert re.search(r"± [1-9]", error.inner_text())


def test_symbol_that_is_not_listed_is_said_in_a_sentence(screen):
    shown = screen()
    opened = shown.open("symbol=NIFTI")
    expect(opened.get_by_text("The symbol NIFTI is not listed.").first).to_be_visible()


def test_slider_shows_the_past_and_leads_back(screen, tmp_path):
    server = spawn(tmp_path / "log", *MORNING, "--speed", "30")
    shown = screen(url=server.url)
    opened = shown.open("page=replay")
    for _ in range(100):  # the first minute of the recording has to close
        points = asked(server.url, "/api/dashboard-history/NIFTY?interval=1m")["points"]
        if len(points) > 1:
            break
        time.sleep(0.2)
    opened.reload()
    slider = opened.locator(".slider input")
    expect(slider).to_be_visible()
    slider.focus()
    opened.keyboard.press("Home")
    expect(opened.locator(".banner")).to_contain_text("The market as of")
    at = opened.url.partition("at=")[2].partition("&")[0].replace("%3A", ":")
    past = asked(server.url, f"/api/option_chain?symbol=NIFTY&at={at}")
    expect(opened.locator(".figures dd").first).to_have_text(f"{past['spot_price']:,.2f}")
    opened.locator(".banner button").click()
    expect(opened.locator(".banner")).to_have_count(0)
    server.end()


def test_faults_are_shown_as_what_they_are_and_pass(screen, tmp_path):
    server = spawn(tmp_path / "log", *MORNING, "--set", "feed.stale_after_s=3", "--set", "feed.heartbeat_s=3")
    shown = screen(url=server.url)
    opened = shown.open()
    shown.until_state("live")
    for kind, states in (
        ("stall_feed", ("stale", "stalled")),
        ("feed_down", ("stale", "stalled", "disconnected")),
    ):
        asked(server.url, "/api/simulation/faults", kind=kind, seconds=60)
        shown.until_state(*states)
        expect(opened.get_by_role("alert").first).to_be_visible()
        with urlopen(Request(server.url + "/api/simulation/faults", method="DELETE")):
            pass
        shown.until_state("live")
        expect(opened.get_by_role("alert")).to_have_count(0)
    chain = asked(server.url, "/api/option_chain?symbol=NIFTY&strikes=5")
    asked(
        server.url,
        "/api/simulation/faults",
        kind="stale_chain",
        symbol="NIFTY",
        expiry=chain["expiry"],
        seconds=60,
    )
    expect(opened.locator(".stated.stale")).to_be_visible(timeout=30_000)
    assert shown.state == "live"  # the spot ticks on
    with urlopen(Request(server.url + "/api/simulation/faults", method="DELETE")):
        pass
    expect(opened.locator(".stated.live")).to_be_visible()
    for kind in ("sequence_gap", "drop_sockets"):
        asked(server.url, "/api/simulation/faults", kind=kind)
        before = int(opened.locator("table.chain").get_attribute("data-seq"))
        opened.wait_for_function(
            "before => Number(document.querySelector('table.chain').dataset.seq) > before + 2", arg=before
        )
        shown.until_state("live")
    server.end()


def test_late_answers_and_lost_history_are_said(screen, tmp_path):
    server = spawn(tmp_path / "log", *MORNING)
    shown = screen(url=server.url)
    shown.open()
    shown.until_state("live")
    asked(server.url, "/api/simulation/faults", kind="latency", latency_ms=1500, seconds=60)
    page = screen(url=server.url).open("page=strategy&legs=B1CE22500")
    expect(page.get_by_text("Pricing …")).to_be_visible()
    expect(page.get_by_text("Margin of error")).to_be_visible()
    asked(server.url, "/api/simulation/faults", kind="history_down", seconds=60)
    page.goto(f"{server.url}/?page=chart&interval=1w")
    expect(page.get_by_text("History cannot be read at the moment").first).to_be_visible()
    shown.until_state("live")  # what is pushed goes on under both
    server.end()


def test_server_that_is_killed_is_said_and_found_again(screen, tmp_path):
    first = spawn(tmp_path / "log", *MORNING)
    shown = screen(url=first.url)
    opened = shown.open()
    shown.until_state("live")
    expect(opened.locator(".stated.live tr.atm")).to_have_count(1)
    first.popen.kill()
    first.end()
    expect(opened.get_by_role("alert").first).to_be_visible()
    shown.until_state("reconnecting")
    expect(opened.locator(".stated.reconnecting tr.atm")).to_have_count(1)  # the last prices, marked
    port = first.url.rpartition(":")[2]
    second = spawn(tmp_path / "log2", *MORNING, "--port", port)
    shown.until_state("live")
    expect(opened.locator(".stated.live tr.atm")).to_be_visible()
    expect(opened.get_by_role("alert")).to_have_count(0)
    second.end()


def test_files_of_the_terminal_never_change_and_come_compressed(server):
    with urlopen(server.url + "/") as answer:
        page, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    name = page.partition('src="./')[2].partition('"')[0]
    for encoding in ("br", "gzip"):
        with urlopen(Request(f"{server.url}/{name}", headers={"Accept-Encoding": encoding})) as answer:
            assert answer.headers["Content-Encoding"] == encoding
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert len(answer.read()) <= 140_000  # the budget of the first page's script
