"""Values of a file of facts, each knowing where it stands, so that a refusal can say so."""

import tomllib
from collections.abc import Collection, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

_LONGEST_QUOTE = 80  # characters of a refused value that help to find it


class FactsError(ValueError):
    """A file of facts breaks a rule; the message names file, key, rule and value."""


class Place:
    """A value of a file, with the keys that lead to it.

    Parameters
    ----------
    error
        The exception class of a refusal.
    file
        The name of the file.
    value
        What stands there.
    path
        The keys from the top of the file down to it.

    """

    def __init__(self, error: type[FactsError], file: str, value: Any, path: tuple[str, ...] = ()) -> None:
        self.error = error
        self.file = file
        self.value = value
        self.path = path

    @classmethod
    def of_file(cls, error: type[FactsError], path: Path) -> "Place":
        """The top of a TOML file."""
        try:
            return cls(error, path.name, tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise error(f"{path.name}: the file must be readable TOML: {problem}") from problem

    @property
    def name(self) -> str:
        """The last key."""
        return self.path[-1]

    def refuse(self, rule: str) -> NoReturn:
        """Raise with the rule that the value breaks ("be positive")."""
        raise self.error(f"{self.file}: {self._words(self.path)} must {rule}, was {_quoted(self.value)}")

    def refuse_key(self, rule: str) -> NoReturn:
        """Raise with the rule that the key breaks."""
        raise self.error(
            f"{self.file}: a key of {self._words(self.path[:-1])} must {rule}, was {self.name!r}"
        )

    @staticmethod
    def _words(path: tuple[str, ...]) -> str:
        return ".".join(path) or "the file"

    def __contains__(self, name: str) -> bool:
        return name in self.table()

    def __getitem__(self, name: str) -> "Place":
        if name not in self:
            self.refuse(f"have the key {name!r}")
        return Place(self.error, self.file, self.value[name], (*self.path, name))

    def table(self) -> dict[str, Any]:
        """The value, which must be a table."""
        if not isinstance(self.value, dict):
            self.refuse("be a table")
        return self.value

    def entries(self) -> Iterator[tuple[str, "Place"]]:
        """The entries of a table."""
        return ((name, self[name]) for name in self.table())

    def items(self) -> Iterator["Place"]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.refuse("be a list")
        return (
            Place(self.error, self.file, value, (*self.path, str(position)))
            for position, value in enumerate(self.value)
        )

    def only(self, *known: str) -> "Place":
        """The same place, a table that must have no other keys."""
        for name, entry in self.entries():
            if name not in known:
                entry.refuse_key(f"be one of {', '.join(known)}")
        return self

    def text(self) -> str:
        """The value, which must be a text."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse("be a text")
        return self.value

    def one_of(self, known: Collection[str]) -> str:
        """The value, which must be a known text."""
        if self.text() not in known:
            self.refuse(f"be one of {', '.join(sorted(known))}")
        return self.text()

    def day(self) -> date:
        """The value, which must be a date."""
        if not isinstance(self.value, date) or isinstance(self.value, datetime):
            self.refuse("be a date such as 2026-11-24")
        return self.value

    def integer(self, least: int = 0) -> int:
        """The value, which must be a whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < least:
            self.refuse(f"be a whole number of at least {least}")
        return self.value

    def fraction(self) -> float:
        """The value, which must be a number between 0 and 1."""
        if not isinstance(self.value, float) or not 0 < self.value < 1:
            self.refuse("be a number between 0 and 1")
        return self.value


def _quoted(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= _LONGEST_QUOTE else f"{words[: _LONGEST_QUOTE - 3]}..."
