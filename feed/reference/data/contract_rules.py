"""The rules of contracts, read from their file and checked."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from domain.instruments import ExpiryKind
from feed.reference.contracts import (
    ContractRules,
    DueWeekdays,
    ExpiryRule,
    FutureRule,
    LotChange,
    StrikeGrid,
    WeekdayRule,
)
from feed.reference.data.facts_file import FactsError, Place

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


class ContractsError(FactsError):
    """A file of contracts breaks a rule; the message names file, key, rule and value."""


def read_contract_rules(path: Path) -> ContractRules:
    """The rules of a file; raises `ContractsError`."""
    root = Place.of_file(ContractsError, path)
    root.only("weekdays", "foreign_holidays", "expiry_rules", "future_rules", "lots", "strike_grids")
    weekdays = {name: _parse_weekdays(place) for name, place in root["weekdays"].entries()}
    holidays = {
        name: frozenset(item.day() for item in place.items())
        for name, place in root["foreign_holidays"].entries()
    }
    rules: dict[str, ExpiryRule] = {}
    for name, place in root["expiry_rules"].entries():
        rules[name] = _parse_weekday_rule(place, weekdays)
    for name, place in root["future_rules"].entries():
        rules[name] = _parse_future_rule(place, holidays)
    return ContractRules(
        rules,
        {name: _parse_lots(place) for name, place in root["lots"].entries()},
        {name: _parse_grids(place) for name, place in root["strike_grids"].entries()},
    )


def _parse_weekdays(place: Place) -> tuple[DueWeekdays, ...]:
    days = [_parse_due_weekdays(entry.only("from", "weekday", "monthly")) for entry in place.items()]
    if not days or days != sorted(days, key=lambda due: due.start):
        place.refuse("hold weekdays in the order of their dates")
    return tuple(days)


def _parse_due_weekdays(place: Place) -> DueWeekdays:
    weekly = _parse_weekday(place["weekday"])
    return DueWeekdays(
        place["from"].day(), weekly, _parse_weekday(place["monthly"]) if "monthly" in place else weekly
    )


def _parse_weekday(place: Place) -> int:
    return _WEEKDAYS.index(place.one_of(_WEEKDAYS))


def _parse_weekday_rule(place: Place, weekdays: Mapping[str, tuple[DueWeekdays, ...]]) -> WeekdayRule:
    place.only("exchange", "weekdays", "weekly_until", *ExpiryKind)
    exchange = place["exchange"].one_of(weekdays)
    counts = {kind: place[kind].integer(1) if kind in place else 0 for kind in ExpiryKind}
    if not counts[ExpiryKind.MONTHLY]:
        place.refuse("list at least one monthly expiry")
    return WeekdayRule(
        exchange,
        _parse_weekdays(place["weekdays"]) if "weekdays" in place else weekdays[exchange],
        place["weekly_until"].day() if "weekly_until" in place else date.max - timedelta(weeks=2),
        **counts,
    )


def _parse_future_rule(place: Place, holidays: Mapping[str, frozenset[date]]) -> FutureRule:
    numbers = ("monthly", "future_day", "future_sessions", "option_sessions")
    place.only("exchange", "future_months", "month_end_sessions", "business_days", *numbers)
    months = frozenset(item.integer(1) for item in place["future_months"].items())
    if not months or max(months) > 12:
        place["future_months"].refuse("be months from 1 to 12")
    return FutureRule(
        place["exchange"].text(),
        future_months=months,
        month_end_sessions=place["month_end_sessions"].integer() if "month_end_sessions" in place else 0,
        foreign_holidays=(
            holidays[place["business_days"].one_of(holidays)] if "business_days" in place else None
        ),
        monthly=place["monthly"].integer(1),
        future_day=place["future_day"].integer(1),
        future_sessions=place["future_sessions"].integer(),
        option_sessions=place["option_sessions"].integer(1),
    )


def _parse_lots(place: Place) -> tuple[LotChange, ...]:
    changes = [_parse_lot_change(entry) for entry in place.items()]
    if not changes or changes != sorted(changes, key=lambda change: change.start):
        place.refuse("hold lots in the order of their dates")
    return tuple(reversed(changes))


def _parse_lot_change(place: Place) -> LotChange:
    start = place.only("from", "lot", "expiries_from", "weeklies_from", "new_before")["from"].day()
    expiries_from = place["expiries_from"].day() if "expiries_from" in place else start + timedelta(days=1)
    return LotChange(
        start,
        place["lot"].integer(1),
        expiries_from,
        weeklies_from=place["weeklies_from"].day() if "weeklies_from" in place else expiries_from,
        new_before=place["new_before"].day() if "new_before" in place else start,
    )


def _parse_grids(place: Place) -> tuple[StrikeGrid, ...]:
    return tuple(_parse_grid(entry.only("kinds", "nearest", "bands")) for entry in place.items())


def _parse_grid(place: Place) -> StrikeGrid:
    kinds = frozenset(item.one_of(tuple(ExpiryKind)) for item in place["kinds"].items())
    nearest = place["nearest"].integer(1) if "nearest" in place else None
    bands = []
    for band in place["bands"].items():
        parts = list(band.items())
        if len(parts) != 3:
            band.refuse("be [part below, part above, steps]")
        bands.append((parts[0].fraction(), parts[1].fraction(), parts[2].integer(1)))
    return StrikeGrid(kinds, nearest, tuple(bands))
