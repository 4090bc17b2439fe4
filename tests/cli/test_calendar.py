"""``server.py calendar check``: what a file changes of what is built in."""

from __future__ import annotations

import re
import textwrap
from datetime import date, timedelta
from pathlib import Path

import pytest

import server
from feed.reference.calendar import Calendar

PAGE = (Path(__file__).parents[2] / "docs" / "calendar.md").read_text()


@pytest.fixture
def check(tmp_path, capsys):
    """Compare a file of that name and text; the exit code and the lines."""

    def run(name, text, *options):
        (tmp_path / name).write_text(text)
        code = server.main(["calendar", "check", str(tmp_path / name), *options])
        return code, capsys.readouterr().out.splitlines()

    return run


def holidays_of(year):
    """Weekdays of a year on which NSE is closed, as the calendar has them."""
    calendar = Calendar.load()
    days = (date(year, 1, 1) + timedelta(days=count) for count in range(365))
    return [day for day in days if day.weekday() < 5 and not calendar.is_session("NSE", day)]


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d,{},Tuesday", "{} | %d-%b-%Y", "%d %B %Y {}", "1. %B %d, %Y; {}", "%d/%m/%Y\t{}"]
)
def test_table_that_agrees_is_said_to_in_whatever_form(check, form):
    lines = [day.strftime(form).format("Some feast") for day in holidays_of(2026)]
    assert check("table.csv", "Date,Holiday\n" + "\n".join(lines)) == (0, ["Nothing differs."])


def test_day_more_and_day_less_are_told_as_an_override_says_them(check):
    days = holidays_of(2026)
    lines = [f"{day},Feast" for day in days[1:]] + ["2026-12-03,Municipal elections"]
    code, told = check("table.csv", "\n".join(lines))
    assert code == 1
    assert told == [
        f"{days[0]}  no holiday there, closed here:  {days[0]} = false",
        '2026-12-03  a holiday there, a session here:  2026-12-03 = "Municipal elections"',
        "2 differences",
    ]


def test_weekend_in_a_table_is_no_difference(check):
    lines = [f"{day},Feast" for day in holidays_of(2026)] + ["2026-11-08,Diwali (a Sunday)"]
    assert check("table.csv", "\n".join(lines))[0] == 0


def test_override_is_told_by_day_exchange_and_hours(check):
    code, told = check("over.toml", '[holidays.equity]\n2026-12-03 = "Elections"\n2026-11-24 = false\n')
    assert code == 1
    assert {line.split()[0] for line in told[:-1]} == {"2026-11-24", "2026-12-03"}
    assert all(("closed ->" in line) == line.startswith("2026-11-24") for line in told[:-1])
    assert any("NFO" in line and line.endswith("-> closed") for line in told)
    assert check("empty.toml", "") == (0, ["Nothing differs."])


def test_list_of_commodities_is_compared_with_theirs(check):
    assert check("mcx.csv", "2026-01-26 Republic Day", "--list", "commodities")[0] == 1


def test_example_of_the_page_is_an_override(check):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    code, told = check("page.toml", textwrap.dedent(example))
    assert code == 1
    assert any(line.startswith("2027-03-26") for line in told)  # an estimate that is dropped


@pytest.mark.parametrize(("name", "text"), [("t.csv", "no day at all"), ("t.toml", "[holidays")])
def test_file_that_says_nothing_is_a_sentence(tmp_path, capsys, name, text):
    (tmp_path / name).write_text(text)
    assert server.main(["calendar", "check", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err
    assert server.main(["calendar", "check", str(tmp_path / "none.csv")]) == 2
