"""The underlyings, read from their file and checked."""

import csv
from dataclasses import dataclass
from datetime import date
from math import inf
from pathlib import Path

from domain.instruments import ExpiryKind, Kind
from feed.reference.contracts import ContractRules, ExpiryRule, LotChange, StrikeGrid
from feed.reference.data.contract_rules import ContractsError
from feed.reference.data.facts_file import Place

SEGMENTS = {"NSE": 1, "NFO": 2, "BSE": 4, "BFO": 5, "MCX": 7, "INDICES": 9}  # the low byte of a Kite token

_COLUMNS = (
    *("symbol", "name", "kind", "exchange", "derivatives_exchange", "sector", "lot_size", "strike_step"),
    *("spot_tick_size", "tick_size", "reference_price", "price_date", "annual_volatility", "token"),
    *("expiry_rule", "strike_grid", "confidence", "estimated"),
)
_MAY_BE_ESTIMATED = ("lot_size", "strike_step", "reference_price", "annual_volatility")
_FARTHEST = 1000  # more expiries than any ladder has


@dataclass(frozen=True, slots=True)
class Underlying:
    """What options are written on; prices in rupees, `annual_volatility` as a decimal.

    ``reference_price`` is of ``price_date``, None where a rule gave it; ``estimated`` names the fields that
    are not known (docs/universe.md says by which rules they are estimated).
    """

    symbol: str
    name: str
    kind: Kind
    exchange: str
    derivatives_exchange: str
    sector: str
    spot_tick_size: float
    tick_size: float
    strike_step: float
    reference_price: float
    annual_volatility: float
    token: int
    price_date: date | None = None
    estimated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnderlyingRow:
    """An underlying with the rules of its contracts."""

    underlying: Underlying
    lot_size: int
    expiry_rule: ExpiryRule
    lot_changes: tuple[LotChange, ...]  # latest first
    strike_grids: tuple[StrikeGrid, ...]


def read_underlyings(path: Path, rules: ContractRules) -> dict[str, UnderlyingRow]:
    """The underlyings of a file by symbol; raises `ContractsError`."""
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            cells = list(csv.DictReader(lines, restval="", restkey="surplus"))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise ContractsError(f"{path.name}: the file must be readable CSV: {problem}") from problem
    rows: dict[str, UnderlyingRow] = {}
    for line in cells:
        place = Place(ContractsError, path.name, line, (line.get("symbol") or "a row",)).only(*_COLUMNS)
        underlying = _parse_underlying(place, rules)
        if underlying.symbol in rows:
            place["symbol"].refuse("be in the file once")
        rows[underlying.symbol] = _parse_row(place, underlying, rules)
    for symbol in rules.lots:
        if symbol not in rows:
            raise ContractsError(f"{path.name}: {symbol} must have a row, as contracts.toml has lots for it")
    return rows


def _parse_underlying(place: Place, rules: ContractRules) -> Underlying:
    kind = Kind(place["kind"].one_of(tuple(Kind)))
    exchange = place["exchange"].one_of(SEGMENTS)
    rule = rules.expiry_rules[place["expiry_rule"].one_of(rules.expiry_rules)]
    if place["derivatives_exchange"].text() != rule.exchange:
        place["derivatives_exchange"].refuse(f"be {rule.exchange} as in its expiry rule")
    token = int(_positive(place["token"]))
    segment = SEGMENTS["INDICES" if kind == Kind.INDEX else exchange]
    if token % 256 != segment:
        place["token"].refuse(f"have the low byte {segment} of its segment")
    return Underlying(
        symbol=place["symbol"].text(),
        name=place["name"].text(),
        kind=kind,
        exchange=exchange,
        derivatives_exchange=rule.exchange,
        sector=place["sector"].text(),
        spot_tick_size=_positive(place["spot_tick_size"]),
        tick_size=_positive(place["tick_size"]),
        strike_step=_positive(place["strike_step"]),
        reference_price=_positive(place["reference_price"]),
        annual_volatility=_positive(place["annual_volatility"]),
        token=token,
        price_date=_day_or_none(place["price_date"]),
        estimated=_estimated(place["estimated"]),
    )


def _parse_row(place: Place, underlying: Underlying, rules: ContractRules) -> UnderlyingRow:
    rule = rules.expiry_rules[place["expiry_rule"].text()]
    grids = rules.strike_grids[place["strike_grid"].one_of(rules.strike_grids)]
    for kind in ExpiryKind:
        if kind in rule.kinds and not any(grid.fits(kind, _FARTHEST) for grid in grids):
            place["strike_grid"].refuse(f"have bands for every {kind} expiry")
    lot_size = int(_positive(place["lot_size"]))
    changes = rules.lots.get(underlying.symbol, ())
    if changes and changes[0].lot != lot_size:
        place["lot_size"].refuse(f"be the last lot of contracts.toml, {changes[0].lot}")
    return UnderlyingRow(underlying, lot_size, rule, changes, grids)


def _day_or_none(place: Place) -> date | None:
    text = str(place.value or "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        place.refuse("be a date like 2026-09-06, or empty")


def _estimated(place: Place) -> tuple[str, ...]:
    fields = tuple(filter(None, str(place.value or "").strip().split(";")))
    if not set(fields) <= set(_MAY_BE_ESTIMATED):
        place.refuse(f"be some of {', '.join(_MAY_BE_ESTIMATED)}")
    return fields


def _positive(place: Place) -> float:
    try:
        number = float(place.text())
    except ValueError:
        number = 0.0
    if not 0 < number < inf:
        place.refuse("be a positive number")
    return number
