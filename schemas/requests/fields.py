"""What requests and events are made of: fields that refuse with a sentence, and the base of all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from domain.instants import IST
from domain.instruments import OptionType as OptionTypeName
from domain.intervals import INTERVAL_ALIASES, INTERVALS
from domain.intervals import Interval as IntervalName

MODES = ("delta", "full")
WINDOWS = (5, 10, 20, 40)  # few windows, so that many clients share each
LEAST_STRIKE, GREATEST_STRIKE = 0.01, 1e9
MAX_STRIKES = 1000
MAX_PAGE_ROWS = 1000
MAX_STREAMS = 64
AT = "an instant of the past, from history; left out: now"
MAX_SEQ = 2**53 - 1  # the largest a JavaScript client can count to

SYMBOL_PATTERN = "[A-Za-z0-9][A-Za-z0-9&_-]{0,24}"
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9&_ -]{0,24}"  # other names of an underlying have blanks: NIFTY 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
EARLIEST_MS = round((datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) / MILLISECOND)
LATEST_MS = round((datetime(2200, 1, 1, tzinfo=UTC) - EPOCH) / MILLISECOND)
_SYMBOL = re.compile(NAME_PATTERN)  # before it is made upper case: more than ASCII ends up there


class Symbol(fields.String):
    """A symbol, or another name of it, in any case: letters, digits, blanks, ``&``, ``-`` and ``_``."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs).strip()
        if not _SYMBOL.fullmatch(text):
            raise ValidationError(
                f"must be a symbol of letters, digits, &, - or _ (at most 25), was {shown(value)}"
            )
        return text.upper()


class SymbolOrList(fields.Field[list[str]]):
    """One symbol or a list of them; loads as a list without doubles."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[str]:
        symbols = value if isinstance(value, list) else [value]
        if not 1 <= len(symbols) <= MAX_STREAMS:
            raise ValidationError(f"must be one symbol or 1 to {MAX_STREAMS} of them, was {len(symbols)}")
        symbol = Symbol()
        return list(dict.fromkeys(str(symbol.deserialize(item)) for item in symbols))


class Day(fields.Field[date]):
    """A date of the exchange's calendar, YYYY-MM-DD."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> date:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise ValidationError(f"must be a date YYYY-MM-DD, was {shown(value)}")


class Moment(fields.Field[int]):
    """An instant (ISO 8601 with its offset) or a date (its first instant in India); loads as milliseconds.

    One before 1900 or after 2199 is moved there: nothing is known of either time.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        try:
            # a "+" of the offset that was not URL-encoded arrives as a blank
            instant = datetime.fromisoformat(str(value).strip().replace(" ", "+", 1))
        except ValueError:
            instant = None
        if instant is None:
            raise ValidationError(
                f"must be a date YYYY-MM-DD or an instant such as 2026-11-23T09:15:00+05:30, "
                f"was {shown(value)}"
            )
        zoned = instant if instant.tzinfo else instant.replace(tzinfo=IST)
        # a difference, since the first and the last day of the calendar have no other time zone's
        return min(max(round((zoned - EPOCH) / MILLISECOND), EARLIEST_MS), LATEST_MS)


class Interval(fields.String):
    """A candle's length, by its short or its Kite name; loads as the short one."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> IntervalName:
        text = super()._deserialize(value, *args, **kwargs).strip().lower()
        text = INTERVAL_ALIASES.get(text, text)
        if text not in INTERVALS:
            names = ", ".join((*INTERVALS, *INTERVAL_ALIASES))
            raise ValidationError(f"must be one of {names}, was {shown(value)}")
        return IntervalName(text)


class Choices(fields.String):
    """Names out of a fixed list, separated by commas; loads as a list without doubles."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        self.choices = choices
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        names = [item.strip().upper() for item in text.split(",") if item.strip()]
        unknown = [name for name in names if name not in self.choices]
        if unknown or not names:
            raise ValidationError(f"must be of {', '.join(self.choices)}, was {shown(value)}")
        return list(dict.fromkeys(names))


class WholeNumber(fields.Field[int]):
    """An integer out of JSON, within bounds, both included; a text or a fraction is none, 5.0 is 5."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        metadata = {"minimum": low, "maximum": high, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if _is_number(value) and value % 1 == 0 and self.low <= value <= self.high:
            return int(value)
        raise ValidationError(f"must be a whole number from {self.low} to {self.high}, was {shown(value)}")


class Quantity(fields.Field[float]):
    """A number out of JSON, finite and within bounds; a text is none."""

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        self.low, self.high = low, high
        metadata = {"minimum": low, "maximum": high, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if _is_number(value) and self.low <= value <= self.high:
            return float(value)
        raise ValidationError(f"must be a number from {self.low:g} to {self.high:g}, was {shown(value)}")


class Window(fields.Field[int]):
    """Strikes on each side of the money that a stream may have."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if _is_number(value) and value in WINDOWS:
            return int(value)
        choices = ", ".join(map(str, WINDOWS))
        raise ValidationError(f"must be {choices} or left out for all, was {shown(value)}")


class _Length(validate.Length):
    def _format_error(self, value: Any, message: str) -> str:
        return super()._format_error(shown(value), message)


class _OneOf(validate.OneOf):
    def _format_error(self, value: Any) -> str:
        return super()._format_error(shown(value))


def length(low: int, high: int) -> validate.Length:
    """A validator for a text's length, both bounds included."""
    return _Length(low, high, error=f"must have {low} to {high} characters, was {{input}}")


def one_of(choices: tuple[str, ...]) -> validate.OneOf:
    """A validator for names out of a short list."""
    return _OneOf(choices, error=f"must be {' or '.join(choices)}, was {{input}}")


class OptionType(fields.String):
    """CE or PE, in any case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=one_of(tuple(OptionTypeName)), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, *args, **kwargs).strip().upper()


class Flag(fields.Boolean):
    """A boolean out of JSON; a text or a number is none."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"must be true or false, was {shown(value)}")
        return value


class QueryFlag(fields.Boolean):
    """A boolean out of a URL: true or false, in any case."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        text = str(value).lower()
        if text not in ("true", "false"):
            raise ValidationError(f"must be true or false, was {shown(value)}")
        return text == "true"


class QueryInteger(fields.Integer):
    """An integer out of a URL, within bounds."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(metadata={"minimum": low, "maximum": high}, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        text = str(value)
        if re.fullmatch(r"[+-]?[0-9]{1,12}", text) and self.low <= int(text) <= self.high:
            return int(text)
        raise ValidationError(f"must be a whole number from {self.low} to {self.high}, was {shown(value)}")


class Strike(fields.Field[float]):
    """A strike out of a URL."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,20})?", str(value)):
            strike = float(value)
            if LEAST_STRIKE <= strike <= GREATEST_STRIKE:
                return strike
        raise ValidationError(
            f"must be a number from {LEAST_STRIKE} to {GREATEST_STRIKE:.0f}, was {shown(value)}"
        )


_OUR_WORDS = {
    "Missing data for required field.": "is required and was not given",
    "Field may not be null.": "must not be null",
    "Not a valid string.": "must be a text, was {value}",
    "Not a valid list.": "must be a list, was {value}",
}


def _in_our_words(texts: Any, value: Any) -> Any:
    """Messages of a field, or of the items of a list, with the value that each is about."""
    if isinstance(texts, Mapping):
        items = dict(enumerate(value)) if isinstance(value, list) else {}
        return {key: _in_our_words(inner, items.get(key)) for key, inner in texts.items()}
    return [_OUR_WORDS[text].format(value=shown(value)) if text in _OUR_WORDS else text for text in texts]


Q = TypeVar("Q")


class Request(Schema, Generic[Q]):
    """Base of all: an unknown name is refused, and every sentence names the value.

    ``makes`` is what the code works on: a frozen class with the fields of the schema.
    """

    makes: type[Q]

    class Meta:
        """Refuse what is not known."""

        unknown = RAISE

    error_messages = {"unknown": "is not a parameter here", "type": "must be an object"}  # noqa: RUF012

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Say in our words what marshmallow says in its own, with the value and what is known."""
        messages = error.messages
        if isinstance(messages, dict) and isinstance(data, Mapping):
            for name, texts in messages.items():
                if texts == [self.error_messages["unknown"]]:
                    known = ", ".join(sorted(self._known())) or "none"
                    messages[name] = [f"is not a parameter here, was {shown(data[name])}; known: {known}"]
                else:
                    messages[name] = _in_our_words(texts, data.get(name))

    @classmethod
    def read(cls, data: Any) -> Q:
        """What was asked, as an object. Raises ValidationError."""
        return cls.made_of(_instance(cls).load(data))

    @classmethod
    def made_of(cls, loaded: Mapping[str, Any]) -> Q:
        """The object of a request that was loaded."""
        return cls.makes(**loaded)

    def _known(self) -> list[str]:
        return [field.data_key or name for name, field in self.fields.items()]


@cache
def _instance(schema: type[Request[Any]]) -> Request[Any]:
    """The one instance of a schema: making one costs more than loading with it."""
    return schema()


@dataclass(frozen=True, slots=True)
class Nothing:
    """What is asked where nothing can be."""


class NoParameters(Request[Nothing]):
    """A route that takes none."""

    makes = Nothing


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A value as it is shown in a sentence: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def path_symbol(text: str) -> str:
    """A symbol out of a path. Raises ValidationError keyed by its name."""
    try:
        return str(Symbol().deserialize(text))
    except ValidationError as error:
        raise ValidationError({"symbol": error.messages}) from None
