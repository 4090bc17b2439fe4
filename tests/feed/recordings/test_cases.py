"""The files that people have, as they were handed in; skipped where they are not beside the checkout."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from feed.recordings.reading import Options
from tests.feed.history.support import at
from tests.feed.transfer.support import answered, store_of

CASES = Path(__file__).parents[4] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")


def report_of(folder: Path, name: str, **options: object):
    with store_of(folder) as store:
        (report,) = store.import_file(CASES / name, Options(**options))
        assert store.check().problems == []
    return report


@pytest.mark.parametrize(
    ("name", "symbol", "width", "kept", "refused", "code"),
    [
        ("01-index-identity/NIFTY 50_minute.csv", "NIFTY", "1m", 30, 0, 0),
        ("01-index-identity/NIFTY BANK_minute.csv", "BANKNIFTY", "1m", 30, 0, 0),
        ("01-index-identity/NIFTY MIDCAP 100_minute.csv", None, None, 0, 0, 2),
        ("02-bar-width/NIFTY_day.csv", "NIFTY", "1d", 10, 0, 0),
        ("02-bar-width/NIFTY_5minute.csv", "NIFTY", "5m", 75, 0, 0),
        ("03-chain-without-spot/nse_NIFTY_no_spot.json", "NIFTY", None, 21, 0, 0),
        ("05-special-sessions/NIFTY_2024-01-20_minute.csv", "NIFTY", "1m", 105, 0, 0),
        ("06-shapes/NIFTY_timestamp.csv", "NIFTY", "1m", 20, 0, 0),
        ("06-shapes/NIFTY_Datetime_capital.csv", "NIFTY", "1m", 20, 0, 0),
        ("06-shapes/NIFTY_epoch_s.csv", "NIFTY", "1m", 20, 0, 0),
        ("06-shapes/NIFTY_month_name.csv", "NIFTY", "1m", 20, 0, 0),
        ("06-shapes/NIFTY_thousands.csv", "NIFTY", "1d", 6, 0, 0),
        ("06-shapes/NIFTY_kite_historical.json", "NIFTY", "1m", 20, 0, 0),
        ("06-shapes/NIFTY_all_rows_bad.csv", "NIFTY", None, 0, 5, 1),
        ("07-exchange-files/option-chain-ED-NIFTY-11-Aug-2026.csv", "NIFTY", None, 21, 0, 0),
        ("07-exchange-files/fo03APR2024bhav.csv.zip", "NIFTY", None, 43, 0, 0),
        ("07-exchange-files/BhavCopy_NSE_FO_0_0_0_20260804_F_0000.csv", "NIFTY", None, 42, 0, 0),
        ("11-unknown-symbols/candles.csv", "NIFTY", "1m", 3, 3, 1),
        ("12-one-bad-field/chain_NIFTY.csv", "NIFTY", None, 18, 0, 0),
    ],
)
def test_each_case_is_understood(tmp_path, name, symbol, width, kept, refused, code):
    report = report_of(tmp_path, name)
    told = report.as_json()
    assert (told["symbol"], told["width"], told["kept"], told["refused"]) == (symbol, width, kept, refused)
    assert report.exit_code == code


@pytest.mark.parametrize("day", [date(2024, 1, 20), date(2024, 3, 2)])
def test_a_special_saturday_has_its_own_daily_candle(tmp_path, day):
    report_of(tmp_path, f"05-special-sessions/NIFTY_{day}_minute.csv")
    found = answered(tmp_path, "NIFTY", "1d", f"{day} 00:00", f"{day} 23:59")
    assert [at(f"{day} 00:00") <= told < at(f"{day} 23:59") for told in found.time_ms.tolist()] == [True]


@pytest.mark.parametrize("names", [("day", "minute"), ("minute", "day")])
def test_the_whole_day_outranks_forty_minutes(tmp_path, names):
    for name in names:
        report_of(tmp_path, f"08-partial-day/NIFTY_{name}.csv")
    found = answered(tmp_path, "NIFTY", "1d", "2026-08-04 09:15", "2026-08-04 15:00")
    assert found.volume.tolist() == [251_000_000]


@pytest.mark.parametrize("hours", ["exchange", "always"])
def test_the_closing_bar_belongs_to_its_day(tmp_path, hours):
    report_of(tmp_path, "09-closing-bar/NIFTY_minute.csv")
    found = answered(tmp_path, "NIFTY", "1d", "2026-06-02 09:15", "2026-06-03 15:00", hours)
    assert found.time_ms.tolist() == [at("2026-06-02 09:15")]
    assert found.close.tolist() == [24_294.63]
