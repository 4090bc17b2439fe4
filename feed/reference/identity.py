"""One identity, many names: what exchanges, brokers and files call an underlying, and what we call it.

The facts are in `data/aliases.toml`. Names are compared without case, blanks and punctuation, and without the
marks that brokers put around them (``NSE:NIFTY 50``, ``NSE_INDEX|Nifty Bank``, ``RELIANCE-EQ``, ``^NSEI``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from feed.reference.corporate_actions import corporate_actions

ALIASES_PATH = Path(__file__).parent / "data" / "aliases.toml"

_SEGMENT = re.compile(r"(?:NSE|BSE|NFO|BFO|MCX|CDS|IDX|NSE_INDEX|BSE_INDEX|NSE_EQ|BSE_EQ|INDICES)[:|]\s*")
_MARK = re.compile(r"(?:[-.](?:EQ|BE|NS|BO|INDEX|IDX)|\s+INDEX)$")
_DATES = re.compile(
    r"(?<!\d)(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{4}|\d{1,2}-?[A-Z]{3}-?\d{4}|\d{14}|\d{12}|\d{8})(?!\d)"
)
_SPACED_WIDTH = re.compile(
    r"(?<![A-Z0-9])(?:[1-5]|10|15|30|45|60|75|120)[ _-]?"
    r"(?:MIN(?:UTE)?S?|HOURS?|SEC(?:OND)?S?|DAYS?|M|H)(?![A-Z0-9])"
)
_WIDTH = re.compile(r"\d*(?:MINUTES?|MINS?|HOURS?|SECONDS?|DAYS?|[SMHD])|\d{4}|\d{1,2}[A-Z]{3}")
_OPTION = re.compile(
    r"(?<![\d.])\d{2,}(?:\.\d+)?[ _-]?(?:CE|PE|CALL|PUT)(?![A-Z])"  # 23000CE, NIFTY2460623000CE
    r"|(?<![A-Z])(?:CE|PE|CALL|PUT)[ _-]?\d{2,6}(?!\d)"
    r"|(?<!\d)\d{6}[CP]\d{2,6}(?!\d)"  # 240606C23000
)
_FUTURE = re.compile(
    r"FUT(?:URES?|IDX|STK|COM)?(?![A-Z])"
    r"|-I{1,3}(?![A-Z0-9])|(?<=[A-Z0-9][_-])F[123](?![A-Z0-9])|(?<=[A-Z])[12]!"  # by their place
)
_WORD = re.compile(r"[A-Z0-9&]+")


@dataclass(frozen=True, slots=True)
class _Facts:
    symbol_of: dict[str, str]  # plain name -> ours
    symbol_of_words: dict[str, str]  # words of a name, apart and as one -> ours
    families: frozenset[str]
    generic: frozenset[str]


@cache
def _facts() -> _Facts:
    document = tomllib.loads(ALIASES_PATH.read_text(encoding="utf-8"))
    pairs = [(name, symbol) for symbol, names in document["names"].items() for name in (symbol, *names)]
    pairs += [(rename.old, rename.new) for rename in corporate_actions().renames.values()]
    symbol_of = {plain(name): symbol for name, symbol in pairs}
    words = {" ".join(_WORD.findall(name)): symbol for name, symbol in pairs}
    files = document["files"]
    return _Facts(
        symbol_of, {**symbol_of, **words}, frozenset(files["families"]), frozenset(files["generic"])
    )


def plain(name: str) -> str:
    """A name without case, blanks and punctuation."""
    return re.sub(r"[^A-Z0-9&]", "", name.upper())


def known_as(name: str) -> str | None:
    """Our symbol for a name that exchanges or brokers have, None where it is none of them.

    Words count here: ``NIFTY 50``, ``nifty-50`` and ``Nifty50`` are names of NIFTY, ``NI FTY`` is not.
    """
    return _facts().symbol_of_words.get(" ".join(_WORD.findall(name.upper())))


def option_in_file_name(name: str) -> str | None:
    """The option whose candles a file's name tells of, such as ``23000CE``, None where it tells of none."""
    found = _OPTION.search(_stem(name))
    return found and found[0]


def future_in_file_name(name: str) -> str | None:
    """The future whose candles a file's name tells of, such as ``-I`` or ``FUT``, None where of none."""
    found = _FUTURE.search(_stem(name))
    return found and found[0]


def _stem(name: str) -> str:
    return re.sub(r"\.(?:csv|txt|jsonl?|zip|gz)\b", "", name, flags=re.IGNORECASE).upper()


class UnknownIdentity(ValueError):
    """A name that is no underlying of ours; the message has those that are alike."""


class Identities:
    """The underlyings that are known, by every name they have."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbol_of = {plain(symbol): symbol for symbol in symbols} | _facts().symbol_of
        self._known = sorted(set(self._symbol_of.values()))

    def find(self, name: str) -> str | None:
        """Our symbol for a name, None where it is nobody's."""
        text = _SEGMENT.sub("", name.strip().upper(), count=1).lstrip("^")
        return self._symbol_of.get(plain(text)) or self._symbol_of.get(plain(_MARK.sub("", text)))

    def resolve(self, name: str) -> str:
        """Our symbol for a name. Raises UnknownIdentity."""
        found = self.find(name)
        if found is None:
            raise UnknownIdentity(
                f"symbol must be one that this server has, such as {self.near(name)}, was {name.strip()!r}"
            )
        return found

    def near(self, name: str) -> str:
        """A few known symbols that are like a name."""
        keys = get_close_matches(plain(name), self._symbol_of, n=8, cutoff=0.4)
        alike = list(dict.fromkeys(self._symbol_of[key] for key in keys))
        first = ("NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE")
        return ", ".join(dict.fromkeys([*alike[:4], *(name for name in first if name in self._known)]))

    def in_file_name(self, name: str) -> str | None:
        """The underlying that a file's name tells, None where it tells none.

        Raises UnknownIdentity where it names an index we do not have, or two underlyings.
        """
        words = _words(_SPACED_WIDTH.sub(" | ", _DATES.sub(" | ", _stem(name))))
        found: dict[str, str] = {}
        place = 0
        while place < len(words):
            length = self._longest(words, place)
            if length:
                phrase = " ".join(word for word, _ in words[place : place + length])
                self._refuse_family(words, place, place + length)
                found[self._symbol_of[plain(phrase)]] = phrase
            place += length or 1
        if len(found) > 1:
            raise UnknownIdentity(f"its name tells of {' and '.join(sorted(found))}: say which with --symbol")
        return next(iter(found), None)

    def _longest(self, words: list[tuple[str, str]], place: int) -> int:
        """How many words from a place on make the longest name that is known."""
        for length in range(min(6, len(words) - place), 0, -1):
            if plain("".join(word for word, _ in words[place : place + length])) in self._symbol_of:
                return length
        return 0

    def _refuse_family(self, words: list[tuple[str, str]], first: int, stop: int) -> None:
        """Refuse a name that goes on: ``NIFTY MIDCAP 100`` is not NIFTY."""
        facts = _facts()
        before = words[first - 1][0] if first else ""
        after, joint = words[stop] if stop < len(words) else ("", "")
        goes_on = after in facts.families or (joint == " " and not _says_nothing(after))
        if goes_on or (before in facts.families and not before.isdigit()):
            limit = stop
            while limit < len(words) and (words[limit][0] in facts.families or words[limit][1] == " "):
                if _says_nothing(words[limit][0]) and words[limit][0] not in facts.families:
                    break
                limit += 1
            start = first - 1 if before in facts.families and not before.isdigit() else first
            phrase = " ".join(word for word, _ in words[start:limit])
            raise UnknownIdentity(
                f"its name tells of {phrase!r}, which is none of the underlyings known here, such as "
                f"{self.near(phrase)}; --symbol says otherwise"
            )


def _words(text: str) -> list[tuple[str, str]]:
    """The words of a name, each with what stands between it and the word before: a blank, or a mark."""
    found, end = [], 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        found.append((match[0], between if between == " " else "_"))
        end = match.end()
    return found


def _says_nothing(word: str) -> bool:
    return word in _facts().generic or _WIDTH.fullmatch(word) is not None
